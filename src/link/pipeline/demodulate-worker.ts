import { parentPort, workerData } from 'node:worker_threads';
import { ExitCode, SctError } from '../../common/errors.ts';
import { Demodulator, type DemodulatorSetup } from './demodulator.ts';

/** What the thread says of itself; what it hears goes through the ring. */
export type DemodulateMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: ExitCode };

/** The thread that demodulates; started by receive-pipeline.ts. */
const port = parentPort!;
const setup = workerData as DemodulatorSetup;

try {
  const demodulator = new Demodulator(setup);
  port.postMessage({ kind: 'ready' } satisfies DemodulateMessage);
  await demodulator.run();
} catch (error) {
  const exitCode = error instanceof SctError ? error.exitCode : ExitCode.internal;
  const message = error instanceof SctError ? error.message : ((error as Error).stack ?? String(error));
  // The other thread closes the rings when it hears this: whoever waits there learns the reason, not just the end.
  port.postMessage({ kind: 'failed', message, exitCode } satisfies DemodulateMessage);
}
