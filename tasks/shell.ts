// The one place that runs other programs: zx, configured so that it prints nothing by itself and a
// child gets no more of the environment than it needs.
import type { RunOptions, RunResult } from '../src/provision/world.ts';

const ALLOWED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'GNUPGHOME',
  'GPG_TTY',
  'SSH_AUTH_SOCK',
  'PASSWORD_STORE_DIR',
];

/**
 * Runs a program. Without `input` its stderr goes to ours; without options its stdin is empty. Never
 * throws for its exit code.
 */
export async function run(
  file: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<RunResult> {
  const { $ } = await import('zx/core');
  const hasInput = options !== undefined && 'input' in options;
  const child = $({
    quiet: true,
    verbose: false,
    nothrow: true,
    env: { ...childEnvironment(process.env), ...(hasInput ? options.env : {}) },
    stdio: hasInput
      ? ['pipe', 'pipe', 'ignore']
      : [options === undefined ? 'ignore' : 'inherit', 'pipe', 'inherit'],
  })`${file} ${[...args]}`;
  if (hasInput) {
    // One that ends early reads no more: its exit code says what came of it.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
  }
  const output = await child;
  return { exitCode: output.exitCode ?? 1, stdout: output.buffer() };
}

/** With SHLVL unset, bash may take a pipe for a remote shell and read ~/.bashrc. */
function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const chosen = Object.entries(env).filter(
    ([name]) => ALLOWED.includes(name) || name.startsWith('ANSIBLE_VAULT_'),
  );
  return { ...Object.fromEntries(chosen), SHLVL: env['SHLVL'] ?? '1' };
}
