// Users whom this run creates: two services may have one and the same, and neither is to be told that
// the password is wrong of a user whom the other one is just creating.
import { isFailure, type Failure } from '../matrix/failure.ts';
import type { CreatedAs } from '../matrix/register.ts';
import type { JournalEntry } from '../vault/journal.ts';

/** A user who was missing. */
export interface Created {
  readonly as: CreatedAs;
  /** `sure`: the homeserver said so; otherwise its answer was lost, and the user is there, or may be. */
  readonly certainty: 'sure' | 'probable' | 'possible';
}

/** A request that creates somebody, sent or about to be. */
interface Creation {
  isDone: boolean;
  /** True once the user is there; false if it may be, or is not. */
  readonly isMade: Promise<boolean>;
}

/** By user ID. */
export type Creations = Map<string, Creation>;

/** Notes that a user is being created; it is forgotten if that proves to be in vain. */
export function noteCreation(
  creations: Creations,
  userId: string,
  result: Promise<Created | 'exists' | Failure>,
): void {
  const end = (made: boolean, isKept: boolean): boolean => {
    creation.isDone = true;
    if (!isKept && creations.get(userId) === creation) creations.delete(userId);
    return made;
  };
  const creation: Creation = {
    isDone: false,
    isMade: result.then(
      (made) => (isFailure(made) ? end(false, made.maybeExecuted) : end(true, true)),
      () => end(false, false),
    ),
  };
  creations.set(userId, creation);
}

/** Gives what a request of which no answer came has created, if the user is there now. */
export function lostCreation(
  entries: readonly JournalEntry[],
  certainty: 'probable' | 'possible',
): Created | null {
  const as = entries.findLast((entry) => entry.created_as !== undefined)?.created_as;
  return as === undefined ? null : { as, certainty };
}
