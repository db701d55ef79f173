// Makes dist/matrix-tokens.cjs, the one file that is installed: everything it needs is inside.
// Two modules are replaced on the way: the catalog by its data, and the schema checks by the code
// that ajv writes for them, since compiling them at start costs more than the rest of a small run.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { catalogData } from '../src/definitions/catalog-data.ts';
import { catalogSchema, varsSchema } from '../src/definitions/schema.ts';
import { AJV_OPTIONS } from '../src/definitions/validator.ts';
import { LAUNCHER } from './launcher.ts';
import { licenceNotices } from './notices.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ENTRY = 'tasks/matrix-tokens.ts';

/** Builds the bundle of an entry and gives its text. */
async function bundleText(root: string, entry: string): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // What packages took from others; their own licences follow.
    legalComments: 'eof',
    logLevel: 'warning',
    plugins: [prepared()],
  });
  const code = result.outputFiles[0]?.text ?? '';
  return `${LAUNCHER}${code}${licenceNotices(root, Object.keys(result.metafile.inputs))}`;
}

function prepared(): Plugin {
  return {
    name: 'prepared',
    setup: (bundler) => {
      bundler.onLoad({ filter: /\/src\/definitions\/catalog-data\.ts$/ }, () => ({
        contents: `export const catalogData = ${JSON.stringify(catalogData)};`,
      }));
      bundler.onLoad({ filter: /\/src\/definitions\/validator\.ts$/ }, ({ path }) => ({
        contents: validatorCode(),
        resolveDir: resolve(path, '..'),
      }));
    },
  };
}

function validatorCode(): string {
  const ajv = new Ajv({ ...AJV_OPTIONS, code: { source: true, esm: true, lines: true } });
  ajv.addSchema(varsSchema, 'vars').addSchema(catalogSchema, 'catalog');
  return standalone.default(ajv, { validateVars: 'vars', validateCatalogEntry: 'catalog' });
}

/** Writes a file as a whole: another process may just be running the old one. */
function writeExecutable(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o755 });
  renameSync(temporary, file);
}

mkdirSync(join(ROOT, 'dist'), { recursive: true });
writeExecutable(join(ROOT, 'dist/matrix-tokens.cjs'), await bundleText(ROOT, ENTRY));
