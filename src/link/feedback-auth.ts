import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { FormatError, UsageError } from '../common/errors.ts';
import { MAX_REVERSE_BYTES } from './reverse/reverse-messages.ts';

/**
 * How the two ends of a feedback socket prove to each other that they hold the same token, and how every message shows that it is
 * of this connection, of the other end, and new. The token itself never travels; what is recorded of one connection opens no other.
 *
 *     client -> HELLO   magic, 32 random bytes C
 *     server -> PROOF   32 random bytes S, HMAC(token, "server" C S)
 *     client -> ANSWER  HMAC(token, "client" C S)
 *     then both         number of the message (8 bytes, from 0, each one higher), message, HMAC(key of the direction) cut to 16 bytes
 *
 * HMAC-SHA-256 (RFC 2104); keys of both directions by HKDF (RFC 5869) from token, C and S.
 *
 * On a `stream` (a WebSocket) every message has the number that is due, and the first wrong frame ends the connection. On a `shared` medium (a
 * NATS subject) messages can be lost and strangers can publish: numbers may leave some out but never come again, and a wrong frame is refused alone.
 * `ordered` is a shared medium for what must come whole: strangers' frames are refused alone, a message of the other end after a gap ends it.
 */
export const NONCE_BYTES = 32;
const MAC_BYTES = 32;
const TAG_BYTES = 16;
const COUNT_BYTES = 8;
const MAGIC = Buffer.from('sctf\x01', 'latin1');
/** Largest frame of the protocol. */
export const MAX_FRAME_BYTES = COUNT_BYTES + MAX_REVERSE_BYTES + TAG_BYTES;
/** Shortest token, bytes: what can be guessed is no secret. */
export const LEAST_TOKEN_BYTES = 16;
const MAX_TOKEN_BYTES = 4096;

export type SocketRole = 'client' | 'server';

/** What a handshake is for: another use of the same token has other keys, so that nothing of one can be said in the other. */
export interface HandshakeUse {
  /** In the proofs and in the keys. */
  readonly label: string;
  /** First bytes of the hello: use and version. */
  readonly magic: Buffer;
  /** Longest message. */
  readonly mostBytes: number;
  readonly medium: 'stream' | 'shared' | 'ordered';
}

export const FEEDBACK_USE: HandshakeUse = {
  label: 'sct feedback',
  magic: MAGIC,
  mostBytes: MAX_REVERSE_BYTES,
  medium: 'stream',
};

/** The token as key material. UsageError for one that is too short or too long. */
export function feedbackToken(text: string): Buffer {
  const token = Buffer.from(text.trim(), 'utf8');
  if (token.length < LEAST_TOKEN_BYTES || token.length > MAX_TOKEN_BYTES) {
    throw new UsageError(
      `the feedback token has ${token.length} bytes: allowed ${LEAST_TOKEN_BYTES} to ${MAX_TOKEN_BYTES}`,
      'make one with: openssl rand -hex 32',
    );
  }
  return token;
}

/**
 * One end of one connection. Feed it every frame that comes; it says what to send and which messages were proved. On a stream a FormatError
 * means that the connection must be closed: nothing more is taken after it.
 */
export class FeedbackHandshake {
  private readonly role: SocketRole;
  private readonly token: Buffer;
  private readonly nonce: Buffer;
  private readonly use: HandshakeUse;
  private both: Buffer | null = null;
  private keys: { readonly send: Buffer; readonly receive: Buffer } | null = null;
  private sent = 0n;
  private received = 0n;
  private failed = false;
  private missing = 0;

  /** @param nonce 32 bytes that were never used before */
  constructor(role: SocketRole, token: Buffer, nonce: Buffer, use: HandshakeUse = FEEDBACK_USE) {
    if (nonce.length !== NONCE_BYTES) throw new RangeError(`a nonce has ${NONCE_BYTES} bytes, not ${nonce.length}`);
    this.role = role;
    this.token = token;
    this.nonce = nonce;
    this.use = use;
  }

  /** Whether the other end has proved itself and messages can go both ways. */
  get ready(): boolean {
    return this.keys !== null && !this.failed;
  }

  /** Whether nothing more is taken: a wrong frame on a stream, a gap where all must come. */
  get ended(): boolean {
    return this.failed;
  }

