import { CRC24A, CRC24B, crcBytes } from '../../common/crc.ts';
import { inRange, UsageError } from '../../common/errors.ts';
import type { BaseGraphId } from './ldpc-code.ts';
import { LARGEST_CODED_BITS } from './rate-matching.ts';
import { type BlockLifting, chooseBaseGraph, LARGEST_BLOCK_BITS, liftBlock, splitCodedBits } from './segmentation.ts';

/** Highest ratio of K' to E that a plan allows (TS 38.214 §5.1.3: the receiver may skip decoding above 0.95). */
export const HIGHEST_CODE_RATE = 0.95;

/** Largest file of one plan, bytes; bounds what a receiver allocates for a length that came over the air. */
export const LARGEST_PAYLOAD_BYTES = 1 << 24;

export interface TransportOptions {
  /** Coded bits of a block are a multiple of this (bits per resource element), default 1. */
  readonly unit?: number;
  /** Default: the rule of TS 38.212 §6.2.2 at the plan's rate. */
  readonly baseGraph?: BaseGraphId;
  /** Largest K' of a block, default and most the base graph's largest. */
  readonly maxBlockBits?: number;
}

/** The code blocks of a file: what follows from its length and the base graph alone. */
export interface BlockPlan {
  readonly payloadBytes: number;
  readonly baseGraph: BaseGraphId;
  /** C */
  readonly blocks: number;
  /** Bytes of the file (or of the CRC24A and padding behind it) in each block. */
  readonly blockBytes: number;
  /** Zero bytes behind the file's CRC. */
  readonly paddingBytes: number;
  /** K' = 8 blockBytes + 24 and the lifting all blocks share. */
  readonly lifting: BlockLifting;
}

/** How a file travels in code blocks over G coded bits; both ends make it from (payloadBytes, G, options). */
export interface TransportPlan extends BlockPlan {
  /** E of each block; their sum is at most G (the rest below one unit is unused). */
  readonly codedBits: readonly number[];
  /** C K' / G. */
  readonly codeRate: number;
}

const CRC_BYTES = 3;

/**
 * Blocks of a file of n bytes: as TS 38.212 §5.2.2, but with whole bytes and a CRC24B in every block, even a single one:
 * C = least number of blocks with 8 ceil((n + 3) / C) + 24 <= largest K'.
 */
function layOut(payloadBytes: number, codedBits: number, options: TransportOptions) {
  const streamBytes = payloadBytes + CRC_BYTES;
  const baseGraph = options.baseGraph ?? chooseBaseGraph(8 * payloadBytes, (8 * streamBytes) / codedBits);
  return { baseGraph, ...blocksOf(streamBytes, baseGraph, options.maxBlockBits) };
}

function blocksOf(streamBytes: number, baseGraph: BaseGraphId, maxBlockBits?: number) {
  const most = LARGEST_BLOCK_BITS[baseGraph];
  const largest = inRange('largest block', Math.min(maxBlockBits ?? most, most), 64, most, 'bits');
  const blocks = Math.ceil(streamBytes / Math.floor((largest - CRC24B.length) / 8));
  const blockBytes = Math.ceil(streamBytes / blocks);
  return { blocks, blockBytes, infoBits: 8 * blockBytes + CRC24B.length };
}

/** The blocks of a file whose base graph is known, whatever they were first sent on. */
export function planBlocks(payloadBytes: number, baseGraph: BaseGraphId): BlockPlan {
  inRange('payload bytes', payloadBytes, 1, LARGEST_PAYLOAD_BYTES);
  const { blocks, blockBytes, infoBits } = blocksOf(payloadBytes + CRC_BYTES, baseGraph);
  return {
    payloadBytes,
    baseGraph,
    blocks,
    blockBytes,
    paddingBytes: blocks * blockBytes - payloadBytes - CRC_BYTES,
    lifting: liftBlock(baseGraph, infoBits),
  };
}

