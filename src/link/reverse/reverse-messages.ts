import { CRC16, crcBytes } from '../../common/crc.ts';
import { FormatError } from '../../common/errors.ts';
import { decodeFields, encodeFields, list, type Schema, uint } from '../../phy/frame/schema.ts';
import { KNOWLEDGE_SCHEMA, type KnowledgePiece, pieceFields, pieceOf } from './knowledge-pieces.ts';

/** A CSI report as sent back: which burst it was measured on, and the SNR of every subband in 0.25 dB steps. */
export interface CsiReport {
  /** 1..63, counted modulo 63; 0 never stands for a report. */
  readonly number: number;
  readonly session: number;
  readonly burst: number;
  /** Codes of encodeCsi, [nSubbands]. */
  readonly codes: Uint8Array;
}

/**
 * What is known of the code blocks that a burst carried, whenever they arrived. It names the burst heard, not the one
 * repeated, so that it says the same to a sender whether or not the receiver had the original.
 */
export interface AckReport {
  readonly session: number;
  readonly burst: number;
  /** False when the extension could not be read: nothing of the burst is known. */
  readonly extensionOk: boolean;
  /** Of the burst's extension; 0 when it could not be read. */
  readonly process: number;
  readonly newData: number;
  /** Coded stream by coded stream, in the order in which the burst carried them. */
  readonly blocks: readonly boolean[];
  /**
   * Ids of the streams (SFVs) that the receiver asks for again, most important first, of all that it knows of the part; absent where it
   * makes no choice: all that is missing.
   */
  readonly asked?: readonly number[] | undefined;
}

/** Most streams that one acknowledgement can ask for. */
export const MAX_ASKED = 63;
/** Form of an acknowledgement; 1 has the streams asked for. */
const ACK_FORM = 1;

const CSI_SCHEMA: Schema = [
  uint('type', 2, '1 CSI report, 2 acknowledgement, 3 knowledge', { min: 1, max: 1 }),
  uint('number', 6, 'number of the report', { min: 1 }),
  uint('session', 8, 'session id'),
  uint('burst', 10, 'burst it was measured on'),
  uint('subbands', 6, 'number of subbands', { min: 1, max: 50 }),
  list('codes', 'subbands', uint('code', 8, 'SNR = -20 dB + code / 4 dB'), 'SNR of each subband'),
];

const ACK_SCHEMA: Schema = [
  uint('type', 2, '1 CSI report, 2 acknowledgement, 3 knowledge', { min: 2, max: 2 }),
  uint('form', 3, 'form of the message', { min: ACK_FORM, max: ACK_FORM }),
  uint('session', 8, 'session id'),
  uint('burst', 10, 'burst that is acknowledged'),
  uint('extensionOk', 1, '1 if the extension was decoded'),
  uint('process', 4, 'HARQ process; 0 without an extension'),
  uint('newData', 1, 'new-data bit; 0 without an extension'),
  uint('blockCount', 8, 'code blocks that the burst carried'),
  list('blocks', 'blockCount', uint('ok', 1, '1 if the block has arrived'), 'state of each block'),
  uint('chosen', 1, '1 if the receiver says which streams it asks for; 0: all that is missing'),
  uint('askedCount', 6, 'streams asked for'),
  list('asked', 'askedCount', uint('id', 8, 'id of the stream', { max: 254 }), 'most important first'),
];

export const REVERSE_SCHEMAS = { csi: CSI_SCHEMA, ack: ACK_SCHEMA, knowledge: KNOWLEDGE_SCHEMA } as const;

/** Largest reverse message: an acknowledgement of 255 blocks that asks for 63 streams, with its CRC. */
export const MAX_REVERSE_BYTES = 103;

function seal(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 2);
  out.set(bytes);
  const crc = crcBytes(CRC16, bytes);
  out[bytes.length] = crc >> 8;
  out[bytes.length + 1] = crc & 0xff;
  return out;
}

export function encodeCsiMessage(report: CsiReport): Uint8Array {
  const { codes, ...rest } = report;
  return seal(encodeFields(CSI_SCHEMA, { type: 1, ...rest, subbands: codes.length, codes: [...codes] }));
}

export function encodeAckMessage(ack: AckReport): Uint8Array {
  return seal(
    encodeFields(ACK_SCHEMA, {
      type: 2,
      form: ACK_FORM,
      session: ack.session,
      burst: ack.burst,
      extensionOk: ack.extensionOk ? 1 : 0,
      process: ack.process,
      newData: ack.newData,
      blockCount: ack.blocks.length,
      blocks: ack.blocks.map((ok) => (ok ? 1 : 0)),
      chosen: ack.asked ? 1 : 0,
      askedCount: ack.asked?.length ?? 0,
      asked: [...(ack.asked ?? [])],
    }),
  );
}

export function encodeKnowledgePiece(piece: KnowledgePiece): Uint8Array {
  return seal(encodeFields(KNOWLEDGE_SCHEMA, pieceFields(piece)));
}

export type ReverseMessage =
  | { readonly type: 'csi'; readonly report: CsiReport }
  | { readonly type: 'ack'; readonly ack: AckReport }
  | { readonly type: 'knowledge'; readonly piece: KnowledgePiece };

/** Parses an untrusted reverse message. FormatError names the field. */
export function decodeReverseMessage(bytes: Uint8Array): ReverseMessage {
  if (bytes.length < 3 || bytes.length > MAX_REVERSE_BYTES) {
    throw new FormatError('message', `has ${bytes.length} bytes, allowed 3 to ${MAX_REVERSE_BYTES}`);
  }
  const body = bytes.subarray(0, bytes.length - 2);
  const crc = (bytes[bytes.length - 2] << 8) | bytes[bytes.length - 1];
  if (crc !== crcBytes(CRC16, body)) throw new FormatError('crc', 'does not match');
  if (body[0] >> 6 === 1) {
    const f = decodeFields(CSI_SCHEMA, body) as Record<string, number>;
    const codes = Uint8Array.from(f.codes as unknown as number[]);
    return { type: 'csi', report: { number: f.number, session: f.session, burst: f.burst, codes } };
  }
  if (body[0] >> 6 === 3) return { type: 'knowledge', piece: pieceOf(decodeFields(KNOWLEDGE_SCHEMA, body)) };
  const f = decodeFields(ACK_SCHEMA, body) as Record<string, number>;
  const blocks = (f.blocks as unknown as number[]).map((v) => v === 1);
  const asked = f.asked as unknown as number[];
  const { session, burst, process, newData } = f;
  if (f.extensionOk === 0 && (blocks.length > 0 || process > 0 || newData > 0 || f.chosen > 0)) {
    throw new FormatError('extensionOk', 'is 0, so nothing else can be known');
  }
  if (f.chosen === 0 && asked.length > 0) throw new FormatError('chosen', 'is 0, so no stream can be named');
  if (new Set(asked).size < asked.length) throw new FormatError('asked', 'names a stream twice');
  const ack = { session, burst, extensionOk: f.extensionOk === 1, process, newData, blocks };
  return { type: 'ack', ack: f.chosen === 1 ? { ...ack, asked } : ack };
}