  /** Messages of the other end that never came, as the numbers of those say that did. */
  get lost(): number {
    return this.missing;
  }

  /** What a client sends first; null for a server. */
  get opening(): Buffer | null {
    return this.role === 'client' ? Buffer.concat([this.use.magic, this.nonce]) : null;
  }

  /** Takes a frame. `reply` is to be sent; `message` is a message of the other end. FormatError for anything else. */
  take(frame: Uint8Array): { readonly reply: Buffer | null; readonly message: Uint8Array | null } {
    if (this.failed) throw new FormatError('frame', 'came after the connection had failed');
    try {
      const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
      if (this.keys) return { reply: null, message: this.open(bytes) };
      return { reply: this.role === 'server' ? this.serve(bytes) : this.answer(bytes), message: null };
    } catch (error) {
      this.failed ||= this.use.medium === 'stream';
      throw error;
    }
  }

  /** A message as a frame. UsageError before the other end has proved itself, and for one that is too long. */
  seal(message: Uint8Array): Buffer {
    if (!this.keys || this.failed) throw new UsageError('the feedback connection is not authenticated');
    const { mostBytes } = this.use;
    if (message.length > mostBytes) throw new UsageError(`a message has at most ${mostBytes} bytes`);
    const body = Buffer.concat([counter(this.sent++), message]);
    return Buffer.concat([body, tag(this.keys.send, body)]);
  }

  private serve(frame: Buffer): Buffer | null {
    if (this.both) {
      // The third step: the client's proof.
      check('answer', frame, this.proof('client', this.both));
      this.begin(this.both);
      return null;
    }
    const { magic } = this.use;
    if (frame.length !== magic.length + NONCE_BYTES || !frame.subarray(0, magic.length).equals(magic)) {
      throw new FormatError('hello', 'is not that of a feedback socket of this version');
    }
    this.both = Buffer.concat([frame.subarray(magic.length), this.nonce]);
    return Buffer.concat([this.nonce, this.proof('server', this.both)]);
  }

  private answer(frame: Buffer): Buffer {
    if (frame.length !== NONCE_BYTES + MAC_BYTES) throw new FormatError('proof', `has ${frame.length} bytes`);
    const both = Buffer.concat([this.nonce, frame.subarray(0, NONCE_BYTES)]);
    check('proof', frame.subarray(NONCE_BYTES), this.proof('server', both));
    this.begin(both);
    return this.proof('client', both);
  }

  private proof(role: SocketRole, both: Buffer): Buffer {
    return createHmac('sha256', this.token).update(`${this.use.label} ${role} `).update(both).digest();
  }

  private begin(both: Buffer): void {
    const key = (from: SocketRole) =>
      Buffer.from(hkdfSync('sha256', this.token, both, `${this.use.label} ${from}`, 32));
    const other = this.role === 'client' ? 'server' : 'client';
    this.keys = { send: key(this.role), receive: key(other) };
  }

  private open(frame: Buffer): Uint8Array {
    const least = COUNT_BYTES + 1 + TAG_BYTES;
    const most = least - 1 + this.use.mostBytes;
    if (frame.length < least || frame.length > most) {
      throw new FormatError('message', `frame of ${frame.length} bytes, allowed ${least} to ${most}`);
    }
    const body = frame.subarray(0, frame.length - TAG_BYTES);
    check('tag', frame.subarray(frame.length - TAG_BYTES), tag(this.keys!.receive, body));
    const number = body.readBigUInt64BE(0);
    const { medium } = this.use;
    if (number < this.received || (number > this.received && medium !== 'shared')) {
      // The tag is right: what is missing was lost and will not come.
      this.failed = medium === 'ordered' && number > this.received;
      throw new FormatError('number', `${number} where ${this.received} is due`);
    }
    this.missing += Number(number - this.received);
    this.received = number + 1n;
    return Uint8Array.from(body.subarray(COUNT_BYTES));
  }
}

function tag(key: Buffer, body: Buffer): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, TAG_BYTES);
}

function counter(value: bigint): Buffer {
  const out = Buffer.alloc(COUNT_BYTES);
  out.writeBigUInt64BE(value);
  return out;
}

/** In constant time, so that nothing is told by how long it takes. */
function check(field: string, given: Buffer, wanted: Buffer): void {
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new FormatError(field, 'does not match: the ends hold different tokens, or the message was changed');
  }
}
