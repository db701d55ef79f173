// Several runs at once on the same files.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { requestLines } from './helpers/homeserver.ts';
import { outcomesOf } from './helpers/provision-project.ts';
import { assertConverged, HOST, servicesFor } from './helpers/provision-services.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';
const LOGIN = /^POST .*\/login$/;

test('12 runs at once log each user in once, and all of them end well', { skip }, async (t) => {
  const services = await servicesFor(t, { names: ['mail', 'news', 'rss'] });
  const { project, homeserver, names } = services;
  const runs = await Promise.all(Array.from({ length: 12 }, () => project.run(['--json'])));
  for (const run of runs) assert.equal(run.exitCode, 0, run.stderr + run.stdout);
  const changed = runs.flatMap((run) => Object.values(outcomesOf(run))).filter(isChange);
  assert.equal(changed.length, names.length, 'each login is told by one run');
  const logins = requestLines(homeserver).filter((line) => LOGIN.test(line));
  assert.equal(logins.length, names.length);
  await assertConverged(services);
});

test('runs for different services of one file that is kept by hand: all are there', async (t) => {
  const services = await servicesFor(t, { names: ['mail', 'news', 'rss'] });
  const { project, homeserver, names } = services;
  const vars = await project.read(`host_vars/${HOST}/vars.yml`);
  const file = `host_vars/${HOST}/tokens.yml`;
  const named = vars.replaceAll(/: \{password/g, `: {vault_file: ${file}, password`);
  await project.write(`host_vars/${HOST}/vars.yml`, named);
  await project.write(file, 'mine: kept # as it is\n');
  const runs = await Promise.all(names.map((name) => project.run(['--json', name])));
  for (const [index, run] of runs.entries()) {
    assert.deepEqual(outcomesOf(run), { [String(names[index])]: 'changed' }, run.stderr);
  }
  const text = await project.read(file);
  assert.match(text, /^mine: kept # as it is\n/);
  for (const name of names) assert.ok(text.includes(`vault_${name}_token: !vault`));
  assert.equal(homeserver.state.sessions.size, names.length);
  assert.ok(![...project.tree().keys()].some((path) => path.includes('.matrix-tokens')));
  const again = await project.run(['--json']);
  assert.deepEqual(outcomesOf(again), { mail: 'ok', news: 'ok', rss: 'ok' });
});

test('a run that is killed while others wait for it: one of them goes on', { skip }, async (t) => {
  const children: ChildProcess[] = [];
  const onStart = (child: ChildProcess): void => void children.push(child);
  let arrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const services = await servicesFor(t, {
    names: ['news'],
    onRequest: ({ method }) => {
      if (method !== 'POST') return;
      // It keeps its lock, and does not see the answer.
      if (children.length === 1) children[0]?.kill('SIGSTOP');
      arrived();
    },
  });
  const { project } = services;
  const killed = project.run([], { onStart });
  await arrival;
  const waiting = [1, 2, 3].map(() => project.run(['--json'], { ...FAST, onStart }));
  await Promise.all(children.slice(1).map((child) => saysThatItWaits(child)));
  children[0]?.kill('SIGKILL');
  assert.equal((await killed).signal, 'SIGKILL');
  for (const run of await Promise.all(waiting)) assert.equal(run.exitCode, 0, run.stderr);
  await assertConverged(services);
});

async function saysThatItWaits({ stderr }: ChildProcess): Promise<void> {
  for await (const [text] of on(stderr ?? new PassThrough(), 'data')) {
    if (String(text).startsWith('waiting for process ')) return;
  }
}

/** For the half minute that a lost login is waited for. */
const FAST = { preload: { speed: 40 } };

function isChange(outcome: string): boolean {
  return outcome === 'changed';
}
