import { InferenceSession } from 'onnxruntime-node';
import { ModelError, type ModelFault } from './model-error.ts';

/**
 * A network of the runtime on the processor.
 *
 * @param bytes the ONNX file, its hash checked before
 * @param threads of one run; they wait without spinning
 * @throws ModelError where the runtime cannot load it
 */
export async function createSession(bytes: Uint8Array, threads: number, fault: ModelFault): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      // Buffers go back after each run: a third of the memory for large pictures, and no slower.
      enableCpuMemArena: false,
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
  } catch (error) {
    throw new ModelError(fault, `is no network that this runtime can load (${firstLine(error)})`);
  }
}

/** What the runtime says, in one line of at most 300 characters. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0].slice(0, 300);
}
