// `npm run test:crash`: makes trouble at every system call of `provision` that touches the disk or the
// network, runs it again to the end, and counts what was lost. All counts have to be zero.
// `-- power` picks scenarios by a part of their names; `-- --every` also tries the scenarios and calls
// that nothing new is expected of; `-- --write-docs` puts the figures into docs/guarantees.md. What this
// machine cannot do is left out, and said; with CI=true that fails.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { diskSkip } from '../tests/helpers/crash-disk.ts';
import { SCENARIOS } from '../tests/helpers/crash-scenarios.ts';
import type { Scenario } from '../tests/helpers/crash-scenarios.ts';
import { synapseSkip } from '../tests/helpers/python.ts';
import { watchSkip } from '../tests/helpers/watch-calls.ts';
import { countsText, docsText, headText, rowText, troubleText } from './test-crash-report.ts';
import type { Row } from './test-crash-report.ts';
import { runScenarios } from './test-crash-run.ts';
import { prepareTestEnvironment } from './test-environment.ts';
import { runMain } from './run-main.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const DOCS = join(ROOT, 'docs/guarantees.md');
const FIGURES = /(<!-- figures: [^\n]*-->\n)[^]*(<!-- end of figures -->)/;

function say(text: string): void {
  process.stdout.write(text);
}

function choose(names: readonly string[], isEvery: boolean): readonly Scenario[] {
  if (names.length === 0) return SCENARIOS.filter(({ isExtra }) => isEvery || isExtra !== true);
  const chosen = SCENARIOS.filter(({ name }) => names.some((part) => name.includes(part)));
  if (chosen.length > 0) return chosen;
  const all = SCENARIOS.map(({ name }) => `  ${name}\n`).join('');
  throw new Error(`no such scenario: ${names.join(', ')}\n${all}`);
}

/** Leaves out what this machine cannot do. */
async function possible(chosen: readonly Scenario[]): Promise<readonly Scenario[]> {
  const watch = await watchSkip();
  const isReal = chosen.some(({ homeserver }) => homeserver !== undefined);
  const [disk, synapse] = [await diskSkip(), isReal && (await synapseSkip())];
  const reasonOf = (scenario: Scenario): string | false =>
    watch ||
    (scenario.disk === undefined ? false : disk) ||
    (scenario.homeserver === undefined ? false : synapse);
  for (const reason of new Set(chosen.map(reasonOf))) {
    if (reason === false) continue;
    const count = chosen.filter((scenario) => reasonOf(scenario) === reason).length;
    say(`left out: ${count} of ${chosen.length} scenarios, since ${reason}\n`);
  }
  return chosen.filter((scenario) => reasonOf(scenario) === false);
}

async function writeDocs(rows: readonly Row[]): Promise<void> {
  const text = await readFile(DOCS, 'utf8');
  if (!FIGURES.test(text)) throw new Error('docs/guarantees.md has no place for the figures');
  await writeFile(
    DOCS,
    text.replace(FIGURES, (_all, begin: string, end: string) => {
      return `${begin}\n${docsText(rows)}\n${end}`;
    }),
  );
}

/** Gives the exit code. */
async function main(argv: string[], signal: AbortSignal): Promise<number> {
  const options = { every: { type: 'boolean' }, 'write-docs': { type: 'boolean' } } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const chosen = choose(positionals, values.every === true);
  const isReal = chosen.some(({ homeserver }) => homeserver !== undefined);
  const sources = isReal ? ['tests/helpers/crash-worker.ts'] : [];
  const log = (line: string): void => say(`${line}\n`);
  const stop = await prepareTestEnvironment({ root: ROOT, sources, env: process.env, log });
  try {
    const scenarios = await possible(chosen);
    const rows: Row[] = [];
    say(headText());
    for await (const row of runScenarios(scenarios, { isEvery: values.every === true, signal })) {
      rows.push(row);
      say(`${rowText(row)}${troubleText(row)}`);
    }
    say(countsText(rows));
    const isWhole = rows.length === scenarios.length;
    if (values['write-docs'] === true && isWhole) await writeDocs(rows);
    return isWhole && rows.every((row) => row.bad.length === 0) ? 0 : 1;
  } finally {
    await stop();
  }
}

await runMain('crash', main);
