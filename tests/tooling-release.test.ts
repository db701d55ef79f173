// What goes into a release, and that each thing that must not be inside is found.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { COLLECTION_CONTENTS } from '../scripts/release/check-artifacts.ts';
import {
  COLLECTION,
  PROGRAM,
  versionOf,
  writeCollectionSource,
} from '../scripts/release/collection-source.ts';
import { filesBelow, findFaults } from '../scripts/release/contents.ts';
import { folderFor } from './helpers/folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');

const CONTENTS = {
  files: [/^bin\/run$/, /^docs\/[a-z]+\.md$/],
  program: 'bin/run',
  forbidden: ['/home/somebody'],
};

const HEX = '6162'.repeat(20);

/** What is put beside, or in the place of, two good files; and the one fault that is to be told. */
const PLANTED: readonly [file: Readonly<Record<string, string>>, fault: RegExp][] = [
  [{ 'docs/b.md': '[there](a.md) and [elsewhere](https://example.com/)' }, /^$/],
  [{ 'docs/b.md': '[gone](c.md#part)' }, /^docs\/b\.md links to c\.md, which is not inside$/],
  [{ 'docs/b.md': '[out](../../a.md)' }, /^docs\/b\.md links to \.\.\/\.\.\/a\.md, which is not/],
  [{ 'docs/b.map': '{}' }, /^docs\/b\.map is not expected$/],
  [{ 'bin/run': '//# sourceMappingURL=run.js.map' }, /^bin\/run holds a source map$/],
  [{ 'bin/run': '  // tests/helpers/x.ts' }, /^bin\/run holds code of the tests$/],
  [{ 'docs/b.md': 'see /home/somebody/project' }, /^docs\/b\.md holds \/home\/somebody$/],
  [{ 'docs/b.md': `$ANSIBLE_VAULT;1.1;AES256\n  ${HEX}` }, /^docs\/b\.md holds a vault envelope$/],
  [{ 'docs/b.md': `syt_cnNz_${'a'.repeat(20)}_0abcde` }, /^docs\/b\.md holds an access token$/],
  [
    { 'docs/b.md': `-----BEGIN RSA PRIVATE KEY-----\n${'A'.repeat(64)}` },
    /^docs\/b\.md holds a private key$/,
  ],
];

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    chmodSync(join(folder, path), path === CONTENTS.program ? 0o755 : 0o644);
  }
}

test('whatever must not be in a release is found', (t) => {
  for (const [files, fault] of PLANTED) {
    const folder = folderFor(t);
    write(folder, { 'bin/run': '', 'docs/a.md': '', ...files });
    assert.match(findFaults(folder, CONTENTS).join('\n'), fault);
  }
});

test('a wrong mode, a link and a file that is missing are found', (t) => {
  const folder = folderFor(t);
  write(folder, { 'docs/a.md': '' });
  chmodSync(join(folder, 'docs/a.md'), 0o600);
  symlinkSync('a.md', join(folder, 'docs/b.md'));
  assert.deepEqual(findFaults(folder, CONTENTS), [
    'no file is like ^bin\\/run$',
    'docs/a.md has mode 600, not 644',
    'docs/b.md is no file',
  ]);
});

test('the collection holds the role with all its files, and the program itself', (t) => {
  const folder = folderFor(t);
  writeCollectionSource(ROOT, folder);
  const galaxy = readFileSync(join(folder, 'galaxy.yml'), 'utf8');
  assert.match(galaxy, new RegExp(`^version: ${versionOf(ROOT)}$`, 'm'));
  const [namespace, name] = COLLECTION.split('.');
  assert.match(galaxy, new RegExp(`^namespace: ${namespace}\nname: ${name}$`, 'm'));
  const files = filesBelow(folder);
  const role = filesBelow(join(ROOT, 'roles/matrix_tokens')).map(
    (path) => `roles/matrix_tokens/${path}`,
  );
  const left = role.filter((path) => !path.includes('action_plugins/'));
  assert.ok(left.length > 8);
  assert.deepEqual(
    left.filter((path) => !files.includes(path)),
    [],
  );
  assert.ok(files.includes('plugins/action/matrix_tokens.py'));
  assert.equal(statSync(join(folder, PROGRAM)).mode & 0o777, 0o755);
  assert.deepEqual(
    readFileSync(join(folder, PROGRAM)),
    readFileSync(join(ROOT, 'dist/matrix-tokens.cjs')),
  );
  // Two files are made by ansible-galaxy, and one is only for it.
  const contents = {
    ...COLLECTION_CONTENTS,
    files: [...COLLECTION_CONTENTS.files, /^galaxy\.yml$/],
  };
  const faults = findFaults(folder, contents);
  assert.deepEqual(faults, ['no file is like ^(?:MANIFEST|FILES)\\.json$']);
});
