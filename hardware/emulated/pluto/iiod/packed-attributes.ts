import type { Attribute } from '../attribute.ts';
import { IioError } from '../iio-error.ts';

/**
 * All attributes of a device or channel in one answer, and in one request: for each a big-endian count or negative error number, then so many
 * bytes (the text with a NUL), filled up to a multiple of 4.
 */
export function packAttributes(attributes: readonly Attribute[]): Uint8Array {
  const parts: Buffer[] = [];
  for (const attribute of attributes) {
    const head = Buffer.alloc(4);
    let text = Buffer.alloc(0);
    try {
      text = Buffer.from(`${attribute.read()}\0`, 'latin1');
      head.writeInt32BE(text.length);
    } catch (error) {
      if (!(error instanceof IioError)) throw error;
      head.writeInt32BE(-error.errno);
    }
    parts.push(head, text, Buffer.alloc(-text.length & 3));
  }
  return Buffer.concat(parts);
}

/** Texts to be written, null where one is to be left alone. IioError EINVAL where the bytes do not fit the attributes. */
export function unpackAttributes(bytes: Uint8Array, count: number): (string | null)[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts: (string | null)[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > data.length) throw new IioError('EINVAL');
    const length = data.readInt32BE(at);
    at += 4;
    if (length > data.length - at) throw new IioError('EINVAL');
    texts.push(length > 0 ? attributeText(data.subarray(at, at + length)) : null);
    if (length > 0) at += length + (-length & 3);
  }
  if (at !== data.length) throw new IioError('EINVAL');
  return texts;
}

/** What the kernel sees of a write: up to the first NUL. */
export function attributeText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
