import { inRange, UsageError } from '../../common/errors.ts';
import { type LdpcDecoderKernel, ldpcDecoderKernel, MESSAGE_CLIP } from '../kernels/ldpc.ts';
import type { LdpcCode } from './ldpc-code.ts';
import { LLR_CLIP, LLR_SCALE, quantiseLlr } from './llr-quantiser.ts';

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
  /** [columns x Z] */
  private readonly channel: Int8Array;
  private readonly rowList = new Uint8Array(46);
  /** Checks in use that each base column stands in. */
  private readonly degree: Uint8Array;

  constructor(code: LdpcCode, kernel: LdpcDecoderKernel = ldpcDecoderKernel()) {
    this.code = code;
    this.kernel = kernel;
    this.channel = new Int8Array(code.columns * code.z);
    this.degree = new Uint8Array(code.columns);
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
    const { code, channel, kernel } = this;
    const { k, z, n } = code;
    const maxIterations = inRange('iterations', options.maxIterations ?? 20, 1, MAX_ITERATIONS);
    inRange("information bits K'", infoBits, 1, k);
    if (soft.length < n) throw new UsageError(`soft buffer has ${soft.length} LLRs, ${n} needed`);
    if (bits.length < k) throw new UsageError(`output has room for ${bits.length} bits, ${k} needed`);
    channel.fill(0, 0, 2 * z);
    quantiseLlr(soft, channel, 0, n, 2 * z);
    channel.fill(127, infoBits, k);
    const rows = this.chooseRows();
    this.limitChannel(rows, infoBits);
    kernel.start(code, channel, this.rowList, rows);
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

  /** Applies reachableMagnitude to every column for the rows in use; fillers are known and stay as they are. */
  private limitChannel(rows: number, infoBits: number): void {
    const { code, channel, rowList, degree } = this;
    const { z } = code;
    degree.fill(0);
    for (let i = 0; i < rows; i++) {
      const r = rowList[i];
      for (let e = code.rowStart[r]; e < code.rowStart[r + 1]; e++) degree[code.edgeColumn[e]]++;
    }
    for (let c = 0; c < code.columns; c++) {
      const limit = reachableMagnitude(degree[c]);
      if (limit >= LLR_CLIP || degree[c] === 0) continue;
      for (let i = c * z; i < (c + 1) * z; i++) {
        if (i >= infoBits && i < code.k) continue;
        const q = channel[i];
        if (q > limit) channel[i] = limit;
        else if (q < -limit) channel[i] = -limit;
      }
    }
  }

  private chooseRows(): number {
    const { code, channel, rowList } = this;
    const { z } = code;
    let count = 4;
    for (let r = 0; r < 4; r++) rowList[r] = r;
    for (let r = 4; r < code.rows; r++) {
      const from = code.k + r * z;
      for (let i = from; i < from + z; i++) {
        if (channel[i] !== 0) {
          rowList[count++] = r;
          break;
        }
      }
    }
    return count;
  }
}

const decoders = new WeakMap<LdpcCode, LdpcDecoder>();

/** The decoder of a code on this thread's kernel, made once (it holds scratch memory and is not re-entrant). */
export function ldpcDecoder(code: LdpcCode): LdpcDecoder {
  let decoder = decoders.get(code);
  if (!decoder) {
    decoder = new LdpcDecoder(code);
    decoders.set(code, decoder);
  }
  return decoder;
}
