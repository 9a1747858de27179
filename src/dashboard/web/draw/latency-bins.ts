import type { VideoFrame } from '../state/store.ts';

/** What is above the deadline has so much room, as a part of it. */
const ABOVE = 1.5;
const WITHOUT_DEADLINE_MS = 100;

/** What the chart is of. */
export interface Latencies {
  /** Newest first. */
  readonly frames: readonly VideoFrame[];
  /** Places for frames from left to right. */
  readonly room: number;
  readonly deadlineMs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Upper end of the axis, ms: a step of 20, and steady while latencies are below the deadline. */
export function topMs({ frames, deadlineMs }: Pick<Latencies, 'frames' | 'deadlineMs'>): number {
  const usual = deadlineMs === null ? WITHOUT_DEADLINE_MS : ABOVE * deadlineMs;
  const known = frames.filter(({ state }) => state === 'shown').map(({ latencyMs }) => latencyMs ?? 0);
  const most = Math.max(0, ...known.filter(Number.isFinite));
  return 20 * Math.ceil(Math.max(usual, 1.05 * most) / 20);
}

/** Frames of each bin, from 0 ms up; what is beyond the last bin counts to it. */
export function histogram(frames: readonly VideoFrame[], top: number, bins: number): Uint16Array {
  const out = new Uint16Array(bins);
  for (const { latencyMs } of frames) {
    if (latencyMs === null || !Number.isFinite(latencyMs)) continue;
    out[Math.max(0, Math.min(bins - 1, Math.floor((latencyMs / top) * bins)))]++;
  }
  return out;
}
