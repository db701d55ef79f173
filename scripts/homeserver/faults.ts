// What can be made to go wrong. A fault names requests (by method, path and which one it is) and
// says what happens to them: a wait, a cut connection, another answer.
import type { Answer } from './answer.ts';
import { proxyPage } from './proxy.ts';

export interface HomeserverFault {
  /** Absent: any method. */
  readonly method?: string;
  /** The path begins with this, or matches it; absent: any path. */
  readonly path?: string | RegExp;
  /** Which of the requests that match, counted from 1; absent: every one. */
  readonly nth?: number | readonly number[];
  /** Wait before the request is executed, in ms. */
  readonly delayBeforeMs?: number;
  /** Wait after it was executed, before the answer, in ms. */
  readonly delayAfterMs?: number;
  /**
   * Cut the connection: `before` it is executed, and it never is; `while` it is executed: cut at
   * once, executed all the same after `delayBeforeMs`; `after` it was executed, with no answer;
   * `answering`: with the first half of the answer's bytes sent.
   */
  readonly cut?: 'before' | 'while' | 'after' | 'answering';
  /** Given in place of the real answer. The request is executed only if `execute` says so. */
  readonly answer?: Partial<Answer> & { readonly execute?: boolean };
  /** Send the body one byte every so many ms. */
  readonly dripMs?: number;
}

export interface FaultPlan {
  /** The faults in force; may be changed at any time. */
  readonly faults: HomeserverFault[];
  /** Gives the first fault that is meant for this request. */
  readonly next: (method: string, path: string) => HomeserverFault | null;
}

/** An answer as nginx gives it: HTML, and of another server. */
export function htmlAnswer(status: number): Answer {
  return proxyPage('nginx', status);
}

/** Gives a plan that counts, for each fault, the requests that match it. */
export function faultPlan(initial: readonly HomeserverFault[]): FaultPlan {
  const faults = [...initial];
  const counts = new Map<HomeserverFault, number>();
  const next = (method: string, path: string): HomeserverFault | null => {
    let chosen: HomeserverFault | null = null;
    for (const fault of faults.filter((candidate) => matches(candidate, method, path))) {
      const count = (counts.get(fault) ?? 0) + 1;
      counts.set(fault, count);
      if (isMeant(fault.nth, count)) chosen ??= fault;
    }
    return chosen;
  };
  return { faults, next };
}

function matches(fault: HomeserverFault, method: string, path: string): boolean {
  if (fault.method !== undefined && fault.method !== method) return false;
  if (fault.path === undefined) return true;
  return typeof fault.path === 'string' ? path.startsWith(fault.path) : fault.path.test(path);
}

function isMeant(nth: HomeserverFault['nth'], count: number): boolean {
  if (nth === undefined) return true;
  return typeof nth === 'number' ? nth === count : nth.includes(count);
}
