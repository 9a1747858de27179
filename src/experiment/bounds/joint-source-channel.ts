import { UsageError } from '../../common/errors.ts';
import {
  awgnCapacity,
  fixedMimoCapacity,
  MAX_SNR_DB,
  MIN_SNR_DB,
  mimo2x2Capacity,
  parallelCapacity,
  rayleighCapacity,
  snrOf,
} from './channel-capacity.ts';
import { distortionsAt, rateScalar, type ScalarGaussian } from './gaussian-scalar.ts';
import { requirePositive } from './limits.ts';

/** A channel of complex symbols as the limits see it: what it carries at an SNR. */
export interface LimitChannel {
  readonly name: string;
  /** Bits per complex channel symbol at a linear SNR. */
  readonly capacity: (snr: number) => number;
  /** How the capacity is computed, and what it assumes. */
  readonly method: string;
}

/** Channels by name; `rb` and `mimo-fixed` are made from what is given. */
export const LIMIT_CHANNELS = ['awgn', 'rayleigh', 'rb', 'rb-equal', 'mimo2x2', 'mimo-fixed'] as const;
export type LimitChannelName = (typeof LIMIT_CHANNELS)[number];

export interface ChannelData {
  /** SNR of each resource block, dB, -Infinity for one that carries nothing; their mean is shifted to the SNR asked for. */
  readonly rbGainsDb?: readonly number[];
  /** [h11, h12, h21, h22][re, im] */
  readonly h?: readonly number[];
}

/** @throws UsageError for a name without its data */
export function limitChannel(name: LimitChannelName, data: ChannelData = {}): LimitChannel {
  switch (name) {
    case 'awgn':
      return { name, capacity: awgnCapacity, method: 'log2(1 + SNR), closed form' };
    case 'rayleigh':
      return {
        name,
        capacity: rayleighCapacity,
        method: 'ergodic, fading known to the receiver: exp(1/SNR) E1(1/SNR) / ln 2, closed form',
      };
    case 'mimo2x2':
      return {
        name,
        capacity: mimo2x2Capacity,
        method: '2x2, independent Rayleigh, ergodic, known to the receiver, total power fixed: closed form with E1',
      };
    case 'mimo-fixed': {
      const h = data.h;
      if (!h) throw new UsageError('the channel mimo-fixed needs H', 'give --h with 8 numbers');
      return {
        name,
        capacity: (snr) => fixedMimoCapacity(h, snr).waterFilling,
        method: '2x2, H known to both ends: water-filling over its two eigenvalues',
      };
    }
    default: {
      const gains = data.rbGainsDb;
      if (!gains || gains.length === 0) {
        throw new UsageError(
          `the channel ${name} needs the SNR of its resource blocks`,
          'give --rb-snr with a list, dB',
        );
      }
      const linear = gains.map((db, i) => (db === Number.NEGATIVE_INFINITY ? 0 : snrOf(`rb-snr[${i}]`, db)));
      const mean = linear.reduce((a, b) => a + b, 0) / linear.length;
      if (mean === 0) throw new UsageError('rb-snr has no resource block that carries anything: allowed one or more');
      const at = (snr: number) => parallelCapacity(linear.map((g) => (g / mean) * snr));
      return name === 'rb'
        ? {
            name,
            capacity: (snr) => at(snr).waterFilling,
            method: `water-filling over ${gains.length} resource blocks`,
          }
        : { name, capacity: (snr) => at(snr).equalPower, method: `equal power on ${gains.length} resource blocks` };
    }
  }
}

export interface JointLimit {
  readonly snrDb: number;
  readonly capacityBits: number;
  /** Bits per source sample that the channel carries: symbols per sample x capacity. */
  readonly rateBits: number;
  /** Smallest distortions; a scalar source reaches both at once. */
  readonly ds: number;
  readonly dx: number;
}

/**
 * Smallest (Ds, Dx) with k R(Ds, Dx) <= n C (separation theorem [Shannon48] with the rate of [Liu21]): by distortionsAt of rate n C / k. As the block
 * length grows separate source and channel codes make the event of [Shi23] eq. 5 as rare as one likes down to there, and no joint code does better.
 *
 * @param symbolsPerSample n/k, complex symbols per real source sample; 1/2 is matched: two real samples ride on one complex symbol
 */
export function jointLimit(
  source: ScalarGaussian,
  channel: LimitChannel,
  snrDb: number,
  symbolsPerSample: number,
): JointLimit {
  requirePositive('symbols per sample', symbolsPerSample, 1e3);
  const capacityBits = channel.capacity(snrOf('SNR', snrDb));
  const rateBits = symbolsPerSample * capacityBits;
  return { snrDb, capacityBits, rateBits, ...distortionsAt(source, rateBits) };
}

/** Smallest SNR at which two distortions can be met; null where it is not one from -30 to 60 dB, and then why. */
export interface LeastSnr {
  readonly snrDb: number | null;
  /** nothing: with nothing sent; below: less than -30 dB; above: more than 60 dB; never: by no rate, Ds is not above the mmse. */
  readonly reach: 'found' | 'nothing' | 'below' | 'above' | 'never';
}

/** By bisection on the rising capacity. */
export function leastSnr(
  source: ScalarGaussian,
  channel: LimitChannel,
  symbolsPerSample: number,
  ds: number,
  dx: number,
): LeastSnr {
  const { rateBits } = rateScalar(source, ds, dx);
  const wanted = rateBits / requirePositive('symbols per sample', symbolsPerSample, 1e3);
  if (wanted === 0) return { snrDb: null, reach: 'nothing' };
  if (wanted === Number.POSITIVE_INFINITY) return { snrDb: null, reach: 'never' };
  let low = MIN_SNR_DB;
  let high = MAX_SNR_DB;
  const enough = (db: number) => channel.capacity(10 ** (db / 10)) >= wanted;
  if (!enough(high)) return { snrDb: null, reach: 'above' };
  if (enough(low)) return { snrDb: null, reach: 'below' };
  for (let i = 0; i < 60; i++) {
    const mid = (low + high) / 2;
    if (enough(mid)) high = mid;
    else low = mid;
  }
  return { snrDb: high, reach: 'found' };
}

/**
 * Mean distortion of linear uncoded transmission with as many complex symbols as pairs of real samples, and the best linear estimate
 * [Goblick65]: varX / (1 + SNR). On AWGN that is the limit itself: no code is better, at any delay.
 */
export function uncodedDistortion(varX: number, snr: number): number {
  return varX / (1 + snr);
}

/** The same over Rayleigh fading known to the receiver: varX E[1 / (1 + SNR g)] = varX exp(1/SNR) E1(1/SNR) / SNR. Above the limit. */
export function uncodedRayleighDistortion(varX: number, snr: number): number {
  return (varX * rayleighCapacity(snr) * Math.LN2) / snr;
}
