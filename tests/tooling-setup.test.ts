// scripts/setup.mjs in a small project of its own, whose "compiler" copies and whose packages come
// from its own folder, so that no network is needed.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPTS = resolve(import.meta.dirname, '../../scripts');
const INSTALLING = 'setup: installing the packages (npm ci, about 10 s)\n';
const BUILDING = 'setup: building into dist/ (about 3 s)\n';

const COMPILER = `
const fs = require('node:fs');
const path = require('node:path');
const root = process.argv[3];
for (const folder of ['src', 'scripts', 'tests']) {
  for (const name of fs.readdirSync(path.join(root, folder))) {
    if (!name.endsWith('.ts')) continue;
    fs.mkdirSync(path.join(root, 'dist', folder), { recursive: true });
    const built = path.join(root, 'dist', folder, name.replace(/ts$/, 'js'));
    fs.copyFileSync(path.join(root, folder, name), built);
  }
}
`;

interface Project {
  readonly root: string;
  readonly write: (path: string, text: string) => void;
  /** Runs setup.mjs and gives what it printed. */
  readonly setup: (...args: string[]) => Promise<{ stdout: string; stderr: string }>;
}

function makeProject(t: TestContext): Project {
  const root = mkdtempSync(join(tmpdir(), 'matrix-tokens-setup-'));
  t.after(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const name of ['setup.mjs', 'setup-lock.mjs']) {
    cpSync(join(SCRIPTS, name), join(root, 'scripts', name));
  }
  writePackages(write, '1.0.0');
  write('compiler/bin/tsc', COMPILER);
  write('tsconfig.json', '{}');
  write('src/plan.ts', '');
  write('tests/old.test.ts', '');
  write(
    'scripts/build.ts',
    "import fs from 'node:fs';\nfs.writeFileSync('dist/matrix-tokens.cjs', '');",
  );
  write('scripts/test.ts', "console.log('ran', ...process.argv.slice(2));");
  const script = join(root, 'scripts/setup.mjs');
  const setup = (...args: string[]) => run(process.execPath, [script, ...args], { cwd: root });
  return { root, write, setup };
}

function writePackages(write: Project['write'], version: string): void {
  const devDependencies = { typescript: 'file:compiler' };
  const project = { name: 'project', version: '1.0.0', type: 'module', devDependencies };
  const scripts = { prepare: 'node scripts/setup.mjs prepare' };
  write('package.json', JSON.stringify({ ...project, scripts }));
  write('compiler/package.json', JSON.stringify({ name: 'typescript', version }));
  const packages = {
    '': project,
    compiler: { name: 'typescript', version, dev: true },
    'node_modules/typescript': { resolved: 'compiler', link: true },
  };
  write('package-lock.json', JSON.stringify({ ...project, lockfileVersion: 3, packages }));
}

test('a fresh clone is installed and built once, then only run', async (t) => {
  const { setup } = makeProject(t);
  const first = await setup('test', 'one', 'two words');
  assert.equal(first.stderr, `${INSTALLING}${BUILDING}`);
  assert.equal(first.stdout, 'ran one two words\n');
  const second = await setup('test');
  assert.deepEqual([second.stdout, second.stderr], ['ran\n', '']);
});

test('two at once on a fresh clone: one installs and builds, both run', async (t) => {
  const { setup } = makeProject(t);
  const both = await Promise.all([setup('test'), setup('test')]);
  const said = both.map(({ stderr }) => stderr).join('');
  assert.equal(said.split(INSTALLING).length, 2, said);
  assert.equal(said.split(BUILDING).length, 2, said);
  assert.deepEqual(
    both.map(({ stdout }) => stdout),
    ['ran\n', 'ran\n'],
  );
});

test('a changed source is built without installing, what a removed one left goes', async (t) => {
  const { root, write, setup } = makeProject(t);
  await setup('test');
  write('scripts/test.ts', "console.log('changed');");
  rmSync(join(root, 'tests/old.test.ts'));
  const { stdout, stderr } = await setup('test');
  assert.deepEqual([stdout, stderr], ['changed\n', BUILDING]);
  assert.ok(!existsSync(join(root, 'dist/tests/old.test.js')));
});

test('a changed lockfile is installed', async (t) => {
  const { write, setup } = makeProject(t);
  await setup('test');
  writePackages(write, '1.0.1');
  assert.equal((await setup('test')).stderr, `${INSTALLING}${BUILDING}`);
});

test('the lock of a dead process is taken over', async (t) => {
  const { root, write, setup } = makeProject(t);
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const dead = { pid, host: hostname(), start: '1', nonce: 'dead' };
  write('dist/setup.lock', JSON.stringify(dead));
  assert.equal((await setup('build')).stdout, '');
  assert.ok(existsSync(join(root, 'dist/matrix-tokens.cjs')));
  assert.ok(!existsSync(join(root, 'dist/setup.lock')));
});

test('npm ci by hand builds, too, and npm test then has nothing to do', async (t) => {
  const { root, setup } = makeProject(t);
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root });
  assert.ok(existsSync(join(root, 'dist/matrix-tokens.cjs')));
  assert.equal((await setup('test')).stderr, '');
});

test('a compiler that fails is shown, nothing is run, and the next try builds again', async (t) => {
  const { write, setup } = makeProject(t);
  write('compiler/bin/tsc', "console.log('src/plan.ts(1,1): error'); process.exit(2);");
  const failed = await setup('test').catch((error: { stdout: string; stderr: string }) => error);
  assert.equal(failed.stdout, '');
  assert.match(failed.stderr, /src\/plan\.ts\(1,1\): error\nsetup: the compiler failed\n$/);
  write('compiler/bin/tsc', COMPILER);
  assert.deepEqual(await setup('test'), { stdout: 'ran\n', stderr: BUILDING });
});

test('without the build tools a built tree needs nothing and an unbuilt one says so', async (t) => {
  const { write, setup } = makeProject(t);
  const failed = await setup('prepare').catch((error: { stderr: string }) => error);
  assert.match(failed.stderr, /the build tools are left out: run a full `npm ci`/);
  write('dist/matrix-tokens.cjs', '');
  assert.deepEqual(await setup('prepare'), { stdout: '', stderr: '' });
});
