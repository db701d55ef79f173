// A run that waits for a rekey, which is killed meanwhile: what it had decided comes first.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import type { Project, Run, RunOptions } from './helpers/provision-project.ts';
import { BY_HAND, makeRekeyProject } from './helpers/rekey-project.ts';
import type { RekeyProject } from './helpers/rekey-project.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';
const BOTH = ['--vault-id', 'prod@new_pass'];
const DECIDED = { killOn: String.raw`^done rename .*decided\.json$`, signal: 'SIGSTOP' } as const;

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
}

function start(project: Project, args: readonly string[], options: RunOptions): Promise<Started> {
  return new Promise((resolve) => {
    const ended: Promise<Run> = project.run(args, {
      ...options,
      onStart: (child) => {
        setImmediate(() => {
          resolve({ child, ended });
        });
      },
    });
  });
}

/** Gives a rekey that has decided and is stopped. */
async function stoppedRekey(project: Project): Promise<Started> {
  const args = ['--new-vault-id', 'prod@new_pass'];
  const started = await start(project, args, { task: 'rekey', preload: DECIDED });
  while (!(await isStopped(started.child.pid ?? 0))) await setTimeout(20);
  return started;
}

async function isStopped(pid: number): Promise<boolean> {
  return / T /.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

/** A bot without a token, which goes into a file that the rekey changes. */
async function addBot(t: TestContext, { project }: RekeyProject): Promise<{ sessions(): number }> {
  const homeserver = await startHomeserver({
    serverName: 'example.org',
    users: [{ localpart: 'late', password: 'password of late' }],
  });
  t.after(() => homeserver.stop());
  const inventory = await project.read('inventory.yml');
  const late = `late: {user: "@late:example.org", homeserver: "${homeserver.baseUrl}", password: password of late, vault_file: ${BY_HAND}}`;
  await project.write('inventory.yml', inventory.replace(/^( +)rss: \{/m, `$1${late}\n$1rss: {`));
  return { sessions: () => homeserver.state.sessions.size };
}

async function waitsFor({ stderr }: ChildProcess): Promise<void> {
  for await (const [text] of on(stderr ?? new PassThrough(), 'data')) {
    if (String(text).includes('waiting for process ')) return;
  }
}

test(
  'a decided rekey that is killed while a run waits for it is ended before that run writes',
  { skip },
  async (t) => {
    const rekey = await makeRekeyProject(t);
    const { project } = rekey;
    const { sessions } = await addBot(t, rekey);
    const { child, ended } = await stoppedRekey(project);
    const waiting = await start(project, [...BOTH, '--encrypt-vault-id', 'prod', '--json'], {});
    await Promise.race([
      waitsFor(waiting.child),
      waiting.ended.then(({ stderr }) => assert.fail(stderr)),
    ]);
    child.kill('SIGKILL');
    assert.equal((await ended).signal, 'SIGKILL');
    const { exitCode, stdout, stderr } = await waiting.ended;
    assert.equal(exitCode, 0, stdout + stderr);
    assert.equal(sessions(), 1);
    assert.match(await project.read(BY_HAND), /^vault_late_access_token: !vault/m);
    const text = await project.read(BY_HAND);
    // Only the values of services: the secret of somebody else keeps its password.
    assert.deepEqual(text.match(/\$ANSIBLE_VAULT;1\.2;AES256;prod/g)?.length, 2, text);
    assert.equal((await project.run([...BOTH, '--json'])).exitCode, 0);
    assert.ok(![...project.tree().keys()].some((path) => path.includes('.matrix-tokens')));
  },
);
