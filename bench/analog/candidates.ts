import { RandomStream } from '../../src/common/random.ts';
import { DftSpreader, despreadSnr } from '../../src/phy/modulation/spreading.ts';
import { type Numerology, RB_DATA_RE, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../../src/phy/numerology.ts';

/** Largest |RE| that goes on the air, in units of the root mean square (air-interface.md §8). */
export const PEAK = 4;

/**
 * RE that are spread together: nothing, the 11 of an RB in one OFDM symbol, the 154 of an RB, all of one OFDM symbol, or one RE of
 * every RB of the stream. The last two mix RBs, so that no map by importance is left inside the stream.
 */
export type Group = 'none' | 'row' | 'rb' | 'symbol' | 'stream';

/** One way to put real numbers on RE. */
export interface Candidate {
  readonly name: string;
  readonly group: Group;
  /** The air interface's quarter turns (scrambling) stay on. */
  readonly turns: boolean;
  /** A random sign on every real number. */
  readonly signs: boolean;
  /** Limit on |RE|; PEAK unless said otherwise. */
  readonly peak?: number;
}

export const CANDIDATES: readonly Candidate[] = [
  { name: 'none', group: 'none', turns: false, signs: false },
  { name: 'signs', group: 'none', turns: false, signs: true },
  { name: 'turns', group: 'none', turns: true, signs: false },
  { name: 'turns-unlimited', group: 'none', turns: true, signs: false, peak: Number.POSITIVE_INFINITY },
  { name: 'dft-row', group: 'row', turns: true, signs: false },
  { name: 'dft-rb', group: 'rb', turns: true, signs: false },
  { name: 'dft-symbol', group: 'symbol', turns: false, signs: false },
  { name: 'dft-stream', group: 'stream', turns: true, signs: false },
];

export function candidate(name: string): Candidate {
  const found = CANDIDATES.find((c) => c.name === name);
  if (!found) throw new Error(`no candidate ${name}`);
  return found;
}

/** Payload RE of each group, [group][member]; the payload is [slot x nSubbands + subband][154]. */
export function groupsOf(n: Numerology, slots: number, group: Group): Int32Array[] {
  const perSymbol = SUBBAND_CARRIERS - 1;
  const blocks = slots * n.nSubbands;
  const out: Int32Array[] = [];
  if (group === 'rb') for (let b = 0; b < blocks; b++) out.push(run(b * RB_DATA_RE, RB_DATA_RE));
  if (group === 'row') {
    for (let i = 0; i < blocks * SLOT_SYMBOLS; i++) out.push(run(i * perSymbol, perSymbol));
  }
  if (group === 'stream') {
    for (let i = 0; i < RB_DATA_RE; i++) {
      out.push(Int32Array.from({ length: blocks }, (_, b) => b * RB_DATA_RE + i));
    }
  }
  if (group === 'symbol') {
    for (let slot = 0; slot < slots; slot++) {
      for (let t = 0; t < SLOT_SYMBOLS; t++) {
        const list = new Int32Array(n.symbolDataRe);
        for (let i = 0; i < list.length; i++) {
          const s = Math.floor(i / perSymbol);
          list[i] = (slot * n.nSubbands + s) * RB_DATA_RE + t * perSymbol + (i % perSymbol);
        }
        out.push(list);
      }
    }
  }
  return out;
}

function run(from: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => from + i);
}

/** Numbers [RE][re, im] -> what lies on the RE, a copy. */
export function applyCandidate(c: Candidate, n: Numerology, slots: number, symbols: Float32Array): Float32Array {
  const out = symbols.slice();
  if (c.signs) flipSigns(out);
  forGroups(c, n, slots, out, (spreader, group) => spreader.spread(group));
  return out;
}

/** The way back for equalised RE, with the SNR of each number: the group's where it was spread. */
export function undoCandidate(
  c: Candidate,
  n: Numerology,
  slots: number,
  received: Float32Array,
  snr: Float64Array,
): { symbols: Float32Array; snr: Float64Array } {
  const symbols = received.slice();
  const out = snr.slice();
  forGroups(c, n, slots, symbols, (spreader, group, members) => {
    spreader.despread(group);
    const common = despreadSnr(Float64Array.from(members, (i) => snr[i]));
    for (const i of members) out[i] = common;
  });
  if (c.signs) flipSigns(symbols);
  return { symbols, snr: out };
}

function forGroups(
  c: Candidate,
  n: Numerology,
  slots: number,
  symbols: Float32Array,
  each: (spreader: DftSpreader, group: Float32Array, members: Int32Array) => void,
): void {
  const groups = groupsOf(n, slots, c.group);
  if (groups.length === 0) return;
  const spreader = new DftSpreader(groups[0].length);
  const group = new Float32Array(2 * groups[0].length);
  for (const members of groups) {
    members.forEach((re, i) => {
      group[2 * i] = symbols[2 * re];
      group[2 * i + 1] = symbols[2 * re + 1];
    });
    each(spreader, group, members);
    members.forEach((re, i) => {
      symbols[2 * re] = group[2 * i];
      symbols[2 * re + 1] = group[2 * i + 1];
    });
  }
}

/** The same signs for every call: its own inverse. */
function flipSigns(symbols: Float32Array): void {
  const random = new RandomStream('analog-bench').fork('signs');
  for (let i = 0; i < symbols.length; i++) if (random.uint32() & 1) symbols[i] = -symbols[i];
}

/** Limits |RE| to `peak` (the phase stays); returns how many RE it touched. */
export function clipRe(symbols: Float32Array, peak: number): number {
  let clipped = 0;
  for (let i = 0; i < symbols.length; i += 2) {
    const power = symbols[i] * symbols[i] + symbols[i + 1] * symbols[i + 1];
    if (power <= peak * peak) continue;
    const g = peak / Math.sqrt(power);
    symbols[i] *= g;
    symbols[i + 1] *= g;
    clipped++;
  }
  return clipped;
}
