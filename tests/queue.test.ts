import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure, type Failure, type RetryRule } from '../src/matrix/failure.ts';
import { createQueue, runQueue, type Job, type QueueOptions } from '../src/matrix/queue.ts';
import type { PauseInfo } from '../src/matrix/queue-pace.ts';
import { Secret } from '../src/secret.ts';
import { virtualClock, type VirtualClock } from './helpers/virtual-clock.ts';

type Outcome = string | Failure;

function failure(change: Partial<Failure>): Failure {
  const { code = 'M_FORBIDDEN' } = change;
  const base = { kind: 'failure', scope: 'user', outcome: 'failed', message: code } as const;
  return { ...base, maybeExecuted: false, ...change, code };
}

function refused(retryAfterMs: number | null): Failure {
  const retry: RetryRule = { kind: 'rate_limit', otherwise: 'user' };
  return failure({
    scope: 'retry',
    outcome: 'deferred',
    code: 'M_LIMIT_EXCEEDED',
    retry,
    retryAfterMs,
  });
}

function trouble(code: string, requests: number, otherwise: 'user' | 'homeserver'): Failure {
  const retry: RetryRule = { kind: 'backoff', requests, otherwise };
  return failure({ scope: 'retry', outcome: 'unreachable', code, retry, maybeExecuted: true });
}

const WRONG = failure({ code: 'M_FORBIDDEN' });
const UNKNOWN = failure({ code: 'M_UNKNOWN', onRepeat: 'homeserver' });
const TIMEOUT = trouble('TIMEOUT', 3, 'homeserver');
const BUG = trouble('M_UNKNOWN', 3, 'user');
const DOWN = failure({ scope: 'homeserver', outcome: 'unreachable', code: 'TLS' });

/** What happened: `name@ms` for each request, in the order in which they were sent. */
interface Trial {
  readonly clock: VirtualClock;
  readonly sent: string[];
  readonly pauses: PauseInfo[];
  readonly options: QueueOptions;
}

function trial(change: Partial<QueueOptions> = {}): Trial {
  const clock = virtualClock();
  const pauses: PauseInfo[] = [];
  const options: QueueOptions = {
    maxWaitMs: 600_000,
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0,
    onPause: (info) => pauses.push(info),
    ...change,
  };
  return { clock, sent: [], pauses, options };
}

/** A job whose requests take 100 ms each and end as told, the last one again and again. */
function job({ clock, sent }: Trial, name: string, outcomes: readonly Outcome[]): Job<string> {
  let requests = 0;
  return {
    name,
    async attempt() {
      sent.push(`${name}@${clock.now()}`);
      const outcome = outcomes[Math.min(requests, outcomes.length - 1)];
      requests += 1;
      await clock.sleep(100);
      assert.ok(outcome !== undefined);
      return outcome;
    },
  };
}

type Script = Readonly<Record<string, readonly Outcome[]>>;

async function runScript(t: Trial, script: Script): Promise<readonly string[]> {
  const jobs = Object.entries(script).map(([name, outcomes]) => job(t, name, outcomes));
  return summarize(await t.clock.run(runQueue(jobs, t.options)));
}

/** `ok`, or scope, outcome and code of a failure. */
function summarize(results: readonly Outcome[]): string[] {
  return results.map((result) => {
    return isFailure(result) ? `${result.scope} ${result.outcome} ${result.code}` : result;
  });
}

const OK = ['ok'];
const FOUR = { a: OK, b: OK, c: OK, d: OK };

test('without jobs there is nothing to do', async () => {
  const t = trial();
  assert.deepEqual(await runScript(t, {}), []);
});

test('four requests are in flight at once, and results keep the order of the jobs', async () => {
  const t = trial();
  const results = await runScript(t, { ...FOUR, e: [WRONG], f: OK });
  assert.deepEqual(results, ['ok', 'ok', 'ok', 'ok', 'user failed M_FORBIDDEN', 'ok']);
  assert.deepEqual(t.sent, ['a@0', 'b@0', 'c@0', 'd@0', 'e@100', 'f@100']);
});

