// dist/matrix-tokens.cjs as it is installed: alone, without node_modules.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const BUNDLE = join(ROOT, 'dist/matrix-tokens.cjs');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};

function installed(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-tokens-bundle-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  copyFileSync(BUNDLE, join(folder, 'matrix-tokens.cjs'));
  symlinkSync('matrix-tokens.cjs', join(folder, 'matrix-tokens'));
  return folder;
}

test('the bundle runs as itself, through a link and as an argument of node', async (t) => {
  const folder = installed(t);
  const file = join(folder, 'matrix-tokens.cjs');
  assert.equal(statSync(BUNDLE).mode & 0o777, 0o755);
  for (const [command, ...args] of [
    [file],
    [join(folder, 'matrix-tokens')],
    [process.execPath, file],
  ] as [string, ...string[]][]) {
    const { stdout, stderr } = await run(command, [...args, '--version'], { cwd: folder });
    assert.deepEqual([stdout, stderr], [`matrix-tokens ${version}\n`, '']);
  }
});

test('what NODE_OPTIONS preloads and NODE_DEBUG prints does not reach a run', async (t) => {
  const folder = installed(t);
  const env = {
    PATH: process.env['PATH'] ?? '',
    NODE_OPTIONS: '--require=/nonexistent/preload.js',
    NODE_DEBUG: 'module,net',
    NODE_V8_COVERAGE: join(folder, 'coverage'),
  };
  const { stderr } = await run(join(folder, 'matrix-tokens'), ['--version'], { env });
  assert.equal(stderr, '');
  await assert.rejects(run(process.execPath, [BUNDLE, '--version'], { env }));
});

test('the bundle loads nothing but what Node has', () => {
  const text = readFileSync(BUNDLE, 'utf8');
  // Not the code that ajv writes, and not what zx would do in another runtime than Node.
  const required = [...text.matchAll(/^(?!.*code = ).*(?<!\.)\brequire\("([^"]+)"\)/gm)];
  const names = required.map(([, name = '']) => name.replace(/^node:/, ''));
  assert.ok(names.includes('fs'));
  const foreign = names.filter((name) => !builtinModules.includes(name) && name !== 'sqlite');
  assert.deepEqual(foreign, []);
});

test('the licence of every bundled package stands in the bundle', () => {
  const text = readFileSync(BUNDLE, 'utf8');
  for (const name of ['undici', 'yaml', 'zx'])
    assert.match(text, new RegExp(`^--- ${name} \\d`, 'm'));
  // Of ajv only what its written code needs: the schemas are compiled at build time.
  assert.ok(!text.includes('node_modules/ajv/dist/compile/'));
});
