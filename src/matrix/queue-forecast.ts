// What can be said of the time that the logins of a homeserver take, once it has refused one: learnt
// from refusals, and told before anybody waits.
import type { Forecast, Pace } from './queue-pace.ts';
import { probableInterval } from './slots.ts';

/** A forecast that differs by less is no news. */
const NEWS_MS = 5000;
const NEWS_PART = 0.2;

export interface Counted {
  readonly total: number;
  readonly done: number;
}

/** Gives what can be said while a pause is on, or null where there is none for a rate limit. */
export function forecastOf(pace: Pace, { total, done }: Counted): Forecast | null {
  if (pace.pause?.code !== 'M_LIMIT_EXCEEDED') return null;
  const left = total - done;
  const nextMs = Math.max(0, pace.pause.until - pace.options.now());
  const everyMs = probableInterval(pace.slots);
  if (everyMs === null) return { total, done, everyMs, aboutMs: null, affordable: left };
  // The pause that is on is paid for.
  const budget = pace.options.maxWaitMs - pace.spentMs;
  const affordable = Math.min(left, 1 + Math.floor(Math.max(0, budget) / everyMs));
  return { total, done, everyMs, aboutMs: nextMs + (left - 1) * everyMs, affordable };
}

/** Tells a forecast that says more, or something else, than the one before it. */
export function tellForecast(pace: Pace, forecast: Forecast | null): void {
  if (forecast === null || !isNews(pace, forecast)) return;
  pace.told = { forecast, at: pace.options.now() };
  pace.options.onForecast?.(forecast);
}

function isNews({ told, options }: Pace, { aboutMs }: Forecast): boolean {
  if (told === null) return true;
  if (aboutMs === null) return false;
  const before = told.forecast.aboutMs;
  if (before === null) return true;
  const expected = Math.max(0, before - (options.now() - told.at));
  return Math.abs(aboutMs - expected) > Math.max(NEWS_MS, before * NEWS_PART);
}