test('a user who is refused does not stop the next, and is asked once', async () => {
  const t = trial();
  const results = await runScript(t, { a: [WRONG], b: OK });
  assert.deepEqual(results, ['user failed M_FORBIDDEN', 'ok']);
  assert.equal(t.sent.length, 2);
});

test('after a refusal all wait for the same pause, then go one at a time', async () => {
  const t = trial();
  const script = { ...FOUR, a: [refused(5000), 'ok'], b: [refused(3000), 'ok'], e: OK, f: OK };
  assert.deepEqual(await runScript(t, script), Array(6).fill('ok'));
  const first = ['a@0', 'b@0', 'c@0', 'd@0'];
  assert.deepEqual(t.sent, [...first, 'a@5100', 'b@5200', 'e@5300', 'f@5400']);
  assert.deepEqual(
    t.pauses.map(({ ms, remaining, code }) => [ms, remaining, code]),
    [[5000, 4, 'M_LIMIT_EXCEEDED']],
  );
  assert.deepEqual(t.pauses[0]?.names, ['a', 'b', 'e', 'f']);
});

test('a refusal on the sixth user pauses once, and nobody else is sent meanwhile', async () => {
  const t = trial();
  const rest = { g: OK, h: OK, i: OK, j: OK };
  const script = { ...FOUR, e: OK, f: [refused(333_000), 'ok'], ...rest };
  assert.deepEqual(await runScript(t, script), Array(10).fill('ok'));
  const inFlight = ['e@100', 'f@100', 'g@100', 'h@100', 'i@200'];
  assert.deepEqual(t.sent.slice(4), [...inFlight, 'f@333200', 'j@333300']);
  assert.equal(t.pauses.length, 1);
});

test('a pause is over only when what was in flight has ended', async () => {
  const t = trial();
  const slow: Job<string> = {
    name: 'slow',
    async attempt() {
      t.sent.push(`slow@${t.clock.now()}`);
      await t.clock.sleep(20_000);
      return 'ok';
    },
  };
  const jobs = [slow, job(t, 'a', [refused(5000), 'ok'])];
  assert.deepEqual(await t.clock.run(runQueue(jobs, t.options)), ['ok', 'ok']);
  assert.deepEqual(t.sent, ['slow@0', 'a@0', 'a@20000']);
});

test('a refusal without advice is waited for longer and longer, until it is accepted', async () => {
  const t = trial();
  const never = refused(null);
  assert.deepEqual(await runScript(t, { a: [never, never, never, never, 'ok'] }), ['ok']);
  assert.deepEqual(t.sent, ['a@0', 'a@1100', 'a@3200', 'a@7300', 'a@15400']);
});

test('a login that is let through ends the growth of waits', async () => {
  const t = trial();
  const never = refused(null);
  const script = { a: [never, never, 'ok'], b: OK, c: OK, d: OK, e: [never, 'ok'] };
  await runScript(t, script);
  assert.deepEqual(
    t.pauses.map(({ ms }) => ms),
    [1000, 2000, 1000],
  );
});

test('those that are refused together count as one refusal', async () => {
  const t = trial();
  const never = refused(null);
  const script = { a: [never, 'ok'], b: [never, 'ok'], c: [never, 'ok'], d: [never, 'ok'] };
  await runScript(t, script);
  assert.deepEqual(t.sent.slice(4), ['a@1100', 'b@1200', 'c@1300', 'd@1400']);
});

test('a server that refuses although its own pauses were kept gets longer ones', async () => {
  const t = trial({ maxWaitMs: 20_000 });
  const results = await runScript(t, { a: [refused(100)] });
  assert.deepEqual(results, ['user deferred M_LIMIT_EXCEEDED']);
  const pauses = t.pauses.map(({ ms }) => ms);
  assert.deepEqual(pauses, [100, 100, 1000, 2000, 4000, 8000]);
});

test('a wait beyond the budget defers that user; the next one is tried', async () => {
  const t = trial({ maxWaitMs: 10_000 });
  const script = { a: [refused(11_000)], b: OK, c: OK, d: OK, e: OK };
  const results = await runScript(t, script);
  assert.deepEqual(results, ['user deferred M_LIMIT_EXCEEDED', 'ok', 'ok', 'ok', 'ok']);
  assert.equal(t.pauses.length, 0);
});

