import { inRange } from '../../common/errors.ts';
import {
  MEAN_POWER_TOLERANCE_DB,
  meanPowerDb,
  POWER_LEVELS,
  powerOf,
  UNIT_POWER_LEVEL,
} from '../../phy/frame/power-level.ts';
import { RB_DATA_RE } from '../../phy/numerology.ts';

/** Power of each subband and what came of it. */
export interface PowerLoading {
  /** Levels as the extension says them, [nSubbands]; their mean power is within 0.1 dB of 1. */
  readonly levels: number[];
  /** SNR of each subband at its level, dB, [nSubbands]. */
  readonly snrDb: number[];
}

/**
 * Water-filling with each power kept to [least, most]: p_s = clamp(mu - 1/snr_s) of mean 1 maximises sum log2(1 + p_s snr_s)
 * [Gallager68] §7.5; mu by bisection.
 *
 * @param snr linear, [nSubbands], each positive and finite
 */
export function boundedWaterFilling(snr: readonly number[], least: number, most: number): number[] {
  for (const [i, value] of snr.entries()) inRange(`SNR of subband ${i}`, value, 1e-12, 1e12);
  const powers = (level: number) => snr.map((s) => Math.min(most, Math.max(least, level - 1 / s)));
  const mean = (p: number[]) => p.reduce((a, b) => a + b, 0) / p.length;
  let low = 0;
  let high = most + Math.max(...snr.map((s) => 1 / s));
  for (let i = 0; i < 100; i++) {
    const level = (low + high) / 2;
    if (mean(powers(level)) < 1) low = level;
    else high = level;
  }
  return powers(high);
}

/**
 * Levels of the air interface for reported SNRs: bounded water-filling, quantised so that the mean power stays within
 * 0.1 dB of 1 and the sum capacity is the best of those tried, equal power among them. A subband that water-filling would leave dry keeps the
 * least level, -8 dB: its RE are part of the map.
 *
 * An old report says less of single subbands: what is filled is the expected SNR given it, rho^2 snr_s + (1 - rho^2) mean.
 *
 * @param snrDb of each subband at unit power as reported, dB, [nSubbands]
 * @param uncertainty sqrt(1 - rho^2), 0 for a report that still holds, 1 for one that says nothing of single subbands
 */
export function loadPower(snrDb: ArrayLike<number>, uncertainty = 0): PowerLoading {
  const reported = Array.from(snrDb, (v) => 10 ** (v / 10));
  const mean = reported.reduce((a, b) => a + b, 0) / reported.length;
  const snr = reported.map((s) => s + uncertainty ** 2 * (mean - s));
  const wanted = boundedWaterFilling(snr, powerOf(0), powerOf(POWER_LEVELS - 1));
  let best = wanted.map(() => UNIT_POWER_LEVEL);
  const filling = filled(wanted);
  if (capacity(filling, snr) > capacity(best, snr)) best = filling;
  for (let offsetDb = -0.5; offsetDb <= 0.5; offsetDb += 0.05) {
    const levels = wanted.map((p) => nearestLevel(10 * Math.log10(p) + offsetDb));
    if (Math.abs(meanPowerDb(levels)) > MEAN_POWER_TOLERANCE_DB / 2) continue;
    if (capacity(levels, snr) > capacity(best, snr)) best = levels;
  }
  const loadedDb = Array.from(snrDb, (v, s) => v + 10 * Math.log10(powerOf(best[s])));
  return { levels: best, snrDb: loadedDb };
}

function nearestLevel(powerDb: number): number {
  return Math.min(POWER_LEVELS - 1, Math.max(0, Math.round(2 * powerDb) + 16));
}

/** bits per RE and subband. */
function capacity(levels: readonly number[], snr: readonly number[]): number {
  return levels.reduce((sum, level, s) => sum + Math.log2(1 + powerOf(level) * snr[s]), 0) / snr.length;
}

/**
 * Levels rounded down, then raised one by one, the one furthest below its wish first, as long as the mean stays below
 * 1; a last one where that brings it closer. The mean ends within half the smallest step.
 */
function filled(wanted: readonly number[]): number[] {
  const n = wanted.length;
  const levels = wanted.map((p) => Math.min(POWER_LEVELS - 1, Math.max(0, Math.floor(20 * Math.log10(p) + 1e-9) + 16)));
  let gap = n - levels.reduce((sum, level) => sum + powerOf(level), 0);
  const step = (s: number) => powerOf(levels[s] + 1) - powerOf(levels[s]);
  const raise = (candidates: number[]): boolean => {
    if (candidates.length === 0) return false;
    const lowest = candidates.reduce((a, b) =>
      powerOf(levels[a]) / wanted[a] <= powerOf(levels[b]) / wanted[b] ? a : b,
    );
    gap -= step(lowest);
    levels[lowest]++;
    return true;
  };
  const all = levels.map((_, s) => s);
  while (raise(all.filter((s) => levels[s] < POWER_LEVELS - 1 && step(s) <= gap)));
  raise(all.filter((s) => levels[s] < POWER_LEVELS - 1 && step(s) < 2 * gap).slice(0, 1));
  return levels;
}

/** Multiplies each subband's payload RE by the square root of its power; payload [slot x nSubbands + subband][RE][re, im]. */
export function applyPower(payload: Float32Array, levels: readonly number[]): Float32Array {
  const gains = levels.map((level) => Math.sqrt(powerOf(level)));
  const perBlock = 2 * RB_DATA_RE;
  for (let at = 0; at < payload.length; at += perBlock) {
    const gain = gains[(at / perBlock) % gains.length];
    for (let i = at; i < at + perBlock; i++) payload[i] *= gain;
  }
  return payload;
}
