import { CRC24B, type CrcSpec, crcBytes } from '../../common/crc.ts';
import { inRange, UsageError } from '../../common/errors.ts';
import { CodeBlockCodec } from './code-block.ts';
import { LARGEST_CODED_BITS } from './rate-matching.ts';
import { LARGEST_BLOCK_BITS, splitCodedBits } from './segmentation.ts';

/** Longest control message, bytes: what the extension's length of side information counts. */
export const LARGEST_CONTROL_BYTES = 2 ** 14 - 1;

export interface ControlDecodeResult {
  /** All checks of every block hold and every CRC is right. */
  readonly ok: boolean;
  /** The message, right or wrong. */
  readonly bytes: Uint8Array;
  /** Iterations of the slowest block. */
  readonly iterations: number;
}

/**
 * The robust code of headers, extensions and side information: message, inverted CRC, LDPC base graph 2, redundancy
 * version 0, and as many turns of the circular buffer as the coded bits allow, so that any length down to 24 bits with
 * its CRC is spread over any number of coded bits. Bits leave in coded order, without bit interleaver.
 *
 * The CRC is inverted because the all-zero message would otherwise be the all-zero codeword, which a constant offset at
 * the receiver can imitate. A message longer than one block (3840 bits with its CRC) is cut into equal blocks of whole
 * bytes, zero padded, each with its own CRC24B; the coded bits are shared as in TS 38.212 §5.4.2.1.
 */
function layOut(messageBytes: number, crc: CrcSpec, codedBits: number): Layout {
  // Headers come again and again.
  if (latest && latest.messageBytes === messageBytes && latest.crc === crc && latest.codedBits === codedBits) {
    return latest;
  }
  inRange('coded bits E', codedBits, 1, LARGEST_CODED_BITS);
  const { single, blocks, payloadBytes, infoBits } = blocksOf(messageBytes, crc);
  if (codedBits < blocks * infoBits) {
    throw new UsageError(
      `${messageBytes} control bytes need at least ${blocks * infoBits} coded bits, not ${codedBits}`,
    );
  }
  const perBlock = splitCodedBits(codedBits, blocks, 1);
  latest = { messageBytes, crc, codedBits, blocks, payloadBytes, ...codecOf(payloadBytes, single), perBlock };
  return latest;
}

interface BlockCodec {
  readonly codec: CodeBlockCodec;
  /** Soft buffer of one block. */
  readonly soft: Float32Array;
}

interface Layout extends BlockCodec {
  readonly messageBytes: number;
  readonly crc: CrcSpec;
  readonly codedBits: number;
  readonly blocks: number;
  readonly payloadBytes: number;
  /** Coded bits of each block. */
  readonly perBlock: readonly number[];
}

let latest: Layout | null = null;

/** Lengths come over the air: what is kept of them must not grow with them. */
const KEPT_CODECS = 32;
const codecs = new Map<number, BlockCodec>();

/** The codec of blocks of a length, made once a thread (it is not re-entrant) for the lengths in use. */
function codecOf(payloadBytes: number, single: boolean): BlockCodec {
  const key = 2 * payloadBytes + (single ? 1 : 0);
  let known = codecs.get(key);
  if (!known) {
    if (codecs.size >= KEPT_CODECS) codecs.clear();
    const codec = new CodeBlockCodec({ baseGraph: 2, payloadBytes, crc: single ? null : CRC24B });
    known = { codec, soft: codec.newSoftBuffer() };
    codecs.set(key, known);
  }
  return known;
}

/** Blocks of a message, their bytes and K' bits each. */
function blocksOf(messageBytes: number, crc: CrcSpec) {
  inRange('control message', messageBytes, 1, LARGEST_CONTROL_BYTES, 'bytes');
  if (crc.length % 8 !== 0) throw new UsageError(`${crc.name} is not of whole bytes: allowed CRC16, CRC24A, B and C`);
  const streamBytes = messageBytes + crc.length / 8;
  const single = 8 * streamBytes <= LARGEST_BLOCK_BITS[2];
  const blocks = single ? 1 : Math.ceil(streamBytes / ((LARGEST_BLOCK_BITS[2] - CRC24B.length) / 8));
  const payloadBytes = Math.ceil(streamBytes / blocks);
  return { single, blocks, payloadBytes, infoBits: 8 * payloadBytes + (single ? 0 : CRC24B.length) };
}

/** Information bits of a message over all its blocks, CRCs and padding included: over them and the code rate go the coded bits. */
export function controlInfoBits(messageBytes: number, crc: CrcSpec): number {
  const { blocks, infoBits } = blocksOf(messageBytes, crc);
  return blocks * infoBits;
}

function invertedCrc(crc: CrcSpec, bytes: Uint8Array): number {
  return 2 ** crc.length - 1 - crcBytes(crc, bytes);
}

/** Coded bits of a control message: Uint8Array [codedBits], one bit an element. */
export function encodeControl(message: Uint8Array, crc: CrcSpec, codedBits: number): Uint8Array {
  const { blocks, payloadBytes, codec, perBlock } = layOut(message.length, crc, codedBits);
  const stream = new Uint8Array(blocks * payloadBytes);
  stream.set(message);
  const check = invertedCrc(crc, message);
  for (let i = 0; i < crc.length / 8; i++) stream[message.length + i] = (check >>> (crc.length - 8 - 8 * i)) & 0xff;
  const out = new Uint8Array(codedBits);
  let at = 0;
  for (let r = 0; r < blocks; r++) {
    codec.encode(stream.subarray(r * payloadBytes, (r + 1) * payloadBytes), perBlock[r], 0, out, at);
    at += perBlock[r];
  }
  return out;
}

/**
 * Decodes a control message of known length. llr: Float32Array, all of it (ln P(0)/P(1), coded order).
 * ok is true only if every check and every CRC holds.
 */
export function decodeControl(
  llr: Float32Array,
  messageBytes: number,
  crc: CrcSpec,
  maxIterations = 30,
): ControlDecodeResult {
  const { blocks, payloadBytes, codec, soft, perBlock } = layOut(messageBytes, crc, llr.length);
  const stream = new Uint8Array(blocks * payloadBytes);
  let at = 0;
  let iterations = 0;
  let ok = true;
  const checkHolds = () => {
    let received = 0;
    for (let i = 0; i < crc.length / 8; i++) received = received * 256 + stream[messageBytes + i];
    return received === invertedCrc(crc, stream.subarray(0, messageBytes));
  };
  for (let r = 0; r < blocks; r++) {
    soft.fill(0);
    const reach = codec.combine(llr, perBlock[r], 0, soft, at, true);
    at += perBlock[r];
    const payload = stream.subarray(r * payloadBytes, (r + 1) * payloadBytes);
    const result = codec.decode(soft, payload, maxIterations, blocks === 1 ? checkHolds : undefined, reach);
    ok &&= result.ok;
    iterations = Math.max(iterations, result.iterations);
  }
  return { ok: ok && checkHolds(), bytes: stream.slice(0, messageBytes), iterations };
}