test('after two deferred in a row the rest is deferred without a request', async () => {
  const t = trial({ maxWaitMs: 60_000 });
  const no = [refused(333_000)];
  const script = { ...FOUR, a: [refused(500), 'ok'], f: no, g: no, h: no, i: OK };
  const results = await runScript(t, script);
  const ok = Array<string>(4).fill('ok');
  const user = Array<string>(2).fill('user deferred M_LIMIT_EXCEEDED');
  const rest = Array<string>(2).fill('homeserver deferred M_LIMIT_EXCEEDED');
  assert.deepEqual(results, [...ok, ...user, ...rest]);
  assert.equal(t.sent.length, 7);
});

test('two deferred with a success between them do not defer the rest', async () => {
  const t = trial({ maxWaitMs: 1000 });
  const no = [refused(333_000)];
  const limit = { z: [refused(500), 'ok'] };
  const results = await runScript(t, { ...limit, a: no, b: OK, c: no, d: OK });
  const deferred = 'user deferred M_LIMIT_EXCEEDED';
  assert.deepEqual(results, ['ok', deferred, 'ok', deferred, 'ok']);
});

test('a deferred user says how long the wait would have been, and of how much', async () => {
  const t = trial({ maxWaitMs: 60_000 });
  const [result] = await t.clock.run(runQueue([job(t, 'a', [refused(333_000)])], t.options));
  assert.ok(isFailure(result));
  assert.equal(result.retryAfterMs, 333_000);
  assert.match(result.message, /333 s to wait are beyond the 60 s allowed$/);
  assert.equal(result.retry, undefined);
});

test('the budget is the sum of all pauses', async () => {
  const t = trial({ maxWaitMs: 10_000 });
  const script = { a: [refused(6000), 'ok'], b: [refused(4000), refused(1), 'ok'] };
  const results = await runScript(t, script);
  assert.deepEqual(results, ['ok', 'ok'], 'together they cost 6000 and 1 ms');
  const over = trial({ maxWaitMs: 10_000 });
  const again = await runScript(over, { a: [refused(6000), refused(4001), 'ok'] });
  assert.deepEqual(again, ['user deferred M_LIMIT_EXCEEDED']);
});

test('without a budget nothing is waited for', async () => {
  const t = trial({ maxWaitMs: 0 });
  const results = await runScript(t, { a: [refused(1), 'ok'], b: [refused(null), 'ok'], c: OK });
  assert.equal(results[0], 'user deferred M_LIMIT_EXCEEDED');
  assert.equal(results[1], 'user deferred M_LIMIT_EXCEEDED');
  assert.equal(t.pauses.length, 0);
});

test('a timeout is tried twice more, after one and two seconds, then the homeserver is down', async () => {
  const t = trial();
  const results = await runScript(t, { a: [TIMEOUT] });
  assert.deepEqual(results, ['homeserver unreachable TIMEOUT']);
  assert.deepEqual(t.sent, ['a@0', 'a@1100', 'a@3200']);
});

test('trouble that passes is over', async () => {
  const t = trial();
  assert.deepEqual(await runScript(t, { a: [TIMEOUT, TIMEOUT, 'ok'], b: OK }), ['ok', 'ok']);
  assert.deepEqual(
    t.sent.filter((line) => line.startsWith('b')),
    ['b@0'],
  );
});

test('a bug of the homeserver that meets one user is tried twice more, then that user failed', async () => {
  const t = trial();
  assert.deepEqual(await runScript(t, { a: [BUG], b: OK }), ['user unreachable M_UNKNOWN', 'ok']);
  assert.equal(t.sent.filter((line) => line.startsWith('a')).length, 3);
});

test('what is blocked once more by a rate limit of its own is tried once more', async () => {
  const t = trial();
  const results = await runScript(t, { a: [trouble('M_LIMIT_EXCEEDED', 2, 'user')] });
  assert.deepEqual(results, ['user unreachable M_LIMIT_EXCEEDED']);
  assert.equal(t.sent.length, 2);
});

