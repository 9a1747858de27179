import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { SctError } from '../../../common/errors.ts';
import { shippedModelsDir } from '../../../sct/semantics/model-files.ts';
import { rebasePoint } from '../inputs.ts';
import type { PointOutcome, PointQueue, SweepPoint } from '../point.ts';
import { CacheTrouble } from './cache-folder.ts';
import { InputCache } from './input-cache.ts';
import { pause } from './insistence.ts';
import { decodePoint, encodeOutcome, inOwnWords } from './messages.ts';
import { type SpaceOptions, SweepSpace } from './sweep-space.ts';

/** How long one request for a point stays with the server, ms. */
const REQUEST_MS = 5000;
/** A point that so many workers have taken and left, in good order or not, is not tried again: it may be what ends them. */
export const MOST_DELIVERIES = 10;
/** A machine that cannot hold what a point reads tries it again so often, ms; longer than a request lasts, so that the point comes to another. */
const TROUBLE_MS = 2 * REQUEST_MS;
const TROUBLE_TOLD_MS = 60_000;
/** A place that had too little memory for a point rests so long before it takes another, ms: twice as long each time in a row, up to this. */
const MOST_REST_MS = 60_000;
/** A point that failed while what it read was changed or deleted is measured anew so often. */
const MOST_AGAIN = 2;
/** That a point is under way is said so often while the server waits for its end. */
const PROGRESS_SHARE = 1 / 3;

export interface NatsWorkerOptions extends Omit<SpaceOptions, 'client'> {
  /** Where points are measured, and how many at once. The caller closes it. */
  readonly executor: PointQueue;
  /** Folder for files that points read. */
  readonly cache: string;
  /** What that folder may take, bytes; instead of 10 GiB. */
  readonly cacheBytes?: number;
  /** Instead of 10 s: so short only in tests. */
  readonly troubleMs?: number;
  /** Ends after so long without a point, ms; null: never. */
  readonly idleMs: number | null;
  /** Told after each point. */
  took?(counters: WorkerCounters): void;
}

export interface WorkerCounters {
  /** Outcomes that were the first of their point. */
  measured: number;
  failed: number;
  /** Points that had an outcome when they came or when this one was said: another worker's, or this one's before a cut. */
  repeated: number;
  /** Messages that were no points. */
  refused: number;
}

/** This machine has too little memory for a point, or its thread died. */
class MemoryTrouble extends Error {}

/**
 * Takes points from the work queue of its server until the signal is aborted or nothing has come for long, as many at once as the executor is
 * wide. A point is acknowledged when its outcome is stored, so one that is lost with its worker goes to another; until then the server hears
 * that it is under way.
 */
export class NatsWorker {
  readonly counters: WorkerCounters = { measured: 0, failed: 0, repeated: 0, refused: 0 };
  private readonly options: NatsWorkerOptions;
  private readonly space: SweepSpace;
  private readonly inputs: InputCache;
  private underWay = 0;
  private busyMs = performance.now();
  /** Until this machine can hold what points read. */
  private trouble: Promise<void> | null = null;
  /** Points in a row for which memory was short. */
  private tooLarge = 0;
  private toldMs = Number.NEGATIVE_INFINITY;

  private constructor(space: SweepSpace, options: NatsWorkerOptions) {
    this.space = space;
    this.options = options;
    const { cache, cacheBytes } = options;
    this.inputs = new InputCache(space, cache, cacheBytes === undefined ? {} : { mostBytes: cacheBytes });
  }

  /** DeviceError where no NATS server with JetStream is there. */
  static async open(options: NatsWorkerOptions): Promise<NatsWorker> {
    return new NatsWorker(await SweepSpace.open({ ...options, client: 'sct worker' }), options);
  }

  describe(): string {
    return `${this.options.executor.describe()} for points of version ${this.space.program} at ${this.space.describe()}`;
  }

