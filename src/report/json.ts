// The report for machines. Its shape is a promise: docs/json.md is made from this schema.
import type { Fault } from '../errors.ts';
import { asciiJson } from './ascii.ts';
import { hideInFaults, hideInReport } from './hidden.ts';
import type { Report } from './types.ts';

const text = { type: 'string' } as const;
const textOrNull = { type: ['string', 'null'] } as const;

/** JSON Schema of what --json prints. */
export const reportSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Report of matrix-tokens',
  type: 'object',
  properties: {
    version: { type: 'integer', const: 1, description: 'Version of this format.' },
    task: { enum: ['provision', 'rekey', 'validate'], description: 'The task that ran.' },
    check: { type: 'boolean', description: 'true: nothing was contacted and nothing written.' },
    changed: { type: 'boolean', description: 'true: something was written, or would be.' },
    exit_code: { type: 'integer', description: 'The exit code of the process.' },
    interrupted: { ...textOrNull, description: 'The signal that ended the run early, or null.' },
    services: {
      type: 'array',
      description:
        'One entry a service, of rekey one a service and file; first those of which nothing had to be done.',
      items: {
        type: 'object',
        properties: {
          host: { ...text, description: 'Host of the inventory.' },
          service: { ...text, description: 'Name of the service.' },
          defined_at: {
            type: 'object',
            description: 'Where vars define it.',
            properties: { file: text, line: { type: 'integer' }, column: { type: 'integer' } },
            required: ['file', 'line', 'column'],
            additionalProperties: false,
          },
          outcome: {
            enum: ['ok', 'changed', 'skipped', 'unknown', 'deferred', 'failed', 'unreachable'],
            description: 'What came of it.',
          },
          user_id: { ...textOrNull, description: 'Full user ID, where it is known.' },
          server_name: { ...textOrNull, description: 'Server name of the homeserver.' },
          message: { ...text, description: 'One sentence.' },
          code: { ...textOrNull, description: 'Code of docs/troubleshooting.md, or null.' },
          hint: { ...textOrNull, description: 'What to do, or null.' },
          file: { ...textOrNull, description: 'The file of the values, or null.' },
          variables: {
            type: 'array',
            items: text,
            description: 'Variables that were written, or would be.',
          },
          install_tag: {
            ...textOrNull,
            description: 'Tag that installs the service anew, or null.',
          },
        },
        required: [
          'host',
          'service',
          'defined_at',
          'outcome',
          'user_id',
          'server_name',
          'message',
          'code',
          'hint',
          'file',
          'variables',
          'install_tag',
        ],
        additionalProperties: false,
      },
    },
    sessions_left: {
      type: 'array',
      description: 'Sessions on a homeserver that no file holds and that wait to be removed.',
      items: {
        type: 'object',
        properties: {
          host: text,
          service: text,
          user_id: text,
          device_id: text,
          message: text,
        },
        required: ['host', 'service', 'user_id', 'device_id', 'message'],
        additionalProperties: false,
      },
    },
    notes: { type: 'array', items: text, description: 'Things worth knowing that are no errors.' },
    faults: {
      type: 'array',
      description: 'What is wrong with the input; then nothing was tried (exit code 5).',
      items: {
        type: 'object',
        properties: {
          code: { ...text, description: 'Code of docs/troubleshooting.md.' },
          file: textOrNull,
          line: { type: ['integer', 'null'] },
          column: { type: ['integer', 'null'] },
          found: text,
          wanted: textOrNull,
          fix: textOrNull,
        },
        required: ['code', 'file', 'line', 'column', 'found', 'wanted', 'fix'],
        additionalProperties: false,
      },
    },
  },
  required: [
    'version',
    'task',
    'check',
    'changed',
    'exit_code',
    'interrupted',
    'services',
    'sessions_left',
    'notes',
    'faults',
  ],
  additionalProperties: false,
} as const;

/** Gives a report as JSON in ASCII, with a final newline. */
export function formatJson(report: Report, exitCode: number): string {
  const { task, check, outcomes, leftovers, notes, interrupted } = hideInReport(report);
  const said = {
    version: 1,
    task,
    check,
    changed: outcomes.some((one) => one.outcome === 'changed'),
    exit_code: exitCode,
    interrupted,
    services: outcomes,
    sessions_left: leftovers,
    notes,
    faults: [],
  };
  return asciiJson(said, 2);
}

/** Gives bad input as JSON in ASCII, with a final newline. */
export function formatFaultsJson(
  faults: readonly Fault[],
  run: { readonly task: Report['task']; readonly check: boolean; readonly exitCode: number },
): string {
  const said = {
    version: 1,
    task: run.task,
    check: run.check,
    changed: false,
    exit_code: run.exitCode,
    interrupted: null,
    services: [],
    sessions_left: [],
    notes: [],
    faults: hideInFaults(faults).map((fault) => ({
      code: fault.code,
      file: fault.at?.file ?? null,
      line: fault.at?.line || null,
      column: fault.at?.column || null,
      found: fault.found,
      wanted: fault.wanted ?? null,
      fix: fault.fix ?? null,
    })),
  };
  return asciiJson(said, 2);
}
