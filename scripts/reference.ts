// Makes what is derived from schemas and lists of codes: vars/*.schema.json for editors, and the reference pages
// in docs/ for people. With --check it only compares, for CI.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { catalogData } from '../src/definitions/catalog-data.ts';
import type { CatalogEntry } from '../src/definitions/catalog.ts';
import { catalogSchema } from '../src/definitions/catalog-schema.ts';
import { HOST_SECRETS } from '../src/definitions/secret-places.ts';
import { roleProperties, serviceSchema, varsSchema } from '../src/definitions/schema.ts';
import { FAULT_CODES } from '../src/errors.ts';
import { FAILURE_CODES } from '../src/matrix/failure.ts';
import { FAILURE_HINTS } from '../src/matrix/hints.ts';
import { RUN_CODES } from '../src/provision/run-codes.ts';
import { reportSchema } from '../src/report.ts';
import { FAULT_ADVICE, RUN_ADVICE } from './advice.ts';

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

${table(settings)}

The [role](playbook.md) has settings of its own:

${table(roleProperties)}

\`matrix_tokens_defaults\` takes these keys of a service: ${listKeys(settings.matrix_tokens_defaults.properties)}.

\`matrix_tokens_shared_secret_auth\` has one key, \`shared_secret\`; \`matrix_tokens_register\` has these:

${table(settings.matrix_tokens_register.properties)}

What both are for stands in [Logging in](login.md).

## Services

\`matrix_tokens_services\`: ${escape(services.description)}
Names of services are made of small letters, digits and underscores: \`${services.propertyNames.pattern.slice(1, -1)}\`.

\`\`\`yaml
matrix_tokens_services:
  draupnir: # known to the catalog: user and variables are filled in
    password: '{{ vault_draupnir_password }}'
  rss: # your own
    user: bot.rss
    password: { file: secrets/rss }
    variables: { access_token: vault_rss_access_token, device_id: vault_rss_device_id }
\`\`\`

${table(serviceSchema.properties)}

\`password\` is a string (a reference to a vaulted variable, as a rule), \`{file: path}\`,
\`{env: NAME}\`, \`{command: [program, argument]}\` or \`{prompt: true}\`; which one when stands in
[Passwords of bots](passwords.md). \`variables\` holds \`access_token\` and, for services that want it, \`device_id\`: each
the name of a variable, or a list of keys that leads into a map.

A value that holds braces, such as a password with \`{{\` or \`{%\`, is taken for Jinja unless it is
marked: \`password: !unsafe 'VALUE'\`. Symlinks are followed for \`vault_file\`: the link stays, and the
file behind it is written. Below host_vars and group_vars it must be a file that Ansible reads for the
host; elsewhere your playbook has to name it in \`vars_files\`.

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

function listKeys(properties: Readonly<Record<string, Property>>): string {
  return Object.keys(properties)
    .map((key) => `\`${key}\``)
    .join(', ');
}

function catalogRow(name: string): string {
  const entry = catalogData[name] as CatalogEntry;
  const admin = entry.needs_admin === true ? ' (a server administrator)' : '';
  const user = entry.kind === 'bridge' ? '' : `${entry.user?.default ?? name}${admin}`;
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

${table({ ...rest, services, sessions_left: sessions, faults })}

## Entries of \`services\`

${table(services.items.properties)}

## Entries of \`sessions_left\`

${table(sessions.items.properties)}

## Entries of \`faults\`

${table(faults.items.properties)}
`;
}

function troubleshootingPage(): string {
  return `# Troubleshooting

An error names its place, what was found, what is wanted and what to do; its code stands in brackets.
This page has a section for each code. More can be seen with \`-v\`, which shows every request
without secrets.

# Bad input (exit code 5)

Nothing was tried. Faults are looked for in steps, each in what the one before has read; all faults of one
step are told at once, those of the next when these are mended:

1. the command line and \`ansible.cfg\`
2. the inventories and the limit
3. the files in \`group_vars\` and \`host_vars\`, and \`-e\`: one that cannot be read hides what is wrong with
   the definitions, of other hosts, too
4. the definitions of all hosts
5. the files of the services (\`vault_file\`)
6. what the services do to each other, what they lack, and where their values go
7. what a login needs: passwords, certificates, the vault password, files that can be written. \`--check\`
   and \`validate\` tell as much of it as is known without reading them
   ([what is told of passwords](passwords.md))

${sections(FAULT_CODES, FAULT_ADVICE)}

# Trouble with a homeserver or a user (exit codes 1, 3 and 4)

The other services are done. Codes that begin with \`M_\` are the homeserver's own; one that is not
listed here is explained by its documentation.

${sections(FAILURE_CODES, FAILURE_HINTS)}

# Trouble on this machine

${sections(RUN_CODES, RUN_ADVICE)}
`;
}

