// What refusals teach about a rate limit. Servers let logins through in slots that lie evenly apart
// once the burst is used up: slot k comes at `first + k * every`, however late the slots before it
// were used (only where there is no burst at all, late is late). Each refusal says that a slot comes
// later, each login that was let through that it came before; what is known of one slot narrows down
// all that follow.

/** What is known of one slot: it comes after one time and by another, in milliseconds. */
interface Slot {
  readonly after: number;
  readonly by: number;
}

export interface Slots {
  /** When the first login was sent: the slot before the first one came by then. */
  begunAt: number | null;
  /** The slots after the burst; the last one is the next to be used. None before the first refusal. */
  readonly known: Slot[];
  /** True if the last refusal said when the next slot comes. */
  isTold: boolean;
}

/** What a refusal says of the time until the next slot, in milliseconds; null: nothing. */
export type FreeIn = { readonly least: number; readonly most: number } | null;

const UNKNOWN: Slot = { after: -Infinity, by: Infinity };
/** More say nothing new, and each is compared with each. */
const MOST_KNOWN = 24;
/** A wait that is longer than needed by so much of the interval costs less than a refusal. */
const CLOSE_ENOUGH = 0.15;
/** Waits are told in whole milliseconds. */
const ROUNDING_MS = 1;

/** Gives slots of which nothing is known. */
export function beginSlots(): Slots {
  return { begunAt: null, known: [], isTold: false };
}

/** Notes that a login is sent. */
export function noteSent(slots: Slots, at: number): void {
  slots.begunAt ??= at;
}

/** Notes a login that was sent after the first refusal and let through. */
export function noteGranted(slots: Slots, at: number): void {
  const current = slots.known.at(-1);
  if (current === undefined) return;
  // Without a burst the next slot is counted from here, and not from when this one was free.
  narrow(slots, { after: current.after, by: at });
  slots.known.push(UNKNOWN);
  if (slots.known.length <= MOST_KNOWN) return;
  slots.known.shift();
  // It stood just before the one that is forgotten.
  slots.begunAt = null;
}

/** Notes a refusal that was received at a time, of a login that was sent at another. */
export function noteRefused(
  slots: Slots,
  { sentAt, at }: { readonly sentAt: number; readonly at: number },
  freeIn: FreeIn,
): void {
  const current = slots.known.at(-1) ?? UNKNOWN;
  if (slots.known.length === 0) slots.known.push(UNKNOWN);
  slots.isTold = freeIn !== null;
  // What the homeserver says last is what holds.
  // It was said at some time between the two.
  if (freeIn === null) narrow(slots, { after: Math.max(current.after, sentAt), by: current.by });
  else narrow(slots, { after: sentAt + freeIn.least, by: at + freeIn.most + ROUNDING_MS });
}

/** Replaces what is known of the next slot. Where it contradicts the others, those are forgotten. */
function narrow(slots: Slots, slot: Slot): void {
  slots.known[slots.known.length - 1] = slot;
  const range = nextRange(slots);
  const isPossible = slot.after <= slot.by && range.after <= range.by;
  if (isPossible) return;
  slots.known.splice(0, slots.known.length, slot.after <= slot.by ? slot : UNKNOWN);
  slots.begunAt = null;
}

/** Gives the interval of the slots as bounds, in milliseconds; `most` is Infinity where it is open. */
export function intervalBounds({ known, begunAt }: Slots): { least: number; most: number } {
  const all = begunAt === null ? known : [{ after: -Infinity, by: begunAt }, ...known];
  let least = 0;
  let most = Infinity;
  for (const [j, later] of all.entries()) {
    for (const [i, earlier] of all.slice(0, j).entries()) {
      least = Math.max(least, (later.after - earlier.by) / (j - i));
      most = Math.min(most, (later.by - earlier.after) / (j - i));
    }
  }
  return { least, most };
}

/** Gives how far apart the slots probably are, in milliseconds, or null where nothing tells. */
export function probableInterval(slots: Slots): number | null {
  const { least, most } = intervalBounds(slots);
  if (most !== Infinity) return (least + most) / 2;
  // The burst was probably whole when the first login was sent.
  const [first] = slots.known;
  if (first === undefined || first.by === Infinity || slots.begunAt === null) return null;
  const interval = middle(first) - slots.begunAt;
  return interval > 0 ? interval : null;
}

/** Gives when the next login had best be sent, or null where only another refusal can tell. */
export function nextSlotAt(slots: Slots): number | null {
  const range = nextRange(slots);
  const interval = probableInterval(slots);
  if (interval === null) return null;
  if (range.by === Infinity) return guess(slots, interval);
  const isClose = range.by - range.after <= interval * CLOSE_ENOUGH;
  return isClose ? range.by : middle(range);
}

/**
 * Gives a time before which no login is let through, or null where that is not known yet: one that
 * waited for its slot has to have got it.
 */
export function earliestSlot(slots: Slots): number | null {
  if (slots.known.length < 2) return null;
  const { after } = nextRange(slots);
  return after === -Infinity ? null : after;
}

/** Where a homeserver says nothing, the first interval is all that there is to go by. */
function guess({ known, isTold }: Slots, interval: number): number | null {
  const last = known.at(-2);
  const next = known.at(-1);
  if (isTold || last === undefined || next === undefined || last.after === -Infinity) return null;
  // It was tried, and was too early.
  if (next.after !== -Infinity) return null;
  return middle(last) + interval;
}

function nextRange(slots: Slots): Slot {
  const { least, most } = intervalBounds(slots);
  const { known } = slots;
  let { after, by } = known.at(-1) ?? UNKNOWN;
  for (const [index, slot] of known.slice(0, -1).entries()) {
    const steps = known.length - 1 - index;
    after = Math.max(after, slot.after + steps * least);
    if (most !== Infinity) by = Math.min(by, slot.by + steps * most);
  }
  return { after, by };
}

function middle({ after, by }: Slot): number {
  return (Math.max(after, 0) + by) / 2;
}
