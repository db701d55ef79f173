// The commands of the real ansible-core, run in a project as an operator would.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup, Project } from './provision-project.ts';
import { ansibleBin, ansiblePython } from './python.ts';

export interface Ansible {
  /** Runs `ansible-vault`, `ansible-inventory` or `ansible-playbook`, and gives its stdout. */
  run(command: string, args: readonly string[]): Promise<string>;
  /** Gives a value as `ansible-vault encrypt_string` writes it, with its name. */
  encryptString(name: string, value: string): Promise<string>;
  /** Gives what Ansible takes for the values of variables on a host. */
  values(host: string, names: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
}

/** Lets Ansible work in a project, with a home folder that is removed when the test ends. */
export async function ansibleIn(t: Cleanup, { folder }: Project): Promise<Ansible> {
  const home = await mkdtemp(join(tmpdir(), 'matrix-tokens-ansible-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const config = join(home, 'ansible.cfg');
  await writeFile(config, '');
  const run = async (command: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(await ansibleBin(command), args, {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        LANG: 'C.UTF-8',
        // Without the machine's own settings.
        ANSIBLE_CONFIG: config,
        ANSIBLE_VAULT_PASSWORD_FILE: join(folder, 'vault_pass'),
        ANSIBLE_NOCOLOR: '1',
      },
    });
    return stdout;
  };
  return {
    run,
    encryptString: (name, value) => run('ansible-vault', ['encrypt_string', '-n', name, value]),
    values: async (host, names) => {
      const [book, shown] = [join(home, 'show.yml'), join(home, 'shown.json')];
      const values = names.map((name) => `'${name}': ${name}`).join(', ');
      const task = { copy: { content: `{{ {${values}} | to_json }}`, dest: shown, mode: '0600' } };
      const play = { hosts: host, gather_facts: false, connection: 'local', tasks: [task] };
      await writeFile(book, JSON.stringify([play]));
      const python = `ansible_python_interpreter=${await ansiblePython()}`;
      await run('ansible-playbook', ['-i', 'inventory.yml', '-e', python, book]);
      return JSON.parse(await readFile(shown, 'utf8')) as Record<string, unknown>;
    },
  };
}
