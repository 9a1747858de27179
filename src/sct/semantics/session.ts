import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { FormatError } from '../../common/errors.ts';
import {
  contractOf,
  describeTensor,
  type NetworkContract,
  type NetworkForm,
  type NetworkRole,
  OPSET,
  RUNTIME_OPERATORS,
} from './model-contract.ts';
import { ModelError, type ModelFault, TensorError } from './model-error.ts';
import type { ModelFileInfo, TensorInfo } from './model-set.ts';
import { readOnnx } from './onnx-reader.ts';
import { createSession, firstLine, type SessionOptions } from './onnx-session.ts';

/** Numbers for one input of a network: the whole tensor in C order. */
export type TensorData = Float32Array | Int32Array | Uint8Array;
/** Lengths of the free dimensions of a run: H, W, h, w, h4, w4. */
export type Lengths = Readonly<Record<string, number>>;

/** What networks gave, its numbers checked: not checked again where it goes into the next one. */
const sound = new WeakSet<TensorData>();

/**
 * One network: made from bytes whose hash has been checked, its operator set, weights, inputs and outputs compared with
 * the contract of its role, every tensor of every run checked for length, and for NaN and infinity unless a network gave it.
 */
export class NetworkSession {
  readonly role: NetworkRole;
  readonly form: NetworkForm;
  readonly contract: NetworkContract;
  private readonly fault: ModelFault;
  private readonly session: InferenceSession;

  private constructor(
    role: NetworkRole,
    form: NetworkForm,
    contract: NetworkContract,
    fault: ModelFault,
    session: InferenceSession,
  ) {
    this.role = role;
    this.form = form;
    this.contract = contract;
    this.fault = fault;
    this.session = session;
  }

  /**
   * @param bytes the file, as readModelFile gives it
   * @param how threads of a run; whether memory is kept between runs
   * @param form `cells` for the set's 8-bit files; models.json does not describe their tensors
   * @throws ModelError naming the file, its hash and what differs from the contract
   */
  static async create(
    info: ModelFileInfo,
    role: NetworkRole,
    channels: number,
    bytes: Uint8Array,
    how: SessionOptions,
    form: NetworkForm = 'planes',
  ): Promise<NetworkSession> {
    const { fault, contract } = checkNetwork(info, role, channels, bytes, form);
    const session = await createSession(bytes, { ...how, quantised: form === 'cells' }, fault);
    compare(tensorInfos(session.inputMetadata), contract.inputs, 'input', fault);
    compare(tensorInfos(session.outputMetadata), contract.outputs, 'output', fault);
    return new NetworkSession(role, form, contract, fault, session);
  }

  /**
   * Runs the network.
   *
   * @param feeds a whole tensor for every input of the contract
   * @param lengths of the free dimensions
   * @returns a tensor for every output of the contract, floats or bytes as it says
   * @throws TensorError naming network and tensor when a length is wrong or a number is NaN or infinite; ModelError when
   *   the network breaks off
   */
  async run<T extends TensorData = Float32Array>(
    feeds: Readonly<Record<string, TensorData>>,
    lengths: Lengths,
  ): Promise<Record<string, T>> {
    const tensors: Record<string, Tensor> = {};
    for (const info of this.contract.inputs) {
      const data = feeds[info.name];
      const dims = sizes(info, lengths);
      if (!data || kindOf(data) !== info.type)
        throw new TensorError(this.fault, info.name, `must be ${describeTensor(info)}`);
      this.check(info, data, dims, data.length);
      tensors[info.name] = new Tensor(info.type, data, dims);
    }
    // Without memory of ours for the results: the runtime's binding copies them into memory of its own in any case.
    const results = await this.session.run(tensors).catch((error: unknown) => {
      throw new ModelError(this.fault, `cannot be run (${firstLine(error)})`);
    });
    const out: Record<string, T> = {};
    for (const info of this.contract.outputs) {
      const { data, dims } = results[info.name];
      const want = sizes(info, lengths);
      if (kindOf(data) !== info.type || dims.join() !== want.join()) {
        throw new TensorError(this.fault, info.name, `came out as [${dims}] instead of [${want}]`);
      }
      this.check(info, data as T, want, data.length);
      sound.add(data as T);
      out[info.name] = data as T;
    }
    return out;
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private check(info: TensorInfo, data: TensorData, dims: readonly number[], length: number): void {
    const want = dims.reduce((product, d) => product * d, 1);
    if (length !== want) throw new TensorError(this.fault, info.name, `has ${length} numbers, [${dims}] needs ${want}`);
    if (!(data instanceof Float32Array) || sound.has(data)) return;
    const bad = firstNonFinite(data);
    if (bad >= 0) throw new TensorError(this.fault, info.name, `is ${data[bad]} at index ${bad} of [${dims}]`);
  }
}

/**
 * What can be told of a network without running it or giving it to the runtime: that it is an ONNX file of the operator set, its weights
 * are numbers, and models.json describes it as the contract of its role does.
 *
 * @throws ModelError naming the file, its hash and what differs
 */
export function checkNetwork(
  info: ModelFileInfo,
  role: NetworkRole,
  channels: number,
  bytes: Uint8Array,
  form: NetworkForm = 'planes',
): { readonly fault: ModelFault; readonly contract: NetworkContract } {
  const fault = { file: info.path, expectedSha256: info.sha256 };
  const contract = contractOf(role, channels, form);
  checkBytes(info, bytes, fault, form === 'cells' ? RUNTIME_OPERATORS : undefined);
  if (form === 'planes') {
    compare(info.inputs, contract.inputs, 'models.json: input', fault);
    compare(info.outputs, contract.outputs, 'models.json: output', fault);
  }
  return { fault, contract };
}

/**
 * Index of the first NaN or infinity, -1 when all are finite. Either has an exponent of all ones: one more in its lowest bit then
 * reaches the sign. Whole numbers, for sums of floats wait for one another.
 */
export function firstNonFinite(data: Float32Array): number {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const whole = bits.length & ~3;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a |= ((bits[i] & 0x7fffffff) + 0x00800000) | 0;
    b |= ((bits[i + 1] & 0x7fffffff) + 0x00800000) | 0;
    c |= ((bits[i + 2] & 0x7fffffff) + 0x00800000) | 0;
    d |= ((bits[i + 3] & 0x7fffffff) + 0x00800000) | 0;
  }
  for (let i = whole; i < bits.length; i++) a |= ((bits[i] & 0x7fffffff) + 0x00800000) | 0;
  return (a | b | c | d) >= 0 ? -1 : data.findIndex((v) => !Number.isFinite(v));
}

/** Numbers of a tensor. */
export function tensorLength(info: TensorInfo, lengths: Lengths): number {
  return sizes(info, lengths).reduce((product, d) => product * d, 1);
}

/** The name of an array's type; undefined for one that no tensor has. */
function kindOf(data: unknown): TensorInfo['type'] | undefined {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Uint8Array ? 'uint8' : undefined;
}

function checkBytes(info: ModelFileInfo, bytes: Uint8Array, fault: ModelFault, besides?: string): void {
  try {
    const { opset, nonFinite } = readOnnx(bytes, besides);
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
    const type = m.type === 'int32' || m.type === 'uint8' ? m.type : 'float32';
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
