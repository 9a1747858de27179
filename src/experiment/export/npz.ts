import { type Column, rowsOf, type Table } from './table.ts';
import { zipStored } from './zip.ts';

const DESCRIPTORS = { f8: '<f8', f4: '<f4', i4: '<i4', u1: '|u1', c8: '<c8' } as const;

/**
 * The tables as one .npz, arrays named TABLE_COLUMN; numpy.load opens it without pickle.
 * Source: NumPy Enhancement Proposal 1 (format 1.0), PKWARE APPNOTE 6.3 (stored entries).
 */
export function npzBytes(tables: readonly Table[]): Uint8Array {
  const files = tables.flatMap((table) =>
    Object.entries(table.columns).map(([name, column]) => ({
      name: `${table.name}_${name}.npy`,
      bytes: npyBytes(column),
    })),
  );
  return zipStored(files);
}

/** One array as .npy. Text becomes fixed-width UTF-32, as wide as the longest value. */
export function npyBytes(column: Column): Uint8Array {
  const wide = column.kind === 'text' ? Math.max(1, ...column.values.map((v) => [...v].length)) : 0;
  const descriptor = column.kind === 'text' ? `<U${wide}` : DESCRIPTORS[column.kind];
  const shape = column.kind === 'text' ? [rowsOf(column)] : column.shape;
  const shapeText = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${descriptor}', 'fortran_order': False, 'shape': (${shapeText}), }`;
  const padded = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const header = Buffer.alloc(padded, ' ');
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(padded - 10, 8);
  header.write(dictionary, 10, 'latin1');
  header.write('\n', padded - 1, 'latin1');
  return Buffer.concat([header, column.kind === 'text' ? utf32(column.values, wide) : bytesOf(column.data)]);
}

function bytesOf(data: Float64Array | Float32Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function utf32(values: readonly string[], wide: number): Uint8Array {
  const out = new Uint32Array(values.length * wide);
  values.forEach((value, row) => {
    [...value].forEach((letter, i) => {
      out[row * wide + i] = letter.codePointAt(0)!;
    });
  });
  return new Uint8Array(out.buffer);
}
