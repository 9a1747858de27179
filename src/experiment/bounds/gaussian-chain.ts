import { UsageError } from '../../common/errors.ts';
import { RandomStream } from '../../common/random.ts';
import { AnalogMapper } from '../../phy/modulation/analog.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { makeContent, makeTrial, receiveTrial, rightBurst } from '../bench/modem/modem-trial.ts';
import { type Estimate, meanInterval } from '../metrics/stats.ts';
import { snrOf } from './channel-capacity.ts';
import { estimation, type ScalarGaussian } from './gaussian-scalar.ts';
import { requireWhole } from './limits.ts';

/**
 * symbols: spreading, peak limit and despreading of the air interface, with noise of the exact variance on the resource elements: what is
 * left of the modem when everything is known. burst: the whole modem; found, synchronised and equalised from the samples alone.
 */
export const CHAIN_LEVELS = ['symbols', 'burst'] as const;
export type ChainLevel = (typeof CHAIN_LEVELS)[number];

export interface ChainOptions {
  readonly source: ScalarGaussian;
  readonly level: ChainLevel;
  readonly numerology: Numerology;
  readonly snrDb: number;
  /** Bursts, and slots of each; a burst is a block of 2 x slots x subbands x 154 real samples. */
  readonly bursts: number;
  readonly slots: number;
  readonly seed: number | string;
}

export interface ChainPoint {
  readonly snrDb: number;
  /** Real samples of a block. */
  readonly k: number;
  /** Mean over the blocks that came, with its 95 % interval (Student's t). */
  readonly ds: Estimate;
  readonly dx: Estimate;
  /** Of each block, for the error event; null for a burst that was not found. */
  readonly blocks: readonly { readonly ds: number | null; readonly dx: number | null }[];
  readonly lostBursts: number;
  /** Resource elements that the peak limit of the air interface cut. */
  readonly limitedRe: number;
}

/**
 * The Gaussian test source through the chain of the integrated codec: two real samples make one complex symbol of unit power (linear and
 * uncoded, bandwidth matched), spread over its resource block (AnalogMapper), sent, equalised by MMSE and despread; the received
 * symbol, shrunk by SNR/(1 + SNR), is the estimate. On AWGN no code does better: Dx = varX / (1 + SNR) [Goblick65].
 */
export function runGaussianChain(options: ChainOptions): ChainPoint {
  const { source, level, numerology: n, snrDb, slots, seed } = options;
  const snr = snrOf('SNR', snrDb);
  const bursts = requireWhole('bursts', options.bursts, 2, 1000);
  requireWhole('slots', slots, 1, 16);
  const count = slots * n.nSubbands * RB_DATA_RE;
  const places = Uint32Array.from({ length: count }, (_, i) => i);
  const mapper = new AnalogMapper();
  const random = new RandomStream(seed).fork('gaussian-chain');
  const { gain, mmse } = estimation(source);
  const blocks: { ds: number | null; dx: number | null }[] = [];
  let limitedRe = 0;
  for (let b = 0; b < bursts; b++) {
    const symbols = new Float32Array(2 * count);
    for (let i = 0; i < symbols.length; i++) symbols[i] = random.normal() * Math.SQRT1_2;
    const onRe = new Float32Array(2 * count);
    limitedRe += mapper.map(symbols, places, onRe);
    const seen =
      level === 'symbols'
        ? noisyElements(onRe, snr, random)
        : throughModem(onRe, n, slots, snrDb, random, `${seed}/${snrDb}/${b}`);
    if (seen === null) {
      blocks.push({ ds: null, dx: null });
      continue;
    }
    const received = seen.payload;
    mapper.demap(received, seen.snr, places);
    let [sumX, sumS] = [0, 0];
    for (let i = 0; i < symbols.length; i++) {
      // Unit variance of X behind each part of a symbol of power 1, then the source's own.
      const error = Math.sqrt(2 * source.varX) * (symbols[i] - received[i]);
      sumX += error * error;
      // S - Shat = (S - gain X) + gain (X - Xhat), the first part drawn here: it never was on the air.
      const rest = Math.sqrt(mmse) * random.normal() + gain * error;
      sumS += rest * rest;
    }
    blocks.push({ ds: sumS / symbols.length, dx: sumX / symbols.length });
  }
  const whole = blocks.filter((block) => block.dx !== null);
  if (whole.length < 2) {
    throw new UsageError(
      `${whole.length} of ${bursts} bursts were found at ${snrDb} dB: no mean can be given`,
      'raise the SNR, or use --chain symbols',
    );
  }
  return {
    snrDb,
    k: 2 * count,
    ds: meanInterval(whole.map((block) => block.ds!)),
    dx: meanInterval(whole.map((block) => block.dx!)),
    blocks,
    lostBursts: blocks.length - whole.length,
    limitedRe,
  };
}

interface Elements {
  /** SNR/(1 + SNR) times what lay on each element and its error, [re][re, im], and its SNR. */
  readonly payload: Float32Array;
  readonly snr: Float32Array;
}

function noisyElements(onRe: Float32Array, snr: number, random: RandomStream): Elements {
  const noisy = onRe.slice();
  random.addComplexNoise(noisy, 1 / snr);
  const shrink = snr / (1 + snr);
  return { payload: noisy.map((v) => shrink * v), snr: new Float32Array(onRe.length / 2).fill(snr) };
}

/** Through preamble, header, OFDM, modelled AWGN and the receiver; null where the burst was not found. */
function throughModem(
  onRe: Float32Array,
  n: Numerology,
  slots: number,
  snrDb: number,
  random: RandomStream,
  seed: string,
): Elements | null {
  const content = makeContent(n, random, { slots, qm: 4, symbols: onRe });
  const trial = makeTrial({ numerology: n, seed, slots, snrDb, content });
  const record = rightBurst(trial, receiveTrial(trial));
  return record === null ? null : { payload: record.payload, snr: record.payloadSnr };
}