function sections(
  codes: Readonly<Record<string, string>>,
  advice: Readonly<Record<string, string | undefined>>,
): string {
  return Object.entries(codes)
    .map(([code, meaning]) => {
      const sentence = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`;
      return `## ${code}\n\n${[sentence, asSentence(advice[code])].filter(Boolean).join(' ')}`;
    })
    .join('\n\n');
}

function asSentence(text: string | undefined): string {
  if (text === undefined) return '';
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

/** In an editor a vars file holds other variables too, and a service may be no more than a name. */
function editorSchema(): object {
  const service = { ...serviceSchema, type: ['object', 'null'] };
  return {
    ...varsSchema,
    properties: { ...varsSchema.properties, ...roleProperties },
    definitions: { service },
    additionalProperties: true,
  };
}

async function formatYaml(text: string): Promise<string> {
  const options = await resolveConfig(join(ROOT, 'docs/definitions.md'));
  return format(text, { ...options, parser: 'yaml' });
}

async function formatPage(text: string): Promise<string> {
  const options = await resolveConfig(join(ROOT, 'docs/definitions.md'));
  return format(text, { ...options, parser: 'markdown' });
}

/**
 * No type is checked there: Ansible shows the value that it refuses, whatever it is. The services are
 * left out: Ansible renders all that an argument holds, passwords included, used or not.
 */
function argumentSpecs(): string {
  const properties = Object.entries<Property & { default?: string | boolean }>({
    ...roleProperties,
    ...varsSchema.properties,
  }).filter(([name]) => name !== 'matrix_tokens_services' && !HOST_SECRETS.has(name));
  const options = properties.map(([name, property]) => {
    const lines = [
      `      ${name}:`,
      '        type: raw',
      ...(property.default === undefined ? [] : [`        default: ${String(property.default)}`]),
      '        description:',
      ...sentencesOf(`A ${typeOf(property)}. ${property.description ?? ''}`).map(
        (sentence) => `          - ${JSON.stringify(sentence)}`,
      ),
    ];
    return `${lines.join('\n')}\n`;
  });
  return `${ARGUMENT_SPECS}${options.join('')}`;
}

/** ansible-doc shows a list as lines. */
function sentencesOf(text: string): string[] {
  return text.trim().split(/(?<=[.;]) /);
}

const ARGUMENT_SPECS = `---
# Made from the schema by scripts/reference.ts, which says why no type is checked here.
argument_specs:
  main:
    short_description: Get the Matrix access tokens that are missing
    description:
      - Logs in every bot that has no access token yet, against its homeserver, and writes the token
        into that service's own Ansible Vault file. What is present is not touched.
      - Runs on the control machine, which needs Node. Managed hosts need nothing.
      - The services stand in the variable C(matrix_tokens_services) of the host. It is no option, since
        Ansible renders options as a whole, and so every password, used or not. Neither are
        ${[...HOST_SECRETS.keys()].map((name) => `C(${name})`).join(' and ')}, for the same reason.
      - Later tasks of the same play see the tokens. Handlers that listen to C(matrix_tokens changed) are
        notified; C(matrix_tokens_changed_services) names the services.
    options:
`;

const FILES: Readonly<Record<string, string>> = {
  'vars/matrix_tokens.schema.json': `${JSON.stringify(editorSchema(), null, 2)}\n`,
  'vars/services.schema.json': `${JSON.stringify(catalogSchema, null, 2)}\n`,
  'roles/matrix_tokens/meta/argument_specs.yml': await formatYaml(argumentSpecs()),
  'docs/definitions.md': await formatPage(definitionsPage()),
  'docs/json.md': await formatPage(jsonPage()),
  'docs/troubleshooting.md': await formatPage(troubleshootingPage()),
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