test('trouble that asks for a wait gets it, at the cost of the budget', async () => {
  const asking = { ...TIMEOUT, retryAfterMs: 30_000 };
  const t = trial({ maxWaitMs: 70_000 });
  assert.deepEqual(await runScript(t, { a: [asking, asking, 'ok'] }), ['ok']);
  assert.deepEqual(t.sent, ['a@0', 'a@30100', 'a@60200']);
  const short = trial({ maxWaitMs: 40_000 });
  const results = await runScript(short, { a: [asking, asking, 'ok'] });
  assert.deepEqual(results, ['homeserver unreachable TIMEOUT']);
});

test('backoffs of ours cost nothing of the budget', async () => {
  const t = trial({ maxWaitMs: 0 });
  assert.deepEqual(await runScript(t, { a: [TIMEOUT, TIMEOUT, 'ok'] }), ['ok']);
});

test('a homeserver that failed is not asked for anybody else', async () => {
  const t = trial();
  const script = { ...FOUR, a: [DOWN], e: OK, f: OK };
  const results = await runScript(t, script);
  const down = 'homeserver unreachable TLS';
  assert.deepEqual(results, [down, 'ok', 'ok', 'ok', down, down]);
  assert.equal(t.sent.length, 4);
});

test("what a failed homeserver means for the others is not another user's session", async () => {
  const t = trial();
  const session = { otherUser: null, deviceId: 'A', accessToken: new Secret('token-of-a') };
  const odd = { ...DOWN, code: 'NOT_MATRIX', maybeExecuted: true, session };
  const jobs = Array.from('abcde', (name) => job(t, name, name === 'a' ? [odd] : OK));
  const results = await t.clock.run(runQueue(jobs, t.options));
  const [first, last] = [results[0], results[4]];
  assert.ok(isFailure(first) && isFailure(last));
  assert.equal(first.session?.deviceId, 'A');
  assert.deepEqual([last.session, last.maybeExecuted], [undefined, false]);
});

test('whoever waits for a retry when the homeserver fails keeps that it was perhaps executed', async () => {
  const t = trial();
  const jobs = [job(t, 'a', [TIMEOUT]), job(t, 'b', [DOWN])];
  const [first] = await t.clock.run(runQueue(jobs, t.options));
  assert.ok(isFailure(first));
  assert.deepEqual([first.code, first.maybeExecuted], ['TLS', true]);
});

test('what two users in a row are refused for is the fault of the homeserver', async () => {
  const t = trial();
  const script = { ...FOUR, a: [UNKNOWN], b: [UNKNOWN], e: OK, f: OK };
  const [user, homeserver] = ['user failed M_UNKNOWN', 'homeserver failed M_UNKNOWN'];
  assert.deepEqual(await runScript(t, script), [user, homeserver, 'ok', 'ok', 'ok', homeserver]);
  assert.ok(!t.sent.some((line) => line.startsWith('f')));
});

test('the same refusal is no fault of the homeserver for one user twice, or with another between', async () => {
  const t = trial();
  const userId = '@a:x';
  const same = [
    { ...job(t, 'a1', [UNKNOWN]), userId },
    { ...job(t, 'a2', [UNKNOWN]), userId },
  ];
  assert.deepEqual(summarize(await t.clock.run(runQueue(same, t.options))), [
    'user failed M_UNKNOWN',
    'user failed M_UNKNOWN',
  ]);
  const between = trial();
  const results = await runScript(between, { a: [UNKNOWN], b: [WRONG], c: [UNKNOWN], d: OK });
  assert.deepEqual(results[2], 'user failed M_UNKNOWN');
  const other = trial();
  const invalid = failure({ code: 'M_INVALID_PARAM', onRepeat: 'homeserver' });
  assert.deepEqual(
    (await runScript(other, { a: [UNKNOWN], b: [invalid] }))[1],
    'user failed M_INVALID_PARAM',
  );
});

