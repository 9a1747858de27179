import { packBits, unpackBits } from '../../common/bits.ts';
import { type CrcSpec, crcBytes, writeCrcBits } from '../../common/crc.ts';
import { UsageError } from '../../common/errors.ts';
import { ldpcDecoderKernel } from '../kernels/ldpc/ldpc.ts';
import type { LdpcDecoderKernel } from '../kernels/ldpc/ldpc-kernel.ts';
import type { BaseGraphId } from './ldpc-code.ts';
import { type LdpcDecodeResult, LdpcDecoder } from './ldpc-decoder.ts';
import { ldpcEncoder } from './ldpc-encoder.ts';
import {
  type CircularBuffer,
  circularBuffer,
  combineLlrs,
  type RedundancyVersion,
  reachOf,
  rowsReached,
  selectBits,
} from './rate-matching.ts';
import { type BlockLifting, liftBlock } from './segmentation.ts';

export interface CodeBlockSpec {
  readonly baseGraph: BaseGraphId;
  /** Payload of the block, whole bytes. */
  readonly payloadBytes: number;
  /** CRC appended to the payload, null for none (the caller checks another way). */
  readonly crc: CrcSpec | null;
  /** Limited buffer Nref in bits (TS 38.212 §5.4.2.1), default none. */
  readonly bufferLimit?: number;
}

/**
 * One code block from payload bytes to coded bits and back: CRC, fillers, LDPC, rate matching (TS 38.212 §5.1 to
 * §5.4.2.1). Each block carries its own CRC, so it is acknowledged alone. The bit interleaver is apart
 * (bit-interleaver.ts) because it needs to know the block's resource elements.
 */
export class CodeBlockCodec {
  readonly spec: CodeBlockSpec;
  readonly lifting: BlockLifting;
  readonly buffer: CircularBuffer;
  private readonly decoder: LdpcDecoder;
  /** [K] */
  private readonly bits: Uint8Array;
  private readonly codeword: Uint8Array;
  /** How far the last transmission reached into the soft buffer: the next one is often like it. */
  private reached: { codedBits: number; rv: RedundancyVersion; reach: number } = { codedBits: 0, rv: 0, reach: 0 };

  constructor(spec: CodeBlockSpec, kernel: LdpcDecoderKernel = ldpcDecoderKernel()) {
    if (!Number.isInteger(spec.payloadBytes) || spec.payloadBytes < 1) {
      throw new UsageError(`code block of ${spec.payloadBytes} bytes: allowed are whole bytes from 1 up`);
    }
    this.spec = spec;
    this.lifting = liftBlock(spec.baseGraph, 8 * spec.payloadBytes + (spec.crc?.length ?? 0));
    const { code, infoBits } = this.lifting;
    this.buffer = circularBuffer(code, infoBits, spec.bufferLimit);
    this.decoder = new LdpcDecoder(code, kernel);
    this.bits = new Uint8Array(code.k);
    this.codeword = new Uint8Array(code.n);
  }

  /** K': payload and CRC bits. */
  get infoBits(): number {
    return this.lifting.infoBits;
  }

  describe(): string {
    const { baseGraph, z } = this.lifting.code;
    const crc = this.spec.crc?.name ?? 'no CRC';
    return `code block BG${baseGraph} Z=${z} K'=${this.infoBits} (${this.spec.payloadBytes} bytes, ${crc})`;
  }

  /** payload: Uint8Array [payloadBytes]. Writes E coded bits of redundancy version rv to out[at..at+E). */
  encode(payload: Uint8Array, codedBits: number, rv: RedundancyVersion, out: Uint8Array, at = 0): void {
    const { bits, spec, buffer, infoBits } = this;
    if (payload.length !== spec.payloadBytes) {
      throw new UsageError(`code block was given ${payload.length} bytes, ${spec.payloadBytes} needed`);
    }
    unpackBits(payload, bits);
    if (spec.crc) writeCrcBits(spec.crc, crcBytes(spec.crc, payload), bits, 8 * payload.length);
    bits.fill(0, infoBits);
    ldpcEncoder(this.lifting.code).encode(bits, this.codeword, rowsReached(buffer, codedBits, rv));
    selectBits(buffer, this.codeword, codedBits, rv, out, at);
  }

  /** A soft buffer of N zero LLRs: Float32Array [N], 4 N bytes (at most 101 kB). */
  newSoftBuffer(): Float32Array {
    return new Float32Array(this.lifting.code.n);
  }

  /**
   * Adds the E LLRs llr[from..from+E) of one transmission, in coded-bit order, to the soft buffer; returns where in it those of
   * this transmission end. `empty`: the buffer holds zeros so far.
   */
  combine(
    llr: Float32Array,
    codedBits: number,
    rv: RedundancyVersion,
    soft: Float32Array,
    from = 0,
    empty = false,
  ): number {
    combineLlrs(this.buffer, llr, codedBits, rv, soft, from, empty);
    const { reached } = this;
    if (reached.codedBits !== codedBits || reached.rv !== rv) {
      this.reached = { codedBits, rv, reach: reachOf(this.buffer, codedBits, rv) };
    }
    return this.reached.reach;
  }

  /**
   * Decodes the soft buffer; `payload` (Uint8Array [payloadBytes]) receives the bytes, right or wrong. ok needs the CRC
   * right, if the block has one; with a shorter one than 24 bits, or none, also all checks satisfied. `accept` adds a
   * check of the caller's on the payload. From `reach` on the soft buffer holds zeros: what `combine` returned, at most.
   */
  decode(
    soft: Float32Array,
    payload: Uint8Array,
    maxIterations = 20,
    accept?: (payload: Uint8Array) => boolean,
    reach = soft.length,
  ): LdpcDecodeResult {
    const { spec } = this;
    if (payload.length !== spec.payloadBytes) {
      throw new UsageError(`output has ${payload.length} bytes, ${spec.payloadBytes} needed`);
    }
    const result = this.decoder.decode(soft, this.infoBits, this.bits, {
      maxIterations,
      reach: Math.min(reach, this.lifting.code.n),
      acceptSuffices: (spec.crc?.length ?? 0) >= 24,
      accept: (bits) => {
        payload.set(packBits(bits, 0, 8 * payload.length));
        return this.crcHolds(bits, payload) && (!accept || accept(payload));
      },
    });
    if (!result.ok) payload.set(packBits(this.bits, 0, 8 * payload.length));
    return result;
  }

  private crcHolds(bits: Uint8Array, payload: Uint8Array): boolean {
    const { crc } = this.spec;
    if (!crc) return true;
    let received = 0;
    for (let i = 0; i < crc.length; i++) received = 2 * received + bits[8 * payload.length + i];
    return received === crcBytes(crc, payload);
  }
}
