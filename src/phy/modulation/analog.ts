import { UsageError } from '../../common/errors.ts';
import { SPREAD_LANES } from '../kernels/spread-kernel.ts';
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
  const groups: { rb: number; members: Int32Array; count: number }[] = [];
  /** Number of the group of each RB. */
  const groupOf = new Map<number, number>();
  let last: (typeof groups)[number] | undefined;
  let first = -1;
  for (let i = 0; i < re.length; i++) {
    const place = re[i];
    if (!Number.isInteger(place) || place < 0) {
      throw new UsageError(`payload RE ${place} of symbol ${i} is out of range: allowed whole numbers from 0`);
    }
    // A stream mostly fills one RB after the other.
    if (!last || place < first || place >= first + RB_DATA_RE) {
      const rb = Math.floor(place / RB_DATA_RE);
      first = rb * RB_DATA_RE;
      const known = groupOf.get(rb);
      if (known === undefined) {
        groupOf.set(rb, groups.length);
        last = { rb, members: new Int32Array(RB_DATA_RE), count: 0 };
        groups.push(last);
      } else last = groups[known];
    }
    if (last.count === RB_DATA_RE)
      throw new UsageError(`RB ${last.rb} has ${RB_DATA_RE} RE; the stream puts more symbols there`);
    last.members[last.count++] = i;
  }
  return groups.map(({ rb, members, count }) => ({ rb, members: members.subarray(0, count) }));
}

/** A stream as it goes on the air. */
export interface AnalogMapping {
  /** What lies on the RE of each symbol, |RE| <= 4, [symbol][re, im]. */
  readonly onRe: Float32Array;
  /** RE whose magnitude was limited. */
  readonly limitedRe: number;
  /** Mean power of each group on the air; the interface asks for 1 within 0.1 dB in the mean over bursts. */
  readonly groupPower: Float64Array;
}

/**
 * Makes a stream's analog symbols ready for their RE: each group is DFT-spread over its own RE (spreading.ts), then |RE| is limited
 * to 4. Spreading stays inside the RB, so what the RB map promises a stream holds; within the RB all its symbols share one SNR.
 * The level is the codec's: symbols of unit mean power in every group.
 *
 * @param symbols [symbol][re, im]
 * @param groups groupByRb of the stream's places
 * @throws UsageError for sizes that do not fit and symbols that are no finite numbers
 */
export function mapAnalog(symbols: Float32Array, groups: readonly RbGroup[]): AnalogMapping {
  requireGroups(symbols.length / 2, groups);
  const onRe = new Float32Array(symbols.length);
  const groupPower = new Float64Array(groups.length);
  const buffer = new Float32Array(2 * SPREAD_LANES * RB_DATA_RE);
  let limitedRe = 0;
  eachRun(groups, (from, count, length) => {
    const run = partsOf(buffer, count, length);
    for (let g = 0; g < count; g++) gather(symbols, groups[from + g].members, run[g]);
    dftSpreader(length).spread(...run);
    for (let g = 0; g < count; g++) {
      const { rb, members } = groups[from + g];
      const limited = limitPeaks(run[g]);
      if (!Number.isFinite(limited.power)) throw new UsageError(`analog symbols on RB ${rb} are no finite numbers`);
      limitedRe += limited.limitedRe;
      groupPower[from + g] = limited.power / length;
      scatter(run[g], members, onRe);
    }
  });
  return { onRe, limitedRe, groupPower };
}

/** Limits |RE| to 4 in place; the sum of the powers is no finite number where one of them is none. */
function limitPeaks(group: Float32Array): { power: number; limitedRe: number } {
  let sum = 0;
  let limitedRe = 0;
  for (let i = 0; i < group.length; i += 2) {
    let power = group[i] * group[i] + group[i + 1] * group[i + 1];
    if (power > ANALOG_PEAK * ANALOG_PEAK && power < Number.POSITIVE_INFINITY) {
      // A hair less than 4, so that rounding to float32 does not pass it.
      const scale = (ANALOG_PEAK * (1 - 1e-6)) / Math.sqrt(power);
      group[i] *= scale;
      group[i + 1] *= scale;
      power = ANALOG_PEAK * ANALOG_PEAK;
      limitedRe++;
    }
    sum += power;
  }
  return { power: sum, limitedRe };
}