test('after a signal nothing is started, and what is in flight is finished and kept', async () => {
  const abort = new AbortController();
  const t = trial({ signal: abort.signal });
  const jobs = Array.from('abcdef', (name) => job(t, name, OK));
  const running = runQueue(jobs, t.options);
  const results = await t.clock.run(
    Promise.all([running, t.clock.sleep(50).then(() => abort.abort())]).then(([first]) => first),
  );
  const interrupted = 'user failed INTERRUPTED';
  assert.deepEqual(summarize(results), ['ok', 'ok', 'ok', 'ok', interrupted, interrupted]);
  assert.equal(t.sent.length, 4);
});

test('a signal ends a pause, and nobody is sent after it', async () => {
  const abort = new AbortController();
  const t = trial({ signal: abort.signal, onPause: () => queueMicrotask(() => abort.abort()) });
  const results = await runScript(t, { a: [refused(300_000), 'ok'], b: OK });
  assert.deepEqual(results, ['user failed INTERRUPTED', 'ok']);
  assert.ok(t.clock.now() < 300_000);
});

test('a sleep that rejects because of the signal is an end like any other', async () => {
  const abort = new AbortController();
  const t = trial({
    signal: abort.signal,
    sleep: () => {
      abort.abort();
      return Promise.reject(new Error('aborted'));
    },
  });
  assert.deepEqual(await runScript(t, { a: [TIMEOUT] }), ['user failed INTERRUPTED']);
});

test('a signal that was given before keeps everything from being sent', async () => {
  const t = trial({ signal: AbortSignal.abort() });
  assert.deepEqual(await runScript(t, { a: OK }), ['user failed INTERRUPTED']);
  assert.deepEqual(t.sent, []);
});

test('an attempt that throws ends the run, but only after what is in flight', async () => {
  const t = trial();
  let isFinished = false;
  const slow: Job<string> = {
    name: 'slow',
    async attempt() {
      await t.clock.sleep(1000);
      isFinished = true;
      return 'ok';
    },
  };
  const broken = { name: 'broken', attempt: () => Promise.reject(new Error('disk')) };
  const jobs = [broken, slow, ...Array.from('abcdef', (name) => job(t, name, OK))];
  await assert.rejects(t.clock.run(runQueue(jobs, t.options)), /disk/);
  assert.equal(isFinished, true);
  assert.equal(t.sent.length, 2);
});

test('the runs of one queue follow each other, and share pace, pause and budget', async () => {
  const t = trial({ maxWaitMs: 10_000 });
  const queue = createQueue(t.options);
  const first = queue.run([job(t, 'a', [refused(6000), 'ok'])]);
  const second = queue.run([job(t, 'b', OK), job(t, 'c', [refused(5000), 'ok'])]);
  const results = await t.clock.run(Promise.all([first, second]));
  assert.deepEqual(t.sent, ['a@0', 'a@6100', 'b@6200', 'c@6300']);
  assert.deepEqual(summarize(results[1]), ['ok', 'user deferred M_LIMIT_EXCEEDED']);
});

test('a run that throws does not stop the next one of its queue', async () => {
  const t = trial();
  const queue = createQueue(t.options);
  const broken = { name: 'broken', attempt: () => Promise.reject(new Error('disk')) };
  const first = queue.run([broken]);
  const second = queue.run([job(t, 'a', OK)]);
  await assert.rejects(t.clock.run(first), /disk/);
  assert.deepEqual(await t.clock.run(second), ['ok']);
});

test('what two users in a row have shown holds for the runs that come after', async () => {
  const t = trial();
  const queue = createQueue(t.options);
  const run = async (name: string, outcome: Outcome, group: string): Promise<string[]> => {
    const jobs = [{ ...job(t, name, [outcome]), group }];
    return summarize(await t.clock.run(queue.run(jobs)));
  };
  assert.deepEqual(await run('a', UNKNOWN, 'x'), ['user failed M_UNKNOWN']);
  assert.deepEqual(await run('b', UNKNOWN, 'x'), ['homeserver failed M_UNKNOWN']);
  assert.deepEqual(await run('c', 'ok', 'x'), ['homeserver failed M_UNKNOWN']);
  assert.deepEqual(await run('d', 'ok', 'y'), ['ok']);
  assert.equal(t.sent.length, 3);
});

