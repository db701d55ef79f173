// Makes what is derived from the schema: vars/*.schema.json for editors, docs/definitions.md and
// docs/json.md for people. With --check it only compares, for CI.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { catalogSchema, serviceSchema, varsSchema } from '../src/definitions/schema.ts';
import { catalogData } from '../src/definitions/catalog-data.ts';
import type { CatalogEntry } from '../src/definitions/catalog.ts';
import { reportSchema } from '../src/report.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** What a schema says of one key, as far as a table shows it. */
interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly items?: Property;
}

function table(properties: Readonly<Record<string, Property>>): string {
  const rows = Object.entries(properties).map(
    ([name, property]) =>
      `| \`${name}\` | ${typeOf(property)} | ${escape(property.description ?? '')} |`,
  );
  return ['| key | type | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function typeOf({ type, enum: choices }: Property): string {
  if (choices !== undefined) return choices.map((one) => `\`${String(one)}\``).join(', ');
  const words: Record<string, string> = { object: 'map', array: 'list' };
  const types = typeof type === 'string' ? [type] : (type ?? []);
  return types.map((one) => words[one] ?? one).join(' or ');
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function definitionsPage(): string {
  const { matrix_tokens_services: services, ...settings } = varsSchema.properties;
  return `# Definitions

This page is made from the schema; run \`node dist/scripts/reference.js\` after changing it.
Editors complete and check these keys with \`vars/matrix_tokens.schema.json\`.

## Variables of a host or group

${table(settings as Record<string, Property>)}

## Services

\`matrix_tokens_services\`: ${escape(services.description)}

\`\`\`yaml
matrix_tokens_services:
  draupnir: # known to the catalog: user and variables are filled in
    password: '{{ vault_draupnir_password }}'
  rss: # your own
    user: bot.rss
    password: { file: secrets/rss }
    variables: { access_token: vault_rss_access_token, device_id: vault_rss_device_id }
\`\`\`

${table(serviceSchema.properties as Record<string, Property>)}

\`password\` is a string (a reference to a vaulted variable, as a rule), \`{file: path}\` or
\`{env: NAME}\`. \`variables\` holds \`access_token\` and, for services that want it, \`device_id\`: each
the name of a variable, or a list of keys that leads into a map.

## What counts as present

A token is present when its variable has a value on that host, by Ansible's precedence and with
references followed, in whatever file it stands. Empty values and placeholders (\`TODO\`,
\`..._HERE\`, \`GENERATE_TOKEN\`) count as missing. If a variable only refers to another one that does
not exist, as in \`token: "{{ vault_token }}"\`, that other one is written.

## The catalog

| service | user | variables | no token is wanted |
| --- | --- | --- | --- |
${Object.keys(catalogData).map(catalogRow).join('\n')}
`;
}

function catalogRow(name: string): string {
  const entry = catalogData[name] as CatalogEntry;
  const user = entry.kind === 'bridge' ? '' : (entry.user?.default ?? name);
  const variables = Object.values(entry.variables ?? {}).map((one) => `\`${String(one)}\``);
  const written = variables.length > 0 ? variables.join(', ') : `\`vault_${name}_access_token\``;
  const unwanted = (entry.unwanted_when ?? []).map(({ variable, equals }) =>
    equals === undefined ? `\`${variable}\` is set` : `\`${variable}\` is \`${String(equals)}\``,
  );
  return entry.kind === 'bridge'
    ? `| ${name} | | | a bridge: uses its as_token |`
    : `| ${name} | ${user} | ${written} | ${unwanted.join('; ')} |`;
}

function jsonPage(): string {
  const { services, sessions_left: sessions, faults, ...rest } = reportSchema.properties;
  return `# The report as JSON

\`--json\` prints one object on stdout, in ASCII; everything else goes to stderr. This page is made
from the schema that the tests hold every report against.

${table({ ...rest, services, sessions_left: sessions, faults } as unknown as Record<string, Property>)}

## Entries of \`services\`

${table(services.items.properties as unknown as Record<string, Property>)}

## Entries of \`sessions_left\`

${table(sessions.items.properties as unknown as Record<string, Property>)}

## Entries of \`faults\`

${table(faults.items.properties as unknown as Record<string, Property>)}
`;
}

/** In an editor a vars file holds other variables too, and a service may be no more than a name. */
function editorSchema(): object {
  const service = { ...serviceSchema, type: ['object', 'null'] };
  const services = {
    ...varsSchema.properties.matrix_tokens_services,
    additionalProperties: service,
  };
  return {
    ...varsSchema,
    properties: { ...varsSchema.properties, matrix_tokens_services: services },
    patternProperties: { '^matrix_tokens_services_[A-Za-z0-9_]+$': services },
    additionalProperties: true,
  };
}

async function formatPage(text: string): Promise<string> {
  const options = await resolveConfig(join(ROOT, 'docs/definitions.md'));
  return format(text, { ...options, parser: 'markdown' });
}

const FILES: Readonly<Record<string, string>> = {
  'vars/matrix_tokens.schema.json': `${JSON.stringify(editorSchema(), null, 2)}\n`,
  'vars/services.schema.json': `${JSON.stringify(catalogSchema, null, 2)}\n`,
  'docs/definitions.md': await formatPage(definitionsPage()),
  'docs/json.md': await formatPage(jsonPage()),
};

const isCheck = process.argv.includes('--check');
for (const [name, text] of Object.entries(FILES)) {
  const path = join(ROOT, name);
  if (!isCheck) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(`${name} is not what the schema says: node dist/scripts/reference.js\n`);
    process.exitCode = 1;
  }
}
