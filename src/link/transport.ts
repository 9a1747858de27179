import { CRC24B } from '../common/crc.ts';
import { FormatError } from '../common/errors.ts';
import { Scratch } from '../phy/burst/scratch.ts';
import { deinterleave, interleave } from '../phy/fec/bit-interleaver.ts';
import { CodeBlockCodec } from '../phy/fec/code-block.ts';
import type { BaseGraphId } from '../phy/fec/ldpc-code.ts';
import type { RedundancyVersion } from '../phy/fec/rate-matching.ts';
import { type BlockPlan, joinBlocks, planBlocks, planTransport, splitIntoBlocks } from '../phy/fec/transport-plan.ts';
import { LEAST_SNR } from '../phy/kernels/demap/demap-kernel.ts';
import { effectiveSnrDb, totalInformation } from '../phy/modulation/mutual-information.ts';
import { mapBitsMixed } from '../phy/modulation/qam.ts';
import { softDemapMixed } from '../phy/modulation/soft-demapper.ts';
import { DealtBlocks } from './dealt-blocks.ts';
import { codedBitsOf } from './resource-map.ts';
import { turnsOf } from './turns.ts';

export { turnsOf } from './turns.ts';

/** Most code blocks of one stream in one burst: their numbers have 8 bits. */
export const MAX_BLOCKS = 255;

/**
 * The code blocks of a stream of bytes. On its resource elements C blocks take turns, RE i belongs to block
 * (i + floor(i / L)) mod C with L the least common multiple of C and 300, so that every block sees the whole band and the
 * whole burst: without the second term block and subband would keep step where C shares a factor with their number.
 */
export class TransportLayout {
  readonly plan: BlockPlan;
  readonly codec: CodeBlockCodec;

  private constructor(plan: BlockPlan) {
    if (plan.blocks > MAX_BLOCKS) {
      throw new FormatError(
        'bytes',
        `${plan.payloadBytes} bytes are ${plan.blocks} code blocks; at most ${MAX_BLOCKS} fit a burst`,
      );
    }
    this.plan = plan;
    this.codec = new CodeBlockCodec({ baseGraph: plan.baseGraph, payloadBytes: plan.blockBytes, crc: CRC24B });
  }

  /**
   * For a first transmission over RE of `qm` bits. Without `baseGraph` it is chosen (TS 38.212 §6.2.2). Throws
   * UsageError when the bytes do not fit, FormatError when there would be too many blocks.
   */
  static ofData(bytes: number, qm: Uint8Array, baseGraph?: BaseGraphId): TransportLayout {
    return new TransportLayout(planTransport(bytes, codedBitsOf(qm), baseGraph ? { baseGraph } : {}));
  }

  /** The same blocks from length and base graph alone, as a retransmission names them. Throws FormatError likewise. */
  static ofBlocks(bytes: number, baseGraph: BaseGraphId): TransportLayout {
    return new TransportLayout(planBlocks(bytes, baseGraph));
  }

  get blocks(): number {
    return this.plan.blocks;
  }

  /** As the extension says it. */
  get baseGraphBit(): 0 | 1 {
    return this.plan.baseGraph === 2 ? 1 : 0;
  }
}

/** C of a stream, without the work of a layout. UsageError for a length that no stream has. */
export function blocksOfBytes(bytes: number, baseGraph: BaseGraphId): number {
  return planBlocks(bytes, baseGraph).blocks;
}

/** Most bits of an RE. */
const MAX_ORDER = 8;

/**
 * Symbols of the given blocks, which share qm.length RE in turn; [re][re, im], unit mean power.
 * @param payloads all blocks' bytes (splitIntoBlocks)
 */
export function encodeBlocks(
  layout: TransportLayout,
  payloads: readonly Uint8Array[],
  blocks: readonly number[],
  qm: Uint8Array,
  rv: RedundancyVersion,
): Float32Array {
  const out = new Float32Array(2 * qm.length);
  // One for all blocks: the first has the most RE.
  const most = Math.ceil(qm.length / Math.max(1, blocks.length));
  const orders = new Uint8Array(most);
  const coded = new Uint8Array(MAX_ORDER * most);
  const bits = new Uint8Array(MAX_ORDER * most);
  const symbols = new Float32Array(2 * most);
  for (let i = 0; i < blocks.length; i++) {
    const places = turnsOf(i, blocks.length, qm.length);
    const re = places.length;
    const own = orders.subarray(0, re);
    let codedBits = 0;
    for (let j = 0; j < re; j++) codedBits += own[j] = qm[places[j]];
    layout.codec.encode(payloads[blocks[i]], codedBits, rv, coded);
    interleave(own, coded, bits);
    mapBitsMixed(bits, own, symbols);
    for (let j = 0; j < re; j++) {
      out[2 * places[j]] = symbols[2 * j];
      out[2 * places[j] + 1] = symbols[2 * j + 1];
    }
  }
  return out;
}

