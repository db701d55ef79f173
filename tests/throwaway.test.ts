import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLEETING, throwawayFault } from '../src/target/throwaway.ts';

const EXT4 = 0xef_53;
const [OVERLAY = 0, TMPFS = 0] = FLEETING;

const AWX = { AWX_HOST: 'https://awx.example.com', JOB_ID: '7', INVENTORY_ID: '1' };
const RUNNER = { AWX_ISOLATED_DATA_DIR: '/runner/artifacts/7' };
/** ansible-runner without a container works in a folder of the operator. */
const UNBOXED = { AWX_ISOLATED_DATA_DIR: '/srv/play/artifacts/7' };

interface Case {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly type?: number;
  readonly isNamed?: boolean;
  readonly vanishes: boolean;
}

const CASES: readonly Case[] = [
  { file: '/home/me/inventory/a.yml', env: {}, type: OVERLAY, vanishes: false },
  { file: '/runner/inventory/a.yml', env: AWX, vanishes: true },
  { file: '/runner/inventory/a.yml', env: AWX, isNamed: true, vanishes: true },
  {
    file: '/tmp/awx_7/inventory/a.yml',
    env: { AWX_PRIVATE_DATA_DIR: '/tmp/awx_7' },
    vanishes: true,
  },
  { file: '/tmp/awx_77/a.yml', env: { AWX_PRIVATE_DATA_DIR: '/tmp/awx_7' }, vanishes: false },
  { file: '/srv/tokens/a.yml', env: AWX, isNamed: true, vanishes: false },
  { file: '/srv/tokens/a.yml', env: AWX, isNamed: true, type: OVERLAY, vanishes: true },
  { file: '/srv/tokens/a.yml', env: AWX, isNamed: true, type: TMPFS, vanishes: true },
  { file: '/runner/inventory/a.yml', env: RUNNER, vanishes: true },
  { file: '/runner/inventory/a.yml', env: RUNNER, isNamed: true, vanishes: false },
  { file: '/home/me/inventory/a.yml', env: RUNNER, vanishes: false },
  { file: '/home/me/inventory/a.yml', env: RUNNER, type: OVERLAY, vanishes: true },
  { file: '/srv/play/inventory/a.yml', env: UNBOXED, type: OVERLAY, vanishes: false },
  { file: '/home/me/a.yml', env: { JOB_ID: '7' }, type: OVERLAY, vanishes: false },
];

test('what vanishes with a job is told from what lasts', () => {
  for (const { file, env, type = EXT4, isNamed = false, vanishes } of CASES) {
    // Only the root folder exists: the nearest one that does is asked.
    const typeOf = (folder: string): number | null => (folder === '/' ? type : null);
    const fault = throwawayFault({ file, shown: file, isNamed }, env, typeOf);
    assert.equal(fault !== null, vanishes, JSON.stringify({ file, env, type, isNamed }));
  }
});
