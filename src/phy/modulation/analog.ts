import { UsageError } from '../../common/errors.ts';
import { RB_DATA_RE } from '../numerology.ts';
import { despreadSnr, dftSpreader } from './spreading.ts';

/** Largest |RE| of any payload, in units of the root mean square 1 (air-interface.md §8). */
export const ANALOG_PEAK = 4;

/** The symbols of an analog stream that lie on one resource block: they are spread together. */
export interface RbGroup {
  readonly rb: number;
  /** Their numbers in the stream, ascending: 1 to 154. */
  readonly members: Int32Array;
}

/**
 * Groups a stream's symbols by resource block, in the order in which the stream first touches each.
 *
 * @param re payload RE of each symbol, (slot x nSubbands + subband) x 154 + RE in the RB
 * @throws UsageError for an RE out of range, or an RB with more symbols than RE
 */
export function groupByRb(re: ArrayLike<number>): RbGroup[] {
  const lists = new Map<number, number[]>();
  for (let i = 0; i < re.length; i++) {
    if (!Number.isInteger(re[i]) || re[i] < 0) {
      throw new UsageError(`payload RE ${re[i]} of symbol ${i} is out of range: allowed whole numbers from 0`);
    }
    const rb = Math.floor(re[i] / RB_DATA_RE);
    const list = lists.get(rb);
    if (!list) lists.set(rb, [i]);
    else if (list.length < RB_DATA_RE) list.push(i);
    else throw new UsageError(`RB ${rb} has ${RB_DATA_RE} RE; the stream puts more symbols there`);
  }
  return [...lists].map(([rb, members]) => ({ rb, members: Int32Array.from(members) }));
}

/**
 * Root mean square of each group's symbols: what they are to be divided by so that every RB has unit mean power. 1 for a group
 * of zeros. Whoever divides must tell the receiver.
 *
 * @param symbols [symbol][re, im]
 * @throws UsageError for a symbol that is no finite number
 */
export function groupLevels(symbols: Float32Array, groups: readonly RbGroup[]): Float64Array {
  return Float64Array.from(groups, ({ members }) => {
    let power = 0;
    for (const i of members) power += symbols[2 * i] * symbols[2 * i] + symbols[2 * i + 1] * symbols[2 * i + 1];
    if (!Number.isFinite(power)) throw new UsageError('an analog symbol is no finite number');
    return Math.sqrt(power / members.length) || 1;
  });
}

/** What mapping did to a stream. */
export interface AnalogMapping {
  /** RE whose magnitude was limited to ANALOG_PEAK. */
  readonly limitedRe: number;
  /** Mean power of each group on the air, linear; the interface asks for 1 within 0.1 dB in the mean over bursts. */
  readonly groupPower: Float64Array;
}

/**
 * Puts a stream's analog symbols on their RE: each group divided by its level, DFT-spread over its own RE (spreading.ts), |RE| limited
 * to 4. Spreading stays inside the RB, so a symbol is still where the RB map says; within the RB all symbols share its SNR.
 *
 * @param symbols unit mean power, [symbol][re, im]
 * @param re payload RE of each symbol, as groupByRb's
 * @param levels amplitude that each group is divided by, > 0, as both ends know them; null = none
 * @param payload [RE][re, im]; written only at `re`
 */
export function mapAnalog(
  symbols: Float32Array,
  re: ArrayLike<number>,
  groups: readonly RbGroup[],
  levels: ArrayLike<number> | null,
  payload: Float32Array,
): AnalogMapping {
  requireSizes(symbols.length / 2, re, groups, levels, payload.length / 2);
  const buffer = new Float32Array(2 * RB_DATA_RE);
  const groupPower = new Float64Array(groups.length);
  let limitedRe = 0;
  groups.forEach(({ members }, g) => {
    const scale = 1 / (levels ? levels[g] : 1);
    const group = buffer.subarray(0, 2 * members.length);
    members.forEach((s, i) => {
      group[2 * i] = scale * symbols[2 * s];
      group[2 * i + 1] = scale * symbols[2 * s + 1];
    });
    dftSpreader(members.length).spread(group);
    let power = 0;
    members.forEach((s, i) => {
      let a = group[2 * i];
      let b = group[2 * i + 1];
      let p = a * a + b * b;
      if (!Number.isFinite(p)) throw new UsageError(`analog symbols on RB ${groups[g].rb} are no finite numbers`);
      if (p > ANALOG_PEAK * ANALOG_PEAK) {
        // A hair less than 4, so that rounding to float32 does not pass it.
        const limit = (ANALOG_PEAK * (1 - 1e-6)) / Math.sqrt(p);
        a *= limit;
        b *= limit;
        p = a * a + b * b;
        limitedRe++;
      }
      power += p;
      payload[2 * re[s]] = a;
      payload[2 * re[s] + 1] = b;
    });
    groupPower[g] = power / members.length;
  });
  return { limitedRe, groupPower };
}

