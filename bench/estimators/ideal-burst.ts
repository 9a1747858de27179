import { RandomStream } from '../../src/common/random.ts';
import { responseOf } from '../../src/experiment/bench/modem/modem-genie.ts';
import { makeTrial, type TrialSignal } from '../../src/experiment/bench/modem/modem-trial.ts';
import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';
import { OfdmDemodulator } from '../../src/phy/ofdm/demodulate.ts';
import { preamble } from '../../src/phy/sync/preamble.ts';

/** Empty carriers of each guard that noise is measured on, and how far they lie from the occupied ones. */
export const GUARD_CARRIERS = 12;
const GUARD_DISTANCE = 3;
/** FFT windows of the pause before a burst. */
export const GAP_WINDOWS = 4;

/**
 * A burst after ideal synchronisation (true frequency and phase, FFT windows at whole samples as a receiver sets them):
 * grids without noise, noise of variance 1 for each of their elements, and the true channel. The sum at any SNR is a scaled
 * addition, so one pass through the channel serves all of them.
 */
export interface IdealBurst {
  readonly n: Numerology;
  readonly slots: number;
  readonly signal: TrialSignal;
  /** Power of a unit RE where |H| = 1. */
  readonly power: number;
  /** Samples by which the windows begin early. */
  readonly backoff: number;
  readonly clean: Grids;
  readonly noise: Grids;
  /** More noise of variance 1, for an interferer on the occupied carriers. */
  readonly interference: Grids;
  /** True channel of the slots' symbols, [slot x 14][nCarriers][re, im]. */
  readonly truth: Float32Array;
}

/** What is received in one burst's windows, all [..][re, im]. */
export interface Grids {
  /** [slot x 14][nCarriers]. */
  readonly rows: Float32Array;
  /** The two training symbols less their known values, [2][nCarriers]. */
  readonly training: Float32Array;
  /** Empty carriers beside the band, [slot x 14][2 x GUARD_CARRIERS]. */
  readonly guards: Float32Array;
  /** Occupied carriers in the pause before the burst, [GAP_WINDOWS][nCarriers]. */
  readonly gap: Float32Array;
}

export interface BurstSetting {
  readonly n: Numerology;
  readonly slots: number;
  readonly channel: string;
  readonly seed: string;
}

/** 64-QAM through the channel, with the start a fraction of a sample off. */
export function idealBurst({ n, slots, channel, seed }: BurstSetting): IdealBurst {
  const random = new RandomStream(`estimators/${seed}`);
  const offset = random.uniform();
  const signal = makeTrial({
    numerology: n,
    seed,
    slots,
    snrDb: Number.POSITIVE_INFINITY,
    qm: 6,
    leadSamples: 200,
    channel: { channel, startDelaySamples: offset },
  });
  const clean = emptyGrids(n, slots);
  const truth = new Float32Array(clean.rows.length);
  const backoff = Math.max(1, n.cpLength >> 3);
  const demodulator = new OfdmDemodulator(n);
  const response = responseOf(signal.channel, n);
  const { amplitude, layout } = signal;
  const known = preamble(n).training;
  const trainingAt = n.nSegments * n.segmentLength + n.trainingGuard;
  const slotsAt = n.preambleLength + layout.controlSymbols * n.symbolLength + n.cpLength;
  // Windows stay where the burst's start rounds to: without a clock offset none moves.
  const shift = signal.receivedIndexOf(0);
  const first = Math.round(shift) - backoff;
  for (let i = 0; i < 2; i++) {
    const row = clean.training.subarray(2 * n.nCarriers * i, 2 * n.nCarriers * (i + 1));
    demodulator.demodulate(signal.samples, first + trainingAt + i * n.fftSize, 0, 0, 0, row, 0);
    for (let c = 0; c < row.length; c += 2) {
      const re = row[c];
      row[c] = re * known[c] + row[c + 1] * known[c + 1];
      row[c + 1] = row[c + 1] * known[c] - re * known[c + 1];
    }
  }
  const edge = n.nCarriers / 2 + GUARD_DISTANCE;
  for (let t = 0; t < slots * SLOT_SYMBOLS; t++) {
    const window = first + slotsAt + t * n.symbolLength;
    demodulator.demodulate(signal.samples, window, 0, 0, 0, clean.rows, 2 * n.nCarriers * t);
    const spectrum = demodulator.transform(signal.samples, window, 0, 0);
    for (let g = 0; g < GUARD_CARRIERS; g++) {
      const at = 4 * (t * GUARD_CARRIERS + g);
      clean.guards.set(spectrum.subarray(2 * (edge + g), 2 * (edge + g) + 2), at);
      clean.guards.set(spectrum.subarray(2 * (n.fftSize - edge - g), 2 * (n.fftSize - edge - g) + 2), at + 2);
    }
    const h = response(signal.fadingIndexOf(window + backoff + n.fftSize / 2));
    for (let c = 0; c < n.nCarriers; c++) {
      const angle = (-2 * Math.PI * n.carriers[c] * (shift - first)) / n.fftSize;
      const cos = amplitude * Math.cos(angle);
      const sin = amplitude * Math.sin(angle);
      const at = 2 * (t * n.nCarriers + c);
      truth[at] = h[2 * c] * cos - h[2 * c + 1] * sin;
      truth[at + 1] = h[2 * c] * sin + h[2 * c + 1] * cos;
    }
  }
  const noise = drawn(n, slots, random.fork('noise'));
  const interference = drawn(n, slots, random.fork('interference'));
  return { n, slots, signal, power: amplitude ** 2, backoff, clean, noise, interference, truth };
}

