import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { checkDependencies } from '../scripts/check-dependencies.ts';
import { importsOf } from '../scripts/imports.ts';

const HARMLESS = {
  'scripts/build.ts': "import { build } from 'esbuild';\nimport { plan } from '../src/plan.ts';\n",
  'src/errors.ts': 'export const a = 1;\n',
  'src/ansible/inventory.ts':
    "import { readFileSync } from 'node:fs';\nimport { p } from '../yaml/parse.ts';\n",
  'src/matrix/http-agents.ts':
    "const { Agent } = await import('undici');\nimport type { B } from 'undici';\n",
  'src/plan.ts':
    "import type { H } from './ansible/inventory.ts';\nimport { a } from './errors.ts';\n",
  'src/yaml/parse.ts': "import { parse } from 'yaml';\nimport { a } from '../errors.ts';\n",
  'tasks/provision.ts': "import { plan } from '../src/plan.ts';\nvoid import('zx/core');\n",
};

function check(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'matrix-tokens-rules-'));
  try {
    for (const [path, text] of Object.entries({ ...HARMLESS, ...files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return checkDependencies(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('imports that go down, types of plan and packages at home break no rule', () => {
  assert.deepEqual(check({}), []);
});

test('each planted violation is found with its file and line', () => {
  for (const [file, line, finding] of [
    ['src/errors.ts', "import { p } from './yaml/parse.ts';", /a base imports a yaml/],
    [
      'src/yaml/map.ts',
      "import type { I } from '../ansible/inventory.ts';",
      /yaml imports a world/,
    ],
    ['src/matrix/queue.ts', "import { v } from '../vault/lock.ts';", /src\/matrix\/ imports/],
    ['src/vault/lock.ts', "import { plan } from '../plan.ts';", /a world imports a stage/],
    ['src/store.ts', "export { t } from '../tasks/provision.ts';", /a stage imports a task/],
    ['src/store.ts', "void import('../tasks/provision.ts');", /a stage imports a task/],
    ['tasks/x.ts', "import { b } from '../scripts/build.ts';", /a task imports a script/],
    ['src/store.ts', "import {\n  parse,\n} from 'yaml';", /yaml is imported outside/],
    ['src/matrix/login.ts', "import type { A } from 'undici';", /undici is imported outside/],
    [
      'src/matrix/http-agents.ts',
      "import { Agent } from 'undici';",
      /undici is not imported lazily/,
    ],
    ['src/vault/sh.ts', "void import('zx/core');", /zx is imported outside/],
    ['src/store.ts', "import x from 'left-pad';", /left-pad has no home/],
    ['src/plan/parts.ts', "import fs from 'node:fs/promises';", /does I\/O/],
    ['src/report.ts', "import { request } from 'node:https';", /does I\/O/],
  ] as const) {
    const found = check({ [file]: `\n${line}\n` });
    assert.equal(found.length, 1, `${line} in ${file}: ${found.join('; ')}`);
    assert.match(found[0] ?? '', finding);
    assert.ok(found[0]?.startsWith(`${file}:`));
  }
});

test('I/O that a pure stage reaches through another file is found', () => {
  const found = check({ 'src/plan.ts': "import { i } from './ansible/inventory.ts';\n" });
  assert.match(found.join('\n'), /^src\/plan\.ts: does I\/O through src\/ansible\/inventory\.ts/);
});

test('type imports are told from value imports', () => {
  const text = [
    "import type { A } from './a.ts';",
    "import { type B } from './b.ts';",
    "import { type C, d } from './c.ts';",
    "export * from './e.ts';",
    "import './f.ts';",
    'const g = \'import { x } from "./no.ts"\';',
  ].join('\n');
  assert.deepEqual(
    importsOf(text).map(({ specifier, kind, line }) => [specifier, kind, line]),
    [
      ['./a.ts', 'type', 1],
      ['./b.ts', 'type', 2],
      ['./c.ts', 'value', 3],
      ['./e.ts', 'value', 4],
      ['./f.ts', 'value', 5],
    ],
  );
});

test('the sources of this repository keep the rules', () => {
  assert.deepEqual(checkDependencies(resolve(import.meta.dirname, '../..')), []);
});
