import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError } from '../../common/errors.ts';

/**
 * One description of a bit layout, from which encoder, decoder, bounds, fuzzer and documentation are made.
 *
 * A field is an unsigned integer, a list of integers whose length is given by the context (`subbands`) or by an
 * earlier field, or a list of records of the same kind. A list may depend on a 1-bit flag before it.
 */
export interface UintField {
  readonly kind: 'uint';
  readonly name: string;
  readonly bits: number;
  readonly min?: number;
  readonly max?: number;
  readonly doc: string;
}
export interface ListField {
  readonly kind: 'list';
  readonly name: string;
  /** Name of the context value or earlier field that holds the number of elements. */
  readonly count: string;
  /** Name of an earlier 1-bit field; 0 means the list is absent (decoded as null). */
  readonly when?: string;
  readonly of: UintField | readonly UintField[];
  readonly doc: string;
}
export type Field = UintField | ListField;
export type Schema = readonly Field[];

type Scalar = number;
type RecordValue = Readonly<Record<string, number>>;
export type FieldValue = Scalar | readonly number[] | readonly RecordValue[] | null;
export type Fields = Readonly<Record<string, FieldValue>>;
export type Context = Readonly<Record<string, number>>;

export function uint(name: string, bits: number, doc: string, range: { min?: number; max?: number } = {}): UintField {
  return { kind: 'uint', name, bits, doc, ...range };
}
export function list(
  name: string,
  count: string,
  of: UintField | readonly UintField[],
  doc: string,
  when?: string,
): ListField {
  return { kind: 'list', name, count, of, doc, ...(when ? { when } : {}) };
}

function check(field: UintField, value: unknown, path: string): number {
  const max = field.max ?? 2 ** field.bits - 1;
  const min = field.min ?? 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new FormatError(path, `${String(value)} is outside ${min} to ${max}`);
  }
  return value;
}

/** Packs the fields in schema order, most significant bit first; every value is checked against its range. */
export function encodeFields(schema: Schema, fields: Fields, context: Context = {}): Uint8Array {
  const writer = new BitWriter();
  for (const field of schema) {
    const value = fields[field.name];
    if (field.kind === 'uint') {
      writer.write(check(field, value, field.name), field.bits);
      continue;
    }
    if (field.when && fields[field.when] === 0) continue;
    const count = countOf(field, fields, context);
    if (!Array.isArray(value) || value.length !== count) {
      throw new FormatError(field.name, `needs exactly ${count} elements`);
    }
    for (let i = 0; i < count; i++) {
      if ('kind' in field.of) writer.write(check(field.of, value[i], `${field.name}[${i}]`), field.of.bits);
      else
        for (const part of field.of) {
          const record = value[i] as RecordValue;
          writer.write(check(part, record[part.name], `${field.name}[${i}].${part.name}`), part.bits);
        }
    }
  }
  return writer.finish();
}

/**
 * Unpacks and checks fields from untrusted bytes; bits after the last field must be zero padding. Lists are bounded
 * by the bits that are left before anything is allocated. Throws FormatError naming the field.
 */
export function decodeFields(schema: Schema, bytes: Uint8Array, context: Context = {}): Fields {
  const reader = new BitReader(bytes);
  const out: Record<string, FieldValue> = {};
  for (const field of schema) {
    if (field.kind === 'uint') {
      out[field.name] = check(field, reader.read(field.bits, field.name), field.name);
      continue;
    }
    if (field.when && out[field.when] === 0) {
      out[field.name] = null;
      continue;
    }
    const count = countOf(field, out, context);
    const width = 'kind' in field.of ? field.of.bits : field.of.reduce((sum, part) => sum + part.bits, 0);
    if (count * width > reader.remaining) {
      throw new FormatError(field.name, `${count} elements need ${count * width} bits, only ${reader.remaining} left`);
    }
    if ('kind' in field.of) {
      const values: number[] = [];
      for (let i = 0; i < count; i++) values.push(check(field.of, reader.read(width), `${field.name}[${i}]`));
      out[field.name] = values;
    } else {
      const records: RecordValue[] = [];
      for (let i = 0; i < count; i++) {
        const record: Record<string, number> = {};
        for (const part of field.of) {
          record[part.name] = check(part, reader.read(part.bits), `${field.name}[${i}].${part.name}`);
        }
        records.push(record);
      }
      out[field.name] = records;
    }
  }
  while (reader.remaining > 0) {
    if (reader.read(Math.min(8, reader.remaining)) !== 0) throw new FormatError('padding', 'must be zero');
  }
  return out;
}

function countOf(field: ListField, fields: Fields, context: Context): number {
  const count = fields[field.count] ?? context[field.count];
  if (typeof count !== 'number') throw new FormatError(field.name, `its length ${field.count} is not known`);
  return count;
}

/** The schema as a Markdown table, for docs/air-interface.md. */
export function schemaTable(schema: Schema): string {
  const rows = ['| field | bits | range | meaning |', '|---|---|---|---|'];
  const row = (f: UintField, prefix = '') =>
    rows.push(`| ${prefix}${f.name} | ${f.bits} | ${f.min ?? 0} to ${f.max ?? 2 ** f.bits - 1} | ${f.doc} |`);
  for (const field of schema) {
    if (field.kind === 'uint') row(field);
    else {
      const times = field.when ? `${field.count} times if ${field.when} = 1` : `${field.count} times`;
      rows.push(`| ${field.name} | | ${times} | ${field.doc} |`);
      for (const part of 'kind' in field.of ? [field.of] : field.of) row(part, '&nbsp;&nbsp;');
    }
  }
  return rows.join('\n');
}
