// `npm run release:check`: makes the npm package and the collection, looks into them, installs both
// into empty places and does the main job with each. What was made stays in dist/release; nothing is
// published. With CI=true everything must be at hand; else what is missing is left out, and told.
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pythonEnvironment } from './python-environment.ts';
import { ANSIBLE_VERSIONS, LINT_VERSIONS } from './python-versions.ts';
import type { PythonPackage } from './python-versions.ts';
import { buildCollection, packPackage, sourceFolder } from './release/artifacts.ts';
import {
  COLLECTION_CONTENTS,
  expectSameBytes,
  inspect,
  PACKAGE_CONTENTS,
} from './release/check-artifacts.ts';
import type { Surroundings } from './release/command.ts';
import { lintCollection } from './release/lint.ts';
import { installCollection, readPages, tryAction, tryRole } from './release/try-collection.ts';
import { installPackage, tryPackage } from './release/try-package.ts';
import { runMain } from './run-main.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const OUTPUT = join(ROOT, 'dist/release');
const BUNDLE = join(ROOT, 'dist/matrix-tokens.cjs');

interface Check extends Surroundings {
  /** Is removed in the end. */
  readonly scratch: string;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Does a step and tells how long it took, and what it gave to tell. */
async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work().catch((error: unknown) => {
    say(`FAILED  ${name}`);
    throw error;
  });
  const told = typeof result === 'string' ? `, ${basename(result)}` : '';
  say(`ok      ${name} (${((performance.now() - start) / 1000).toFixed(1)} s${told})`);
  return result;
}

/** Gives the folder with the programs of a Python package; null where it cannot be had. */
async function programsOf(versions: readonly PythonPackage[]): Promise<string | null> {
  const made = await pythonEnvironment({ versions, env: process.env, log: say });
  if (made.kind === 'ready') return join(made.folder, 'bin');
  if (process.env['CI'] === 'true') throw new Error(made.reason);
  say(`left out: ${made.reason}`);
  return null;
}

async function checkBundle({ scratch }: Check): Promise<void> {
  await step('the program is the same when it is built again', async () => {
    const before = join(scratch, basename(BUNDLE));
    await copyFile(BUNDLE, before);
    execFileSync(process.execPath, [join(ROOT, 'dist/scripts/build.js')]);
    await expectSameBytes(BUNDLE, before);
  });
}

async function checkPackage(check: Check): Promise<void> {
  const file = await step('npm pack, twice the same', async () => {
    const packed = await packPackage(ROOT, OUTPUT, check);
    await expectSameBytes(packed, await packPackage(ROOT, join(check.scratch, 'again'), check));
    return packed;
  });
  const folder = join(check.scratch, 'npm-contents');
  await step('nothing is in the package but what belongs there', () =>
    inspect({ file, folder, contents: PACKAGE_CONTENTS, root: ROOT }, check),
  );
  await step('the main job with the installed command', async () => {
    const bin = await installPackage(file, join(check.scratch, 'npm'), check);
    await tryPackage(bin, check);
  });
}

interface Built {
  readonly file: string;
  /** Holds the sources of the collection. */
  readonly source: string;
  /** Folder with the programs of ansible-core. */
  readonly ansible: string;
}

async function makeCollection(check: Check): Promise<Built | null> {
  const ansible = await programsOf(ANSIBLE_VERSIONS);
  if (ansible === null) return null;
  const [source, other] = [join(check.scratch, 'source'), join(check.scratch, 'source-2')];
  const place = { root: ROOT, ansible };
  const file = await step('ansible-galaxy collection build, twice the same', async () => {
    const built = await buildCollection({ ...place, source, output: OUTPUT }, check);
    const again = { ...place, source: other, output: join(check.scratch, 'again') };
    await expectSameBytes(built, await buildCollection(again, check));
    return built;
  });
  return { file, source, ansible };
}

async function checkCollection({ file, ansible }: Built, check: Check): Promise<void> {
  const folder = join(check.scratch, 'collection-contents');
  await step('nothing is in the collection but what belongs there', () =>
    inspect({ file, folder, contents: COLLECTION_CONTENTS, root: ROOT }, check),
  );
  const installed = { folder: join(check.scratch, 'collections'), ansible };
  await step('ansible-galaxy collection install and verify', () =>
    installCollection(file, installed, check),
  );
  await step('the main job with the role', () => tryRole(installed, check));
  await step('the main job with the action', () => tryAction(installed, check));
  await step('ansible-doc shows the pages', () => readPages(installed, check));
}

async function checkStyle({ source }: Built, check: Check): Promise<void> {
  const lint = await programsOf(LINT_VERSIONS);
  if (lint === null) return;
  await step('ansible-lint, profile production, nothing skipped', () =>
    lintCollection({ source, folder: sourceFolder(source), lint }, check),
  );
}

/** Two at a time: most of it is waiting for one program after the other to start. */
async function checkAll(check: Check): Promise<void> {
  await checkBundle(check);
  const built = await makeCollection(check);
  const done = await Promise.allSettled([
    checkPackage(check).then(() => (built === null ? undefined : checkStyle(built, check))),
    built === null ? undefined : checkCollection(built, check),
  ]);
  const failed = done.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function main(signal: AbortSignal): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'matrix-tokens-release-'));
  const check = { scratch, home: join(scratch, 'home'), signal };
  try {
    await mkdir(check.home);
    await rm(OUTPUT, { recursive: true, force: true });
    await checkAll(check);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  say(`made in ${OUTPUT.slice(ROOT.length + 1)}, good to be released`);
}

await runMain('release:check', (_argv, signal) => main(signal));