/** The plan for a file of n bytes over G coded bits. More than fits at rate 0.95 is a UsageError that says what fits. */
export function planTransport(payloadBytes: number, codedBits: number, options: TransportOptions = {}): TransportPlan {
  inRange('payload bytes', payloadBytes, 1, LARGEST_PAYLOAD_BYTES);
  inRange('coded bits', codedBits, 1, LARGEST_CODED_BITS * 64);
  const { baseGraph, blocks, blockBytes, infoBits } = layOut(payloadBytes, codedBits, options);
  const unit = inRange('bits per resource element', options.unit ?? 1, 1, 64);
  const perBlock = Math.floor(codedBits / unit) >= blocks ? splitCodedBits(codedBits, blocks, unit) : [0];
  if (infoBits > HIGHEST_CODE_RATE * perBlock[0]) {
    const fits = payloadBytesAtRate(codedBits, HIGHEST_CODE_RATE, options);
    throw new UsageError(
      `${payloadBytes} bytes do not fit into ${codedBits} coded bits`,
      `at the highest code rate ${HIGHEST_CODE_RATE} about ${fits} bytes fit`,
    );
  }
  return {
    payloadBytes,
    baseGraph,
    blocks,
    blockBytes,
    paddingBytes: blocks * blockBytes - payloadBytes - CRC_BYTES,
    lifting: liftBlock(baseGraph, infoBits),
    codedBits: perBlock,
    codeRate: (blocks * infoBits) / codedBits,
  };
}

/**
 * Bytes of file that fit into G coded bits with C K' <= rate x G, all overhead counted and no padding left; 0 if none.
 */
export function payloadBytesAtRate(codedBits: number, rate: number, options: TransportOptions = {}): number {
  inRange('code rate', rate, 0.01, HIGHEST_CODE_RATE);
  const budget = Math.floor(rate * codedBits);
  let bytes = Math.min(LARGEST_PAYLOAD_BYTES, Math.floor((budget - CRC24B.length) / 8) - CRC_BYTES);
  while (bytes >= 1) {
    const { blocks, blockBytes, infoBits } = layOut(bytes, codedBits, options);
    const excess = blocks * infoBits - budget;
    if (excess <= 0) return Math.min(LARGEST_PAYLOAD_BYTES, blocks * blockBytes - CRC_BYTES);
    bytes -= Math.max(1, Math.floor(excess / 16));
  }
  return 0;
}

/** The payload of every block: the file, its CRC24A, zero bytes; Uint8Array [blockBytes] each. */
export function splitIntoBlocks(plan: BlockPlan, file: Uint8Array): Uint8Array[] {
  if (file.length !== plan.payloadBytes) {
    throw new UsageError(`plan is for ${plan.payloadBytes} bytes, ${file.length} given`);
  }
  const stream = new Uint8Array(plan.blocks * plan.blockBytes);
  stream.set(file);
  const crc = crcBytes(CRC24A, file);
  stream.set([crc >>> 16, (crc >>> 8) & 0xff, crc & 0xff], file.length);
  return Array.from({ length: plan.blocks }, (_, r) => stream.subarray(r * plan.blockBytes, (r + 1) * plan.blockBytes));
}

/**
 * Joins decoded blocks (null = lost, filled with zeros). ok: every block came and the file's CRC24A is right.
 */
export function joinBlocks(plan: BlockPlan, blocks: readonly (Uint8Array | null)[]): { file: Uint8Array; ok: boolean } {
  const stream = new Uint8Array(plan.blocks * plan.blockBytes);
  let complete = blocks.length === plan.blocks;
  for (let r = 0; r < plan.blocks; r++) {
    const block = blocks[r];
    if (block) stream.set(block.subarray(0, plan.blockBytes), r * plan.blockBytes);
    else complete = false;
  }
  const file = stream.slice(0, plan.payloadBytes);
  const [a, b, c] = stream.subarray(plan.payloadBytes);
  return { file, ok: complete && ((a << 16) | (b << 8) | c) === crcBytes(CRC24A, file) };
}
