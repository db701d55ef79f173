// The words of the command line: Ansible's own flags where Ansible has one.
import type { ParseArgsConfig } from 'node:util';

/** The tasks that read an inventory. */
export const RUNS = ['provision', 'rekey', 'validate'] as const;
export const TASKS = [...RUNS, 'unlock'] as const;
export type RunName = (typeof RUNS)[number];
export type TaskName = (typeof TASKS)[number];

export const FORMATS = ['text', 'json', 'github', 'junit', 'sarif'] as const;
/** Every option; `--help` names them all. */
export const FLAGS = {
  inventory: { type: 'string', short: 'i', multiple: true },
  limit: { type: 'string', short: 'l' },
  'extra-vars': { type: 'string', short: 'e', multiple: true },
  'playbook-dir': { type: 'string' },
  check: { type: 'boolean', short: 'C' },
  diff: { type: 'boolean', short: 'D' },
  'detailed-exitcode': { type: 'boolean' },
  'max-wait': { type: 'string' },
  'lock-timeout': { type: 'string' },
  format: { type: 'string' },
  json: { type: 'boolean' },
  'vault-password-file': { type: 'string', multiple: true },
  'vault-pass-file': { type: 'string', multiple: true },
  'vault-id': { type: 'string', multiple: true },
  'ask-vault-pass': { type: 'boolean', short: 'J' },
  'ask-vault-password': { type: 'boolean' },
  'encrypt-vault-id': { type: 'string' },
  'new-vault-id': { type: 'string' },
  'new-vault-password-file': { type: 'string' },
  'old-vault-id': { type: 'string', multiple: true },
  verbose: { type: 'boolean', short: 'v', multiple: true },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

/** Options that only some tasks take. */
export const TAKEN_BY = {
  check: ['provision', 'rekey'],
  diff: ['provision', 'rekey'],
  'max-wait': ['provision'],
  'lock-timeout': ['provision', 'rekey'],
  'encrypt-vault-id': ['provision', 'rekey'],
  'new-vault-id': ['rekey'],
  'new-vault-password-file': ['rekey'],
  'old-vault-id': ['rekey'],
} as const satisfies { [F in keyof typeof FLAGS]?: readonly RunName[] };
