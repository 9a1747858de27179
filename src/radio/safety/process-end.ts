import type { SilenceReport } from './transmit-guard.ts';
import { TransmitGuard } from './transmit-guard.ts';

/** Signals that end a process and their numbers (POSIX); the exit code is 128 + number. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
type EndSignal = keyof typeof SIGNALS;

export interface ProcessEndOptions {
  readonly guard: TransmitGuard;
  /** How the process is left; for tests. */
  readonly exit?: (code: number) => void;
  readonly warn?: (line: string) => void;
}

/**
 * Ties a guard to every end of this process that JavaScript hears of: exit, the signals above, an exception nobody caught, a rejection nobody handled, an event
 * loop with nothing left to do. Transmitters are silenced first (bounded in time), then the process ends as it would have: exit code 128 + number
 * after a signal, 1 with the stack after an exception.
 *
 * Where somebody else listens to the same event (the command line's Ctrl-C, a test runner), they decide when the process ends; the guard only silences. A
 * second signal ends it at once in any case that is the guard's, through the exit event, which silences without waiting.
 *
 * Returns what takes all listeners off again.
 */
export function silenceAtProcessEnd(options: ProcessEndOptions): () => void {
  const { guard } = options;
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const warn = options.warn ?? ((line: string) => void process.stderr.write(`${line}\n`));
  let ending = 0;

  const end = (event: string, reason: string, code: number): void => {
    const alone = process.listenerCount(event) <= 1;
    if (++ending > 1 && alone) {
      exit(code);
      return;
    }
    const leave = (_reports: SilenceReport[]) => {
      if (alone) exit(code);
    };
    void guard.shutDown(reason).then(leave, () => leave([]));
  };

  const onSignal = (signal: NodeJS.Signals) => end(signal, signal, 128 + SIGNALS[signal as EndSignal]);
  const onException = (error: unknown) => {
    if (process.listenerCount('uncaughtException') <= 1) warn(stackOf(error));
    end('uncaughtException', 'uncaught exception', 1);
  };
  const onRejection = (error: unknown) => {
    if (process.listenerCount('unhandledRejection') <= 1) warn(stackOf(error));
    end('unhandledRejection', 'unhandled rejection', 1);
  };
  const onIdle = () => {
    // Nothing keeps the process alive any more, yet something transmits: its owner forgot it. Not for good: the process may go on.
    if (guard.active.length > 0) void guard.silenceAll();
  };
  const onExit = () => guard.silenceNow('exit');

  const signals = Object.keys(SIGNALS) as EndSignal[];
  for (const signal of signals) process.on(signal, onSignal);
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  process.on('beforeExit', onIdle);
  process.on('exit', onExit);
  return () => {
    for (const signal of signals) process.removeListener(signal, onSignal);
    process.removeListener('uncaughtException', onException);
    process.removeListener('unhandledRejection', onRejection);
    process.removeListener('beforeExit', onIdle);
    process.removeListener('exit', onExit);
  };
}

let processGuard: TransmitGuard | null = null;
let release: (() => void) | null = null;

/**
 * The guard of this process. Its listeners are there only while something is registered, so that a program which merely imports a driver ends as Node programs do.
 */
export function transmitGuard(): TransmitGuard {
  processGuard ??= new ProcessGuard();
  return processGuard;
}

class ProcessGuard extends TransmitGuard {
  private registered = 0;

  override protect(...[name, silencer]: Parameters<TransmitGuard['protect']>): () => void {
    if (this.registered++ === 0) release ??= silenceAtProcessEnd({ guard: this });
    const forget = super.protect(name, silencer);
    let forgotten = false;
    return () => {
      if (forgotten) return;
      forgotten = true;
      forget();
      if (--this.registered === 0 && this.reason === null) {
        release?.();
        release = null;
      }
    };
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
