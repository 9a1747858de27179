import { UsageError } from '../../common/errors.ts';
import { SPREAD_LANES } from '../kernels/spread/spread-kernel.ts';
import { RbGroups } from './rb-groups.ts';
import { type DftSpreader, dftSpreader } from './spreading.ts';

/** Largest |RE| of any payload, in units of the root mean square 1 (air-interface.md §8). */
export const ANALOG_PEAK = 4;

/**
 * Analog streams on their RE and back: the symbols of each resource block are DFT-spread over their own RE (spreading.ts).
 * Spreading stays inside the RB, so what the RB map promises a stream holds; within the RB all its symbols share one SNR.
 * Its memory is used again from stream to stream.
 */
export class AnalogMapper {
  private readonly groups = new RbGroups();

  /**
   * Puts a stream on its RE: spreads each group, then limits |RE| to 4. The level is the codec's: symbols of unit mean power in every group
   * (the interface asks for 1 within 0.1 dB on the air, in the mean over bursts).
   *
   * @param symbols [symbol][re, im]
   * @param re payload RE of each symbol
   * @param payload gets |RE| <= 4 there, [RE][re, im]
   * @returns RE whose magnitude was limited
   * @throws UsageError for sizes that do not fit, RE out of range (RbGroups.group) and symbols that are no finite numbers
   */
  map(symbols: Float32Array, re: Uint32Array, payload: Float32Array): number {
    requireSymbols(symbols, re.length);
    const { groups } = this;
    groups.group(re);
    const { start, members, places, rb } = groups;
    let limitedRe = 0;
    groups.eachRun(SPREAD_LANES, (from, count, length) => {
      const spreader = dftSpreader(length);
      for (let g = 0; g < count; g++) spreader.putSymbols(g, symbols, members, start[from + g]);
      spreader.transform();
      for (let g = 0; g < count; g++) {
        const limited = limitPeaks(spreader, g);
        if (limited < 0) throw new UsageError(`analog symbols on RB ${rb[from + g]} are no finite numbers`);
        limitedRe += limited;
        spreader.takeRe(g, payload, places, start[from + g]);
      }
    });
    return limitedRe;
  }

  /**
   * The way back, in place: despreads the MMSE-equalised RE of each group and gives every symbol the group's SNR (despreadSnr). An RE that did
   * not come (SNR 0) or is no finite number takes its share of the group's SNR away and hurts no other group.
   *
   * @param received snr / (1 + snr) times what lay on each symbol's RE and its error; becomes the same of the symbols, [symbol][re, im]
   * @param snr linear SNR of each symbol's RE; becomes that of each symbol, 0 where its whole group is lost
   * @param re payload RE of each symbol
   * @throws UsageError for sizes that do not fit and RE out of range (RbGroups.group)
   */
  demap(received: Float32Array, snr: Float32Array, re: Uint32Array): void {
    requireSymbols(received, re.length);
    if (snr.length !== re.length) throw new UsageError(`${re.length} received symbols have ${snr.length} SNRs`);
    const { groups } = this;
    groups.group(re);
    const { start, members } = groups;
    groups.eachRun(SPREAD_LANES, (from, count, length) => {
      const spreader = dftSpreader(length);
      for (let g = 0; g < count; g++) {
        const first = start[from + g];
        spreader.putRe(g, received, members, first);
        takeSnr(spreader, g, snr, members, first);
      }
      spreader.transform();
      for (let g = 0; g < count; g++) spreader.takeSymbols(g, received, members, start[from + g]);
    });
  }
}

/** Limits |RE| of a spread group to 4; returns how many were, or -1 where one of them is no finite number. */
function limitPeaks({ lanes, length }: DftSpreader, lane: number): number {
  let sum = 0;
  let limitedRe = 0;
  for (let i = 0, re = lane; i < length; i++, re += 2 * SPREAD_LANES) {
    const im = re + SPREAD_LANES;
    const power = lanes[re] * lanes[re] + lanes[im] * lanes[im];
    sum += power;
    if (power > ANALOG_PEAK * ANALOG_PEAK && power < Number.POSITIVE_INFINITY) {
      // A hair less than 4, so that rounding to float32 does not pass it.
      const scale = (ANALOG_PEAK * (1 - 1e-6)) / Math.sqrt(power);
      lanes[re] *= scale;
      lanes[im] *= scale;
      limitedRe++;
    }
  }
  return Number.isFinite(sum) ? limitedRe : -1;
}

/** Gives the symbols of a group, put already, the SNR that they have together (despreadSnr); RE that did not come as they should count as 0. */
function takeSnr({ lanes, length }: DftSpreader, lane: number, snr: Float32Array, members: Uint32Array, first: number) {
  let rest = 0;
  for (let i = 0, re = lane; i < length; i++, re += 2 * SPREAD_LANES) {
    const im = re + SPREAD_LANES;
    const s = snr[members[first + i]];
    if (s > 0 && Number.isFinite(lanes[re]) && Number.isFinite(lanes[im])) rest += 1 / (1 + s);
    else {
      rest += 1;
      lanes[re] = lanes[im] = 0;
    }
  }
  rest /= length;
  const common = (1 - rest) / rest;
  for (let i = 0; i < length; i++) snr[members[first + i]] = common;
}

function requireSymbols(symbols: Float32Array, count: number): void {
  if (symbols.length !== 2 * count) throw new UsageError(`${symbols.length / 2} analog symbols on ${count} RE`);
}
