import { FormatError } from '../../common/errors.ts';
import { checkedOffer, MAX_PUSH_BYTES, PUSH_KINDS, type PushOffer } from '../../sct/knowledge/push-offer.ts';

/**
 * The messages of a push. Who pushes offers; who receives asks for one span of one file after another, so that it decides what
 * comes when, and goes on where an earlier connection ended; a verdict ends it. Numbers are big-endian. The transport
 * seals every message (PushLink), so there is no checksum here; files have their SHA-256.
 *
 *     offer    1, version 1, kind, length of the name, name, version of the set (2), sha256 (32), width (2), height (2),
 *              bytes (4), bytes of the first file (4), its sha256 (32)
 *     want     2, version 1, number of the file (1), offset (4), length (4)
 *     data     3, version 1, offset (4), bytes
 *     verdict  4, version 1, state, length of the reason (1), reason (UTF-8)
 */
const VERSION = 1;
/** Bytes of a file in one message, and what is asked for at once. */
export const CHUNK_BYTES = 32 * 1024;
export const WINDOW_BYTES = 2 ** 20;
const DATA_HEAD = 6;
/** Longest message. */
export const MAX_PUSH_MESSAGE = DATA_HEAD + CHUNK_BYTES;
const MAX_REASON_BYTES = 255;
/** Most files of a push: as many as a model set has roles, and its models.json. */
export const MAX_PUSH_FILES = 64;

/** What became of an offer: held and trusted; held, and waiting for someone to allow it; or not taken. */
export const VERDICTS = ['trusted', 'waiting', 'refused'] as const;
export type VerdictState = (typeof VERDICTS)[number];

export type PushMessage =
  | { readonly type: 'offer'; readonly offer: PushOffer }
  | { readonly type: 'want'; readonly file: number; readonly offset: number; readonly length: number }
  | { readonly type: 'data'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'verdict'; readonly state: VerdictState; readonly reason: string };

const TYPES = ['offer', 'want', 'data', 'verdict'] as const;

/** The bytes of a message; FormatError for one that cannot be said. */
export function encodePush(message: PushMessage): Uint8Array {
  const head = Buffer.of(TYPES.indexOf(message.type) + 1, VERSION);
  switch (message.type) {
    case 'offer': {
      const o = checkedOffer(message.offer);
      const name = Buffer.from(o.name, 'ascii');
      return Buffer.concat([
        head,
        Buffer.of(PUSH_KINDS.indexOf(o.kind), name.length),
        name,
        uint(o.version, 2),
        Buffer.from(o.sha256, 'hex'),
        uint(o.width, 2),
        uint(o.height, 2),
        uint(o.bytes, 4),
        uint(o.firstBytes, 4),
        Buffer.from(o.firstSha256, 'hex'),
      ]);
    }
    case 'want': {
      const { file, offset, length } = checkedWant(message);
      return Buffer.concat([head, uint(file, 1), uint(offset, 4), uint(length, 4)]);
    }
    case 'data': {
      inside('length', message.bytes.length, 1, CHUNK_BYTES);
      inside('offset', message.offset, 0, MAX_PUSH_BYTES - 1);
      return Buffer.concat([head, uint(message.offset, 4), message.bytes]);
    }
    case 'verdict': {
      const reason = cut(message.reason);
      return Buffer.concat([head, Buffer.of(VERDICTS.indexOf(message.state), reason.length), reason]);
    }
  }
}

/** Parses what the other end sent. Every length is checked before it is used; FormatError names the field. */
export function decodePush(bytes: Uint8Array): PushMessage {
  if (bytes.length < 2 || bytes.length > MAX_PUSH_MESSAGE) {
    throw new FormatError('message', `has ${bytes.length} bytes, allowed 2 to ${MAX_PUSH_MESSAGE}`);
  }
  const [code, version] = bytes;
  inside('type', code, 1, TYPES.length);
  if (version !== VERSION) throw new FormatError('version', `${version}, this program knows ${VERSION}`);
  const body = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset + 2, bytes.length - 2));
  const out = read(TYPES[code - 1], body);
  body.end();
  return out;
}

function read(type: PushMessage['type'], body: Reader): PushMessage {
  switch (type) {
    case 'offer': {
      const kind = inside('kind', body.uint('kind', 1), 0, PUSH_KINDS.length - 1);
      const name = body.take('name', inside('name', body.uint('name', 1), 1, 32)).toString('latin1');
      const offer: PushOffer = {
        kind: PUSH_KINDS[kind],
        name,
        version: body.uint('version', 2),
        sha256: body.take('sha256', 32).toString('hex'),
        width: body.uint('width', 2),
        height: body.uint('height', 2),
        bytes: body.uint('bytes', 4),
        firstBytes: body.uint('firstBytes', 4),
        firstSha256: body.take('firstSha256', 32).toString('hex'),
      };
      return { type, offer: checkedOffer(offer) };
    }
    case 'want':
      return checkedWant({
        type,
        file: body.uint('file', 1),
        offset: body.uint('offset', 4),
        length: body.uint('length', 4),
      });
    case 'data': {
      const offset = inside('offset', body.uint('offset', 4), 0, MAX_PUSH_BYTES - 1);
      return { type, offset, bytes: body.take('bytes', inside('length', body.left, 1, CHUNK_BYTES)) };
    }
    case 'verdict': {
      const state = VERDICTS[inside('state', body.uint('state', 1), 0, VERDICTS.length - 1)];
      return { type, state, reason: body.take('reason', body.uint('reason', 1)).toString('utf8') };
    }
  }
}

type Want = Extract<PushMessage, { type: 'want' }>;

function checkedWant(want: Want): Want {
  inside('file', want.file, 0, MAX_PUSH_FILES - 1);
  inside('offset', want.offset, 0, MAX_PUSH_BYTES - 1);
  inside('length', want.length, 1, WINDOW_BYTES);
  return want;
}

/** Fields of a message one behind another. */
class Reader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  take(field: string, n: number): Buffer {
    if (n > this.left) throw new FormatError(field, `needs ${n} bytes, only ${this.left} left`);
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  uint(field: string, bytes: number): number {
    return this.take(field, bytes).readUIntBE(0, bytes);
  }

  end(): void {
    if (this.left > 0) throw new FormatError('message', `${this.left} bytes too many`);
  }
}

function inside(field: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new FormatError(field, `${value}, allowed ${min} to ${max}`);
  }
  return value;
}

function uint(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntBE(value, 0, bytes);
  return out;
}

/** At most 255 bytes, no letter cut in two. */
function cut(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= MAX_REASON_BYTES) return bytes;
  let end = MAX_REASON_BYTES;
  while ((bytes[end] & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
