import { CRC16, CRC24A, CRC24B, type CrcSpec } from '../../common/crc.ts';
import { inRange } from '../../common/errors.ts';
import { type BaseGraphId, type LdpcCode, LIFTING_SIZES, ldpcCode } from './ldpc-code.ts';

/** Largest code block (with its CRCs) of each base graph, bits (TS 38.212 §5.2.2). */
export const LARGEST_BLOCK_BITS: Readonly<Record<BaseGraphId, number>> = { 1: 8448, 2: 3840 };

/** Largest transport block that this module segments, bits; bounds every buffer made from an untrusted length. */
export const LARGEST_TRANSPORT_BITS = 1 << 27;

/** Base graph for a transport block of A bits at code rate R (TS 38.212 §6.2.2). */
export function chooseBaseGraph(payloadBits: number, codeRate: number): BaseGraphId {
  if (payloadBits <= 292 || (payloadBits <= 3824 && codeRate <= 0.67) || codeRate <= 0.25) return 2;
  return 1;
}

/** CRC of a transport block of A bits: CRC24A above 3824 bits, else CRC16 (TS 38.212 §6.2.1). */
export function transportCrc(payloadBits: number): CrcSpec {
  return payloadBits > 3824 ? CRC24A : CRC16;
}

/** Lifting of one code block: `infoBits` K' of them real, the bits K'..K-1 fillers (known zeros, never sent). */
export interface BlockLifting {
  readonly code: LdpcCode;
  /** K': bits of the block with its CRC. */
  readonly infoBits: number;
  /** Kb: base columns that the lifting size was chosen for. */
  readonly kb: number;
  /** F = K - K'. */
  readonly fillers: number;
}

/**
 * Smallest lifting size for a block of K' bits (TS 38.212 §5.2.2): the least Z with Kb Z >= K'. `sizeBits` is the B of
 * the rule that picks Kb in base graph 2: the bits before segmentation.
 */
export function liftBlock(id: BaseGraphId, infoBits: number, sizeBits = infoBits): BlockLifting {
  inRange("code block bits K'", infoBits, 1, LARGEST_BLOCK_BITS[id]);
  const kb = id === 1 ? 22 : sizeBits > 640 ? 10 : sizeBits > 560 ? 9 : sizeBits > 192 ? 8 : 6;
  const z = LIFTING_SIZES.find((size) => kb * size >= infoBits)!;
  const code = ldpcCode(id, z);
  return { code, infoBits, kb, fillers: code.k - infoBits };
}

export interface Segmentation {
  readonly baseGraph: BaseGraphId;
  /** A: bits of the payload. */
  readonly payloadBits: number;
  readonly transportCrc: CrcSpec;
  /** B = A + L. */
  readonly transportBits: number;
  /** C: number of code blocks. */
  readonly blocks: number;
  /** CRC24B when C > 1, else null. */
  readonly blockCrc: CrcSpec | null;
  /** Zero bits appended to B so that all blocks are equal (none for the sizes TS 38.214 produces). */
  readonly padding: number;
  /** The lifting all blocks share. */
  readonly lifting: BlockLifting;
}

export interface SegmentationOptions {
  /** Code rate that picks the base graph; ignored when `baseGraph` is given. */
  readonly codeRate?: number;
  readonly baseGraph?: BaseGraphId;
  /** Default: transportCrc(payloadBits). */
  readonly transportCrc?: CrcSpec;
}

/**
 * Segmentation parameters of a transport block (TS 38.212 §5.2.2), from what both ends know: its bits and the options.
 *
 * C = 1 if B <= Kcb, else ceil(B / (Kcb - 24)) with a CRC24B each; K' = ceil((B + 24 C) / C).
 */
export function segmentTransport(payloadBits: number, options: SegmentationOptions = {}): Segmentation {
  inRange('payload bits', payloadBits, 1, LARGEST_TRANSPORT_BITS);
  const id = options.baseGraph ?? chooseBaseGraph(payloadBits, options.codeRate ?? 0.5);
  const crc = options.transportCrc ?? transportCrc(payloadBits);
  const transportBits = payloadBits + crc.length;
  const largest = LARGEST_BLOCK_BITS[id];
  const blocks = transportBits <= largest ? 1 : Math.ceil(transportBits / (largest - CRC24B.length));
  const blockCrc = blocks > 1 ? CRC24B : null;
  const total = transportBits + (blockCrc ? blocks * blockCrc.length : 0);
  const infoBits = Math.ceil(total / blocks);
  return {
    baseGraph: id,
    payloadBits,
    transportCrc: crc,
    transportBits,
    blocks,
    blockCrc,
    padding: infoBits * blocks - total,
    lifting: liftBlock(id, infoBits, transportBits),
  };
}

/**
 * Coded bits E_r of each of C blocks sharing G (TS 38.212 §5.4.2.1): multiples of `unit` (layers x Qm), the first
 * blocks one unit shorter where G / unit does not divide. G must be a multiple of unit.
 */
export function splitCodedBits(codedBits: number, blocks: number, unit: number): number[] {
  inRange('blocks', blocks, 1, codedBits / unit, '(the coded bits have room for no more)');
  const units = Math.floor(codedBits / unit);
  const low = Math.floor(units / blocks);
  const longer = units % blocks;
  return Array.from({ length: blocks }, (_, r) => unit * (r < blocks - longer ? low : low + 1));
}
