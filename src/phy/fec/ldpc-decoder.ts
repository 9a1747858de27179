import { inRange, UsageError } from '../../common/errors.ts';
import { ldpcDecoderKernel } from '../kernels/ldpc/ldpc.ts';
import { type LdpcDecoderKernel, MESSAGE_CLIP } from '../kernels/ldpc/ldpc-kernel.ts';
import type { LdpcCode } from './ldpc-code.ts';
import { LLR_CLIP, LLR_SCALE } from './llr-quantiser.ts';

/**
 * A variable in d checks hears at most d x MESSAGE_CLIP from them. With more than that against it a wrong bit could never
 * be turned: the checks would never hold and a block with all its information right would be thrown away (2 % of headers
 * at 0 to 6 dB by bits of one check; a block in a thousand at low rates by parity bits of two). So the channel's
 * magnitude is limited to one less.
 */
function reachableMagnitude(degree: number): number {
  return Math.min(LLR_CLIP, degree * MESSAGE_CLIP - 1);
}

/** Iterations between two questions to `accept` while checks do not hold. */
const ACCEPT_EVERY = 10;

/** Most iterations that a caller may ask for. */
export const MAX_ITERATIONS = 100;

export interface LdpcDecodeOptions {
  /** 1..100, default 20. */
  readonly maxIterations?: number;
  /** Elements of the soft buffer from here on are zero (not looked at), default its length N. */
  readonly reach?: number;
  /** Asked when all checks hold; false (a wrong CRC) lets the decoder go on. bits: the K decided bits. */
  readonly accept?: (bits: Uint8Array) => boolean;
  /**
   * `accept` is proof enough by itself (a CRC of 24 bits): asked again and again although checks do not hold. A few parity
   * bits can hold one another wrong for ever (four of the core and their extensions break a single check), with all the
   * information right: one block in a thousand, well above its threshold.
   */
  readonly acceptSuffices?: boolean;
}

export interface LdpcDecodeResult {
  /** `accept` agreed (or there is none), and all checks of the rows used hold unless acceptSuffices. */
  readonly ok: boolean;
  /** All checks of the rows used hold, whatever `accept` said. */
  readonly parity: boolean;
  /** Iterations done. */
  readonly iterations: number;
  /** Base rows used: 4 of the core and those whose own parity column was received. */
  readonly rows: number;
}

/**
 * Decoder of one LDPC code: soft buffer of N floats in, K bits out.
 *
 * Quantises, keeps only the rows that the received bits reach (a later row whose own parity column is all zero sends
 * nothing but zeros), and iterates until the checks hold. The first 2Z variables are punctured (LLR 0), the fillers
 * known zeros.
 */
export class LdpcDecoder {
  readonly code: LdpcCode;
  private readonly kernel: LdpcDecoderKernel;
  private readonly rowList = new Uint8Array(46);
  /** 1 for base columns of which something was received. */
  private readonly heard: Uint8Array;
  /** Checks in use that each base column stands in. */
  private readonly degree: Uint8Array;
  /** Largest channel magnitude of each base column. */
  private readonly limits: Uint8Array;
  /** What was heard when the rows were chosen, and how many they are: the same transmission comes again and again. */
  private readonly heardBefore: Uint8Array;
  private rows = -1;

  constructor(code: LdpcCode, kernel: LdpcDecoderKernel = ldpcDecoderKernel()) {
    this.code = code;
    this.kernel = kernel;
    this.heard = new Uint8Array(code.columns);
    this.degree = new Uint8Array(code.columns);
    this.limits = new Uint8Array(code.columns);
    this.heardBefore = new Uint8Array(code.columns);
  }

  describe(): string {
    const { baseGraph, z } = this.code;
    return `LDPC decoder BG${baseGraph} Z=${z}, layered min-sum int8 (${this.kernel.name}), LLR x ${LLR_SCALE}`;
  }

  /**
   * soft: Float32Array [N], summed LLRs of the soft buffer (zero where nothing came). infoBits: K' <= K, the bits
   * from K' on are fillers. bits: Uint8Array [>= K], receives the hard decisions in any case.
   */
  decode(soft: Float32Array, infoBits: number, bits: Uint8Array, options: LdpcDecodeOptions = {}): LdpcDecodeResult {
    const { code, kernel } = this;
    const { k, n } = code;
    const maxIterations = inRange('iterations', options.maxIterations ?? 20, 1, MAX_ITERATIONS);
    inRange("information bits K'", infoBits, 1, k);
    if (soft.length < n) throw new UsageError(`soft buffer has ${soft.length} LLRs, ${n} needed`);
    if (bits.length < k) throw new UsageError(`output has room for ${bits.length} bits, ${k} needed`);
    kernel.load(code, soft, this.heard, inRange('reach', options.reach ?? n, 0, n));
    const rows = this.prepareRows();
    kernel.start(infoBits, this.rowList, rows, this.limits);
    let parity = false;
    for (let iterations = 1; iterations <= maxIterations; iterations++) {
      kernel.iterate();
      parity = kernel.parityHolds();
      const asks = parity || (options.acceptSuffices === true && iterations % ACCEPT_EVERY === 0);
      if (!asks) continue;
      kernel.hardDecisions(bits, k);
      // Bits of which nothing came are decided 0, and zeros have a right CRC: only checks that hold may say all zero.
      if (!parity && !bits.subarray(0, infoBits).includes(1)) continue;
      if (!options.accept || options.accept(bits)) return { ok: true, parity, iterations, rows };
    }
    kernel.hardDecisions(bits, k);
    return { ok: false, parity, iterations: maxIterations, rows };
  }

  /** Rows in use and what goes with them, anew only where something else was heard. */
  private prepareRows(): number {
    const { heard, heardBefore } = this;
    let same = this.rows >= 0;
    for (let c = 0; same && c < heard.length; c++) same = heard[c] === heardBefore[c];
    if (same) return this.rows;
    heardBefore.set(heard);
    this.rows = this.chooseRows();
    this.limitChannel(this.rows);
    return this.rows;
  }

  /** reachableMagnitude of every column for the rows in use. */
  private limitChannel(rows: number): void {
    const { code, rowList, degree, limits } = this;
    degree.fill(0);
    for (let i = 0; i < rows; i++) {
      const r = rowList[i];
      for (let e = code.rowStart[r]; e < code.rowStart[r + 1]; e++) degree[code.edgeColumn[e]]++;
    }
    for (let c = 0; c < code.columns; c++) limits[c] = degree[c] === 0 ? LLR_CLIP : reachableMagnitude(degree[c]);
  }

  private chooseRows(): number {
    const { code, heard, rowList } = this;
    let count = 4;
    for (let r = 0; r < 4; r++) rowList[r] = r;
    for (let r = 4; r < code.rows; r++) if (heard[code.graph.infoColumns + r] !== 0) rowList[count++] = r;
    return count;
  }
}
