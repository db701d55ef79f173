// Fuzz targets: everything that reads a text which somebody else wrote.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseConfigFile } from '../../src/ansible/config-file.ts';
import { parseListing } from '../../src/ansible/dynamic.ts';
import { parseExtraVars } from '../../src/ansible/extra-vars.ts';
import { parseIniInventory } from '../../src/ansible/inventory-ini.ts';
import { parseYamlInventory } from '../../src/ansible/inventory-yaml.ts';
import { parsePythonLiteral } from '../../src/ansible/python-literal.ts';
import { resolveNode } from '../../src/ansible/references.ts';
import { parseSessions } from '../../src/store/text.ts';
import type { YamlNode } from '../../src/yaml/node.ts';
import { parseFull, parseYaml } from '../../src/yaml/parse.ts';
import { isSameData } from '../../src/yaml/same-data.ts';
import { parseSimple } from '../../src/yaml/simple.ts';
import { toTyped } from './ansible-loader.ts';
import { defineTarget, readSafely } from './fuzz.ts';
import { configTexts, extraTexts, iniTexts, yamlInventories, yamlTexts } from './fuzz-texts.ts';

const AT = { file: 'f', line: 1, column: 1 };

const vars = defineTarget(
  { name: 'vars', about: 'vars files: YAML and JSON', runs: 300_000 },
  yamlTexts,
  (text) => {
    const read = readSafely(() => parseYaml(text, 'f'));
    const simple = parseSimple(text, 'f');
    if (simple !== null) assert(isSameNode(simple, parseFull(text, 'f')), 'the two readers differ');
    parseSessions(text);
    if (read === null) return 'refused';
    toTyped(read.value);
    followReferences(read.value);
    return 'read';
  },
);

function isSameNode(a: YamlNode, b: YamlNode | null): boolean {
  return b !== null && isSameData(a, b);
}

/** Every value refers to the first of its map. */
function followReferences(root: YamlNode | null): void {
  if (root?.kind !== 'map') return;
  const [entry] = root.entries;
  const layer = {
    kind: 'extra',
    file: 'f',
    path: null,
    of: 'all',
    vars: null,
    encrypted: false,
  } as const;
  const found = entry === undefined ? null : { entry, layer };
  for (const { value } of root.entries) resolveNode(value, () => ({ found, closed: [] }));
}

const ini = defineTarget(
  { name: 'ini', about: 'INI inventories, with the Python literals in them', runs: 200_000 },
  iniTexts,
  (text) => (readSafely(() => parseIniInventory(text, 'f')) === null ? 'refused' : 'read'),
);

const python = defineTarget(
  { name: 'python', about: 'Python literals', runs: 50_000 },
  fc.oneof(
    fc
      .array(
        fc.constantFrom(
          ...'[](){},:\'"0123.eEjJ+-_xXbBuUrR \\nNTF#'.split(''),
          'True',
          'None',
          "'a'",
          '1',
        ),
        {
          maxLength: 30,
        },
      )
      .map((parts) => parts.join('')),
    fc.json({ maxDepth: 3 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
  ),
  (text) => (readSafely(() => parsePythonLiteral(text, AT)) === null ? 'refused' : 'read'),
);

const inventory = defineTarget(
  {
    name: 'inventory',
    about: 'YAML and JSON inventories, and what ansible-inventory lists',
    runs: 150_000,
  },
  yamlInventories,
  (text) => {
    readSafely(() => parseListing(text, 'f'));
    return readSafely(() => parseYamlInventory(text, 'f')) === null ? 'refused' : 'read';
  },
);

const options = defineTarget(
  { name: 'options', about: 'ansible.cfg and -e', runs: 50_000 },
  // The name of a file is told.
  fc.tuple(
    configTexts,
    extraTexts.filter((text) => !text.startsWith('@')),
  ),
  ([config, extra]) => {
    readSafely(() => parseConfigFile(config, 'f'));
    return readSafely(() => parseExtraVars(extra, () => config)) === null ? 'refused' : 'read';
  },
);

export const readerTargets = [vars, ini, python, inventory, options] as const;