  /** Works until it is to end; then the points under way go back into the queue. DeviceError where the server is gone for good. */
  async work(): Promise<WorkerCounters> {
    const { signal, executor } = this.options;
    try {
      await this.inputs.tidy();
      const consumer = await this.space.consumer();
      await Promise.all(Array.from({ length: executor.width }, () => this.place(consumer)));
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      // What was said last, acknowledgements and points given back, is with the server.
      if (this.space.there) {
        await Promise.race([
          this.space.connection.flush().catch(() => undefined),
          pause(1000, new AbortController().signal),
        ]);
      }
      await this.space.close();
    }
    return this.counters;
  }

  /** One point after another. */
  private async place(consumer: Consumer): Promise<void> {
    const { signal } = this.options;
    while (!signal.aborted && !this.idleTooLong()) {
      if (this.trouble) {
        await this.trouble;
        continue;
      }
      const message = await this.next(consumer);
      if (!message) continue;
      this.underWay++;
      try {
        await this.take(message);
      } finally {
        this.underWay--;
        this.busyMs = performance.now();
        this.options.took?.(this.counters);
      }
    }
  }

  private idleTooLong(): boolean {
    const { idleMs } = this.options;
    return idleMs !== null && this.underWay === 0 && performance.now() - this.busyMs > idleMs;
  }

  /** null where none came for now; a server that is away is waited for. */
  private async next(consumer: Consumer): Promise<JsMsg | null> {
    const { idleMs, signal } = this.options;
    const expires = Math.min(REQUEST_MS, Math.max(1000, idleMs ?? REQUEST_MS));
    const asked = consumer.next({ expires });
    try {
      // A request whose end was lost with the network is not waited for.
      const answer = await orEnd(asked, signal, 2 * expires);
      if (answer !== ENDED) return answer;
      // A point that comes after all goes to another.
      asked.then((late) => late?.nak()).catch(() => undefined);
    } catch {
      // The consumer may be gone with the server's store: looking for it makes it anew.
      await pause(200, signal).catch(() => undefined);
      if (!signal.aborted) await this.space.consumer();
    }
    return null;
  }

  private async take(message: JsMsg): Promise<void> {
    const at = this.space.pointOf(message.subject);
    if (!at) return this.refuse(message, 'its subject is none of a point');
    const { queue, id } = at;
    if ((await this.space.outcome(queue, id)) !== null) {
      this.counters.repeated++;
      this.space.sign(queue, id);
      message.ack();
      return;
    }
    let point: SweepPoint;
    try {
      point = decodePoint(id, message.data);
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      return this.refuse(message, error.message);
    }
    let outcome: PointOutcome | null;
    try {
      outcome = await this.outcomeOf(point, message);
    } catch (error) {
      if (!(error instanceof CacheTrouble || error instanceof MemoryTrouble)) throw error;
      // Not at once: it would come to another place of this machine.
      message.nak(this.options.troubleMs ?? TROUBLE_MS);
      if (error instanceof CacheTrouble) this.trouble ??= this.untilHeld(point, error);
      else await this.rest(error);
      return;
    }
    if (this.options.signal.aborted || !outcome) {
      message.nak();
      return;
    }
    if (await this.space.putOutcome(queue, id, encodeOutcome(id, outcome))) this.counters[outcome.kind]++;
    else this.counters.repeated++;
    this.space.sign(queue, id);
    message.ack();
  }

