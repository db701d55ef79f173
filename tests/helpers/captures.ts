// The captured requests and answers of real servers: tests/fixtures/captures, one file a case.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../../../tests/fixtures/captures');

export interface Capture {
  readonly case: string;
  /** Software and version. */
  readonly server: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string | number>>;
    readonly body: string | null;
  };
  readonly response: {
    readonly status: number;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string;
  };
}

/** Gives every capture, by name. */
export function readCaptures(): ReadonlyMap<string, Capture> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(
    names.toSorted().map((name) => {
      const text = readFileSync(join(FOLDER, name), 'utf8');
      return [name.slice(0, -'.json'.length), JSON.parse(text) as Capture];
    }),
  );
}

/** Gives the first header of a name, in whatever letters. */
export function headerOf(headers: Capture['response']['headers'], name: string): string | null {
  return headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
}
