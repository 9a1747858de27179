/** Networks and tables of a model set by what they do (the contract stands in docs/models.md). */
export const MODEL_ROLES = [
  'analysis',
  'synthesis',
  'synthesis-perceptual',
  'symbol-encoder',
  'symbol-decoder',
  'labels',
  'labels-vjp',
  'saliency',
  'corrector',
  'generator',
  'tables',
] as const;
export type ModelRole = (typeof MODEL_ROLES)[number];

/** An input or output of a network; a free dimension is given by its name. */
export interface TensorInfo {
  readonly name: string;
  readonly type: 'float32' | 'int32';
  readonly shape: readonly (number | string)[];
}

/** One file of a model set as models.json describes it. */
export interface ModelFileInfo {
  readonly name: string;
  readonly role: ModelRole;
  /** Relative to models.json, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** null for files that are not ONNX. */
  readonly opset: number | null;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly parameters: number;
  readonly data: string;
  readonly steps: number;
  readonly seed: number;
  readonly licence: string;
  readonly quality: Readonly<Record<string, number | string | null | readonly number[]>>;
  /** Path of the card relative to models.json; null where there is none. */
  readonly card: string | null;
}

export interface ModelSetInfo {
  readonly name: string;
  readonly version: number;
  /** First 8 hexadecimal digits of sha256: what the header of a burst carries. */
  readonly id: string;
  /** Over the sorted lines "name sha256\n" of the files. */
  readonly sha256: string;
  readonly channels: number;
  readonly files: readonly ModelFileInfo[];
}