/** Symbols of a whole stream on RE of `qm` bits. */
export function encodeStream(layout: TransportLayout, file: Uint8Array, qm: Uint8Array): Float32Array {
  const payloads = splitIntoBlocks(layout.plan, file);
  return encodeBlocks(layout, payloads, [...payloads.keys()], qm, 0);
}

/** State of one code block at the receiver. */
export interface BlockState {
  ok: boolean;
  attempts: number;
  iterations: number;
  /** Mutual-information effective SNR of the last attempt's RE, dB. */
  effectiveSnrDb: number;
  /** Coded bits of the last attempt. */
  codedBits: number;
}

/** Of all decoders of the thread, which never work at the same time. */
const scratch = new Scratch();
const dealt = new DealtBlocks();

/** Soft buffers and results of one stream's blocks; combines repetitions. */
export class TransportDecoder {
  readonly layout: TransportLayout;
  readonly states: BlockState[];
  private readonly payloads: (Uint8Array | null)[];
  private readonly soft: (Float32Array | null)[];
  private spare: Float32Array | null = null;
  /** Where what is in each soft buffer ends. */
  private readonly reach: number[];

  constructor(layout: TransportLayout) {
    this.layout = layout;
    const n = layout.blocks;
    this.states = Array.from({ length: n }, () => ({
      ok: false,
      attempts: 0,
      iterations: 0,
      effectiveSnrDb: -99,
      codedBits: 0,
    }));
    this.payloads = new Array(n).fill(null);
    this.soft = new Array(n).fill(null);
    this.reach = new Array(n).fill(0);
  }

  /**
   * Takes equalised symbols of blocks that share the RE in turn and decodes what is not decoded yet.
   * symbols [re][re, im] as the MMSE equaliser gives them (biased by snr / (1 + snr)), snr [re] linear.
   */
  add(
    blocks: readonly number[],
    qm: Uint8Array,
    symbols: Float32Array,
    snr: Float32Array,
    rv: RedundancyVersion,
  ): void {
    if (blocks.every((block) => this.states[block]?.ok !== false)) return;
    dealt.deal(blocks.length, qm, symbols, snr);
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i];
      const state = this.states[block];
      if (!state || state.ok) continue;
      const { symbols: ownSymbols, snr: ownSnr, qm: own } = dealt.of(i);
      const codedBits = codedBitsOf(own);
      const interleaved = scratch.take('interleaved', codedBits);
      softDemapMixed(ownSymbols, ownSnr, own, interleaved);
      const llr = scratch.take('llr', codedBits);
      deinterleave(own, interleaved, llr);
      const held = this.soft[block];
      const soft = held ?? this.emptySoft();
      const reached = this.layout.codec.combine(llr, codedBits, rv, soft, 0, held === null);
      this.reach[block] = Math.max(this.reach[block], reached);
      const payload = new Uint8Array(this.layout.plan.blockBytes);
      const result = this.layout.codec.decode(soft, payload, undefined, undefined, this.reach[block]);
      state.attempts++;
      state.iterations = result.iterations;
      state.codedBits = codedBits;
      state.effectiveSnrDb = thinned(ownSnr, own);
      if (result.ok) {
        state.ok = true;
        this.payloads[block] = payload;
        this.soft[block] = null;
        this.spare = soft;
      } else this.soft[block] = soft;
    }
  }

  /** A soft buffer of zeros: that of the last block that was decoded, if there is one. */
  private emptySoft(): Float32Array {
    const soft = this.spare?.fill(0) ?? this.layout.codec.newSoftBuffer();
    this.spare = null;
    return soft;
  }

  /** Bytes held for combining lost blocks with a repetition. */
  get softBytes(): number {
    return this.soft.reduce((bytes, buffer) => bytes + (buffer?.byteLength ?? 0), 0);
  }

  /** Forgets what has been heard of lost blocks; a repetition then stands alone. */
  releaseSoft(): void {
    this.soft.fill(null);
    this.reach.fill(0);
  }

  /** Blocks that arrived, for the acknowledgement. */
  get acknowledged(): boolean[] {
    return this.states.map((s) => s.ok);
  }

  /** The bytes so far, lost blocks zero, and where they are missing. */
  file(): { file: Uint8Array; ok: boolean; missing: { from: number; to: number }[] } {
    const { plan } = this.layout;
    const joined = joinBlocks(plan, this.payloads);
    const missing = this.states.flatMap((s, r) => {
      const from = Math.min(plan.payloadBytes, r * plan.blockBytes);
      const to = Math.min(plan.payloadBytes, from + plan.blockBytes);
      return s.ok || to === from ? [] : [{ from, to }];
    });
    return { ...joined, missing };
  }
}

/** Effective SNR in dB from every 8th RE: enough for a report, cheap enough for every block. */
function thinned(snr: Float32Array, qm: Uint8Array): number {
  const n = Math.ceil(qm.length / 8);
  const a = new Float32Array(n);
  const b = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    a[i] = 10 * Math.log10(Math.max(snr[8 * i], LEAST_SNR));
    b[i] = qm[8 * i];
  }
  return totalInformation(a, b).bits > 0 ? effectiveSnrDb(a, b) : -99;
}
