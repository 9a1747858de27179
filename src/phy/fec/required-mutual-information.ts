import { inRange } from '../../common/errors.ts';

/**
 * Mutual information that a coded bit must carry beyond the code rate, so that a block of this decoder fails no more
 * often than asked: measured with QPSK on AWGN, 20 iterations, K' random bits, base graph by TS 38.212 §6.2.2, by
 *
 *   node --import tsx bench/ldpc-bler.ts required
 *
 * (seed 7; each point until 60 wrong blocks or 800 to 15 000 blocks; BLER 1e-3 on the fitted waterfall). Standard error
 * of each entry about 0.001. The bits of size 8000 are 3840 at rates 1/5 and 1/4, where base graph 2 is used.
 * [size][rate][BLER 1e-1, 1e-2, 1e-3]
 */
const GAPS: readonly (readonly (readonly [number, number, number])[])[] = [
  // 96 bits
  [
    [0.096, 0.1415, 0.1777],
    [0.1152, 0.1707, 0.2141],
    [0.1298, 0.1882, 0.2324],
    [0.1391, 0.2022, 0.2488],
    [0.144, 0.2068, 0.2511],
    [0.1386, 0.1987, 0.2389],
    [0.1306, 0.1878, 0.2239],
    [0.1248, 0.1753, 0.2027],
    [0.1042, 0.134, 0.1482],
    [0.0878, 0.103, 0.108],
  ],
  // 500 bits
  [
    [0.0684, 0.0875, 0.1021],
    [0.0772, 0.1013, 0.1198],
    [0.0895, 0.1161, 0.1362],
    [0.0928, 0.1197, 0.1396],
    [0.0944, 0.1244, 0.1464],
    [0.0915, 0.122, 0.1437],
    [0.0881, 0.1195, 0.1414],
    [0.0806, 0.1078, 0.1263],
    [0.0631, 0.0849, 0.0989],
    [0.0491, 0.0655, 0.0754],
  ],
  // 2000 bits
  [
    [0.056, 0.0651, 0.0718],
    [0.0648, 0.0752, 0.0829],
    [0.0702, 0.0845, 0.0953],
    [0.0742, 0.0872, 0.0968],
    [0.0743, 0.088, 0.098],
    [0.0702, 0.085, 0.0958],
    [0.0673, 0.0853, 0.0982],
    [0.0581, 0.0728, 0.0832],
    [0.0442, 0.0564, 0.0649],
    [0.0357, 0.0456, 0.0523],
  ],
  // 8000 bits
  [
    [0.0536, 0.0607, 0.0659],
    [0.0607, 0.068, 0.0735],
    [0.0662, 0.0726, 0.0774],
    [0.0691, 0.0765, 0.0819],
    [0.0654, 0.073, 0.0786],
    [0.0634, 0.0703, 0.0753],
    [0.0585, 0.0659, 0.0712],
    [0.0485, 0.0555, 0.0606],
    [0.0353, 0.0414, 0.0458],
    [0.0289, 0.0338, 0.0373],
  ],
];
const LOG_SIZES = [96, 500, 2000, 8000].map(Math.log2);
const LOG_TARGETS = [1, 2, 3];
const RATES = [1 / 5, 1 / 4, 1 / 3, 2 / 5, 1 / 2, 3 / 5, 2 / 3, 3 / 4, 5 / 6, 8 / 9];

/** Range of block error rates that the table covers. */
export const TARGET_BLER_RANGE = [1e-3, 1e-1] as const;

/**
 * Mutual information per coded bit (0..1) that a block of `infoBits` (K') at rate K'/E needs for this block error rate;
 * compare with totalInformation(...).perCodedBit of the resource elements it would get.
 *
 * Interpolates the gap linearly in rate, log(size) and log(BLER). Sizes outside 96..8000 take the nearest one; below
 * rate 1/5 bits are repeated, so the need is proportional to the rate; above 8/9 the gap shrinks to zero at rate 1.
 * A rate outside 0.001..0.95 or a BLER outside 1e-3..1e-1 is a UsageError.
 */
export function requiredMutualInformation(codeRate: number, infoBits: number, targetBler: number): number {
  inRange('code rate', codeRate, 0.001, 0.95);
  inRange('target BLER', targetBler, TARGET_BLER_RANGE[0], TARGET_BLER_RANGE[1]);
  inRange('information bits', infoBits, 1, Number.MAX_SAFE_INTEGER);
  const lowest = RATES[0];
  if (codeRate < lowest) return (codeRate / lowest) * requiredMutualInformation(lowest, infoBits, targetBler);
  const highest = RATES[RATES.length - 1];
  const rate = Math.min(codeRate, highest);
  const logSize = Math.log2(infoBits);
  const s = interval(LOG_SIZES, logSize);
  const sizePart = partOf(LOG_SIZES, s, logSize);
  const r = interval(RATES, rate);
  const ratePart = partOf(RATES, r, rate);
  const logTarget = -Math.log10(targetBler);
  const b = interval(LOG_TARGETS, logTarget);
  const blerPart = partOf(LOG_TARGETS, b, logTarget);
  let gap = 0;
  for (let i = 0; i < 8; i++) {
    const weight =
      (i & 1 ? sizePart : 1 - sizePart) * (i & 2 ? ratePart : 1 - ratePart) * (i & 4 ? blerPart : 1 - blerPart);
    if (weight > 0) gap += weight * GAPS[s + (i & 1)][r + ((i & 2) >> 1)][b + ((i & 4) >> 2)];
  }
  return codeRate + (gap * (1 - codeRate)) / (1 - rate);
}

/** Interval of an ascending list that holds x; the first or the last one for x outside. */
function interval(list: readonly number[], x: number): number {
  let i = 0;
  while (i < list.length - 2 && x >= list[i + 1]) i++;
  return i;
}

/** Place of x in interval i of the list, 0..1; x outside is moved to the end. */
function partOf(list: readonly number[], i: number, x: number): number {
  return Math.min(1, Math.max(0, (x - list[i]) / (list[i + 1] - list[i])));
}