/** A stream as a decoder takes it. */
export interface AnalogReception {
  /** snr / (1 + snr) times each symbol and its error, in the stream's own scale, [symbol][re, im]. */
  readonly symbols: Float32Array;
  /** Linear SNR of each symbol relative to unit mean power of the stream, after despreading. */
  readonly snr: Float32Array;
}

/**
 * The way back: despreads the MMSE-equalised RE of each group and gives every symbol the group's SNR (despreadSnr). With levels, a group
 * that was divided by a has the SNR snr / a^2 in the stream's scale, and its symbols the gain that belongs to it.
 *
 * @param payload equalised RE as in BurstRecord.payload; one that is no finite number counts as lost
 * @param payloadSnr linear SNR of each RE
 */
export function demapAnalog(
  payload: Float32Array,
  payloadSnr: Float32Array,
  re: ArrayLike<number>,
  groups: readonly RbGroup[],
  levels: ArrayLike<number> | null,
): AnalogReception {
  requireSizes(re.length, re, groups, levels, Math.min(payload.length / 2, payloadSnr.length));
  const symbols = new Float32Array(2 * re.length);
  const snr = new Float32Array(re.length);
  const buffer = new Float32Array(2 * RB_DATA_RE);
  const seen = new Float64Array(RB_DATA_RE);
  groups.forEach(({ members }, g) => {
    const group = buffer.subarray(0, 2 * members.length);
    members.forEach((s, i) => {
      const at = 2 * re[s];
      const ok = Number.isFinite(payload[at]) && Number.isFinite(payload[at + 1]) && payloadSnr[re[s]] > 0;
      group[2 * i] = ok ? payload[at] : 0;
      group[2 * i + 1] = ok ? payload[at + 1] : 0;
      seen[i] = ok ? payloadSnr[re[s]] : 0;
    });
    const common = despreadSnr(seen.subarray(0, members.length));
    dftSpreader(members.length).despread(group);
    const level = levels ? levels[g] : 1;
    const own = common / (level * level);
    // Without bias the symbol is level (1 + common)/common times the output; own / (1 + own) is the bias that belongs to `own`.
    const scale = common > 0 ? (level * (1 + 1 / common)) / (1 + 1 / own) : 0;
    members.forEach((s, i) => {
      symbols[2 * s] = scale * group[2 * i];
      symbols[2 * s + 1] = scale * group[2 * i + 1];
      snr[s] = own;
    });
  });
  return { symbols, snr };
}

function requireSizes(
  count: number,
  re: ArrayLike<number>,
  groups: readonly RbGroup[],
  levels: ArrayLike<number> | null,
  payloadRe: number,
): void {
  const members = groups.reduce((sum, g) => sum + g.members.length, 0);
  if (count !== re.length || members !== count) {
    throw new UsageError(`${count} analog symbols, ${re.length} places and ${members} in groups do not fit`);
  }
  for (let i = 0; i < re.length; i++) {
    if (!(re[i] >= 0 && re[i] < payloadRe)) {
      throw new UsageError(`payload RE ${re[i]} is out of range: allowed 0 to ${payloadRe - 1}`);
    }
  }
  if (!levels) return;
  if (levels.length !== groups.length) throw new UsageError(`${levels.length} levels for ${groups.length} groups`);
  for (let g = 0; g < levels.length; g++) {
    if (!(levels[g] > 1e-6 && levels[g] < 1e6)) {
      throw new UsageError(`level ${levels[g]} is out of range: allowed 1e-6 to 1e6`);
    }
  }
}
