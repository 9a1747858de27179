import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError } from '../../common/errors.ts';

/**
 * One description of a bit layout, from which encoder, decoder, bounds, fuzzer and documentation are made.
 *
 * A field is an unsigned integer, a list of integers whose length is given by the context (`subbands`) or by an
 * earlier field, or a list of records of the same kind. Either may depend on a 1-bit flag before it. Names of other fields below are of
 * earlier ones, or of values of the context.
 */
export interface UintField extends UintOptions {
  readonly kind: 'uint';
  readonly name: string;
  /** Bits, or with `width` the most. */
  readonly bits: number;
  readonly doc: string;
}
export interface UintOptions {
  readonly min?: number;
  readonly max?: number;
  /** Field with the number of bits really sent: columns of small numbers are narrow. */
  readonly width?: string;
  /** Field that is taken off before it is sent. */
  readonly base?: string;
  /** 1-bit field: sent only where it is 1 (`when`), or 0 (`unless`); else the value is `otherwise`. */
  readonly when?: string;
  readonly unless?: string;
  /** A number, or a field; default 0. */
  readonly otherwise?: number | string;
}
export interface ListField {
  readonly kind: 'list';
  readonly name: string;
  /** Name of the context value or earlier field that holds the number of elements. */
  readonly count: string;
  /** 1-bit field: the list is absent (decoded as null) where it is 0 (`when`), or 1 (`unless`). */
  readonly when?: string;
  readonly unless?: string;
  /**
   * The elements are the numbers 0 .. count - 1 in some order: element i is sent as how many smaller ones are still to come, in the
   * ceil(log2(count - i)) bits that this takes, so that nothing but a permutation can be said.
   */
  readonly permutation?: boolean;
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

export function uint(name: string, bits: number, doc: string, options: UintOptions = {}): UintField {
  return { kind: 'uint', name, bits, doc, ...options };
}
export function list(
  name: string,
  count: string,
  of: UintField | readonly UintField[],
  doc: string,
  options: Pick<ListField, 'when' | 'unless' | 'permutation'> = {},
): ListField {
  return { kind: 'list', name, count, of, doc, ...options };
}

function check(field: UintField, value: unknown, path: string): number {
  const max = field.max ?? 2 ** field.bits - 1;
  const min = field.min ?? 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new FormatError(path, `${String(value)} is outside ${min} to ${max}`);
  }
  return value;
}

/** What earlier fields and the context say. */
class Known {
  private readonly fields: Fields;
  private readonly context: Context;

  constructor(fields: Fields, context: Context) {
    this.fields = fields;
    this.context = context;
  }

  value(name: string, of: string): number {
    const value = this.fields[name] ?? this.context[name];
    if (typeof value !== 'number') throw new FormatError(of, `its ${name} is not known`);
    return value;
  }

  absent({ when, unless, name }: Pick<UintField, 'when' | 'unless' | 'name'>): boolean {
    return (
      (when !== undefined && this.value(when, name) === 0) || (unless !== undefined && this.value(unless, name) === 1)
    );
  }

  /** Bits in which a field is sent. */
  bits(field: UintField): number {
    if (this.absent(field)) return 0;
    return field.width === undefined ? field.bits : Math.min(field.bits, this.value(field.width, field.name));
  }

  base({ base, name }: UintField): number {
    return base === undefined ? 0 : this.value(base, name);
  }

  otherwise({ otherwise = 0, name }: UintField): number {
    return typeof otherwise === 'number' ? otherwise : this.value(otherwise, name);
  }
}

