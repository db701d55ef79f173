// Canaries: neither a vault password nor a value turns up anywhere when a rekey runs, fails, or is
// killed; a program that gives a password sees nothing of what else there is.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { findLeaks } from './helpers/provision-leaks.ts';
import type { Preload } from './helpers/provision-preload-options.ts';
import { BY_HAND, makeRekeyProject, SECRETS } from './helpers/rekey-project.ts';
import type { RekeyProject } from './helpers/rekey-project.ts';

interface Case {
  readonly args: readonly string[];
  readonly exitCode: number | null;
  readonly preload?: Preload;
  readonly spoil?: (rekey: RekeyProject) => Promise<void>;
}

const TO_NEW = ['--new-vault-id', 'prod@new_pass'];

const CASES: Readonly<Record<string, Case>> = {
  'all well': { args: [...TO_NEW, '-v', '-D'], exitCode: 0 },
  'as JSON': { args: [...TO_NEW, '--json', '-D', '-v'], exitCode: 0 },
  'check mode': { args: [...TO_NEW, '-C', '-D', '-v'], exitCode: 0 },
  'the wrong old password': {
    args: [...TO_NEW, '-v'],
    exitCode: 5,
    spoil: async ({ project }) => project.write('old', 'another password\n'),
  },
  'a damaged value': {
    args: [...TO_NEW, '-v'],
    exitCode: 5,
    spoil: async ({ project }) => {
      const file = 'host_vars/beta/vault_matrix_tokens/bot.yml';
      await project.write(file, (await project.read(file)).replace(/[0-9a-f]{4}\n$/, '\n'));
    },
  },
  'a value in clear where an envelope should be': {
    args: [...TO_NEW, '-v'],
    exitCode: 5,
    spoil: async ({ project }) => {
      const token = SECRETS['the token of bot'] ?? '';
      await project.write('group_vars/all.yml', `vault_bot_access_token: !vault ${token}\n`);
    },
  },
  'a file that is changed before the decision': {
    args: [...TO_NEW, '--json'],
    exitCode: 1,
    preload: { meddle: { on: '^rename .*decided', file: BY_HAND, text: 'other: 1\n' } },
  },
  'a kill': { args: TO_NEW, exitCode: null, preload: { killOn: '^done rename .*decided' } },
};

for (const [name, one] of Object.entries(CASES)) {
  test(`no secret turns up: ${name}`, async (t) => {
    const rekey = await makeRekeyProject(t);
    const seen = await putPrograms(t, rekey);
    await one.spoil?.(rekey);
    const run = await rekey.project.run(one.args, {
      task: 'rekey',
      env: { TMPDIR: rekey.project.folder },
      ...(one.preload === undefined ? {} : { preload: one.preload }),
    });
    assert.equal(run.exitCode, one.exitCode, run.stderr + run.stdout);
    const files = [...rekey.project.tree()].filter(
      ([path]) => path !== 'old' && path !== 'group_vars/all.yml',
    );
    const places = {
      stdout: run.stdout,
      stderr: run.stderr,
      'what a child sees': await seen(),
      ...Object.fromEntries(files.map(([path, text]) => [path, text ?? path])),
    };
    assert.deepEqual(findLeaks(SECRETS, places), []);
  });
}

/** Programs give both passwords, and note down what a child of ours can see. */
async function putPrograms(
  t: TestContext,
  { project }: RekeyProject,
): Promise<() => Promise<Buffer>> {
  const outside = await mkdtemp(join(tmpdir(), 'matrix-tokens-outside-'));
  t.after(() => rm(outside, { recursive: true }));
  for (const [program, file] of [
    ['vault_pass', join(project.folder, 'old')],
    ['new_pass', join(outside, 'new')],
  ] as const) {
    await writeFile(file, await project.read(program));
    await project.write(
      program,
      `#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline >> '${outside}/seen'\ncat '${file}'\n`,
    );
    await chmod(join(project.folder, program), 0o755);
  }
  return () => readFile(join(outside, 'seen'));
}
