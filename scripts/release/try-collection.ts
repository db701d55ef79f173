// The collection as its users have it: installed into an empty place, and used by a playbook.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { doJob, tokenIn, withJob } from '../main-job.ts';
import { COLLECTION, FULL_NAME } from './collection-source.ts';
import { runCommand } from './command.ts';
import type { Surroundings } from './command.ts';

export interface Installed {
  /** The folder that holds `ansible_collections`. */
  readonly folder: string;
  /** Folder with the programs of ansible-core. */
  readonly ansible: string;
}

const ROLE_PLAY = `---
- hosts: all
  gather_facts: false
  roles:
    - role: ${FULL_NAME}
  tasks:
    - name: Write down what later tasks see
      ansible.builtin.copy:
        content: '{{ vault_rss_access_token }}'
        dest: '{{ playbook_dir }}/seen'
        mode: '0600'
      delegate_to: localhost
      no_log: true
`;

const ACTION_PLAY = `---
- hosts: all
  gather_facts: false
  tasks:
    - name: Get the access tokens that are missing
      ${FULL_NAME}:
      register: tokens
    - name: See what it says
      ansible.builtin.assert:
        that: tokens.changed_services == (['draupnir', 'rss'] if tokens is changed else [])
`;

/** Installs the collection and has Ansible compare each file with the checksum in its manifest. */
export async function installCollection(
  file: string,
  installed: Installed,
  surroundings: Surroundings,
): Promise<void> {
  await mkdir(installed.folder, { recursive: true });
  const galaxy = (...args: string[]): Promise<string> =>
    runAnsible(['ansible-galaxy', 'collection', ...args], installed, surroundings);
  await galaxy('install', '--offline', '--collections-path', installed.folder, file);
  await galaxy('verify', '--offline', COLLECTION);
}

/** Does the main job with the role, by its full name. */
export async function tryRole(installed: Installed, surroundings: Surroundings): Promise<void> {
  await withJob(async (job) => {
    const play = await playIn(job.folder, ROLE_PLAY, { installed, surroundings });
    let written = '';
    const seen = (text: string): void => {
      written = text;
    };
    await doJob(job, { look: () => play('--check', '--diff'), run: () => play(), seen });
    const shown = await readFile(join(job.folder, 'seen'), 'utf8');
    if (shown !== (await tokenIn(job, written))) throw new Error('later tasks saw another token');
  });
}

/** Does the main job with the action, by its full name. */
export async function tryAction(installed: Installed, surroundings: Surroundings): Promise<void> {
  await withJob(async (job) => {
    const play = await playIn(job.folder, ACTION_PLAY, { installed, surroundings });
    await doJob(job, { look: () => play('--check', '--diff'), run: () => play() });
  });
}

async function playIn(
  cwd: string,
  text: string,
  where: { readonly installed: Installed; readonly surroundings: Surroundings },
): Promise<(...args: string[]) => Promise<void>> {
  await writeFile(join(cwd, 'play.yml'), text);
  const argv = ['ansible-playbook', '-i', 'inventory.yml', '--vault-password-file', 'vault_pass'];
  return async (...args) => {
    await runAnsible([...argv, 'play.yml', ...args], where.installed, where.surroundings, cwd);
  };
}

/** What `ansible-doc` must tell. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  module: [
    'OPTIONS',
    'fail_on_deferred',
    'EXAMPLES',
    `${FULL_NAME}:`,
    'changed_services',
    'stand_ins',
  ],
  role: ['matrix_tokens_fail_on_deferred', 'matrix_tokens_vault_dir', 'matrix_tokens_max_wait'],
};

/** Throws where a page of `ansible-doc` lacks something. */
export async function readPages(installed: Installed, surroundings: Surroundings): Promise<void> {
  for (const [type, words] of Object.entries(PAGES)) {
    const argv = ['ansible-doc', '--type', type, FULL_NAME];
    const page = await runAnsible(argv, installed, surroundings);
    for (const word of words) {
      if (!page.includes(word)) throw new Error(`${argv.join(' ')} does not tell of ${word}`);
    }
  }
}

/** Runs a program of ansible-core that finds the collection, and nothing else. */
export function runAnsible(
  argv: readonly string[],
  { folder, ansible }: Installed,
  surroundings: Surroundings,
  cwd = folder,
): Promise<string> {
  const env = { ANSIBLE_COLLECTIONS_PATH: folder, ANSIBLE_NOCOLOR: '1' };
  return runCommand(argv, { cwd, bin: [ansible], env }, surroundings);
}
