import { performance } from 'node:perf_hooks';
import { DeviceError } from '../../common/errors.ts';

/** What must not be left on. */
export interface Silencer {
  /** Stops transmitting and releases; may hang, may fail. Called at most once by the guard. */
  silence(): Promise<void> | void;
  /**
   * The same without returning to the event loop, for the process's last moment: no promise is waited for there. A driver in a worker thread sets a flag and
   * waits for the worker with Atomics.wait and a time-out. Called at most once, and not after silence() was done.
   */
  silenceNow?(): void;
}

export type SilenceState = 'silent' | 'failed' | 'late';

export interface SilenceReport {
  readonly name: string;
  readonly state: SilenceState;
  /** What failed; null where nothing did. */
  readonly error: string | null;
  readonly tookMs: number;
}

export interface TransmitGuardOptions {
  /** How long one silence() may take before it is given up, ms. */
  readonly timeoutMs?: number;
  /** Receives one line for each transmitter that could not be silenced. */
  readonly warn?: (line: string) => void;
}

export const SILENCE_TIMEOUT_MS = 2000;

interface Entry {
  readonly name: string;
  readonly silencer: Silencer;
  pending: Promise<SilenceReport> | null;
  done: boolean;
  nowCalled: boolean;
}

/**
 * The list of transmitters that are on, and how to silence all of them: each once, all at the same time, bounded in time even where one hangs. What calls it
 * at the end of a process is `process-end.ts`. kill -9, a power cut and a blocked event loop reach nobody here: for these the board has a limit
 * of its own (HackRF: transmit underrun limit, a pulled plug; Pluto: the IIO server closes a lost client's buffer).
 */
export class TransmitGuard {
  private readonly entries = new Set<Entry>();
  private readonly timeoutMs: number;
  private readonly warn: (line: string) => void;
  private readonly watched = new WeakSet<AbortSignal>();
  private closed: string | null = null;

  constructor(options: TransmitGuardOptions = {}) {
    this.timeoutMs = options.timeoutMs ?? SILENCE_TIMEOUT_MS;
    this.warn = options.warn ?? ((line) => void process.stderr.write(`${line}\n`));
  }

  /** Names of what is on. */
  get active(): string[] {
    return [...this.entries].filter((entry) => !entry.done).map((entry) => entry.name);
  }

  /** Why everything was silenced for good; null while transmitting is possible. */
  get reason(): string | null {
    return this.closed;
  }

  /**
   * Registers a transmitter from the moment before it is switched on; the function returned takes it off the list, to be called when it is silent and
   * closed. DeviceError once the process has begun to end: nothing is switched on behind the guard's back.
   */
  protect(name: string, silencer: Silencer): () => void {
    if (this.closed !== null)
      throw new DeviceError(`${name} may not transmit any more: the program ends (${this.closed})`);
    const entry: Entry = { name, silencer, pending: null, done: false, nowCalled: false };
    this.entries.add(entry);
    return () => {
      entry.done = true;
      this.entries.delete(entry);
    };
  }

  /** Silences everything when the signal is aborted. Asked for again by every exchange of a program: it is watched once. */
  watch(signal: AbortSignal): void {
    if (this.watched.has(signal)) return;
    this.watched.add(signal);
    const onAbort = () => void this.silenceAll();
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  }

  /** Silences everything that is on. Never rejects, ends within the time-out; calls under way are shared, not repeated. */
  async silenceAll(): Promise<SilenceReport[]> {
    return Promise.all([...this.entries].map((entry) => this.silenceEntry(entry)));
  }

  /** As silenceAll, and nothing registers any more. */
  async shutDown(reason: string): Promise<SilenceReport[]> {
    this.closed ??= reason;
    return this.silenceAll();
  }

  /** The last moment of the process: everything not yet known to be silent, without waiting for promises. Never throws. */
  silenceNow(reason: string): void {
    this.closed ??= reason;
    for (const entry of this.entries) {
      if (entry.done || entry.nowCalled) continue;
      entry.nowCalled = true;
      try {
        entry.silencer.silenceNow?.();
      } catch (error) {
        this.warn(`sct: ${entry.name}: could not be silenced: ${messageOf(error)}`);
      }
    }
  }

  private silenceEntry(entry: Entry): Promise<SilenceReport> {
    entry.pending ??= this.runSilence(entry);
    return entry.pending;
  }

  private async runSilence(entry: Entry): Promise<SilenceReport> {
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.timeoutMs);
    });
    let state: SilenceState = 'silent';
    let error: string | null = null;
    try {
      // In a promise of its own, so that a silence() that throws at once is no different from one that rejects.
      const work = (async () => entry.silencer.silence())();
      work.catch(() => {}); // one that fails after its time-out has nobody to tell
      if ((await Promise.race([work, late])) === 'late') state = 'late';
    } catch (problem) {
      state = 'failed';
      error = messageOf(problem);
    } finally {
      clearTimeout(timer);
    }
    const tookMs = performance.now() - began;
    if (state === 'silent') entry.done = true;
    else this.warn(`sct: ${entry.name}: ${state === 'late' ? `not silent after ${this.timeoutMs} ms` : error}`);
    return { name: entry.name, state, error, tookMs };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
