// What can be wrong with the machine that runs the play: one clear sentence each.
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ansibleSkip } from './helpers/python.ts';
import { resultOf, roleHosts, writePlay } from './helpers/role-hosts.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';

/** As Node 18 does: it says its version, and cannot run what is newer. */
const OLD_NODE = `#!/bin/sh
case "$1" in -v) echo v18.19.0 ;; *) echo 'SyntaxError: what?' >&2; exit 1 ;; esac
`;

test(
  'a Node that is missing or too old, a bundle that is missing: one sentence',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] } });
    const { project, playbooks } = setting;
    await project.write('old node', OLD_NODE);
    await chmod(join(project.folder, 'old node'), 0o755);
    const old = join(project.folder, 'old node');
    const cases: [name: string, value: string, sentence: RegExp][] = [
      [
        'node',
        '/nowhere/node',
        /Node 20\.19 or newer on the control machine, where .* says: .*not found$/,
      ],
      ['node', old, /Node 20\.19 or newer on the control machine, where .* says: v18\.19\.0$/],
      [
        'bin',
        '/nowhere/matrix-tokens.cjs',
        /bundle \/nowhere\/matrix-tokens\.cjs .* is missing \(in a clone, npm ci makes it\)/,
      ],
    ];
    const roles = cases.map(
      ([name, value]) =>
        `{role: matrix_tokens, matrix_tokens_${name}: "${value}", ignore_errors: true}`,
    );
    await writePlay(setting, { roles: `[${roles.join(', ')}]` });
    const run = await playbooks.run();
    assert.equal(run.exitCode, 0, run.stdout);
    const messages = run.results.flatMap(({ status, result }) =>
      status === 'failed' ? [String(result['msg'])] : [],
    );
    assert.equal(messages.length, cases.length, run.stdout);
    for (const [index, [, , sentence]] of cases.entries()) {
      assert.match(messages[index] ?? '', sentence);
      assert.doesNotMatch(messages[index] ?? '', /\n|SyntaxError|Traceback/);
    }
  },
);

test(
  'settings of the wrong type are told without what they hold, unknown names too',
  { skip },
  async (t) => {
    const canary = 'canary-in-the-wrong-place';
    const setting = await roleHosts(t, {
      hosts: { [HOST]: ['news'] },
      vars: `matrix_tokens_max_wait: ${canary}\nmatrix_tokens_sevices: {}\n`,
    });
    const { playbooks } = setting;
    await writePlay(setting);
    const run = await playbooks.run({ args: ['-vvv'] });
    const message = String(resultOf(run, HOST)['msg']);
    assert.match(message, /vars\.yml:\d+:\d+: 'matrix_tokens_max_wait' is a string \[E_VALUE\]/);
    assert.match(message, /'matrix_tokens_sevices'.*\n.*\n {2}fix: did you mean/);

    const roles = ['fail_on_deferred', 'node', 'bin'].map(
      (name) => `{role: matrix_tokens, matrix_tokens_${name}: [${canary}], ignore_errors: true}`,
    );
    await writePlay(setting, { roles: `[${roles.join(', ')}]` });
    const second = await playbooks.run({ args: ['-vvv'] });
    assert.equal(second.results.filter(({ status }) => status === 'failed').length, 3);
    const told = second.stdout + second.stderr + JSON.stringify(second.results);
    assert.ok(!told.includes(canary), told);
  },
);
