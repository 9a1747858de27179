import { UsageError } from '../../common/errors.ts';
import type { Column, NumberColumn, Table, TextColumn } from './table.ts';

/** Data types and array classes. Source: MathWorks, MAT-File Format (level 5). */
const MI = { int8: 1, uint8: 2, uint16: 4, int32: 5, uint32: 6, single: 7, double: 9, matrix: 14 } as const;
const MX = { char: 4, double: 6, single: 7, uint8: 9, int32: 12 } as const;
const COMPLEX = 0x0800;
const MAX_ELEMENT_BYTES = 2 ** 31 - 1;

/**
 * The tables as a level 5 MAT-file (what `save -v6` writes), variables named TABLE_COLUMN. One-dimensional columns
 * become N x 1, text an N x width character matrix padded with blanks.
 */
export function matBytes(tables: readonly Table[], description: string): Uint8Array {
  const header = Buffer.alloc(128, ' ');
  header.write(`MATLAB 5.0 MAT-file, ${description}`.slice(0, 116), 0, 'latin1');
  header.fill(0, 116, 124);
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126, 'latin1');
  const variables = tables.flatMap((table) =>
    Object.entries(table.columns).map(([name, column]) => matrix(`${table.name}_${name}`, column)),
  );
  return Buffer.concat([header, ...variables]);
}

function matrix(name: string, column: Column): Uint8Array {
  // Level 5 readers keep 31 letters of a name (63 in newer ones).
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new Error(`bad variable name ${name}`);
  const parts = column.kind === 'text' ? textParts(name, column) : numberParts(name, column);
  return element(MI.matrix, Buffer.concat(parts));
}

function numberParts(name: string, column: NumberColumn): Uint8Array[] {
  const dimensions = column.shape.length === 1 ? [column.shape[0], 1] : [...column.shape];
  const isComplex = column.kind === 'c8';
  const [mx, mi] = {
    f8: [MX.double, MI.double],
    f4: [MX.single, MI.single],
    i4: [MX.int32, MI.int32],
    u1: [MX.uint8, MI.uint8],
    c8: [MX.single, MI.single],
  }[column.kind] as [number, number];
  const parts = [
    flags(mx | (isComplex ? COMPLEX : 0)),
    dims(dimensions),
    element(MI.int8, Buffer.from(name, 'latin1')),
  ];
  const stride = isComplex ? 2 : 1;
  for (let part = 0; part < stride; part++) parts.push(element(mi, columnMajor(column, dimensions, stride, part)));
  return parts;
}

/** Values of one part (real or imaginary) in Fortran order. */
function columnMajor(column: NumberColumn, dimensions: readonly number[], stride: number, part: number): Uint8Array {
  const { data } = column;
  const count = data.length / stride;
  const Kind = data.constructor as new (length: number) => typeof data;
  const out = new Kind(count);
  const [rows, columns] = [dimensions[0], dimensions.length > 1 ? count / Math.max(1, dimensions[0]) : 1];
  if (dimensions.length > 2) throw new Error('more than two axes');
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = data[(r * columns + c) * stride + part];
  }
  return new Uint8Array(out.buffer);
}

function textParts(name: string, column: TextColumn): Uint8Array[] {
  // What level 5 readers make of 16-bit letters beyond ASCII differs.
  if (column.values.some((v) => /[^\x20-\x7e]/.test(v))) throw new Error(`text in ${name} is not ASCII`);
  const rows = column.values.length;
  const wide = Math.max(1, ...column.values.map((v) => v.length));
  const letters = new Uint16Array(rows * wide).fill(0x20);
  column.values.forEach((value, r) => {
    for (let i = 0; i < value.length; i++) letters[i * rows + r] = value.charCodeAt(i);
  });
  return [
    flags(MX.char),
    dims([rows, wide]),
    element(MI.int8, Buffer.from(name, 'latin1')),
    element(MI.uint16, new Uint8Array(letters.buffer)),
  ];
}

function flags(value: number): Uint8Array {
  const body = Buffer.alloc(8);
  body.writeUInt32LE(value, 0);
  return element(MI.uint32, body);
}

function dims(dimensions: readonly number[]): Uint8Array {
  const body = Buffer.alloc(4 * dimensions.length);
  dimensions.forEach((d, i) => void body.writeInt32LE(d, 4 * i));
  return element(MI.int32, body);
}

/** Tag, data, padding to a multiple of 8 bytes. */
function element(type: number, body: Uint8Array): Uint8Array {
  if (body.length > MAX_ELEMENT_BYTES)
    throw new UsageError('the export is too large for a MAT-file (2 GiB a variable)');
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(body.length, 4);
  return Buffer.concat([tag, body, Buffer.alloc((8 - (body.length % 8)) % 8)]);
}
