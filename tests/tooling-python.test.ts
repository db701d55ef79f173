import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { pythonEnvironment } from '../scripts/python-environment.ts';
import type { PythonEnvironment } from '../scripts/python-environment.ts';
import { ansiblePython, ansibleSkip } from './helpers/python.ts';

const run = promisify(execFile);
const skip = await ansibleSkip();
const TINY = { name: 'tiny-package', version: '1.0', oldestMinor: 10, seconds: 1 };
const MAKE_WHEEL = `
import sys, zipfile
info = 'tiny_package-1.0.dist-info'
with zipfile.ZipFile(sys.argv[1] + '/tiny_package-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('tiny_package.py', '')
    wheel.writestr(info + '/METADATA', 'Metadata-Version: 2.1\\nName: tiny-package\\nVersion: 1.0\\n')
    wheel.writestr(info + '/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + '/RECORD', '')
`;

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-tokens-python-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** An environment in which pip finds nothing but what lies in the folder. */
function offline(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    XDG_CACHE_HOME: join(folder, 'cache'),
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: folder,
  };
}

function readyFolder(made: PythonEnvironment): string {
  assert.equal(made.kind, 'ready', made.kind === 'missing' ? made.reason : '');
  return made.kind === 'ready' ? made.folder : '';
}

test('an environment is whole or not there, made by one of two at once', { skip }, async (t) => {
  const folder = folderFor(t);
  const said: string[] = [];
  const options = {
    versions: [TINY],
    env: offline(folder),
    log: (line: string) => said.push(line),
  };
  await run(await ansiblePython(), ['-c', MAKE_WHEEL, folder]);
  const both = await Promise.all([pythonEnvironment(options), pythonEnvironment(options)]);
  const [made = '', other] = both.map(readyFolder);
  assert.equal(made, other);
  assert.match(made, /cache\/matrix-tokens\/tiny-package-1\.0-python-3\.\d+\.\d+$/);
  await run(join(made, 'bin/python'), ['-c', 'import tiny_package']);

  said.length = 0;
  const begun = statSync(join(made, 'matrix-tokens-complete')).mtimeMs;
  assert.equal(readyFolder(await pythonEnvironment(options)), made);
  assert.deepEqual(said, []);
  assert.equal(statSync(join(made, 'matrix-tokens-complete')).mtimeMs, begun);

  // A marker without what it promises is not believed, and making it anew fails this time.
  rmSync(join(made, 'lib'), { recursive: true });
  rmSync(join(folder, 'tiny_package-1.0-py3-none-any.whl'));
  const failed = await pythonEnvironment(options);
  assert.equal(failed.kind, 'missing');
  assert.match(
    failed.kind === 'missing' ? failed.reason : '',
    /^tiny-package==1\.0 cannot be installed: .*tiny-package/,
  );
  assert.ok(!existsSync(join(made, 'matrix-tokens-complete')));
});

test('where no Python is found the reason says what was looked for', async (t) => {
  const env = { PATH: folderFor(t) };
  const made = await pythonEnvironment({ versions: [TINY], env });
  assert.equal(made.kind, 'missing');
  assert.match(
    made.kind === 'missing' ? made.reason : '',
    /^no Python 3\.10 or newer .*python3\.13/,
  );
});

test('a Python that is too new for a package is passed over', async () => {
  const versions = [{ ...TINY, oldestMinor: 4, newestMinor: 5 }];
  const made = await pythonEnvironment({ versions, env: process.env });
  assert.match(made.kind === 'missing' ? made.reason : '', /^no Python 3\.4 to 3\.5 /);
});

test('without Python tests are skipped with the reason, but not in CI', async () => {
  const helper = resolve(import.meta.dirname, 'helpers/python.js');
  const code = `import { ansibleSkip, ansibleBin } from ${JSON.stringify(helper)};
    console.log(await ansibleSkip(), await ansibleBin('x').catch((error) => error.message));`;
  const said = async (env: NodeJS.ProcessEnv): Promise<string> => {
    const missing: NodeJS.ProcessEnv = { ...process.env, MATRIX_TOKENS_ANSIBLE_VENV: '', ...env };
    missing['MATRIX_TOKENS_ANSIBLE_VENV_MISSING'] = 'no-python';
    const args = ['--input-type=module', '-e', code];
    return (await run(process.execPath, args, { env: missing })).stdout.trim();
  };
  assert.equal(await said({ CI: '' }), 'no-python no-python');
  assert.equal(await said({ CI: 'true' }), 'false no-python');
});