/** Jobs that log in with one secret, which is refused for each or accepted. */
function sharing(t: Trial, names: string, outcome: Outcome): Job<string>[] {
  return Array.from(names, (name) => ({
    ...job(t, name, [outcome]),
    group: 'secret',
    sharesSecret: true,
  }));
}

test('a wrong secret that many share is refused twice, whatever their number, and holds up nobody else', async () => {
  const t = trial();
  const others = Array.from('uvwxyz', (name) => ({ ...job(t, name, OK), group: 'password' }));
  const jobs = [...sharing(t, 'abcdefghijkl', UNKNOWN), ...others];
  const results = summarize(await t.clock.run(runQueue(jobs, t.options)));
  const refused = t.sent.filter((line) => /^[a-l]/.test(line));
  assert.deepEqual(refused, ['a@0', 'b@100']);
  assert.deepEqual(results.slice(0, 2), ['user failed M_UNKNOWN', 'homeserver failed M_UNKNOWN']);
  assert.deepEqual(new Set(results.slice(2, 12)), new Set(['homeserver failed M_UNKNOWN']));
  assert.deepEqual(results.slice(12), Array(6).fill('ok'));
  assert.deepEqual(t.sent.slice(0, 4), ['a@0', 'u@0', 'v@0', 'w@0']);
});

test('a secret that was let in once is used by four at a time, in later runs, too', async () => {
  const t = trial();
  const queue = createQueue(t.options);
  await t.clock.run(queue.run(sharing(t, 'abcdef', 'ok')));
  assert.deepEqual(t.sent, ['a@0', 'b@100', 'c@100', 'd@100', 'e@100', 'f@200']);
  await t.clock.run(queue.run(sharing(t, 'ghij', 'ok')));
  assert.deepEqual(t.sent.slice(6), ['g@300', 'h@300', 'i@300', 'j@300']);
});

/** As a homeserver says it that tells exactly when the next login is let through. */
function refusedFor(ms: number): Failure {
  return { ...refused(ms), freeIn: { least: ms, most: ms } };
}

test('once the pace is known, nobody is sent whose wait the rest of the budget does not allow', async () => {
  const t = trial({ maxWaitMs: 12_000 });
  const no = refusedFor(10_000);
  const script = { a: OK, b: [no, 'ok'], c: [no], d: [no], e: [no], f: [no] };
  const jobs = Object.entries(script).map(([name, outcomes]) => job(t, name, outcomes));
  const results = await t.clock.run(runQueue(jobs, t.options, { areLogins: true }));
  // The fifth was sent before the first refusal had come.
  assert.deepEqual(t.sent.slice(4), ['e@100', 'b@10201']);
  const late = 'homeserver deferred M_LIMIT_EXCEEDED';
  assert.deepEqual(summarize(results), ['ok', 'ok', late, late, late, late]);
  const [, , left] = results;
  assert.ok(isFailure(left));
  assert.match(
    left.message,
    /^not tried: the homeserver limits logins, and 10 s to wait are beyond the 12 s allowed, of which 11 s are used up$/,
  );
});

test('a limit that has met one user only says nothing of the next one', async () => {
  const t = trial({ maxWaitMs: 12_000 });
  const jobs = [job(t, 'a', [refusedFor(10_000), 'ok']), job(t, 'b', OK)];
  const slow = { ...job(t, 'slow', OK), userId: '@a:x' };
  const own = jobs.map((one) => ({ ...one, userId: one.name === 'a' ? '@a:x' : '@b:x' }));
  const [first, second] = own;
  assert.ok(first !== undefined && second !== undefined);
  const queue = createQueue(t.options);
  await t.clock.run(queue.run([slow, first], { areLogins: true }));
  const results = await t.clock.run(queue.run([second], { areLogins: true }));
  assert.deepEqual(results, ['ok']);
});

test('a deferred user says how much of what is allowed is used up', async () => {
  const t = trial({ maxWaitMs: 10_000 });
  const jobs = [job(t, 'a', [refused(6000), refused(4001)])];
  const [result] = await t.clock.run(runQueue(jobs, t.options));
  assert.ok(isFailure(result));
  assert.match(
    result.message,
    /; 5 s to wait are beyond the 10 s allowed, of which 6 s are used up$/,
  );
});
