/** Numbers of one kind, in C order. Complex ones are interleaved [...][re, im]. */
export interface NumberColumn {
  readonly kind: 'f8' | 'f4' | 'i4' | 'u1' | 'c8';
  /** Without the re, im axis. */
  readonly shape: readonly number[];
  readonly data: Float64Array | Float32Array | Int32Array | Uint8Array;
}

export interface TextColumn {
  readonly kind: 'text';
  readonly values: readonly string[];
}

export type Column = NumberColumn | TextColumn;

/** Columns of equal first length, by name (lower case, underscores). */
export interface Table {
  readonly name: string;
  readonly about: string;
  readonly columns: Readonly<Record<string, Column>>;
}

/** Rows of a column. */
export function rowsOf(column: Column): number {
  return column.kind === 'text' ? column.values.length : column.shape[0];
}

export function f8(values: ArrayLike<number>): NumberColumn {
  return { kind: 'f8', shape: [values.length], data: Float64Array.from(values) };
}

export function i4(values: ArrayLike<number>): NumberColumn {
  return { kind: 'i4', shape: [values.length], data: Int32Array.from(values) };
}

export function f4(data: Float32Array, shape: readonly number[] = [data.length]): NumberColumn {
  return { kind: 'f4', shape, data };
}

export function c8(reIm: Float32Array, shape: readonly number[] = [reIm.length / 2]): NumberColumn {
  return { kind: 'c8', shape, data: reIm };
}

export function text(values: readonly string[]): TextColumn {
  return { kind: 'text', values };
}
