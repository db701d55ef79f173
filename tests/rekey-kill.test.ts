// A rekey that is killed at any instant, or whose machine loses its power: whatever the next run is, it
// leaves all files as they were or all of them under the new password, and nothing of its own behind.
// Until then each file opens with one of the two. Here are the instants at which something is decided,
// by their names; `npm run test:crash -- rekey` tries every system call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { findLeaks } from './helpers/provision-leaks.ts';
import { killRun, type Kill } from './helpers/provision-kill.ts';
import type { Project } from './helpers/provision-project.ts';
import { makeRekeyProject, passwordsOf, SECRETS } from './helpers/rekey-project.ts';
import type { FileState, RekeyProject } from './helpers/rekey-project.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';

/** The run after the kill: with both passwords, with the new one alone, or the same rekey again. */
type Next = 'both' | 'only new' | 'rekey';

const BEFORE = {
  'a next content is half written': '^write .*\\.next$',
  'some records are there': '^done rename \\S+ \\S+\\.batch\\.json$',
  'the decision is not yet there': '^rename .* \\S+\\.decided\\.json$',
} as const;

const AFTER = {
  'the decision is there': '^done rename .* \\S+\\.decided\\.json$',
  'one file is in its place': '^done rename .*\\.next \\S+$',
  'the first record is dropped': '^done rm \\S+\\.batch\\.json$',
  'the decision is about to be dropped': '^rm \\S+\\.decided\\.json$',
} as const;

for (const [when, killOn] of Object.entries(BEFORE)) {
  test(`killed when ${when}: the next run leaves all as it was`, { skip }, async (t) => {
    assert.equal(await killAndLook(t, { killOn }, 'both'), 'old');
  });
}

for (const [when, killOn] of Object.entries(AFTER)) {
  test(`killed when ${when}: the next run gives all the new password`, { skip }, async (t) => {
    assert.equal(await killAndLook(t, { killOn }, 'only new'), 'new');
  });
}

test('killed with some of it done: the same rekey does the rest', { skip }, async (t) => {
  const killOn = AFTER['one file is in its place'];
  assert.equal(await killAndLook(t, { killOn }, 'rekey'), 'new');
});

for (const [when, wanted] of [
  ['the decision is not yet there', 'old'],
  ['one file is in its place', 'new'],
] as const) {
  test(`the power fails when ${when}`, { skip }, async (t) => {
    const killOn = { ...BEFORE, ...AFTER }[when];
    assert.equal(await killAndLook(t, { killOn, powerCut: 'synced' }, 'both'), wanted);
  });
}

for (const [when, wanted] of [
  ['a next content is half written', 'old'],
  ['the decision is there', 'new'],
] as const) {
  test(`interrupted by Ctrl-C when ${when}: all or nothing at once`, { skip }, async (t) => {
    const killOn = { ...BEFORE, ...AFTER }[when];
    assert.equal(await killAndLook(t, { killOn, signal: 'SIGINT' }, 'both'), wanted);
  });
}

const BOTH = ['--vault-id', 'prod@new_pass'];
const REKEY = { task: 'rekey', args: ['--new-vault-id', 'prod@new_pass'] } as const;

/** Gives which password all files have in the end; null where the rekey ended before it was killed. */
async function killAndLook(t: TestContext, kill: Kill, next: Next): Promise<FileState | null> {
  const rekey = await makeRekeyProject(t);
  const beginning = [...rekey.project.tree().keys()];
  const { point } = await killRun(rekey.project, kill, REKEY);
  return lookAfter(rekey, beginning, { next, point });
}

async function lookAfter(
  rekey: RekeyProject,
  beginning: readonly string[],
  { next, point }: { next: Next; point: string | null },
): Promise<FileState | null> {
  const { project } = rekey;
  // Fails where a file opens with neither, or holds anything else.
  const between = await passwordsOf(rekey);
  assert.deepEqual(findLeaks(SECRETS, filesOf(project)), []);
  if (next === 'only new') await project.write('vault_pass', await project.read('new_pass'));
  const isRekey = next === 'rekey';
  const args = isRekey ? REKEY.args : next === 'both' ? BOTH : [];
  const last = await project.run(args, { task: isRekey ? 'rekey' : 'provision' });
  const where = `killed at ${point}, between: ${between.join(' ')}\n${last.stderr}${last.stdout}`;
  assert.equal(last.exitCode, 0, where);
  const [first = 'old', ...others] = await passwordsOf(rekey);
  assert.ok(
    others.every((one) => one === first),
    `${where}\n${first} ${others.join(' ')}`,
  );
  assert.deepEqual([...project.tree().keys()], beginning, where);
  assert.deepEqual(findLeaks(SECRETS, { output: last.stdout + last.stderr }), []);
  return point === null ? null : first;
}

function filesOf(project: Project): Record<string, string> {
  const files = [...project.tree()].filter(([path]) => !path.endsWith('_pass'));
  return Object.fromEntries(files.map(([path, content]) => [path, content ?? '']));
}
