import { FormatError } from '../../common/errors.ts';
import { list, type Schema, uint } from '../../phy/frame/schema.ts';
import {
  decodeKnowledge,
  encodeKnowledge,
  type Knowledge,
  MAX_KNOWLEDGE_BYTES,
} from '../../sct/knowledge/knowledge-message.ts';

/** Bytes of the knowledge message in every piece but the last. */
export const PIECE_BYTES = 96;
/** Most pieces of one message: 18. */
export const MAX_PIECES = Math.ceil(MAX_KNOWLEDGE_BYTES / PIECE_BYTES);
const PIECE_FORM = 1;

/** One piece of what an end holds, as it goes over the way back. */
export interface KnowledgePiece {
  readonly session: number;
  readonly index: number;
  /** Index of the last piece. */
  readonly last: number;
  readonly bytes: Uint8Array;
}

export const KNOWLEDGE_SCHEMA: Schema = [
  uint('type', 2, '1 CSI report, 2 acknowledgement, 3 knowledge', { min: 3, max: 3 }),
  uint('form', 3, 'form of the message', { min: PIECE_FORM, max: PIECE_FORM }),
  uint('session', 8, 'session id'),
  uint('index', 5, 'number of the piece', { max: MAX_PIECES - 1 }),
  uint('last', 5, 'number of the last piece', { max: MAX_PIECES - 1 }),
  uint('length', 7, 'bytes in this piece', { min: 1, max: PIECE_BYTES }),
  list('bytes', 'length', uint('byte', 8, 'byte of the message'), 'the piece'),
];

/** The fields of a piece. */
export function pieceFields({ session, index, last, bytes }: KnowledgePiece) {
  return { type: 3, form: PIECE_FORM, session, index, last, length: bytes.length, bytes: [...bytes] };
}

/** Checks the fields of a piece against one another; FormatError names the field. */
export function pieceOf(f: Readonly<Record<string, unknown>>): KnowledgePiece {
  const { session, index, last } = f as Readonly<Record<string, number>>;
  const bytes = Uint8Array.from(f.bytes as readonly number[]);
  if (index > last) throw new FormatError('index', `${index} lies behind the last piece ${last}`);
  if (index < last && bytes.length !== PIECE_BYTES) {
    throw new FormatError('length', `${bytes.length}, but only the last piece has less than ${PIECE_BYTES}`);
  }
  return { session, index, last, bytes };
}

/** What an end holds, cut into the pieces of a session, in order. UsageError (encodeKnowledge) for what cannot be said. */
export function knowledgePieces(knowledge: Knowledge, session: number): KnowledgePiece[] {
  const message = encodeKnowledge(knowledge);
  const last = Math.ceil(message.length / PIECE_BYTES) - 1;
  return Array.from({ length: last + 1 }, (_, index) => ({
    session,
    index,
    last,
    bytes: message.slice(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
  }));
}

/**
 * Puts the pieces of one session's message together, in whatever order they come. Holds at most MAX_PIECES pieces; what
 * does not fit together is refused and changes nothing; a message that turns out wrong as a whole is dropped, and pieces that
 * come later start anew.
 */
export class KnowledgeListener {
  /** What the other end holds; null until all of it has come. */
  knowledge: Knowledge | null = null;
  /** Pieces and messages refused. */
  refused = 0;
  private readonly session: number;
  private pieces: (Uint8Array | undefined)[] = [];

  constructor(session: number) {
    this.session = session;
  }

  take({ session, index, last, bytes }: KnowledgePiece): void {
    const { pieces } = this;
    const there = pieces[index];
    const contradicts = (pieces.length > 0 && last + 1 !== pieces.length) || (there && !same(there, bytes));
    if (session !== this.session || contradicts) {
      this.refused++;
      return;
    }
    // Once a session: what is said again is known.
    if (this.knowledge) return;
    if (pieces.length === 0) this.pieces = new Array(last + 1).fill(undefined);
    this.pieces[index] = bytes;
    if (this.pieces.includes(undefined)) return;
    try {
      this.knowledge = decodeKnowledge(Uint8Array.from(this.pieces.flatMap((piece) => [...piece!])));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.refused++;
      this.pieces = [];
    }
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
