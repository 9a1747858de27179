import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { FormatError } from '../../common/errors.ts';
import { contractOf, describeTensor, type NetworkContract, type NetworkRole, OPSET } from './model-contract.ts';
import { ModelError, type ModelFault, TensorError } from './model-error.ts';
import type { ModelFileInfo, TensorInfo } from './model-set.ts';
import { readOnnx } from './onnx-reader.ts';
import { createSession, firstLine, type SessionOptions } from './onnx-session.ts';

/** Numbers for one input of a network: the whole tensor in C order. */
export type TensorData = Float32Array | Int32Array;
/** Lengths of the free dimensions of a run: H, W, h, w, h4, w4. */
export type Lengths = Readonly<Record<string, number>>;

/**
 * One network: made from bytes whose hash has been checked, its operator set, weights, inputs and outputs compared with
 * the contract of its role, every tensor of every run checked for length and for NaN and infinity.
 */
export class NetworkSession {
  readonly role: NetworkRole;
  private readonly contract: NetworkContract;
  private readonly fault: ModelFault;
  private readonly session: InferenceSession;

  private constructor(role: NetworkRole, contract: NetworkContract, fault: ModelFault, session: InferenceSession) {
    this.role = role;
    this.contract = contract;
    this.fault = fault;
    this.session = session;
  }

  /**
   * @param bytes the file, as readModelFile gives it
   * @param how threads of a run; whether memory is kept between runs
   * @throws ModelError naming the file, its hash and what differs from the contract
   */
  static async create(
    info: ModelFileInfo,
    role: NetworkRole,
    channels: number,
    bytes: Uint8Array,
    how: SessionOptions,
  ): Promise<NetworkSession> {
    const fault = { file: info.path, expectedSha256: info.sha256 };
    const contract = contractOf(role, channels);
    checkBytes(info, bytes, fault);
    compare(info.inputs, contract.inputs, 'models.json: input', fault);
    compare(info.outputs, contract.outputs, 'models.json: output', fault);
    const session = await createSession(bytes, how, fault);
    compare(tensorInfos(session.inputMetadata), contract.inputs, 'input', fault);
    compare(tensorInfos(session.outputMetadata), contract.outputs, 'output', fault);
    return new NetworkSession(role, contract, fault, session);
  }

  /**
   * Runs the network.
   *
   * @param feeds a whole tensor for every input of the contract
   * @param lengths of the free dimensions
   * @param into where outputs are to be written, by name; others get memory of their own
   * @returns a tensor for every output of the contract
   * @throws TensorError naming network and tensor when a length is wrong or a number is NaN or infinite; ModelError when
   *   the network breaks off
   */
  async run(
    feeds: Readonly<Record<string, TensorData>>,
    lengths: Lengths,
    into: Readonly<Record<string, Float32Array>> = {},
  ): Promise<Record<string, Float32Array>> {
    const tensors: Record<string, Tensor> = {};
    for (const info of this.contract.inputs) {
      const data = feeds[info.name];
      const dims = sizes(info, lengths);
      const kind = data instanceof Int32Array ? 'int32' : 'float32';
      if (!data || kind !== info.type) throw new TensorError(this.fault, info.name, `must be ${describeTensor(info)}`);
      this.check(info, data, dims, data.length);
      tensors[info.name] = new Tensor(info.type, data, dims);
    }
    const fetches: Record<string, Tensor | null> = {};
    for (const info of this.contract.outputs) {
      const own = into[info.name];
      fetches[info.name] = own ? new Tensor('float32', own, sizes(info, lengths)) : null;
    }
    const results = await this.session.run(tensors, fetches).catch((error: unknown) => {
      throw new ModelError(this.fault, `cannot be run (${firstLine(error)})`);
    });
    const out: Record<string, Float32Array> = {};
    for (const info of this.contract.outputs) {
      const { data, dims } = results[info.name];
      const want = sizes(info, lengths);
      if (!(data instanceof Float32Array) || dims.join() !== want.join()) {
        throw new TensorError(this.fault, info.name, `came out as [${dims}] instead of [${want}]`);
      }
      this.check(info, data, want, data.length);
      out[info.name] = data;
    }
    return out;
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private check(info: TensorInfo, data: TensorData, dims: readonly number[], length: number): void {
    const want = dims.reduce((product, d) => product * d, 1);
    if (length !== want) throw new TensorError(this.fault, info.name, `has ${length} numbers, [${dims}] needs ${want}`);
    if (data instanceof Int32Array) return;
    const bad = firstNonFinite(data);
    if (bad >= 0) throw new TensorError(this.fault, info.name, `is ${data[bad]} at index ${bad} of [${dims}]`);
  }
}

/**
 * Index of the first NaN or infinity, -1 when all are finite. Either has an exponent of all ones: one more in its lowest bit then
 * reaches the sign. Whole numbers, for sums of floats wait for one another.
 */
export function firstNonFinite(data: Float32Array): number {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  let any = 0;
  for (let i = 0; i < bits.length; i++) any |= ((bits[i] & 0x7fffffff) + 0x00800000) | 0;
  return any >= 0 ? -1 : data.findIndex((v) => !Number.isFinite(v));
}

function checkBytes(info: ModelFileInfo, bytes: Uint8Array, fault: ModelFault): void {
  try {
    const { opset, nonFinite } = readOnnx(bytes);
    if (opset !== OPSET || info.opset !== OPSET) {
      const said = info.opset === opset ? '' : `, models.json says ${info.opset}`;
      throw new ModelError(fault, `has operator set ${opset}${said}; the contract is ${OPSET}`);
    }
    if (nonFinite !== null) throw new ModelError(fault, `weight ${nonFinite.slice(0, 80)} has a NaN or infinity`);
  } catch (error) {
    if (error instanceof FormatError) throw new ModelError(fault, `is no ONNX file (${error.message})`);
    throw error;
  }
}

function tensorInfos(metadata: InferenceSession['inputMetadata']): TensorInfo[] {
  return metadata.map((m) => {
    if (!m.isTensor) return { name: m.name, type: 'float32', shape: ['?'] };
    const type = m.type === 'float32' || m.type === 'int32' ? m.type : 'float32';
    return { name: m.name, type, shape: type === m.type ? m.shape : [m.type] };
  });
}

/** The same names in the same order, types and shapes: fixed lengths as numbers, free ones under the contract's names. */
function compare(found: readonly TensorInfo[], want: readonly TensorInfo[], what: string, fault: ModelFault): void {
  const text = (list: readonly TensorInfo[]) => list.map(describeTensor).join(', ');
  if (text(found) !== text(want)) {
    throw new ModelError(fault, `${what}s are ${text(found).slice(0, 300)}; the contract is ${text(want)}`);
  }
}

function sizes({ shape }: TensorInfo, lengths: Lengths): number[] {
  return shape.map((d) => (typeof d === 'number' ? d : lengths[d]));
}
