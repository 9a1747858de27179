import { RandomStream } from '../../../common/random.ts';
import { fromDb } from '../../../common/units.ts';
import { deinterleaveLlrs, interleaveBits, interleaverOrder } from '../../../phy/fec/bit-interleaver.ts';
import type { BaseGraphId } from '../../../phy/fec/ldpc-code.ts';
import { LdpcDecoder } from '../../../phy/fec/ldpc-decoder.ts';
import { ldpcEncoder } from '../../../phy/fec/ldpc-encoder.ts';
import { circularBuffer, combineLlrs, rowsReached, selectBits } from '../../../phy/fec/rate-matching.ts';
import { liftBlock } from '../../../phy/fec/segmentation.ts';
import { type ModulationOrder, mapBits } from '../../../phy/modulation/qam.ts';
import { softDemap } from '../../../phy/modulation/soft-demapper.ts';

export interface BlerSetting {
  readonly baseGraph: BaseGraphId;
  /** K', all random bits (no CRC). */
  readonly infoBits: number;
  /** R = K'/E; E is rounded to whole symbols. */
  readonly codeRate: number;
  readonly qm: ModulationOrder;
  readonly maxIterations: number;
}

export interface BlerPoint {
  readonly esN0Db: number;
  readonly blocks: number;
  readonly errors: number;
  readonly bler: number;
  readonly meanIterations: number;
}

/**
 * Block error rate of LDPC and QAM alone on AWGN with known noise: random bits, encoder, bit selection (rv 0), TS 38.212
 * interleaver, Gray QAM, E|n|^2 = 1/(Es/N0), max-log demapper, decoder. A block is wrong if one of its bits is.
 */
export class BlerSimulation {
  readonly setting: BlerSetting;
  private readonly decoder: LdpcDecoder;
  private readonly symbolCount: number;
  private readonly seed: number;

  constructor(setting: BlerSetting, seed: number) {
    this.setting = setting;
    this.seed = seed;
    this.decoder = new LdpcDecoder(liftBlock(setting.baseGraph, setting.infoBits).code);
    this.symbolCount = Math.round(setting.infoBits / setting.codeRate / setting.qm);
  }

  /** Coded bits E. */
  get codedBits(): number {
    return this.symbolCount * this.setting.qm;
  }

  /** Runs until `maxErrors` wrong blocks or `maxBlocks` blocks. Reproducible: (seed, Es/N0) fixes every bit. */
  run(esN0Db: number, maxErrors: number, maxBlocks: number): BlerPoint {
    const { infoBits, qm, maxIterations } = this.setting;
    const { code } = this.decoder;
    const { symbolCount, codedBits } = this;
    const random = new RandomStream(`${this.seed}/${esN0Db.toFixed(4)}`);
    const buffer = circularBuffer(code, infoBits);
    const order = interleaverOrder(new Uint8Array(symbolCount).fill(qm));
    const variance = 1 / fromDb(esN0Db);
    const variances = new Float32Array(symbolCount).fill(variance);
    const info = new Uint8Array(code.k);
    const codeword = new Uint8Array(code.n);
    const coded = new Uint8Array(codedBits);
    const interleaved = new Uint8Array(codedBits);
    const symbols = new Float32Array(2 * symbolCount);
    const llr = new Float32Array(codedBits);
    const received = new Float32Array(codedBits);
    const soft = new Float32Array(code.n);
    const decided = new Uint8Array(code.k);
    let blocks = 0;
    let errors = 0;
    let iterations = 0;
    while (blocks < maxBlocks && errors < maxErrors) {
      for (let i = 0; i < infoBits; i++) info[i] = random.uint32() >>> 31;
      ldpcEncoder(code).encode(info, codeword, rowsReached(buffer, codedBits, 0));
      selectBits(buffer, codeword, codedBits, 0, coded);
      interleaveBits(order, coded, interleaved);
      mapBits(interleaved, qm, symbolCount, symbols);
      random.addComplexNoise(symbols, variance);
      softDemap(symbols, variances, qm, symbolCount, llr);
      deinterleaveLlrs(order, llr, received);
      soft.fill(0);
      combineLlrs(buffer, received, codedBits, 0, soft);
      iterations += this.decoder.decode(soft, infoBits, decided, { maxIterations }).iterations;
      blocks++;
      for (let i = 0; i < infoBits; i++) {
        if (decided[i] !== info[i]) {
          errors++;
          break;
        }
      }
    }
    return { esN0Db, blocks, errors, bler: errors / blocks, meanIterations: iterations / blocks };
  }
}

/** 95 % Wilson score interval of a proportion [Wilson 1927]. */
export function wilsonInterval(successes: number, trials: number): [number, number] {
  const z = 1.96;
  const p = successes / trials;
  const centre = p + (z * z) / (2 * trials);
  const half = z * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials));
  const scale = 1 / (1 + (z * z) / trials);
  return [Math.max(0, (centre - half) * scale), Math.min(1, (centre + half) * scale)];
}

/**
 * Weighted least-squares line through probit(BLER) against Es/N0: block error rates of LDPC codes in the waterfall
 * follow Q(a (SNR - b)) closely [Amraoui et al. 2009], so it interpolates and, with care, extrapolates.
 */
export class WaterfallFit {
  readonly slopePerDb: number;
  private readonly offset: number;
  private readonly meanDb: number;
  private readonly weight: number;
  private readonly spread: number;

  constructor(points: readonly BlerPoint[]) {
    const used = points
      .filter((p) => p.errors > 0 && p.errors < p.blocks)
      .map((p) => {
        const q = inverseQ(p.bler);
        const density = Math.exp((-q * q) / 2) / Math.sqrt(2 * Math.PI);
        return { db: p.esN0Db, q, w: (density * density * p.blocks) / (p.bler * (1 - p.bler)) };
      });
    if (used.length < 2) throw new Error('a waterfall fit needs two points with some blocks right and some wrong');
    const w = used.reduce((s, p) => s + p.w, 0);
    const db = used.reduce((s, p) => s + p.w * p.db, 0) / w;
    const q = used.reduce((s, p) => s + p.w * p.q, 0) / w;
    const sxx = used.reduce((s, p) => s + p.w * (p.db - db) ** 2, 0);
    const sxy = used.reduce((s, p) => s + p.w * (p.db - db) * (p.q - q), 0);
    this.slopePerDb = sxy / sxx;
    this.offset = q;
    this.meanDb = db;
    this.weight = w;
    this.spread = sxx;
  }

  /** Es/N0 in dB at which the line has this BLER, and its standard error. */
  at(bler: number): { esN0Db: number; standardErrorDb: number } {
    const esN0Db = this.meanDb + (inverseQ(bler) - this.offset) / this.slopePerDb;
    const variance = 1 / this.weight + (esN0Db - this.meanDb) ** 2 / this.spread;
    return { esN0Db, standardErrorDb: Math.sqrt(variance) / Math.abs(this.slopePerDb) };
  }
}

/** x with Q(x) = p, by bisection on the complementary error function. */
export function inverseQ(p: number): number {
  let low = -8;
  let high = 8;
  for (let i = 0; i < 60; i++) {
    const mid = (low + high) / 2;
    if (tailQ(mid) > p) low = mid;
    else high = mid;
  }
  return (low + high) / 2;
}

/** Gaussian tail Q(x), by the continued-fraction-free fit of erfc in [Press et al. 2007] §6.2 (error < 1.2e-7). */
export function tailQ(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * z);
  const poly = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ].reduceRight((sum, c) => sum * t + c, 0);
  const half = 0.5 * t * Math.exp(-z * z + poly);
  return x >= 0 ? half : 1 - half;
}
