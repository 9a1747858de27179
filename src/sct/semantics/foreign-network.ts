import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { UsageError } from '../../common/errors.ts';
import { ModelError, TensorError } from './model-error.ts';
import { createSession, firstLine } from './onnx-session.ts';

/** Largest ONNX file taken from a user. */
export const MAX_FOREIGN_BYTES = 256 * 2 ** 20;

/** A tensor that goes into or comes out of a user's network. */
export interface ForeignTensor {
  readonly type: 'float32' | 'int64';
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** What a user's file must be. */
export interface ForeignNetworkOptions {
  readonly path: string;
  /** 64 hexadecimal digits; the file's own must be equal. */
  readonly sha256: string;
  /** Names that must be there; a name ending in ? may be missing. */
  readonly inputs: readonly string[];
  /** `one`: a single output of any name. */
  readonly outputs: readonly string[] | 'one';
  readonly threads?: number;
}

/**
 * `FILE:SHA256` as it stands on the command line.
 *
 * @throws UsageError when the hash is missing: a figure must name the network it was measured with
 */
export function parseNetworkName(flag: string, text: string): { path: string; sha256: string } {
  const match = /^(.+):([0-9a-fA-F]{64})$/.exec(text);
  if (!match) {
    throw new UsageError(
      `${flag}: "${text.slice(0, 200)}" is not FILE:SHA256`,
      'the sha256 of the ONNX file (sha256sum FILE) says which network measured',
    );
  }
  return { path: match[1], sha256: match[2].toLowerCase() };
}

/**
 * An ONNX file that a user supplies by path and sha256: bytes and hash are checked before anything is run, names before
 * the first run, every output for NaN and infinity.
 */
export class ForeignNetwork {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  private readonly session: InferenceSession;

  private constructor(session: InferenceSession, path: string, sha256: string, bytes: number) {
    this.session = session;
    this.path = path;
    this.sha256 = sha256;
    this.bytes = bytes;
  }

  /**
   * @throws UsageError when the hash is none or the file is not there or too large; ModelError when the bytes have
   *   another hash, are no ONNX model, or inputs and outputs are not those asked for
   */
  static async open(options: ForeignNetworkOptions): Promise<ForeignNetwork> {
    const { path, threads = 1 } = options;
    const expectedSha256 = options.sha256.toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(expectedSha256)) {
      throw new UsageError(`${path}: the sha256 "${options.sha256.slice(0, 80)}" is not 64 hexadecimal digits`);
    }
    const bytes = await readBounded(path);
    const actualSha256 = createHash('sha256').update(bytes).digest('hex');
    if (actualSha256 !== expectedSha256) {
      throw new ModelError({ file: path, expectedSha256, actualSha256 }, 'is not the file that was named');
    }
    const fault = { file: path, expectedSha256 };
    const session = await createSession(bytes, { threads }, fault);
    for (const [kind, asked, found] of [
      ['input', options.inputs, session.inputNames],
      ['output', options.outputs === 'one' ? session.outputNames.slice(0, 1) : options.outputs, session.outputNames],
    ] as const) {
      const names = asked.map((n) => n.replace('?', ''));
      const missing = asked.filter((n) => !n.endsWith('?') && !found.includes(n));
      const extra = found.filter((n) => !names.includes(n));
      if (missing.length + extra.length > 0) {
        await session.release();
        throw new ModelError(fault, `has ${kind}s ${found.join(', ')}: asked for ${asked.join(', ')}`);
      }
    }
    return new ForeignNetwork(session, path, actualSha256, bytes.length);
  }

  get inputNames(): readonly string[] {
    return this.session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.session.outputNames;
  }

  /**
   * Runs the network; inputs it does not have are left out.
   *
   * @returns the float32 outputs
   * @throws ModelError when the network refuses the shapes; TensorError when an output is no float32 or not finite
   */
  async run(inputs: Readonly<Record<string, ForeignTensor>>): Promise<Record<string, ForeignTensor>> {
    const fault = { file: this.path, expectedSha256: this.sha256 };
    const feeds: Record<string, Tensor> = {};
    for (const name of this.session.inputNames) {
      const { type, data, shape } = inputs[name];
      feeds[name] = new Tensor(type, data, shape);
    }
    let results: InferenceSession.ReturnType;
    try {
      results = await this.session.run(feeds);
    } catch (error) {
      const shapes = this.session.inputNames.map((n) => `${n} [${inputs[n].shape.join(', ')}]`).join(', ');
      throw new ModelError(fault, `fails on ${shapes}: ${firstLine(error)}`);
    }
    const out: Record<string, ForeignTensor> = {};
    for (const [name, value] of Object.entries(results)) {
      const tensor = value as Tensor;
      if (tensor.type !== 'float32') throw new TensorError(fault, name, `is ${tensor.type}, not float32`);
      const data = tensor.data as Float32Array;
      const bad = data.findIndex((v) => !Number.isFinite(v));
      if (bad >= 0) throw new TensorError(fault, name, `element ${bad} is ${data[bad]}, not a finite number`);
      out[name] = { type: 'float32', shape: tensor.dims.slice(), data };
    }
    return out;
  }

  close(): Promise<void> {
    return this.session.release();
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) throw new UsageError(`${path}: ${info ? 'is not a regular file' : 'no such file'}`);
  if (info.size === 0 || info.size > MAX_FOREIGN_BYTES) {
    throw new UsageError(`${path} has ${info.size} bytes: allowed 1 to ${MAX_FOREIGN_BYTES}`);
  }
  return readFile(path);
}