/** A stream as a decoder takes it. */
export interface AnalogReception {
  /** snr / (1 + snr) times each symbol and its error, [symbol][re, im]. */
  readonly symbols: Float32Array;
  /** Linear SNR of each symbol after despreading; 0 where its whole group is lost. */
  readonly snr: Float32Array;
}

/**
 * The way back: despreads the MMSE-equalised RE of each group and gives every symbol the group's SNR (despreadSnr). An RE that did
 * not come (SNR 0) or is no finite number takes its share of the group's SNR away and hurts no other group.
 *
 * @param received snr / (1 + snr) times what lay on each symbol's RE and its error, [symbol][re, im]
 * @param snr linear SNR of each symbol's RE
 * @throws UsageError for sizes that do not fit
 */
export function demapAnalog(received: Float32Array, snr: Float32Array, groups: readonly RbGroup[]): AnalogReception {
  if (received.length !== 2 * snr.length) {
    throw new UsageError(`${received.length / 2} received symbols have ${snr.length} SNRs`);
  }
  requireGroups(snr.length, groups);
  const symbols = new Float32Array(received.length);
  const out = new Float32Array(snr.length);
  const buffer = new Float32Array(2 * SPREAD_LANES * RB_DATA_RE);
  const seen = new Float64Array(RB_DATA_RE);
  eachRun(groups, (from, count, length) => {
    const run = partsOf(buffer, count, length);
    for (let g = 0; g < count; g++) {
      const { members } = groups[from + g];
      const group = run[g];
      gather(received, members, group);
      for (let i = 0; i < length; i++) {
        const s = snr[members[i]];
        const whole = s > 0 && Number.isFinite(group[2 * i]) && Number.isFinite(group[2 * i + 1]);
        seen[i] = whole ? s : 0;
        if (!whole) group[2 * i] = group[2 * i + 1] = 0;
      }
      const common = despreadSnr(length === RB_DATA_RE ? seen : seen.subarray(0, length));
      for (let i = 0; i < length; i++) out[members[i]] = common;
    }
    dftSpreader(length).despread(...run);
    for (let g = 0; g < count; g++) scatter(run[g], groups[from + g].members, symbols);
  });
  return { symbols, snr: out };
}

/** Calls visit(first group, number of groups, their length) for runs of groups of one length, as many as are transformed at a time. */
function eachRun(groups: readonly RbGroup[], visit: (from: number, count: number, length: number) => void): void {
  for (let from = 0; from < groups.length; ) {
    const { length } = groups[from].members;
    let end = from + 1;
    while (end < groups.length && end - from < SPREAD_LANES && groups[end].members.length === length) end++;
    visit(from, end - from, length);
    from = end;
  }
}

/** The first `count` stretches of `length` complex numbers. */
function partsOf(buffer: Float32Array, count: number, length: number): Float32Array[] {
  return Array.from({ length: count }, (_, g) => buffer.subarray(2 * g * length, 2 * (g + 1) * length));
}

function gather(from: Float32Array, members: Int32Array, to: Float32Array): void {
  for (let i = 0; i < members.length; i++) {
    to[2 * i] = from[2 * members[i]];
    to[2 * i + 1] = from[2 * members[i] + 1];
  }
}

function scatter(from: Float32Array, members: Int32Array, to: Float32Array): void {
  for (let i = 0; i < members.length; i++) {
    to[2 * members[i]] = from[2 * i];
    to[2 * members[i] + 1] = from[2 * i + 1];
  }
}

function requireGroups(count: number, groups: readonly RbGroup[]): void {
  let members = 0;
  for (const group of groups) {
    members += group.members.length;
    for (let i = 0; i < group.members.length; i++) {
      const s = group.members[i];
      if (s < 0 || s >= count)
        throw new UsageError(`symbol ${s} of RB ${group.rb} is out of range: allowed 0 to ${count - 1}`);
    }
  }
  if (members !== count) throw new UsageError(`${count} analog symbols do not fit groups of ${members}`);
}
