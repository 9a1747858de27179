import { FormatError } from '../../common/errors.ts';

/** A NumPy array read from a .npy file, C order. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

type Reader = (view: DataView, at: number) => number;

const READERS: Record<string, [number, Reader]> = {
  u1: [1, (v, at) => v.getUint8(at)],
  i1: [1, (v, at) => v.getInt8(at)],
  b1: [1, (v, at) => v.getUint8(at)],
  u2: [2, (v, at) => v.getUint16(at, true)],
  i2: [2, (v, at) => v.getInt16(at, true)],
  u4: [4, (v, at) => v.getUint32(at, true)],
  i4: [4, (v, at) => v.getInt32(at, true)],
  i8: [8, (v, at) => Number(v.getBigInt64(at, true))],
  u8: [8, (v, at) => Number(v.getBigUint64(at, true))],
  f4: [4, (v, at) => v.getFloat32(at, true)],
  f8: [8, (v, at) => v.getFloat64(at, true)],
};

/**
 * Parses a .npy file of format version 1, 2 or 3 (NumPy Enhancement Proposal 1): little-endian or byte-sized numbers, at
 * most two dimensions. Anything else is a FormatError naming `name` and the field.
 */
export function parseNpy(name: string, bytes: Uint8Array): NpyArray {
  const field = (what: string) => `${name} ${what}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || bytes[0] !== 0x93 || Buffer.from(bytes.subarray(1, 6)).toString('latin1') !== 'NUMPY') {
    throw new FormatError(field('magic'), 'is not a .npy file');
  }
  const major = bytes[6];
  if (major < 1 || major > 3) throw new FormatError(field('version'), `${major} is not known: allowed 1 to 3`);
  const start = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) throw new FormatError(field('header'), `of ${length} bytes is cut off`);
  const header = Buffer.from(bytes.subarray(start, start + length)).toString('latin1');
  const type = /'descr':\s*'([<|=])([a-z]\d)'/.exec(header)?.[2] ?? '';
  const reader = READERS[type];
  if (!reader)
    throw new FormatError(field('descr'), `is not a little-endian number type: ${header.slice(0, 80).trim()}`);
  const fortran = /'fortran_order':\s*True/.test(header);
  const shapeText = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (shapeText === undefined) throw new FormatError(field('shape'), 'is missing');
  const shape = shapeText
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
    .map(Number);
  if (shape.length < 1 || shape.length > 2) throw new FormatError(field('shape'), `(${shapeText}) has not 1 or 2 axes`);
  const count = shape.reduce((product, n) => product * n, 1);
  const [size, read] = reader;
  const data = start + length;
  if (!Number.isSafeInteger(count) || count * size !== bytes.length - data) {
    throw new FormatError(
      field('shape'),
      `(${shapeText}) of ${size}-byte numbers does not match ${bytes.length - data} bytes`,
    );
  }
  const values = new Float64Array(count);
  const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]];
  for (let i = 0; i < count; i++) {
    const to = fortran ? (i % rows) * columns + Math.floor(i / rows) : i;
    values[to] = read(view, data + i * size);
  }
  return { shape, values };
}