/** Packs the fields in schema order, most significant bit first; every value is checked against its range. */
export function encodeFields(schema: Schema, fields: Fields, context: Context = {}): Uint8Array {
  const writer = new BitWriter();
  const known = new Known(fields, context);
  const write = (field: UintField, value: unknown, path: string) => {
    if (known.absent(field)) return;
    const sent = check(field, value, path) - known.base(field);
    const bits = known.bits(field);
    if (sent < 0 || sent >= 2 ** bits) throw new FormatError(path, `${String(value)} does not fit in ${bits} bits`);
    writer.write(sent, bits);
  };
  for (const field of schema) {
    const value = fields[field.name];
    if (field.kind === 'uint') {
      write(field, value, field.name);
      continue;
    }
    if (known.absent(field)) continue;
    const count = known.value(field.count, field.name);
    if (!Array.isArray(value) || value.length !== count) {
      throw new FormatError(field.name, `needs exactly ${count} elements`);
    }
    if (field.permutation) {
      writePermutation(writer, field.name, value as number[]);
      continue;
    }
    for (let i = 0; i < count; i++) {
      if ('kind' in field.of) write(field.of, value[i], `${field.name}[${i}]`);
      else {
        const record = value[i] as RecordValue;
        for (const part of field.of) write(part, record[part.name], `${field.name}[${i}].${part.name}`);
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
  const known = new Known(out, context);
  const read = (field: UintField, path: string): number => {
    if (known.absent(field)) return known.otherwise(field);
    return check(field, known.base(field) + reader.read(known.bits(field), path), path);
  };
  for (const field of schema) {
    if (field.kind === 'uint') {
      out[field.name] = read(field, field.name);
      continue;
    }
    if (known.absent(field)) {
      out[field.name] = null;
      continue;
    }
    const count = known.value(field.count, field.name);
    const parts = 'kind' in field.of ? [field.of] : field.of;
    const width = field.permutation ? 0 : parts.reduce((sum, part) => sum + known.bits(part), 0);
    if (count * width > reader.remaining) {
      throw new FormatError(field.name, `${count} elements need ${count * width} bits, only ${reader.remaining} left`);
    }
    if (field.permutation) out[field.name] = readPermutation(reader, field.name, count);
    else if ('kind' in field.of) {
      const values: number[] = [];
      for (let i = 0; i < count; i++) values.push(read(field.of, `${field.name}[${i}]`));
      out[field.name] = values;
    } else {
      const records: RecordValue[] = [];
      for (let i = 0; i < count; i++) {
        const record: Record<string, number> = {};
        for (const part of field.of) record[part.name] = read(part, `${field.name}[${i}].${part.name}`);
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

/** ceil(log2(choices)) */
function bitsFor(choices: number): number {
  return 32 - Math.clz32(choices - 1);
}

/** Bits that a permutation of `count` numbers takes. */
export function permutationBits(count: number): number {
  let bits = 0;
  for (let left = count; left > 1; left--) bits += bitsFor(left);
  return bits;
}

function writePermutation(writer: BitWriter, name: string, values: readonly number[]): void {
  const left = Array.from(values.keys());
  for (const value of values) {
    const at = left.indexOf(value);
    if (at < 0) throw new FormatError(name, `is not a permutation of 0 to ${values.length - 1}`);
    if (left.length > 1) writer.write(at, bitsFor(left.length));
    left.splice(at, 1);
  }
}

function readPermutation(reader: BitReader, name: string, count: number): number[] {
  if (permutationBits(count) > reader.remaining) {
    throw new FormatError(name, `needs ${permutationBits(count)} bits, only ${reader.remaining} left`);
  }
  const left = Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => {
    const at = left.length > 1 ? reader.read(bitsFor(left.length), name) : 0;
    if (at >= left.length) throw new FormatError(`${name}[${i}]`, `is not a permutation of 0 to ${count - 1}`);
    return left.splice(at, 1)[0];
  });
}

/** The schema as a Markdown table, for docs/air-interface.md. */
export function schemaTable(schema: Schema): string {
  const rows = ['| field | bits | range | meaning |', '|---|---|---|---|'];
  const condition = ({ when, unless }: Pick<UintField, 'when' | 'unless'>) =>
    when ? ` if ${when} = 1` : unless ? ` if ${unless} = 0` : '';
  const row = (f: UintField, prefix = '') => {
    const less = f.base ? `, sent less ${f.base}` : '';
    const only = condition(f);
    const range = `${f.min ?? 0} to ${f.max ?? 2 ** f.bits - 1}${less}${only ? `;${only}, else ${f.otherwise ?? 0}` : ''}`;
    rows.push(`| ${prefix}${f.name} | ${f.width ?? f.bits} | ${range} | ${f.doc} |`);
  };
  for (const field of schema) {
    if (field.kind === 'uint') row(field);
    else {
      const bits = field.permutation ? 'as a permutation' : '';
      rows.push(`| ${field.name} | ${bits} | ${field.count} times${condition(field)} | ${field.doc} |`);
      for (const part of 'kind' in field.of ? [field.of] : field.of) {
        if (field.permutation) continue;
        row(part, '&nbsp;&nbsp;');
      }
    }
  }
  return rows.join('\n');
}
