// Which file receives a value in a play, whether it would win there, and what later tasks see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUNDLE } from './helpers/provision-project.ts';
import { ansibleSkip } from './helpers/python.ts';
import { loginsAt, resultOf, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';

test(
  'of a file that is kept by hand, later tasks get the tokens and nothing else',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, {
      hosts: { [HOST]: ['ours', 'mine', 'mapped'] },
      vars: 'stays: of vars.yml\n',
    });
    const { project, homeserver, playbooks } = setting;
    const vars = `host_vars/${HOST}/vars.yml`;
    const text = (await project.read(vars))
      .replace('mine: {', `mine: {vault_file: host_vars/${HOST}/aa_mine.yml, `)
      .replace('mapped: {', 'mapped: {variables: {access_token: [bots, "@mapped:x", token]}, ');
    await project.write(vars, text);
    await project.write(`host_vars/${HOST}/aa_mine.yml`, 'stays: of aa_mine.yml\nother: 0644\n');
    const show = ['vault_mine_access_token', 'vault_ours_access_token', 'bots', 'stays', 'other'];
    const extra = ['__matrix_tokens_read'];
    // A second look in one play finds what the first one found.
    const roles = '[matrix_tokens, {role: matrix_tokens, vars: {again: true}}]';
    await writePlay(setting, { roles, show: [...show, ...extra] });
    const look = await playbooks.run({ args: ['--check'] });
    assert.equal(look.exitCode, 0, look.stdout);
    assert.equal(resultOf(look, HOST)['changed'], true);
    await writePlay(setting, { show: [...show, ...extra] });
    assert.deepEqual(look.shown[HOST]?.['bots'], {
      '@mapped:x': { token: 'MATRIX_TOKENS_WRITES_IT_HERE' },
    });
    const run = await playbooks.run();
    assert.equal(run.exitCode, 0, run.stdout);
    assert.deepEqual(run.shown[HOST], {
      vault_mine_access_token: tokenOf(homeserver, 'mine'),
      vault_ours_access_token: tokenOf(homeserver, 'ours'),
      bots: { '@mapped:x': { token: tokenOf(homeserver, 'mapped') } },
      // As before: what else stands in the file does not win all of a sudden.
      stays: 'of vars.yml',
      other: 0o644,
      __matrix_tokens_read: {},
    });
    const again = await playbooks.run();
    assert.deepEqual(again.shown[HOST], {
      ...run.shown[HOST],
      __matrix_tokens_read: '(undefined)',
    });
    assert.equal(resultOf(again, HOST)['changed'], false);
    assert.equal(loginsAt(homeserver), 3);
  },
);

test(
  'what another run wrote after the play began is found, and nobody logs in twice',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, {
      hosts: { [HOST]: ['news', 'rss'] },
      // Placeholders below the file do not hide what it holds by now.
      vars: 'vault_news_access_token: TODO\n',
      keys: ['vault_format: file'],
    });
    const { homeserver, playbooks } = setting;
    await writePlay(setting, {
      keywords: [
        'pre_tasks:',
        `  - ansible.builtin.command: ${COMMAND}`,
        '    delegate_to: localhost',
      ],
      roles: '[matrix_tokens, {role: matrix_tokens, vars: {again: true}}]',
      show: ['vault_news_access_token', 'vault_rss_access_token'],
    });
    const run = await playbooks.run();
    assert.equal(run.exitCode, 0, run.stdout);
    assert.equal(loginsAt(homeserver), 2);
    assert.deepEqual(run.shown[HOST], {
      vault_news_access_token: tokenOf(homeserver, 'news'),
      vault_rss_access_token: tokenOf(homeserver, 'rss'),
    });
    assert.equal(resultOf(run, HOST)['changed'], false);
  },
);

const COMMAND = `${BUNDLE} provision -i inventory.yml --vault-password-file vault_pass`;

test(
  'a value that would win over the file is told before any login, with its place',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] } });
    const { project, homeserver, playbooks } = setting;
    const name = 'vault_news_access_token';
    await writePlay(setting, { keywords: ['vars:', `  ${name}: TODO`] });
    const play = await playbooks.run();
    assert.match(
      String(resultOf(play, HOST)['msg']),
      /^play\.yml:4:30: a value of vault_news_access_token that would win over .* \[E_OVERRIDDEN\]/,
    );
    await writePlay(setting, { show: [name] });
    await project.write(`host_vars/${HOST}/zz.yml`, `${name}: ''\n`);
    const later = await playbooks.run();
    assert.match(
      String(resultOf(later, HOST)['msg']),
      /^host_vars\/matrix\.example\.com\/zz\.yml:1:26: /,
    );
    await project.write(`host_vars/${HOST}/zz.yml`, '');
    assert.equal(homeserver.requests.length, 0);

    // Ansible says of null nowhere where it stands: one login, and never a second one.
    await writePlay(setting, { keywords: ['vars:', `  ${name}: ~`], show: [name] });
    const first = await playbooks.run();
    assert.equal(first.exitCode, 0, first.stdout);
    assert.equal(first.shown[HOST]?.[name], tokenOf(homeserver, 'news'));
    const second = await playbooks.run();
    assert.match(
      String(resultOf(second, HOST)['msg']),
      /^variable vault_news_access_token of host matrix\.example\.com: .* \[E_OVERRIDDEN\]\n.*\n {2}fix: find what sets/,
    );
    assert.equal(loginsAt(homeserver), 1);
  },
);

test(
  'a token that was made for another user stays, and a warning says whose it is',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news', 'rss'] } });
    const { project, homeserver, playbooks } = setting;
    await writePlay(setting, {});
    assert.doesNotMatch(JSON.stringify(await playbooks.run()), /was made for/);
    const vars = `host_vars/${HOST}/vars.yml`;
    await project.write(vars, (await project.read(vars)).replace('user: news', 'user: rss'));
    const run = await playbooks.run();
    assert.equal(run.exitCode, 0, run.stdout);
    assert.match(
      run.stderr.replaceAll(/\s+/g, ' '),
      /the token of news on matrix\.example\.com at \S+news\.yml:2:\d+ was made for @news:\S+, by the comment beside it, not for @rss:/,
    );
    assert.equal(resultOf(run, HOST)['changed'], false);
    assert.equal(loginsAt(homeserver), 2);
  },
);
