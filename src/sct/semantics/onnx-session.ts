import { InferenceSession } from 'onnxruntime-node';
import { ModelError, type ModelFault } from './model-error.ts';

export interface SessionOptions {
  /** Of one run; they wait without spinning. */
  readonly threads: number;
  /** Buffers stay with the session between runs: faster for many small pictures, up to 1.7 times the memory for large ones. Default false. */
  readonly keepsMemory?: boolean | undefined;
  /** The network says itself where it computes in 8 bits: the runtime looks for no more of it. Default false. */
  readonly quantised?: boolean | undefined;
}

/**
 * A network of the runtime on the processor.
 *
 * @param bytes the ONNX file, its hash checked before
 * @throws ModelError where the runtime cannot load it
 */
export async function createSession(
  bytes: Uint8Array,
  { threads, keepsMemory = false, quantised = false }: SessionOptions,
  fault: ModelFault,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      enableCpuMemArena: keepsMemory,
      extra: {
        session: {
          intra_op: { allow_spinning: '0' },
          inter_op: { allow_spinning: '0' },
          disable_quant_qdq: quantised ? '1' : '0',
        },
      },
    });
  } catch (error) {
    throw new ModelError(fault, `is no network that this runtime can load (${firstLine(error)})`);
  }
}

/** What the runtime says, in one line of at most 300 characters. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0].slice(0, 300);
}
