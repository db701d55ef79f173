// Jobs whose folders vanish: AWX copies the project for each of them.
import assert from 'node:assert/strict';
import { existsSync, statfsSync } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FLEETING } from '../src/target/throwaway.ts';
import { folderFor } from './helpers/folder.ts';
import { ansibleSkip } from './helpers/python.ts';
import { loginsAt, resultOf, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';
const TOKEN = 'vault_news_access_token';

test(
  'in AWX nobody is logged in for a file that vanishes, unless a lasting folder is named',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] } });
    const { project, homeserver, playbooks } = setting;
    await writePlay(setting, { show: [TOKEN] });
    const copy = `${project.folder}-copy`;
    t.after(() => rm(copy, { recursive: true, force: true }));
    await cp(project.folder, copy, { recursive: true });
    const job = { JOB_ID: '7', INVENTORY_ID: '1', AWX_PRIVATE_DATA_DIR: project.folder };

    const refused = await playbooks.run({ env: job });
    assert.match(
      String(resultOf(refused, HOST)['msg']),
      /vanishes with this job \(AWX\).*\[E_THROWAWAY\]/,
    );
    const looked = await playbooks.run({ args: ['--check'], env: job });
    assert.match(String(resultOf(looked, HOST)['msg']), /E_THROWAWAY/);
    assert.equal(homeserver.requests.length, 0);

    const lasting = folderFor(t);
    const args = ['-e', `matrix_tokens_vault_dir=${lasting}`];
    const first = await playbooks.run({ args, env: job });
    if (FLEETING.includes(statfsSync(lasting).type)) {
      assert.match(String(resultOf(first, HOST)['msg']), /E_THROWAWAY/, 'it would not last either');
      return;
    }
    assert.equal(first.exitCode, 0, first.stdout);
    assert.equal(first.shown[HOST]?.[TOKEN], tokenOf(homeserver, 'news'));
    // The next job has the project as it was.
    await rm(project.folder, { recursive: true });
    await cp(copy, project.folder, { recursive: true });
    const second = await playbooks.run({ args, env: job });
    assert.equal(second.exitCode, 0, second.stdout);
    assert.equal(second.shown[HOST]?.[TOKEN], tokenOf(homeserver, 'news'));
    assert.equal(resultOf(second, HOST)['changed'], false);
    assert.equal(loginsAt(homeserver), 1);
    assert.ok(existsSync(join(lasting, HOST, 'news.yml')));
  },
);
