// Schemas that others publish for the formats of the report. They are fetched once, from the package
// indexes that the tests use anyway, and kept in the user's cache folder.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface PublishedSchema {
  /** Name of the file in the cache. */
  readonly name: string;
  /** The command that fetches an archive into a folder, which is its last argument. */
  readonly fetch: readonly [string, ...string[]];
  /** The file within the archive. */
  readonly file: string;
}

/** SARIF 2.1.0, as Microsoft publishes it for its matchers. */
export const SARIF: PublishedSchema = {
  name: 'sarif-2.1.0-rtm.5.json',
  fetch: ['npm', 'pack', '--silent', '@microsoft/jest-sarif@1.0.0-beta.0', '--pack-destination'],
  file: 'package/lib/schemas/sarif-2.1.0-rtm.5.json',
};

const PIP_OPTIONS = '--quiet --disable-pip-version-check --no-deps --no-binary pytest'.split(' ');

/** JUnit XML, as the xunit plugin of Jenkins has it; pytest brings it with its sources. */
export const JUNIT: PublishedSchema = {
  name: 'junit-10.xsd',
  fetch: ['python3', '-m', 'pip', 'download', ...PIP_OPTIONS, 'pytest==8.4.2', '--dest'],
  file: 'pytest-8.4.2/testing/example_scripts/junit-10.xsd',
};

type FoundSchema = { readonly text: string } | { readonly missing: string };

/** Gives the text of a schema, or the reason why it cannot be had. */
export async function publishedSchema(schema: PublishedSchema): Promise<FoundSchema> {
  const cached = join(homedir(), '.cache/matrix-tokens', schema.name);
  try {
    return { text: await readFile(cached, 'utf8').catch(() => fetchSchema(schema, cached)) };
  } catch {
    return { missing: `the schema ${schema.name} cannot be fetched by ${schema.fetch[0]}` };
  }
}

async function fetchSchema(
  { name, fetch: [command, ...args], file }: PublishedSchema,
  cached: string,
): Promise<string> {
  await mkdir(dirname(cached), { recursive: true });
  const folder = await mkdtemp(`${cached}-`);
  try {
    await run(command, [...args, folder]);
    const unpack = 'tar -xzOf "$1"/*.gz "$2" > "$1/$3" || tar -xzOf "$1"/*.tgz "$2" > "$1/$3"';
    await run('sh', ['-c', unpack, 'sh', folder, file, name]);
    const text = await readFile(join(folder, name), 'utf8');
    await rename(join(folder, name), cached);
    return text;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives false where the tests can run: in CI, where the schema has to be there, always. */
export function schemaSkip(found: FoundSchema): string | false {
  return 'text' in found || process.env['CI'] === 'true' ? false : found.missing;
}
