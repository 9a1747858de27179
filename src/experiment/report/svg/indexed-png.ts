import { deflateSync } from 'node:zlib';

/**
 * PNG with a palette (colour type 3, 8 bit) for heat maps and waterfalls: a third of the size of RGB, and no image
 * library is needed. [PNG3] = W3C PNG specification, third edition.
 */
export interface IndexedImage {
  readonly width: number;
  readonly height: number;
  /** [row][column], index into the palette. */
  readonly indices: Uint8Array;
  /** [entry][r, g, b, a], at most 256 entries. */
  readonly palette: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function encodeIndexedPng(image: IndexedImage): Buffer {
  const { width, height, indices, palette } = image;
  const entries = palette.length / 4;
  if (!(Number.isInteger(entries) && entries >= 1 && entries <= 256))
    throw new RangeError('palette of 1 to 256 entries');
  if (!(width > 0 && height > 0 && indices.length === width * height))
    throw new RangeError('indices do not fit the size');
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.alloc(3 * entries);
  const alphas = Buffer.alloc(entries);
  for (let i = 0; i < entries; i++) {
    colours.set(palette.subarray(4 * i, 4 * i + 3), 3 * i);
    alphas[i] = palette[4 * i + 3];
  }
  const rows = Buffer.alloc((width + 1) * height); // each row begins with filter type 0
  for (let y = 0; y < height; y++) rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const chunks = [chunk('IHDR', header), chunk('PLTE', colours)];
  if (alphas.some((a) => a !== 255)) chunks.push(chunk('tRNS', alphas));
  return Buffer.concat([
    SIGNATURE,
    ...chunks,
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

const TABLE = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  TABLE[n] = c;
}

/** CRC-32 of PNG and zlib (ISO 3309, reflected). Node 20's zlib has none. */
export function crc32(data: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < data.length; i++) c = TABLE[(c ^ data[i]) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** `data:` URI of an encoded picture; the type is told from its first bytes (PNG, JPEG, WebP). */
export function pictureDataUri(encoded: Uint8Array): string {
  const b = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const type =
    b[0] === 0x89
      ? 'image/png'
      : b[0] === 0xff
        ? 'image/jpeg'
        : b.toString('latin1', 8, 12) === 'WEBP'
          ? 'image/webp'
          : '';
  if (!type) throw new TypeError('neither PNG, JPEG nor WebP');
  return `data:${type};base64,${b.toString('base64')}`;
}

/** The URI itself when it is a base64 picture and nothing else, ready for an attribute; else a TypeError. */
export function checkedPictureUri(uri: string): string {
  if (!/^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]*={0,2}$/.test(uri))
    throw new TypeError('not a picture data URI');
  return uri;
}
