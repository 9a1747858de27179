/** Writes small ONNX models for tests: protobuf by hand, the counterpart of src/sct/semantics/onnx-reader.ts. */

export interface TensorSpec {
  readonly name: string;
  readonly type: 'float32' | 'int32' | 'uint8';
  readonly shape: readonly (number | string)[];
}

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers or lists of integers. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** Stored as float16 is not needed here; `external` keeps the data in another file (which the reader must refuse). */
  readonly external?: boolean;
}

export interface ModelSpec {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly nodes: readonly NodeSpec[];
  readonly weights: readonly WeightSpec[];
  readonly opset?: number;
  readonly domain?: string;
}

const ELEMENT = { float32: 1, uint8: 2, int32: 6 } as const;

/** ModelProto as bytes. */
export function onnxModel(spec: ModelSpec): Uint8Array {
  const graph = join(
    ...spec.nodes.map((node) => bytes(1, nodeProto(node))),
    text(2, 'test'),
    ...spec.weights.map((weight) => bytes(5, tensorProto(weight))),
    ...spec.inputs.map((t) => bytes(11, valueInfo(t))),
    ...spec.outputs.map((t) => bytes(12, valueInfo(t))),
  );
  const opset = join(...(spec.domain ? [text(1, spec.domain)] : []), int(2, spec.opset ?? 13));
  return join(int(1, 7), bytes(7, graph), bytes(8, opset));
}

function nodeProto({ op, inputs, outputs, attributes = {} }: NodeSpec): Uint8Array {
  return join(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytes(
        5,
        typeof value === 'number'
          ? join(text(1, name), int(3, value), int(20, 2))
          : join(text(1, name), ...value.map((v) => int(8, v)), int(20, 7)),
      ),
    ),
  );
}

function tensorProto({ name, shape, data, external }: WeightSpec): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const where = join(text(1, 'location'), text(2, 'elsewhere.bin'));
  return join(
    ...shape.map((d) => int(1, d)),
    int(2, ELEMENT.float32),
    text(8, name),
    ...(external ? [bytes(13, where), int(14, 1)] : [bytes(9, raw)]),
  );
}

function valueInfo({ name, type, shape }: TensorSpec): Uint8Array {
  const dims = shape.map((d) => bytes(1, typeof d === 'number' ? int(1, d) : text(2, d)));
  const tensor = join(int(1, ELEMENT[type]), bytes(2, join(...dims)));
  return join(text(1, name), bytes(2, bytes(1, tensor)));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  for (let v = value; ; v = Math.floor(v / 128)) {
    if (v < 128) return Uint8Array.from([...out, v]);
    out.push((v % 128) + 128);
  }
}

const int = (field: number, value: number) => join(varint(field * 8), varint(value));
const bytes = (field: number, value: Uint8Array) => join(varint(field * 8 + 2), varint(value.length), value);
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value));
