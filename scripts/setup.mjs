// `npm run demo`, `npm test` and `npm run bench` on a fresh clone: installs the packages if the
// lockfile changed, builds if a source changed, then runs dist/scripts/<name>.js, or that of another
// folder. `build` stops before that, and `prepare`, which npm runs within an installation, installs
// nothing. Plain JavaScript without packages, since it runs before there are any.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withLock } from './setup-lock.mjs';

const ROOT = resolve(import.meta.dirname ?? '.', '..');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, 'build-stamp');
const BUNDLE = join(DIST, 'matrix-tokens.cjs');
const SOURCE_FOLDERS = ['src', 'tasks', 'scripts', 'tests', 'bench', 'vars'];
const ELSEWHERE = { bench: 'bench/bench.js' };
const SOURCE_FILES = ['package.json', 'package-lock.json', 'tsconfig.json'];

async function main([name, ...args]) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node ${process.versions.node} is too old: matrix-tokens wants 20.19 or newer`);
  }
  if (name === 'prepare' && !isInstalled('typescript')) return reportUnbuilt();
  await withLock(
    join(DIST, 'setup.lock'),
    () => prepare(name !== 'prepare'),
    (holder) => {
      say(`waiting for ${holder}, which installs or builds here`);
    },
  );
  if (name === 'prepare' || name === 'build') return;
  runScript(join(DIST, ELSEWHERE[name] ?? `scripts/${name}.js`), args);
}

async function prepare(mayInstall) {
  if (mayInstall && !hasAllPackages()) {
    say('installing the packages (npm ci, about 10 s)');
    // Without scripts: `prepare` would come back to this file.
    run(npmCommand(['ci', '--ignore-scripts', '--no-audit', '--no-fund']), 'npm ci');
  }
  const wanted = hashOfSources();
  if (readOrNull(STAMP) === wanted && existsSync(BUNDLE)) return;
  say('building into dist/ (about 3 s)');
  removeStaleOutput();
  run(
    [process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', ROOT],
    'the compiler',
  );
  run([process.execPath, join(DIST, 'scripts/build.js')], 'the bundler');
  writeFileSync(STAMP, wanted);
}

/** npm writes its own record of what it installed last, and only when it is done. */
function hasAllPackages() {
  const installed = readOrNull(join(ROOT, 'node_modules/.package-lock.json'));
  if (installed === null) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(installed).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || present[path]?.version === version,
  );
}

function hashOfSources() {
  const hash = createHash('sha256').update(process.versions.node);
  const files = SOURCE_FOLDERS.flatMap((folder) => filesBelow(folder));
  for (const file of [...SOURCE_FILES, ...files.toSorted((a, b) => (a < b ? -1 : 1))]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest('hex');
}

/** git keeps no empty folders, so one may be missing. */
function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1));
}

/** What the compiler wrote for a source that is gone would still be run or imported. */
function removeStaleOutput() {
  mkdirSync(DIST, { recursive: true });
  for (const folder of SOURCE_FOLDERS) {
    for (const file of filesBelow(join('dist', folder))) {
      const source = file.slice('dist/'.length).replace(/\.js(?:\.map)?$/, '.ts');
      if (!existsSync(join(ROOT, source))) rmSync(join(ROOT, file));
    }
  }
}

/** `npm ci --omit=dev` in a built tree (an unpacked release) has nothing to build and needs not. */
function reportUnbuilt() {
  if (existsSync(BUNDLE)) return;
  throw new Error('the bundle is not built and the build tools are left out: run a full `npm ci`');
}

function isInstalled(name) {
  return existsSync(join(ROOT, 'node_modules', name, 'package.json'));
}

function npmCommand(args) {
  const npm = process.env.npm_execpath;
  return npm === undefined || !npm.endsWith('.js')
    ? ['npm', ...args]
    : [process.execPath, npm, ...args];
}

/** Runs a command quietly; what it said is shown only if it fails. */
function run([file, ...args], what) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  throw new Error(`${what} failed${error === undefined ? '' : `: ${error.message}`}`);
}

/** Runs a built script in place of this process, as far as Node allows it. */
function runScript(file, args) {
  const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}

function readOrNull(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
