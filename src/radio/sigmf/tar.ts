import { FormatError } from '../../common/errors.ts';
import type { ByteSource } from './byte-source.ts';

/** A regular file inside a tar archive. */
export interface TarMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
const MAX_MEMBERS = 1024;
const MAX_LONG_HEADER = 65_536;

/**
 * Lists the regular files of a POSIX ustar archive (as SigMF archives are) without reading their contents. Also
 * understands GNU long names, base-256 sizes and the pax keys path and size; links and devices are passed over.
 * Every size is checked against the archive's length. Source: POSIX.1-2017 pax, ustar interchange format.
 */
export async function listTar(source: ByteSource): Promise<TarMember[]> {
  const total = await source.size();
  const members: TarMember[] = [];
  const header = new Uint8Array(BLOCK);
  let pax: { path?: string; size?: number } = {};
  let offset = 0;
  for (let n = 0; offset + BLOCK <= total; n++) {
    if (n > MAX_MEMBERS) throw new FormatError('sigmf archive', `has more than ${MAX_MEMBERS} members`);
    if ((await source.read(offset, header)) < BLOCK) break;
    if (header.every((byte) => byte === 0)) return members;
    checkSum(header, offset);
    const type = String.fromCharCode(header[156] || 0x30);
    const size = pax.size !== undefined && (type === '0' || type === '7') ? pax.size : sizeField(header, offset);
    const content = offset + BLOCK;
    if (content + size > total) {
      throw new FormatError('sigmf archive', `member at byte ${offset} says ${size} bytes, the archive ends before`);
    }
    if (type === 'x' || type === 'L') {
      if (size > MAX_LONG_HEADER) throw new FormatError('sigmf archive', `extended header of ${size} bytes`);
      const body = new Uint8Array(size);
      await source.read(content, body);
      pax = type === 'L' ? { ...pax, path: textOf(body) } : { ...pax, ...parsePax(body) };
    } else {
      if (type === '0' || type === '7') {
        const prefix = textOf(header.subarray(345, 500));
        const short = textOf(header.subarray(0, 100));
        members.push({ name: pax.path ?? (prefix ? `${prefix}/${short}` : short), offset: content, size });
      }
      pax = {};
    }
    offset = content + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

function checkSum(header: Uint8Array, offset: number): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i];
  if (sum !== octal(header.subarray(148, 156))) {
    throw new FormatError('sigmf archive', `is not a tar file (header checksum at byte ${offset})`);
  }
}

function sizeField(header: Uint8Array, offset: number): number {
  const field = header.subarray(124, 136);
  let size = 0;
  if (field[0] & 0x80) for (let i = 1; i < 12; i++) size = size * 256 + field[i];
  else size = octal(field);
  if (!Number.isSafeInteger(size))
    throw new FormatError('sigmf archive', `member size at byte ${offset} is not a number`);
  return size;
}

function octal(field: Uint8Array): number {
  const digits = textOf(field).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** pax records "<length> <key>=<value>\n". */
function parsePax(body: Uint8Array): { path?: string; size?: number } {
  const out: { path?: string; size?: number } = {};
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(textOf(body.subarray(at, space)));
    if (!Number.isInteger(length) || length <= space - at + 1 || at + length > body.length) break;
    const record = textOf(body.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key === 'path') out.path = value;
    if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) throw new FormatError('sigmf archive', 'pax size is not a number');
      out.size = Number(value);
    }
    at += length;
  }
  return out;
}
