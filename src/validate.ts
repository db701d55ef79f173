// What can be said without contacting anybody: the task validate, and every dry run.
import {
  assess,
  isDefined,
  NO_SERVICE_OF_SESSION,
  type AssessOptions,
  type Assessment,
} from './assess.ts';
import type { Decrypt } from './definitions/types.ts';
import { settleAll } from './errors.ts';
import { describeLeftovers, pendingOutcome, settledOutcomes } from './provision/outcomes.ts';
import { describeRekeys } from './provision/recover.ts';
import { openInventory, type InventoryOptions } from './provision/source.ts';
import type { World } from './provision/world.ts';
import type { Report } from './report/types.ts';

/** Reads and plans, and says what a run would do. Throws InputError. */
export async function validate(
  options: AssessOptions & InventoryOptions,
  world: World,
): Promise<Report> {
  const source = openInventory(options, world, { isLooking: true });
  return describePlan(await assess(options, source, world), 'validate', source.vault.decrypt);
}

/**
 * Gives the report of a run that only looks. Throws InputError for a file that cannot be written, and
 * for what a login would lack.
 */
export async function describePlan(
  assessment: Assessment,
  task: Report['task'],
  decrypt: Decrypt | null,
): Promise<Report> {
  const logins = assessment.actions.filter((action) => action.kind === 'login');
  const meant = task === 'validate' ? assessment.actions : logins;
  if (meant.length > 0) {
    const [{ checkOffline }, { tryStore }] = await Promise.all([
      import('./preflight/offline.ts'),
      import('./store.ts'),
    ]);
    await settleAll([
      checkOffline(meant.map(({ definition }) => definition)),
      ...logins.map((action) => tryStore(action, { service: action.definition.name, decrypt })),
    ]);
  }
  const rekeys = await describeRekeys(assessment.stateFolders);
  return {
    task,
    check: true,
    outcomes: [...settledOutcomes(assessment), ...logins.map(pendingOutcome)],
    leftovers: describeLeftovers(assessment.sessions, (session) =>
      isDefined(session, assessment.actions)
        ? 'an earlier run was interrupted; the next run removes it'
        : NO_SERVICE_OF_SESSION,
    ),
    damaged: assessment.damaged,
    rekeyWaits: rekeys.length > 0,
    notes: [...assessment.notes, ...rekeys, ...closedNotes(assessment)],
    interrupted: null,
  };
}

function closedNotes({ closed }: Assessment): string[] {
  return closed.map((file) => `left closed, since no vault password was given: ${file}`);
}
