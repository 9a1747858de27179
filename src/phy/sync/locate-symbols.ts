import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { OfdmDemodulator } from '../ofdm/demodulate.ts';
import { resourceGrid } from '../resource-grid.ts';

/** Symbols whose pilots are looked at; 12 have a pilot on every carrier. Fewer than 5 prove nothing. */
const MAX_SYMBOLS = SUBBAND_CARRIERS;
const MIN_SYMBOLS = 5;
/** Least agreement of the pilots with the reference over neighbouring subbands; wrong places stay below 0.45. */
const MIN_AGREEMENT = 0.6;
/** Samples within which symbols are where they should be. */
const UNMOVED = 2;

export interface SymbolSearch {
  readonly numerology: Numerology;
  /** [..][re, im]. */
  readonly samples: Float32Array;
  /** Sample at which the cyclic prefix of symbol `first` should begin; samples before it are not touched. */
  readonly at: number;
  readonly first: number;
  /** Symbols to look at, and symbols of the control part and of the whole burst. */
  readonly count: number;
  readonly controlSymbols: number;
  readonly symbols: number;
  /** Cycles a sample. */
  readonly cfo: number;
  /** Samples by which FFT windows begin before the end of the prefix. */
  readonly backoff: number;
  /** Channel that the pilots should show but for a delay, [nCarriers][re, im]. */
  readonly reference: Float32Array;
}

/**
 * Where a burst's symbols really lie after samples went missing (or came twice) inside it: the delay of symbol `first`
 * against `at`, samples, negative where samples are missing; null where no symbols of the burst are found.
 *
 * The correlation of cyclic prefixes, folded over the symbols, gives the place modulo a symbol [Beek97]; the
 * pilots' values say which symbol it is (the largest sum of the phases of z_s conj(z_(s+1)) over neighbouring subbands,
 * z = y conj(pilot) conj(reference), which no delay harms), and that sum's phase the fraction. Every later symbol of the
 * slots is tried, and the one before.
 */
export function locateSymbols(search: SymbolSearch): number | null {
  const { numerology: n, samples, at, first, count, controlSymbols, symbols } = search;
  const { symbolLength, fftSize } = n;
  const room = Math.floor((samples.length / 2 - at - fftSize) / symbolLength) - 1;
  const used = Math.min(count, room, MAX_SYMBOLS);
  if (at < 0 || used < MIN_SYMBOLS) return null;
  // Where they should be, they are: whatever disturbs them (a carrier is alike in every prefix) is no loss of samples.
  const expected = pilotsAgree(search, symbolsAt(search, 0, used), used, 0);
  if (expected.agreement > MIN_AGREEMENT && Math.abs(expected.fraction) < UNMOVED) return expected.fraction;
  const offset = foldedPrefix(n, samples, at, Math.min(count, room));
  if (offset === null) return null;
  const rows = symbolsAt(search, offset, used);
  let best = MIN_AGREEMENT;
  let delay: number | null = null;
  const earliest = Math.max(-1, controlSymbols - first);
  for (let ahead = earliest; first + ahead + MIN_SYMBOLS <= symbols; ahead++) {
    const { agreement, fraction } = pilotsAgree(search, rows, used, ahead);
    if (agreement <= best) continue;
    best = agreement;
    delay = offset - ahead * symbolLength + fraction;
  }
  return delay;
}

/** Demodulates `used` symbols whose first prefix begins `offset` samples after `at`: [used][nCarriers][re, im]. */
function symbolsAt(search: SymbolSearch, offset: number, used: number): Float32Array {
  const { numerology: n, samples, at, cfo, backoff } = search;
  const demodulator = new OfdmDemodulator(n);
  const rows = new Float32Array(2 * n.nCarriers * used);
  for (let m = 0; m < used; m++) {
    const window = at + offset + m * n.symbolLength + n.cpLength - backoff;
    demodulator.demodulate(samples, window, cfo, 0, 0, rows, 2 * n.nCarriers * m);
  }
  return rows;
}

/** How well rows match symbols `first + ahead`.. (0 to 1), and the delay that their pilots show beside it, samples. */
function pilotsAgree(search: SymbolSearch, rows: Float32Array, used: number, ahead: number) {
  const { numerology: n, first, symbols, controlSymbols, reference } = search;
  const { nSubbands, nCarriers, fftSize } = n;
  const grid = resourceGrid(n);
  const z = new Float32Array(2 * nSubbands);
  let re = 0;
  let im = 0;
  let pairs = 0;
  for (let m = 0; m < used && first + ahead + m < symbols; m++) {
    const symbol = first + ahead + m;
    const local = (symbol - controlSymbols) % SLOT_SYMBOLS;
    grid.pilotChannel(rows, 2 * nCarriers * m, symbol, local, z, 0);
    againstReference(z, reference, grid.pilotOffset(local));
    for (let i = 0; i + 2 < z.length; i += 2) {
      // The step across the empty carrier at DC is longer than the others.
      if (i + 2 === nSubbands) continue;
      // Phases alone: a carrier's strong line on a few pilots must not outvote the others.
      const scale = 1 / (Math.hypot(z[i], z[i + 1]) * Math.hypot(z[i + 2], z[i + 3]) + 1e-30);
      re += scale * (z[i] * z[i + 2] + z[i + 1] * z[i + 3]);
      im += scale * (z[i + 1] * z[i + 2] - z[i] * z[i + 3]);
      pairs++;
    }
  }
  const fraction = (Math.atan2(im, re) * fftSize) / (2 * Math.PI * SUBBAND_CARRIERS);
  return { agreement: pairs > 0 ? Math.hypot(re, im) / pairs : 0, fraction };
}

/** z_s times the conjugate of the reference on the subband's pilot carrier. */
function againstReference(z: Float32Array, reference: Float32Array, pilotOffset: number): void {
  for (let i = 0, c = 2 * pilotOffset; i < z.length; i += 2, c += 2 * SUBBAND_CARRIERS) {
    const re = z[i];
    const im = z[i + 1];
    z[i] = re * reference[c] + im * reference[c + 1];
    z[i + 1] = im * reference[c] - re * reference[c + 1];
  }
}

/** Samples after `at` at which cyclic prefixes begin, 0 to symbolLength - 1; null without any energy. */
function foldedPrefix(n: Numerology, samples: Float32Array, at: number, count: number): number | null {
  const { symbolLength, fftSize, cpLength } = n;
  const fold = new Float64Array(2 * symbolLength);
  for (let m = 0; m < count; m++) {
    for (let i = 0, a = 2 * (at + m * symbolLength); i < 2 * symbolLength; i += 2, a += 2) {
      const b = a + 2 * fftSize;
      fold[i] += samples[a] * samples[b] + samples[a + 1] * samples[b + 1];
      fold[i + 1] += samples[a] * samples[b + 1] - samples[a + 1] * samples[b];
    }
  }
  let re = 0;
  let im = 0;
  for (let i = 0; i < cpLength; i++) {
    re += fold[2 * i];
    im += fold[2 * i + 1];
  }
  let best = 0;
  let offset: number | null = null;
  for (let i = 0; i < symbolLength; i++) {
    const magnitude = re * re + im * im;
    if (magnitude > best) {
      best = magnitude;
      offset = i;
    }
    const next = 2 * ((i + cpLength) % symbolLength);
    re += fold[next] - fold[2 * i];
    im += fold[next + 1] - fold[2 * i + 1];
  }
  return offset;
}
