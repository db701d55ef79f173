import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { catalogSchema } from '../src/definitions/catalog-schema.ts';
import { serviceSchema, varsSchema } from '../src/definitions/schema.ts';
import { toPlain } from '../src/definitions/values.ts';
import { reportSchema } from '../src/report.ts';
import { parseYaml } from '../src/yaml/parse.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');

test('the schemas for editors and the reference pages are as the source has them', async () => {
  await promisify(execFile)(
    process.execPath,
    [resolve(ROOT, 'dist/scripts/reference.js'), '--check'],
    { cwd: ROOT },
  );
});

test('the schema for editors takes the example definitions and refuses a misspelt key', () => {
  const check = new Ajv({ allowUnionTypes: true }).compile(
    JSON.parse(read('vars/matrix_tokens.schema.json')) as object,
  );
  const example = toPlain(parseYaml(read('vars/example.yml'), 'example.yml') ?? assert.fail());
  assert(check(example), JSON.stringify(check.errors));
  assert(!check({ matrix_tokens_services: { rss: { pasword: 'x' } } }));
  assert(!check({ matrix_tokens_services_more: { rss: { pasword: 'x' } } }));
});

test('every key has a description, so that editors and pages can say what it is', () => {
  const without: string[] = [];
  const look = (schema: object, path: string): void => {
    const { properties = {} } = schema as { properties?: Record<string, object> };
    for (const [name, property] of Object.entries(properties)) {
      const inner = `${path}.${name}`;
      if (!('description' in property) && !('$ref' in property)) without.push(inner);
      look(property, inner);
    }
  };
  look(varsSchema, 'vars');
  look(serviceSchema, 'service');
  look({ properties: reportSchema.properties }, 'report');
  const allowed = /^(?:vars|service)\.(?:.*\.)?variables\.|^report\.\w+\.\w+$/;
  assert.deepEqual(
    without.filter((path) => !allowed.test(path)),
    [],
  );
});

test('the keys of an entry of the catalog are the ones that were promised', () => {
  assert.deepEqual(catalogSchema.required, ['kind']);
  assert.deepEqual(Object.keys(catalogSchema.properties), [
    'kind',
    'user',
    'password',
    'variables',
    'enabled',
    'unwanted_when',
    'renamed',
    'needs_admin',
    'install_tag',
  ]);
});
