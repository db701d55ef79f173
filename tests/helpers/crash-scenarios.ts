// In which situations runs meet which trouble. Each is tried at every one of its calls.
import { SOFTWARE } from '../../scripts/homeserver/servers.ts';
import type { ServicesOptions } from './provision-services.ts';
import { EFFECTS } from './watch-calls.ts';
import type { Blow, Watch } from './watch-calls.ts';

export interface Scenario {
  readonly name: string;
  readonly options: ServicesOptions;
  /** Left out unless it is named, or everything is asked for: others do nearly the same. */
  readonly isExtra?: true;
  /** Default: `provision`. */
  readonly task?: 'rekey';
  /** Default: the embedded one. */
  readonly homeserver?: 'real Synapse';
  /** Where the token goes; default: into a file of its own, which does not exist yet. */
  readonly target?: 'own file' | 'three new folders' | 'hand-written file' | 'encrypted file';
  /** Runs that were killed before, one after the other. */
  readonly killedBefore?: readonly Watch[];
  /** The calls that are tried; default: all. */
  readonly match?: RegExp;
  /** The first of them that is tried; default: the very first. */
  readonly from?: RegExp;
  /** Default: SIGKILL. */
  readonly blow?: Blow;
  /** The error comes at every later call, too. */
  readonly onwards?: boolean;
  /** No homeserver answers the run that meets the trouble, so that it takes back what it made. */
  readonly isUnreachable?: boolean;
  /** Between the crash and the last run there is one that reaches no homeserver. */
  readonly thenUnreachable?: boolean;
  /**
   * `power cut`: at the call the power fails, too: what the disk holds at that instant is what is
   * left. `full`: at the call a small disk is filled, and the run goes on.
   */
  readonly disk?: 'power cut' | 'full';
}

/** Just before the answer to a login is read: the session is open, and nobody knows its token. */
const LOST: Watch = { match: /^receive POST \S+\/login$/, at: 1 };

/** Just before the answer to the removal of that session is read. */
const REMOVING: Watch = { match: /^receive POST \S+\/(?:delete_devices|logout)$/, at: 1 };

const ONE = { names: ['news'] };
const FIXED = { ...ONE, keys: ['device_id: FIXED'] };

/** Before anything is asked for that changes something, one homeserver is like the other. */
const FROM_THE_FIRST_REQUEST = { match: EFFECTS, from: /^send POST / };

/** Those whose answers were captured. */
const REAL = new Set<string>(['synapse', 'mas', 'dendrite']);

function extraUnless(isUsual: boolean): Pick<Scenario, 'isExtra'> {
  return isUsual ? {} : { isExtra: true };
}

/**
 * In each server's manner. What a run only looks at, and what it does before it logs in, does not
 * depend on the homeserver: those calls are tried in the first one's.
 */
const OF_ALL = SOFTWARE.flatMap((software, index): Scenario[] => [
  {
    name: `first login, ${software}`,
    ...extraUnless(REAL.has(software)),
    options: { ...ONE, software },
    ...(index === 0 ? {} : FROM_THE_FIRST_REQUEST),
  },
  {
    name: `after a lost login, ${software}`,
    options: { ...ONE, software },
    killedBefore: [LOST],
    ...(index === 0 ? { match: EFFECTS } : FROM_THE_FIRST_REQUEST),
  },
  {
    name: `fixed device, ${software}`,
    ...extraUnless(REAL.has(software)),
    options: { ...FIXED, software },
    ...(index === 0 ? { match: EFFECTS } : FROM_THE_FIRST_REQUEST),
  },
]);

/** Killed at the answer to the creation of a user: only Dendrite has opened a session with it. */
const LOST_CREATION: Watch = { match: /^receive POST \S+\/register$/, at: 1 };

const MISSING = { ...ONE, isMissing: true };

/** Users that are created first, in the manner of each server that can. */
const OF_CREATORS = (['synapse', 'dendrite', 'tuwunel'] as const).flatMap(
  (software): Scenario[] => [
    {
      name: `missing user, ${software}`,
      ...extraUnless(software === 'dendrite'),
      options: { ...MISSING, software },
      ...FROM_THE_FIRST_REQUEST,
    },
    {
      name: `after a lost creation, missing user, ${software}`,
      ...extraUnless(software === 'dendrite'),
      options: { ...MISSING, software },
      killedBefore: [LOST_CREATION],
      ...FROM_THE_FIRST_REQUEST,
    },
  ],
);

/** Where the homeserver makes no difference. */
const OF_ONE: readonly Scenario[] = [
  { name: 'two services at once', options: { names: ['news', 'rss'] }, match: EFFECTS },
  {
    name: 'a kill, then nobody answers',
    options: ONE,
    match: EFFECTS,
    thenUnreachable: true,
  },
  {
    name: 'three new folders, then nobody answers',
    options: ONE,
    target: 'three new folders',
    match: EFFECTS,
    thenUnreachable: true,
  },
  {
    name: 'three new folders, nobody answers, twice',
    isExtra: true,
    options: ONE,
    target: 'three new folders',
    match: EFFECTS,
    isUnreachable: true,
    thenUnreachable: true,
  },
  {
    name: 'into a hand-written file',
    options: { names: ['news', 'rss'] },
    target: 'hand-written file',
    match: EFFECTS,
  },
  {
    name: 'into an encrypted file',
    options: ONE,
    target: 'encrypted file',
    match: EFFECTS,
  },
  {
    name: 'killed twice before',
    options: { ...ONE, software: 'mas' },
    killedBefore: [LOST, REMOVING],
    match: EFFECTS,
  },
  { name: 'Ctrl-C', options: ONE, match: EFFECTS, blow: 'SIGINT' },
];

