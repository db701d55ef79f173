import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { validateXML } from 'xmllint-wasm';
import type { Fault } from '../src/errors.ts';
import {
  formatFaultsGithub,
  formatFaultsGithubSummary,
  formatGithub,
  formatGithubSummary,
} from '../src/report/github.ts';
import { withoutCommands } from '../src/report/commands.ts';
import { formatFaultsJunit, formatJunit } from '../src/report/junit.ts';
import { formatFaultsSarif, formatSarif } from '../src/report/sarif.ts';
import { formatFaults, formatFaultsJson, formatJson, formatText, PLAIN } from '../src/report.ts';
import type { Outcome, OutcomeWord, Report } from '../src/report/types.ts';
import { hideSecret } from '../src/secret.ts';
import { JUNIT, publishedSchema, SARIF, schemaSkip } from './helpers/published-schemas.ts';

const WORDS: readonly OutcomeWord[] = [
  'ok',
  'changed',
  'skipped',
  'unknown',
  'deferred',
  'failed',
  'unreachable',
];
const RUN = { version: '0.1.0', exitCode: 2 };

/** Texts with what each format has to escape, and what none can hold. */
const HOSTILE = [
  ['a: b, c%d', 'line one\r\nline two', '</failure>]]>&amp;"\'', '| `x` <b> |', '', '::error::x'],
  ['\u0000\u0008\u001b[31m', '\ud800', '\ufffe\uffff', 'é 🐴', '%0A::warning::x', '\u2028'],
].flat();
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom(...HOSTILE));

const position = fc.record({
  file: fc.oneof(text, fc.constantFrom('inventory/host_vars/h/vars.yml', '/etc/a b/c#d.yml')),
  line: fc.integer({ min: 1, max: 9999 }),
  column: fc.integer({ min: 1, max: 999 }),
});

const outcome: fc.Arbitrary<Outcome> = fc.record({
  host: text,
  service: text,
  defined_at: position,
  outcome: fc.constantFrom(...WORDS),
  user_id: fc.option(text),
  server_name: fc.option(text),
  message: text,
  code: fc.option(fc.constantFrom('M_FORBIDDEN', 'COM.EXAMPLE_FOO', 'CLOSED_VAULT')),
  hint: fc.option(text),
  file: fc.option(text),
  variables: fc.array(text, { maxLength: 2 }),
  install_tag: fc.constant(null),
});

const leftover = fc.record({
  host: text,
  service: text,
  user_id: text,
  device_id: text,
  message: text,
});

const report: fc.Arbitrary<Report> = fc.record({
  task: fc.constantFrom('provision' as const, 'rekey' as const),
  check: fc.boolean(),
  outcomes: fc.array(outcome, { maxLength: 6 }),
  leftovers: fc.array(leftover, { maxLength: 2 }),
  damaged: fc.array(text, { maxLength: 1 }),
  rekeyWaits: fc.boolean(),
  notes: fc.array(text, { maxLength: 1 }),
  interrupted: fc.constant(null),
});

const faults: fc.Arbitrary<readonly Fault[]> = fc.array(
  fc.record({
    code: fc.constantFrom('E_YAML' as const, 'E_OPTION' as const),
    at: fc.option(position, { nil: undefined }),
    found: text,
    wanted: fc.option(text, { nil: undefined }),
    fix: fc.option(text, { nil: undefined }),
  }),
  { maxLength: 4 },
);

const [sarifSchema, junitSchema] = [await publishedSchema(SARIF), await publishedSchema(JUNIT)];

test('SARIF is as its schema wants it', { skip: schemaSkip(sarifSchema) }, () => {
  assert('text' in sarifSchema);
  // Written for an older draft, of which it uses nothing that means something else now.
  const { $schema: _, id: __, ...schema } = JSON.parse(sarifSchema.text) as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false });
  const validate = ajv.compile(schema);
  fc.assert(
    fc.property(report, faults, (one, some) => {
      for (const sarif of [formatSarif(one, RUN), formatFaultsSarif(some, RUN)]) {
        assert.ok(validate(JSON.parse(sarif)), ajv.errorsText(validate.errors));
      }
    }),
  );
});

test('JUnit XML is as its schema wants it', { skip: schemaSkip(junitSchema) }, async () => {
  assert('text' in junitSchema);
  const [first, second] = [fc.sample(report, 60), fc.sample(faults, 30)];
  const documents = [
    ...first.flatMap((one) => [formatJunit(one, 0), formatJunit(one, 2)]),
    ...second.map((some) => formatFaultsJunit(some)),
  ];
  const xml = documents.map((contents, index) => ({ fileName: `${index}.xml`, contents }));
  const { valid, errors } = await validateXML({ xml, schema: junitSchema.text });
  assert.ok(valid, JSON.stringify(errors.slice(0, 3), null, 2));
});

const ok: Outcome = {
  host: 'example',
  service: 'rss',
  defined_at: { file: 'inventory/hosts.yml', line: 7, column: 9 },
  outcome: 'ok',
  user_id: '@bot.rss:example.com',
  server_name: 'example.com',
  message: 'the token is there',
  code: null,
  hint: null,
  file: null,
  variables: [],
  install_tag: null,
};

function reportOf(check: boolean, ...outcomes: Partial<Outcome>[]): Report {
  return {
    task: 'provision',
    check,
    outcomes: outcomes.map((one) => ({ ...ok, ...one })),
    leftovers: [],
    notes: [],
    interrupted: null,
  };
}

