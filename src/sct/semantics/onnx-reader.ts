import { FormatError } from '../../common/errors.ts';

/** What is read from an ONNX file without running it. */
export interface OnnxFacts {
  /** Version of the standard operators. */
  readonly opset: number;
  /** Name of the first weight that holds a NaN or infinity; null when all are finite. */
  readonly nonFinite: string | null;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const FLOAT = 1;
const FLOAT16 = 10;
const MAX_NAME_BYTES = 1024;

/** One field of a protobuf message: a number, or the range [start, end) of its bytes. */
interface Field {
  readonly number: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Operator set and weights of an ONNX model, straight from its protobuf: ModelProto.opset_import (8), .graph (7),
 * GraphProto.initializer (5), TensorProto.data_type (2), .float_data (4), .name (8), .raw_data (9), .data_location (14).
 * Nothing is allocated by lengths in the file; every range is checked against the range around it.
 *
 * @param besides a domain of operators that is allowed beside the standard one
 * @throws FormatError when the bytes are no ONNX model, ask for other operators, or keep weights in other files
 */
export function readOnnx(bytes: Uint8Array, besides?: string): OnnxFacts {
  let opset = 0;
  let graphs = 0;
  let nonFinite: string | null = null;
  for (const field of fields(bytes, 0, bytes.length)) {
    if (field.number === 8) {
      const { domain, version } = operatorSet(bytes, field);
      if (domain !== '' && domain === besides) continue;
      if (domain !== '' && domain !== 'ai.onnx') throw new FormatError('opset_import', `unknown operators "${domain}"`);
      opset = version;
    } else if (field.number === 7) {
      graphs++;
      for (const inner of fields(bytes, field.start, field.end)) {
        if (inner.number === 5) nonFinite = badWeight(bytes, inner) ?? nonFinite;
      }
    }
  }
  if (graphs !== 1) throw new FormatError('graph', `${graphs} graphs instead of one`);
  if (!Number.isInteger(opset) || opset < 1)
    throw new FormatError('opset_import', 'no version of the standard operators');
  return { opset, nonFinite };
}

function operatorSet(bytes: Uint8Array, { start, end }: Field): { domain: string; version: number } {
  let domain = '';
  let version = 0;
  for (const field of fields(bytes, start, end)) {
    if (field.number === 1) domain = text(bytes, field);
    if (field.number === 2) version = field.value;
  }
  return { domain, version };
}

/** Name of a weight with a NaN or infinity in it, else null. */
function badWeight(bytes: Uint8Array, { start, end }: Field): string | null {
  let type = 0;
  let name = '(no name)';
  const data: Field[] = [];
  for (const field of fields(bytes, start, end)) {
    if (field.number === 2) type = field.value;
    else if (field.number === 8) name = text(bytes, field);
    else if (field.number === 4 || field.number === 9) data.push(field);
    else if (field.number === 14 && field.value !== 0)
      throw new FormatError('data_location', 'weights in another file');
    else if (field.number === 13) throw new FormatError('external_data', 'weights in another file');
  }
  const bad = data.some((field) =>
    type === FLOAT ? !finiteFloats(bytes, field) : type === FLOAT16 ? !finiteHalves(bytes, field) : false,
  );
  return bad ? name : null;
}

/** Little-endian float32: all bits of the exponent set means infinity or NaN. */
function finiteFloats(bytes: Uint8Array, { start, end }: Field): boolean {
  for (let i = start + 3; i < end; i += 4) if ((bytes[i] & 0x7f) === 0x7f && bytes[i - 1] >= 0x80) return false;
  return true;
}

/** Little-endian float16, likewise. */
function finiteHalves(bytes: Uint8Array, { start, end }: Field): boolean {
  for (let i = start + 1; i < end; i += 2) if ((bytes[i] & 0x7c) === 0x7c) return false;
  return true;
}

function text(bytes: Uint8Array, { start, end }: Field): string {
  if (end - start > MAX_NAME_BYTES) throw new FormatError('name', `longer than ${MAX_NAME_BYTES} bytes`);
  return new TextDecoder().decode(bytes.subarray(start, end));
}

/** Fields of the message in [start, end), in order. */
function* fields(bytes: Uint8Array, start: number, end: number): Generator<Field> {
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let i = 0, scale = 1; i < 10 && at < end; i++, scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new FormatError('protobuf', `a number is cut off at byte ${at}`);
  };
  while (at < end) {
    const key = varint();
    const wire = key % 8;
    const number = Math.floor(key / 8);
    let value = 0;
    let length = 0;
    if (wire === VARINT) value = varint();
    else if (wire === BYTES) length = varint();
    else if (wire === FIXED64) length = 8;
    else if (wire === FIXED32) length = 4;
    else throw new FormatError('protobuf', `unknown wire type ${wire} at byte ${at}`);
    if (length > end - at) throw new FormatError('protobuf', `a field of ${length} bytes is cut off at byte ${at}`);
    yield { number, value, start: at, end: at + length };
    at += length;
  }
}
