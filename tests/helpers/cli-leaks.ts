// The promise that no secret leaks, asserted after every case: neither in what any process printed
// nor in clear in a file, but for the files that the case itself wrote.
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Case } from './cli-case.ts';

/** Gives a line for each secret that was found where it must not be. */
export function findLeaks(one: Case): string[] {
  const known = [...secretsOf(one)].filter(([, value]) => value.length >= 4);
  return [
    ...known.flatMap(([name, value]) => leaksIn(one.printed.join('\0'), name, value, 'the output')),
    ...filesBelow(one.folder).flatMap((file) => leaksInFile(one, file, known)),
  ];
}

function secretsOf(one: Case): Map<string, string> {
  const all = new Map(one.secrets);
  for (const [label, { state }] of one.homeservers) {
    const tokens = [...state.sessions.keys(), ...state.ended.keys()];
    for (const [index, token] of tokens.entries()) all.set(`token ${index + 1} of ${label}`, token);
  }
  return all;
}

function leaksInFile(one: Case, file: string, known: readonly [string, string][]): string[] {
  const text = readFileSync(file, 'latin1');
  const path = relative(one.folder, file);
  return known.flatMap(([name, value]) => {
    const isOwn = one.secrets.has(name) && one.written.has(relative(one.work, file));
    return isOwn ? [] : leaksIn(text, name, value, path);
  });
}

function leaksIn(text: string, name: string, value: string, where: string): string[] {
  return formsOf(value).some((form) => text.includes(form)) ? [`${name} stands in ${where}`] : [];
}

/** In what shape a secret may turn up; base64 in the middle of other bytes begins differently. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString('hex'),
    ...base64,
  ].filter((form) => form.length >= 4);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}
