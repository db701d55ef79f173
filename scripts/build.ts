// Makes dist/matrix-tokens.cjs, the one file that is installed: everything it needs is inside.
// What costs time at every start is prepared here: the catalog is replaced by its data, the schema
// checks by the code that ajv writes for them, and packages that most runs do not need are packed,
// since Node reads through all the code of a file that it loads, used or not.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import type { Metafile, Plugin } from 'esbuild';
import { catalogData } from '../src/definitions/catalog-data.ts';
import { varsSchema } from '../src/definitions/schema.ts';
import { AJV_OPTIONS } from '../src/definitions/validator.ts';
import { LAUNCHER } from './launcher.ts';
import { licenceNotices } from './notices.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ENTRY = 'tasks/matrix-tokens.ts';
/** The same package as modules, of which only what is used gets into the bundle. */
const YAML = join(ROOT, 'node_modules/yaml/browser/dist/index.js');

/** What its parts are built on, as undici's own index does it. */
const UNDICI = `
  const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
  Dispatcher.prototype.request = require('undici/lib/api/api-request.js');
  Dispatcher.prototype.connect = require('undici/lib/api/api-connect.js');
  module.exports = {
    get Agent() { return require('undici/lib/dispatcher/agent.js'); },
    get EnvHttpProxyAgent() { return require('undici/lib/dispatcher/env-http-proxy-agent.js'); },
    get Pool() { return require('undici/lib/dispatcher/pool.js'); },
    get buildConnector() { return require('undici/lib/core/connect.js'); },
  };
`;

/**
 * Packages that are loaded when something is to be done, and stay packed until then; of undici only
 * what src/matrix/http-agents.ts uses: running all of it takes a tenth of a second, at each start.
 */
const PACKED: Readonly<Record<string, string>> = {
  undici: UNDICI,
  'zx/core': "module.exports = require('zx/core');",
};

/** Builds the bundle of an entry and gives its text. */
async function bundleText(root: string, entry: string): Promise<string> {
  const packed = await Promise.all(
    Object.entries(PACKED).map(([name, contents]) => packPackage(root, name, contents)),
  );
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
    alias: { yaml: YAML },
    plugins: [prepared(), unpacking(packed)],
  });
  const code = result.outputFiles[0]?.text ?? '';
  const inputs = [result.metafile, ...packed.map((one) => one.metafile)].flatMap((metafile) =>
    Object.keys(metafile.inputs),
  );
  const legal = packed.map((one) => one.legal);
  return `${LAUNCHER}${code}${licenceNotices(root, inputs, legal)}`;
}

interface PackedPackage {
  readonly name: string;
  readonly base64: string;
  /** What the package itself took from others. */
  readonly legal: string;
  readonly metafile: Metafile;
}

async function packPackage(root: string, name: string, contents: string): Promise<PackedPackage> {
  const result = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile: 'packed.js',
    legalComments: 'external',
    logLevel: 'warning',
  });
  const output = (ending: string) =>
    result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  const base64 = brotliCompressSync(output('packed.js')).toString('base64');
  return { name, base64, legal: output('.LEGAL.txt'), metafile: result.metafile };
}

/** Puts a packed package in the place of the package: unpacked and compiled when it is required. */
function unpacking(packed: readonly PackedPackage[]): Plugin {
  return {
    name: 'unpacking',
    setup: (bundler) => {
      bundler.onResolve({ filter: /^(?:undici|zx\/core)$/ }, ({ path }) => ({
        path,
        namespace: 'packed',
      }));
      bundler.onLoad({ filter: /./, namespace: 'packed' }, ({ path }) => ({
        contents: unpackingCode(packed.find((one) => one.name === path)),
        resolveDir: ROOT,
      }));
    },
  };
}

function unpackingCode(one: PackedPackage | undefined): string {
  if (one === undefined) throw new Error('a package that is not packed was asked for');
  return `
    const { brotliDecompressSync } = require('node:zlib');
    const { compileFunction } = require('node:vm');
    const code = brotliDecompressSync(Buffer.from('${one.base64}', 'base64')).toString('utf8');
    const load = compileFunction(code, ['require', 'module', 'exports'], {
      filename: '${one.name}',
    });
    load(require, module, exports);
  `;
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
  // The catalog is checked by the tests: it is data of the bundle, not of its users.
  ajv.addSchema(varsSchema, 'vars');
  return standalone.default(ajv, { validateVars: 'vars' });
}

/** Writes a file as a whole: another process may just be running the old one. */
function writeExecutable(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o755 });
  renameSync(temporary, file);
}

mkdirSync(join(ROOT, 'dist'), { recursive: true });
writeExecutable(join(ROOT, 'dist/matrix-tokens.cjs'), await bundleText(ROOT, ENTRY));