  /** null where this worker is to end. */
  private async outcomeOf(point: SweepPoint, message: JsMsg): Promise<PointOutcome | null> {
    const { deliveryCount } = message.info;
    if (deliveryCount > MOST_DELIVERIES) {
      const tries = `workers took this point ${deliveryCount - 1} times and did not finish it`;
      return failure(point, `${tries}: they were stopped, lost, or short of memory or disk`, 1);
    }
    const { signal, executor } = this.options;
    const progress = setInterval(() => this.alive(message), this.space.ackWaitMs * PROGRESS_SHARE);
    try {
      for (let again = 0; ; again++) {
        const here = await this.here(point);
        const outcome = await orEnd(executor.run(here), signal);
        if (outcome === ENDED) return null;
        if (outcome.kind === 'failed' && outcome.ofMachine) {
          const { message: why, exitCode } = outcome.failure;
          if (deliveryCount < MOST_DELIVERIES) throw new MemoryTrouble(why);
          return failure(point, `${why} (the last of ${deliveryCount} tries)`, exitCode);
        }
        this.tooLarge = 0;
        const { inputs, config } = point;
        const blameless = outcome.kind === 'failed' && !(await this.inputs.areWhole(inputs, config.size));
        if (!blameless || again >= MOST_AGAIN) return inOwnWords(point, here, outcome);
      }
    } catch (error) {
      if (signal.aborted) return null;
      if (error instanceof CacheTrouble || error instanceof MemoryTrouble) throw error;
      if (error instanceof SctError) return failure(point, error.message, error.exitCode);
      throw error;
    } finally {
      clearInterval(progress);
    }
  }

  /** The place takes nothing for a while, longer than its point stays away: so that comes to others, and they get the rest sooner. */
  private async rest({ message }: MemoryTrouble): Promise<void> {
    const { signal, note, troubleMs = TROUBLE_MS } = this.options;
    if (performance.now() - this.toldMs > TROUBLE_TOLD_MS) {
      this.toldMs = performance.now();
      note(`${message.split('\n')[0]}: this point goes to other workers, and fewer are taken here`);
    }
    const restMs = Math.min(Math.max(MOST_REST_MS, 2 * troubleMs), 2 ** Math.min(++this.tooLarge, 10) * troubleMs);
    await pause(restMs, signal).catch(() => undefined);
  }

  /** Tries until this machine can hold what the point reads, or it is no longer asked for; until then no place takes points. */
  private async untilHeld(point: SweepPoint, first: CacheTrouble): Promise<void> {
    const { signal, note, troubleMs = TROUBLE_MS } = this.options;
    let toldMs = Number.NEGATIVE_INFINITY;
    for (let trouble: unknown = first; trouble instanceof CacheTrouble; ) {
      if (performance.now() - toldMs > TROUBLE_TOLD_MS) {
        toldMs = performance.now();
        note(`${trouble.message}: points go to other workers until this is mended (${trouble.hint})`);
      }
      await pause(troubleMs, signal).catch(() => undefined);
      if (signal.aborted || this.idleTooLong()) break;
      trouble = await this.here(point).catch((error: unknown) => error);
    }
    this.trouble = null;
  }

  /** The point with its files on this machine; nothing else of this machine is read. */
  private async here(point: SweepPoint): Promise<SweepPoint> {
    const places = new Map<string, string>();
    for (const input of point.inputs) places.set(input.use, await this.inputs.get(input, point.config.size));
    const { modelsDir } = point.config;
    return rebasePoint(point, ({ use }) => {
      const path = places.get(use)!;
      // By default the sets that ship: they are the same here, so the settings stay as they are.
      return use === 'models' && modelsDir === undefined && path === shippedModelsDir() ? null : path;
    });
  }

  private alive(message: JsMsg): void {
    if (this.space.there) message.working();
  }

  private refuse(message: JsMsg, why: string): void {
    this.counters.refused++;
    this.options.note(`nats: a message in the queue is no point: ${why}`);
    message.term();
  }
}

const ENDED = Symbol('ended');

/** What was promised, or ENDED when the signal is aborted or so many ms are over. */
async function orEnd<T>(promised: Promise<T>, signal: AbortSignal, mostMs?: number): Promise<T | typeof ENDED> {
  let end: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<typeof ENDED>((resolve) => {
    end = () => resolve(ENDED);
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
    if (mostMs !== undefined) timer = setTimeout(end, mostMs);
  });
  try {
    return await Promise.race([promised, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

function failure({ id }: SweepPoint, message: string, exitCode: number): PointOutcome {
  return { kind: 'failed', failure: { id, message, exitCode } };
}
