import { RandomStream } from '../../src/common/random.ts';
import { fftKernel } from '../../src/phy/kernels/fft/fft.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';
import { payloadIndex, resourceGrid, turn } from '../../src/phy/resource-grid.ts';
import { applyCandidate, type Candidate, clipRe, PEAK } from './candidates.ts';
import type { Shape } from './shapes.ts';

/** Oversampling at which peaks between the modem's samples show. */
const OVERSAMPLING = 4;
/** Instantaneous power is counted in steps of 0.05 dB from -20 dB over the mean. */
const BINS = 1000;
const STEP_DB = 0.05;
const FIRST_DB = -20;
/** A level is given only where at least so many events stand above it. */
const LEAST_EVENTS = 10;

export interface PaprFigures {
  readonly candidate: string;
  readonly shape: string;
  readonly subbands: number;
  readonly ofdmSymbols: number;
  /** Level over the mean power of the whole signal that a sample exceeds with this probability, dB. */
  readonly sampleDb: { readonly p1e3: number; readonly p1e4: number; readonly p1e5: number };
  /** Peak of an OFDM symbol over that mean, exceeded by this share of the symbols; null where fewer than 10 symbols are. */
  readonly symbolDb: { readonly p1e1: number | null; readonly p1e2: number | null; readonly p1e3: number | null };
}

/**
 * Complementary distribution of the power of the complex envelope at 4 x the modem rate, pilots and scrambling as on the air.
 * |RE| is limited as on the air.
 * `slots` slots are drawn; the RB's mean power is left as the shape gives it.
 */
export function papr(n: Numerology, slots: number, shape: Shape, c: Candidate, seed: number): PaprFigures {
  const random = new RandomStream(seed).fork(`papr-${shape.name}`);
  const grid = resourceGrid(n);
  const size = OVERSAMPLING * n.fftSize;
  const fft = fftKernel(size);
  const spectrum = new Float32Array(2 * size);
  const time = new Float32Array(2 * size);
  const pilots = new Float32Array(2 * n.nCarriers * SLOT_SYMBOLS);
  const row = new Float32Array(2 * n.nCarriers);
  const counts = new Float64Array(BINS);
  const peaks: number[] = [];
  let total = 0;
  for (let slot = 0; slot < slots; slot++) {
    const payload = applyCandidate(c, n, 1, shape.draw(n.nSubbands * RB_DATA_RE, random));
    clipRe(payload, c.peak ?? PEAK);
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const symbol = slot * SLOT_SYMBOLS + t;
      const carriers = grid.dataCarriersOf(t);
      const turns = grid.turnsOf(symbol);
      for (let i = 0; i < carriers.length; i++) {
        const at = 2 * carriers[i];
        const p = 2 * payloadIndex(t, i);
        row[at] = payload[p];
        row[at + 1] = payload[p + 1];
        if (c.turns) turn(row, at, turns[i]);
      }
      // Pilot values of the first 14 symbols, slot by slot: their place is right and their phases are as random as any.
      grid.placePilots(pilots, t, t);
      const offset = grid.pilotOffset(t);
      for (let carrier = offset; carrier < n.nCarriers; carrier += SUBBAND_CARRIERS) {
        const at = 2 * (n.nCarriers * t + carrier);
        row[2 * carrier] = pilots[at];
        row[2 * carrier + 1] = pilots[at + 1];
      }
      spectrum.fill(0);
      for (let carrier = 0; carrier < n.nCarriers; carrier++) {
        const k = n.carriers[carrier];
        const bin = 2 * (k < 0 ? k + size : k);
        spectrum[bin] = row[2 * carrier];
        spectrum[bin + 1] = row[2 * carrier + 1];
      }
      fft.inverse(spectrum, 0, time, 0);
      let peak = 0;
      for (let i = 0; i < time.length; i += 2) {
        const power = (time[i] * time[i] + time[i + 1] * time[i + 1]) / n.nCarriers;
        total += power;
        if (power > peak) peak = power;
        const bin = Math.floor((10 * Math.log10(power + 1e-9) - FIRST_DB) / STEP_DB);
        if (bin >= 0) counts[Math.min(bin, BINS - 1)]++;
      }
      peaks.push(peak);
    }
  }
  const samples = peaks.length * size;
  const meanDb = 10 * Math.log10(total / samples);
  peaks.sort((a, b) => b - a);
  const sampleLevel = (p: number) => exceeded(counts, p * samples) - meanDb;
  const symbolLevel = (p: number) => {
    const rank = Math.floor(p * peaks.length);
    return rank >= LEAST_EVENTS ? 10 * Math.log10(peaks[rank]) - meanDb : null;
  };
  return {
    candidate: c.name,
    shape: shape.name,
    subbands: n.nSubbands,
    ofdmSymbols: peaks.length,
    sampleDb: { p1e3: sampleLevel(1e-3), p1e4: sampleLevel(1e-4), p1e5: sampleLevel(1e-5) },
    symbolDb: { p1e1: symbolLevel(0.1), p1e2: symbolLevel(0.01), p1e3: symbolLevel(1e-3) },
  };
}

/** Level above which `events` of the counted samples lie, linear inside a step. */
function exceeded(counts: Float64Array, events: number): number {
  let above = 0;
  for (let bin = BINS - 1; bin >= 0; bin--) {
    if (above + counts[bin] >= events) return FIRST_DB + STEP_DB * (bin + 1 - (events - above) / counts[bin]);
    above += counts[bin];
  }
  return FIRST_DB;
}