/** On a real file system that loses its power. */
const POWER_CUTS: readonly Scenario[] = [
  { name: 'power cut', options: ONE, match: EFFECTS, disk: 'power cut' },
  {
    name: 'power cut after a lost login',
    options: ONE,
    killedBefore: [LOST],
    match: EFFECTS,
    disk: 'power cut',
  },
  {
    name: 'power cut, hand-written file',
    options: ONE,
    target: 'hand-written file',
    match: EFFECTS,
    disk: 'power cut',
  },
];

const WRITES = /^(?:create|ftruncate|fsync|write) /;
const NAMES = /^(?:create|link|mkdir|rename|rmdir|unlink) /;
const DISK = /^(?:create|fchmod|fsync|ftruncate|link|mkdir|rename|rmdir|unlink|write) /;
const EXCHANGES = /^(?:connect|send .*|receive .*|socket)$/;

/** The run goes on, has to say what is true, and to leave nothing that the next one cannot mend. */
const FAULTS: readonly Scenario[] = [
  { name: 'EIO at a write or sync', options: ONE, match: WRITES, blow: 'EIO' },
  { name: 'ENOSPC at a write or sync', options: ONE, match: WRITES, blow: 'ENOSPC' },
  { name: 'ENOSPC from a call on', options: ONE, match: WRITES, blow: 'ENOSPC', onwards: true },
  { name: 'EPERM at a rename, link, removal', options: ONE, match: NAMES, blow: 'EPERM' },
  { name: 'read-only from a call on', options: ONE, match: DISK, blow: 'EROFS', onwards: true },
  {
    name: 'EIO, after a lost login',
    options: ONE,
    killedBefore: [LOST],
    match: DISK,
    blow: 'EIO',
  },
  {
    name: 'EIO, hand-written file',
    options: ONE,
    target: 'hand-written file',
    match: DISK,
    blow: 'EIO',
  },
  { name: 'connection reset', options: ONE, match: EXCHANGES, blow: 'ECONNRESET' },
  {
    name: 'connection reset, after a lost login',
    options: { ...ONE, software: 'mas' },
    killedBefore: [LOST],
    match: EXCHANGES,
    blow: 'ECONNRESET',
  },
  {
    name: 'connection reset, missing user',
    options: { ...MISSING, software: 'dendrite' },
    match: EXCHANGES,
    blow: 'ECONNRESET',
  },
  {
    name: 'EIO, missing user',
    isExtra: true,
    options: { ...MISSING, software: 'dendrite' },
    match: DISK,
    blow: 'EIO',
  },
  { name: 'a small disk is filled', options: ONE, match: EFFECTS, disk: 'full' },
];

/** All files of a rekey change, or none. */
const REKEYS = [
  { name: 'rekey' },
  { name: 'rekey, Ctrl-C', blow: 'SIGINT', isExtra: true },
  { name: 'rekey, power cut', disk: 'power cut', isExtra: true },
  { name: 'rekey, EIO', match: DISK, blow: 'EIO', isExtra: true },
  {
    name: 'rekey, ENOSPC from a call on',
    match: WRITES,
    blow: 'ENOSPC',
    onwards: true,
    isExtra: true,
  },
  { name: 'rekey, EPERM', match: NAMES, blow: 'EPERM', isExtra: true },
  {
    name: 'rekey, read-only from a call on',
    match: DISK,
    blow: 'EROFS',
    onwards: true,
    isExtra: true,
  },
  { name: 'rekey, a small disk is filled', disk: 'full', isExtra: true },
] as const satisfies Partial<Scenario>[];

const OF_REKEY = REKEYS.map((scenario): Scenario => {
  return { task: 'rekey', options: {}, match: EFFECTS, ...scenario };
});

/** A smaller set, where something is decided. */
const ON_SYNAPSE = [
  { name: 'first login, real Synapse', match: /^(?:fsync|receive|rename|send|unlink) / },
  { name: 'after a lost login, real Synapse', killedBefore: [LOST], match: EXCHANGES },
  { name: 'fixed device, real Synapse', options: FIXED, match: /^(?:receive|send|unlink) / },
].map((scenario): Scenario => ({ options: ONE, homeserver: 'real Synapse', ...scenario }));

export const SCENARIOS: readonly Scenario[] = [
  ...OF_ALL,
  ...OF_CREATORS,
  ...OF_ONE,
  ...ON_SYNAPSE,
  ...POWER_CUTS,
  ...FAULTS,
  ...OF_REKEY,
];
