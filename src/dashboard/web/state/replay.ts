import { act } from './actions.ts';
import { connection } from './connection.ts';
import { store } from './store.ts';

/** A part of the capture that is replayed, s. */
export type Range = readonly [number, number];

/** Shortest range that is picked: shorter ones are slips of the hand. Part of what the map shows. */
const SHORTEST = 1 / 500;
/** Between two seeks while the position is dragged, ms. */
const SEEK_MS = 120;
/** A replay that begins again is waited for so long, ms. */
const RESTART_MS = 10_000;
/** So much before a burst a replay begins that is to hear it, s. */
const BEFORE_BURST_S = 1e-3;

let picked: Range | null = null;
let askedAtMs = Number.NEGATIVE_INFINITY;

/** First and last time of the capture. */
export function span(): Range {
  const { overview, replay } = store;
  const end = replay?.lengthS ?? overview?.lengthS ?? 0;
  return [Math.min(end, overview?.startS ?? 0), end];
}

/** The range that was picked on the map; null: none. */
export function range(): Range | null {
  return picked;
}

/** Picks the part between two times, in any order; null lets go. */
export function pick(next: Range | null): void {
  const [start, end] = span();
  if (next) {
    const [a, b] = [within(Math.min(...next), start, end), within(Math.max(...next), start, end)];
    picked = b - a >= (end - start) * SHORTEST ? [a, b] : null;
  } else picked = null;
  store.say('replay');
}

/** The picked range begins, or ends, at the position; a range that would be turned round goes to the capture's end. */
export function pickFromHere(what: 'begin' | 'end'): void {
  const { replay } = store;
  if (!replay) return;
  const [start, end] = span();
  const at = replay.positionS;
  if (what === 'begin') pick([at, picked && picked[1] > at ? picked[1] : end]);
  else pick([picked && picked[0] < at ? picked[0] : start, at]);
}

export function mayControl(): boolean {
  return connection.access === 'control';
}

export function hasEnded(): boolean {
  return store.run?.state === 'ended';
}

/** Tells the replay something; one that has ended begins again first, and stands still where it is sent somewhere. */
export async function ask(action: string, value?: unknown): Promise<boolean> {
  if (hasEnded() && !(await restart(action === 'seek' || action === 'step'))) return false;
  return act('replay', { action, ...(value === undefined ? {} : { value }) });
}

let restarting: Promise<boolean> | null = null;

/** Once, however many ask for it. */
function restart(paused: boolean): Promise<boolean> {
  restarting ??= (async () => {
    try {
      if (!(await act('again'))) return false;
      if (paused && !(await act('replay', { action: 'pause' }))) return false;
      await Promise.race([begun(), new Promise((resolve) => setTimeout(resolve, RESTART_MS))]);
      return true;
    } finally {
      restarting = null;
    }
  })();
  return restarting;
}

/** The new run has told that it is there. */
function begun(): Promise<void> {
  return new Promise((resolve) => {
    const leave = store.on(['run'], () => {
      if (hasEnded()) return;
      leave();
      resolve();
    });
    if (hasEnded()) return;
    leave();
    resolve();
  });
}

/** @param dragging many follow: only some of them are sent */
export function seek(toS: number, dragging = false): void {
  const nowMs = performance.now();
  if (!mayControl() || (dragging && (hasEnded() || nowMs - askedAtMs < SEEK_MS))) return;
  askedAtMs = nowMs;
  void ask('seek', within(toS, ...span()));
}

/** Goes on, paused, to where the burst before the last one was heard. */
export async function stepBack(): Promise<void> {
  const at = store.replay?.positionS ?? 0;
  const before = burstTimes().filter(({ endS }) => endS <= at + BEFORE_BURST_S);
  const wanted = before.at(-2) ?? before.at(-1);
  const toS = wanted ? wanted.startS - BEFORE_BURST_S : 0;
  if (await ask('seek', within(toS, ...span()))) void ask('step');
}

/** Bursts of the capture by what its annotations say and what was heard, in order. */
function burstTimes(): { startS: number; endS: number }[] {
  const told = (store.overview?.bursts ?? []).filter(({ durationS }) => durationS > 0);
  const heard = [...store.bursts.newest()].filter(({ use }) => use !== 'reverse');
  // Where annotations mark bursts they mark all of them.
  const all = told.length > 0 ? told : heard;
  return all.map(({ startS, durationS }) => ({ startS, endS: startS + durationS })).sort((a, b) => a.startS - b.startS);
}

function within(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** A time in a capture of this length: "1.234 s" in a short one, "12:05.3" in a long one. */
export function timeText(seconds: number, lengthS: number): string {
  if (lengthS < 1) return `${(1e3 * seconds).toFixed(1)} ms`;
  if (lengthS < 60) return `${seconds.toFixed(3)} s`;
  const tenths = Math.floor(10 * seconds + 1e-6);
  const [h, m, s] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, Math.floor(tenths / 10) % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return `${h > 0 ? `${h}:${two(m)}` : m}:${two(s)}.${tenths % 10}`;
}
