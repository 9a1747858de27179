import { DeviceError, SctError } from '../../../common/errors.ts';

/** Between attempts while the server cannot, ms: first, and most. */
const RETRY_MS = { first: 100, most: 2000 } as const;
/** Why attempts fail is said after so many in a row, and no more often than every so many ms, however many wait for the same. */
const TRIES_TOLD = 4;
const TOLD_AGAIN_MS = 30_000;
/** Codes of JetStream's errors. */
export const JETSTREAM = {
  noStream: 10059,
  noConsumer: 10014,
  noMessage: 10037,
  wrongLastSequence: 10071,
  noRoom: [10023, 10047, 10077],
  otherSetting: [10058, 10065],
} as const;

/** What requests to a server need to know of the one who makes them. */
export interface InsistenceOptions {
  readonly signal: AbortSignal;
  /** Of the server, for errors. */
  readonly where: string;
  note(text: string): void;
  /** The connection is closed and does not come back. */
  closed(): boolean;
  /** Makes what was deleted on the server. */
  repair(): Promise<void>;
}

/** Requests that are made until the server has answered: it may be starting again, its network cut, its disk full. What can never come right ends them. */
export class Insistence {
  private readonly options: InsistenceOptions;
  private denial: string | null = null;
  private toldMs = Number.NEGATIVE_INFINITY;

  constructor(options: InsistenceOptions) {
    this.options = options;
  }

  /** The server has said that this login may not do something: whoever asks again gets that as an error. */
  denied(text: string): void {
    this.denial ??= text;
  }

  /** DeviceError where the server has refused something to this login. */
  check(): void {
    if (this.denial === null) return;
    throw new DeviceError(
      `${this.options.where} does not let this login do what a sweep needs: ${this.denial}`,
      'docs/several-machines.md lists the subjects that a worker and a sweep use',
    );
  }

  /**
   * The answer, after as many attempts as it takes.
   *
   * @throws AbortError with the signal; DeviceError where the connection is closed for good or the login may not; what JetStream refuses for good
   */
  async until<T>(attempt: () => Promise<T>): Promise<T> {
    const { signal, where } = this.options;
    let waitMs: number = RETRY_MS.first;
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      this.check();
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof SctError) throw error;
        this.check();
        const code = jetStreamCode(error);
        if (code === JETSTREAM.noStream || code === JETSTREAM.noConsumer) {
          await this.options.repair().catch(() => undefined);
        } else if (code !== null && !isPassing(error)) throw error;
        if (tries >= TRIES_TOLD) this.tell(tries, error);
        if (this.options.closed()) throw new DeviceError(`${where}: the connection is closed for good`);
      }
      await pause(waitMs, signal);
      waitMs = Math.min(2 * waitMs, RETRY_MS.most);
    }
  }

  private tell(tries: number, error: unknown): void {
    const now = performance.now();
    if (now - this.toldMs < TOLD_AGAIN_MS) return;
    this.toldMs = now;
    const code = jetStreamCode(error);
    const full = code !== null && (JETSTREAM.noRoom as readonly number[]).includes(code);
    const text = (error as Error).message.slice(0, 200);
    this.options.note(
      full ? `nats: the server's store is full (${text}): waiting for room` : `nats: tried ${tries} times: ${text}`,
    );
  }
}

/** JetStream's own number of an error; null for one that the network or the client made. */
export function jetStreamCode(error: unknown): number | null {
  if (!(error instanceof Error) || !/^(JetStreamApi|ConsumerNotFound|StreamNotFound)Error$/.test(error.name))
    return null;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'number' ? code : null;
}

/** Whether JetStream itself says that it cannot now: it is starting, or its disk is full. */
function isPassing(error: unknown): boolean {
  const { status } = error as { status?: unknown };
  return typeof status === 'number' && status >= 500;
}

/** Why a server cannot be used, said to people. */
export function unusable(where: string, error: unknown): DeviceError {
  if (error instanceof DeviceError) return error;
  const text = (error as Error).message.slice(0, 200);
  const code = jetStreamCode(error);
  const among = (codes: readonly number[]) => code !== null && codes.includes(code);
  if (/permissions violation/i.test(text)) {
    return new DeviceError(
      `${where} does not let this login do what a sweep needs: ${text}`,
      'docs/several-machines.md lists the subjects that a worker and a sweep use',
    );
  }
  if (among(JETSTREAM.otherSetting)) {
    return new DeviceError(
      `${where} has streams of this name that are set up otherwise: ${text}`,
      'give another NAME (nats://HOST/NAME), or delete the streams SCT_NAME_*',
    );
  }
  if (among(JETSTREAM.noRoom)) {
    return new DeviceError(
      `${where} has no room for a sweep: ${text}`,
      'give its JetStream more storage (max_file_store)',
    );
  }
  return new DeviceError(
    `${where} has no usable JetStream: ${text}`,
    'start the server with a store: nats-server -js -sd DIR',
  );
}

/** AbortError where the signal is aborted meanwhile. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