function emptyGrids(n: Numerology, slots: number): Grids {
  return {
    rows: new Float32Array(2 * n.nCarriers * slots * SLOT_SYMBOLS),
    training: new Float32Array(4 * n.nCarriers),
    guards: new Float32Array(4 * GUARD_CARRIERS * slots * SLOT_SYMBOLS),
    gap: new Float32Array(2 * n.nCarriers * GAP_WINDOWS),
  };
}

function drawn(n: Numerology, slots: number, random: RandomStream): Grids {
  const grids = emptyGrids(n, slots);
  for (const grid of [grids.rows, grids.training, grids.guards, grids.gap]) random.addComplexNoise(grid, 1);
  return grids;
}

/** Gaussian interference on whole subbands, from the first sample of the pause or from a slot of the burst on. */
export interface Interferer {
  readonly subbands: readonly number[];
  /** Power per RE over the signal's ensemble mean, dB. */
  readonly overSignalDb: number;
  /** First slot that it hits; 0 = it is there before the burst. */
  readonly fromSlot: number;
}

/** A burst as received. */
export interface Received extends Grids {
  readonly burst: IdealBurst;
  /** True noise variance of each RB, [slot x nSubbands + subband]. */
  readonly variance: Float64Array;
}

export function receivedAt(burst: IdealBurst, snrDb: number, interferer?: Interferer): Received {
  const { n, slots, clean, noise, interference, power } = burst;
  const sigma2 = power / 10 ** (snrDb / 10);
  const sigma = Math.sqrt(sigma2);
  const extra = interferer ? power * 10 ** (interferer.overSignalDb / 10) : 0;
  const hit = (subband: number, slot: number) =>
    interferer?.subbands.includes(subband) && slot >= (interferer.fromSlot === 0 ? -1 : interferer.fromSlot);
  const variance = new Float64Array(slots * n.nSubbands);
  for (let i = 0; i < variance.length; i++) {
    variance[i] = sigma2 + (hit(i % n.nSubbands, Math.floor(i / n.nSubbands)) ? extra : 0);
  }
  /** Adds noise, and interference of the slot that a row of carriers belongs to (-1 before the slots). */
  const mix = (grid: 'rows' | 'training' | 'gap', slotOf: (row: number) => number) => {
    const out = new Float32Array(clean[grid].length);
    for (let i = 0; i < out.length; i++) out[i] = clean[grid][i] + sigma * noise[grid][i];
    if (!interferer) return out;
    for (let row = 0; row < out.length / (2 * n.nCarriers); row++) {
      for (const s of interferer.subbands) {
        if (!hit(s, slotOf(row))) continue;
        const at = 2 * (row * n.nCarriers + s * SUBBAND_CARRIERS);
        for (let i = at; i < at + 2 * SUBBAND_CARRIERS; i++) out[i] += Math.sqrt(extra) * interference[grid][i];
      }
    }
    return out;
  };
  return {
    burst,
    variance,
    rows: mix('rows', (row) => Math.floor(row / SLOT_SYMBOLS)),
    training: mix('training', () => -1),
    gap: mix('gap', () => -1),
    guards: clean.guards.map((v, i) => v + sigma * noise.guards[i]),
  };
}