test('annotations stand where the service is defined, in the severity of its outcome', () => {
  const pending = { outcome: 'changed', message: 'would log in: no value' } as const;
  assert.equal(
    formatGithub(reportOf(true, {}, pending, { outcome: 'skipped' })),
    '::warning file=inventory/hosts.yml,line=7,col=9,title=changed%3A example rss::' +
      '@bot.rss:example.com: would log in: no value\n',
  );
  const levels = WORDS.map((outcome) => formatGithub(reportOf(false, { outcome })).split(' ')[0]);
  assert.deepEqual(levels, ['', '::notice', '', '::notice', '::warning', '::error', '::error']);
});

test('a text can neither end an annotation nor begin another one', () => {
  fc.assert(
    fc.property(report, faults, (one, some) => {
      const lines = (formatGithub(one) + formatFaultsGithub(some)).split('\n').slice(0, -1);
      for (const line of lines) assert.match(line, /^::(?:error|warning|notice) [^:\r]*::/);
    }),
  );
});

test('the summary of a step is one table, whatever the texts hold', () => {
  fc.assert(
    fc.property(report, (one) => {
      const lines = formatGithubSummary(one, 1).trimEnd().split('\n');
      const rows = lines.filter((line) => line.startsWith('|'));
      assert.equal(rows.length, one.outcomes.length + 2);
      assert.equal(lines.length, rows.length + 2);
      for (const row of rows) assert.equal(row.match(/(?<!\\)\|/g)?.length, 6, row);
    }),
  );
});

test('in JUnit, what makes the exit code another one than 0 is a failure', () => {
  const pending = reportOf(true, {}, { outcome: 'changed' }, { outcome: 'unknown' });
  assert.match(formatJunit(pending, 0), /<testsuites name="matrix-tokens" tests="3" failures="0"/);
  assert.match(formatJunit(pending, 2), /<testsuites name="matrix-tokens" tests="3" failures="2"/);
  const run = reportOf(false, { outcome: 'unreachable' }, { outcome: 'skipped' });
  assert.match(formatJunit(run, 4), /tests="2" failures="0" errors="1" skipped="1"/);
});

test('no format shows a secret, in whatever text it stands', () => {
  const canary = 'canary-of-a-format';
  hideSecret(canary);
  const bad = { outcome: 'failed', message: `<${canary}>`, hint: canary, host: canary } as const;
  const one = { ...reportOf(false, bad), damaged: [`/x/${canary}`] };
  const found = { code: 'E_VALUE', found: canary, wanted: canary, fix: canary } as const;
  const some: readonly Fault[] = [{ ...found, at: { file: canary, line: 1, column: 1 } }];
  const texts = [
    formatGithub(one),
    formatGithubSummary(one, 1),
    formatJunit(one, 1),
    formatSarif(one, RUN),
    formatFaultsGithub(some),
    formatFaultsGithubSummary(some),
    formatFaultsJunit(some),
    formatFaultsSarif(some, RUN),
  ];
  for (const each of texts) {
    assert.ok(!each.includes(canary), each);
    assert.match(each, /redacted/);
  }
});

test('a secret that a format would escape or break is hidden all the same', () => {
  const secrets = [
    'canary<of>&a"format',
    'canary%of%a:format,1',
    'canary_of*a|format`1',
    'canary of a format with many words',
    'canary: :of a ##[format',
  ];
  for (const secret of secrets) {
    hideSecret(secret);
    for (let before = 0; before < 80; before += 7) {
      const text = `${'x'.repeat(before)} ${secret} y`;
      const bad = { outcome: 'failed', message: text, hint: text, host: secret } as const;
      const given = { ...reportOf(false, bad), notes: [text], damaged: [text] };
      const fault = { code: 'E_VALUE', found: text, wanted: text, fix: text } as const;
      for (const each of everyText(given, [fault])) {
        assert.doesNotMatch(each.replaceAll(/\s+/g, ''), /canary/, each);
      }
    }
  }
});

test('a secret that is a word of a format breaks neither its form nor its meaning', () => {
  const words = ['testcase', 'message', 'file', 'error', '2.1.0', 'ruleId', 'failed', 'changed'];
  for (const word of words) hideSecret(word);
  const given = reportOf(false, { outcome: 'failed', code: 'M_FORBIDDEN' });
  const [sarif, json] = [formatSarif(given, RUN), formatJson(given, 1)].map(
    (each) => JSON.parse(each) as Record<string, unknown>,
  );
  assert.equal(sarif?.['version'], '2.1.0');
  assert.match(JSON.stringify(json), /"outcome":"failed"/);
  assert.match(formatGithub(given), /^::error file=/m);
  assert.match(formatJunit(given, 1), /<testcase classname="[^"]*" name="[^"]*">\n *<failure /);
});

test('what a server says is no command for the runner, wherever the line breaks', () => {
  for (let before = 0; before < 80; before += 1) {
    const said = `${'x'.repeat(before)} ::stop-commands::x ##[error]y`;
    const given = { ...reportOf(false, { outcome: 'failed', message: said }), notes: [said] };
    const text = withoutCommands(formatText(given, PLAIN));
    assert.doesNotMatch(text, /^\s*::|##\[/m);
    assert.match(formatGithub(given), /^(?:::error (?:(?!##\[).)*\n)+$/);
  }
  assert.equal(withoutCommands('  ::x::\n\t::y a::b'), '  : :x::\n\t: :y a::b');
});

function everyText(given: Report, some: readonly Fault[]): readonly string[] {
  const run = { task: 'provision', check: false, exitCode: 5 } as const;
  return [
    formatText(given, PLAIN, { diff: true }),
    formatJson(given, 1),
    formatGithub(given),
    formatGithubSummary(given, 1),
    formatJunit(given, 1),
    formatSarif(given, RUN),
    formatFaults(some, PLAIN),
    formatFaultsJson(some, run),
    formatFaultsGithub(some),
    formatFaultsGithubSummary(some),
    formatFaultsJunit(some),
    formatFaultsSarif(some, RUN),
  ];
}
