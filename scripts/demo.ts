// `npm run demo`: the main job on a copy of inventory.example.yml, against the embedded homeserver,
// in a temp folder that is removed afterwards. It ends with 1 if what it shows did not come true.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { doJob, TOKEN_FILE, withJob } from './main-job.ts';
import { runMain } from './run-main.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PROVISION = 'provision -i inventory.yml --vault-password-file vault_pass';

const KEPT = ['PATH', 'HOME', 'LANG', 'TERM', 'NO_COLOR', 'FORCE_COLOR', 'TMPDIR'];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Shows a command and runs it in a folder, as an operator would. Throws unless it gives 0. */
async function show(
  title: string,
  args: string,
  place: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<void> {
  say(`\n# ${title}\n$ matrix-tokens ${args}`);
  const child = spawn(join(ROOT, 'dist/matrix-tokens.cjs'), args.split(' '), {
    ...place,
    // Without the operator's own Ansible settings, vault passwords and proxies.
    env: Object.fromEntries(KEPT.map((name) => [name, process.env[name]])),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== 0) throw new Error(`it ended with ${exitCode}`);
}

async function main(signal: AbortSignal): Promise<void> {
  await withJob(async (job) => {
    const place = { cwd: job.folder, signal };
    say(
      `A copy of inventory.example.yml in ${job.folder}, a homeserver on ${job.homeserver.baseUrl}`,
    );
    await doJob(job, {
      look: () =>
        show('What would be done? This contacts nobody.', `${PROVISION} --check --diff`, place),
      run: () => show('The run: two logins, two files.', PROVISION, place),
      seen: (text, owner) => {
        say(`\n# What Ansible finds now\n$ cat ${TOKEN_FILE}\n${text.trimEnd()}`);
        say(`# The homeserver says that this token is of ${owner}`);
      },
      again: () => show('The same again: nothing is left to do.', PROVISION, place),
    });
    say('\n# The second run sent no request and changed no byte. The folder is removed now.');
  });
}

await runMain('demo', (_argv, signal) => main(signal));
