import { createHash } from 'node:crypto';
import type { Subscription } from '@nats-io/transport-node';
import { DeviceError, SctError } from '../../../common/errors.ts';
import type { PointOutcome, PointQueue, SweepPoint } from '../point.ts';
import type { SweepPlan } from '../sweep-directory.ts';
import { InputUploads } from './input-uploads.ts';
import { decodeOutcome, encodePoint } from './messages.ts';
import { type SpaceOptions, SweepSpace } from './sweep-space.ts';

/** Points on the server for each place that workers have, so that none waits for the next; and least and most of them. */
const POINTS_A_PLACE = 2;
const WIDTH = { least: 16, most: 4096 } as const;
/** Workers are counted so often, ms; that nobody is there is said once in a while. */
const COUNT_MS = 2000;
const LONELY_MS = 30_000;
/** Counts without a point that workers could take, while this sweep waits for some, until they are put there anew. */
const STARVED_COUNTS = 2;
/** A point that nothing was heard of for so long is looked after, ms: its message or the sign of its outcome may have been lost. */
const LOOK_AFTER_MS = 30_000;

export interface NatsQueueOptions extends Omit<SpaceOptions, 'client' | 'back'> {
  /** 32 hexadecimal digits: the same for all runs of one sweep. */
  readonly queue: string;
  /** Whether an earlier run may have left points and outcomes behind. */
  readonly resumed: boolean;
  readonly lookAfterMs?: number;
}

/** The name of a sweep's own queue: its plan, and when it was begun. */
export function queueName({ planSha256, startedAt }: Pick<SweepPlan, 'planSha256' | 'startedAt'>): string {
  return createHash('sha256').update(`${planSha256} ${startedAt}`).digest('hex').slice(0, 32);
}

interface Waiting {
  readonly point: SweepPoint;
  readonly promise: Promise<PointOutcome>;
  readonly resolve: (outcome: PointOutcome) => void;
  readonly reject: (error: unknown) => void;
  heardMs: number;
  /** A look is under way; a sign came meanwhile. */
  looking: boolean;
  signed: boolean;
}

/**
 * Points of a sweep, measured by workers anywhere. Each goes into a work queue that gives it to one worker, and to another where that one is gone;
 * the first outcome stored is the one. What is heard is only taken as a sign to look, so that restarts of the server, cuts of the network and lost
 * messages are made good by looking again.
 */
export class NatsPointQueue implements PointQueue {
  private readonly space: SweepSpace;
  private readonly options: NatsQueueOptions;
  private readonly uploads: InputUploads;
  private readonly waiting = new Map<string, Waiting>();
  /** Numbers of outcomes that were given to the sweep and lie on the server, by the point's id. */
  private readonly given = new Map<string, number>();
  /** Ends when what could be deleted on the server is. */
  private forgetting: Promise<unknown> = Promise.resolve();
  /** Whether all that was given to the sweep is on its disk. */
  private allKept = true;
  private readonly ended: AbortController;
  private readonly signs: Subscription;
  private readonly timers: readonly NodeJS.Timeout[];
  private places = 0;
  /** Counts in a row in which workers waited and the server had no point for them. */
  private starved = 0;
  private lonelySinceMs = performance.now();

  private constructor(space: SweepSpace, options: NatsQueueOptions, ended: AbortController) {
    this.space = space;
    this.options = options;
    this.ended = ended;
    this.uploads = new InputUploads(space);
    this.signs = space.hear(options.queue, (id) => {
      const waiting = this.waiting.get(id);
      if (waiting) void this.look(waiting, false);
    });
    this.timers = [
      setInterval(() => void this.count(), COUNT_MS),
      setInterval(() => this.lookAfter(this.lookAfterMs), this.lookAfterMs / 2),
    ];
    void this.count();
  }

  /** DeviceError where no NATS server with JetStream is there. */
  static async open(options: NatsQueueOptions): Promise<NatsPointQueue> {
    const ended = new AbortController();
    const stop = () => ended.abort(options.signal.reason);
    if (options.signal.aborted) stop();
    options.signal.addEventListener('abort', stop, { once: true });
    const { signal } = ended;
    let queue: NatsPointQueue | null = null;
    const back = () => queue?.cameBack();
    const space = await SweepSpace.open({ ...options, signal, client: 'sct sweep', back });
    queue = new NatsPointQueue(space, options, ended);
    return queue;
  }

  get width(): number {
    return Math.min(WIDTH.most, Math.max(WIDTH.least, POINTS_A_PLACE * this.places));
  }

  run(point: SweepPoint): Promise<PointOutcome> {
    const known = this.waiting.get(point.id);
    if (known) return known.promise;
    let resolve: Waiting['resolve'] = () => undefined;
    let reject: Waiting['reject'] = () => undefined;
    const promise = new Promise<PointOutcome>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    const heardMs = performance.now();
    const waiting: Waiting = { point, promise, resolve, reject, heardMs, looking: false, signed: false };
    this.waiting.set(point.id, waiting);
    void this.begin(waiting);
    return promise;
  }

  /** Deletes their outcomes on the server, which so holds no more of a sweep than is under way. Those that it cannot delete now go when the sweep ends. */
  kept(ids: readonly string[]): void {
    this.allKept = true;
    const numbers = ids.map((id) => this.given.get(id)).filter((seq) => seq !== undefined);
    for (const id of ids) this.given.delete(id);
    if (!this.space.there) return;
    const drop = (seq: number) => this.space.dropOutcomeAt(seq).catch(() => undefined);
    this.forgetting = Promise.all([this.forgetting, ...numbers.map(drop)]);
  }

  describe(): string {
    return `workers at ${this.space.describe()}: ${this.places} ${this.places === 1 ? 'place' : 'places'}`;
  }

  /** Points that no worker has taken are taken back; what workers measure meanwhile is there for a run that goes on. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.ended.abort();
    const { queue } = this.options;
    const open = [...this.waiting.keys()];
    this.waiting.clear();
    if (this.space.there) {
      this.signs.unsubscribe();
      // As far as the server is there: what stays is found by the next run, or falls out by its age.
      await Promise.all([this.forgetting, ...open.map((id) => this.space.dropPoint(queue, id).catch(() => undefined))]);
      if (open.length === 0 && this.allKept) await this.space.dropOutcomes(queue).catch(() => undefined);
    }
    await this.space.close();
  }

  private get lookAfterMs(): number {
    return this.options.lookAfterMs ?? LOOK_AFTER_MS;
  }

  private async begin(waiting: Waiting): Promise<void> {
    try {
      if (!this.options.resumed || !(await this.found(waiting, true))) await this.hand(waiting);
    } catch (error) {
      this.failed(waiting, error);
    }
  }

  private async hand({ point }: Waiting, again = false): Promise<void> {
    for (const input of point.inputs) await this.uploads.put(input, point.config.size, again);
    const { queue } = this.options;
    const bytes = encodePoint(point);
    const fresh = await this.space.putPoint(queue, point.id, bytes);
    if (fresh || !again || this.starved < STARVED_COUNTS) return;
    // It lies there and is given to nobody: the server has lost its place in the queue (nats-server 2.9 after a purge by subject).
    await this.space.dropPoint(queue, point.id);
    await this.space.putPoint(queue, point.id, bytes);
  }

  /**
   * Whether the point has an outcome on the server. A failure is forgotten there, so that a later run does the point again; that of an
   * earlier run does not count, neither does what is no outcome of this point.
   */
  private async found(waiting: Waiting, earlier: boolean): Promise<boolean> {
    const { id } = waiting.point;
    const { queue } = this.options;
    const found = await this.space.outcome(queue, id);
    if (found === null) return false;
    const outcome = this.read(waiting.point, found.data);
    if (outcome?.kind !== 'measured') await this.space.dropOutcome(queue, id);
    if (!outcome || (earlier && outcome.kind === 'failed')) return false;
    if (this.waiting.delete(id)) {
      if (outcome.kind === 'measured') {
        this.given.set(id, found.seq);
        this.allKept = false;
      }
      waiting.resolve(outcome);
    }
    return true;
  }

  /** After a sign, or when nothing has been heard for long: then the point is handed out again, which changes nothing where it still is. */
  private async look(waiting: Waiting, handAgain: boolean): Promise<void> {
    if (waiting.looking) {
      waiting.signed = true;
      return;
    }
    waiting.looking = true;
    try {
      do {
        waiting.signed = false;
        waiting.heardMs = performance.now();
        if (await this.found(waiting, false)) return;
        if (handAgain) await this.hand(waiting, true);
      } while (waiting.signed && this.waiting.has(waiting.point.id));
    } catch (error) {
      this.failed(waiting, error);
    } finally {
      waiting.looking = false;
    }
  }

  /** null for what is no outcome of this point: whoever may publish can put anything there. */
  private read(point: SweepPoint, bytes: Uint8Array): PointOutcome | null {
    try {
      return decodeOutcome(point, bytes);
    } catch (error) {
      this.options.note(`nats: what was said of point ${point.id} is no outcome: ${(error as Error).message}`);
      return null;
    }
  }

  /** A server that is gone for good ends the sweep; a file that cannot be read is the failure of its point. */
  private failed(waiting: Waiting, error: unknown): void {
    // Given up: nobody waits any more.
    if (this.ended.signal.aborted) return;
    const { id } = waiting.point;
    if (!this.waiting.delete(id)) return;
    if (!(error instanceof SctError) || error instanceof DeviceError) waiting.reject(error);
    else waiting.resolve({ kind: 'failed', failure: { id, message: error.message, exitCode: error.exitCode } });
  }

  /** What was said meanwhile was not heard; and the server may have lost its disk, and count anew. */
  private cameBack(): void {
    this.given.clear();
    this.uploads.forget();
    this.lookAfter(0);
  }

  private lookAfter(silentMs: number): void {
    const now = performance.now();
    for (const waiting of this.waiting.values()) {
      if (now - waiting.heardMs >= silentMs) void this.look(waiting, true);
    }
  }

  private async count(): Promise<void> {
    const now = performance.now();
    try {
      const { places, points } = await this.space.load();
      this.places = places;
      this.starved = places > 0 && points === 0 && this.waiting.size > 0 ? this.starved + 1 : 0;
    } catch {
      return; // the server is away; it is counted again
    }
    if (this.places > 0 || this.waiting.size === 0) this.lonelySinceMs = now;
    else if (now - this.lonelySinceMs > LONELY_MS) {
      this.lonelySinceMs = now;
      const { program } = this.space;
      this.options.note(
        `nats: no worker of this version (${program}) takes points at ${this.space.describe()}: sct worker --nats URL`,
      );
    }
  }
}

export function openNatsQueue(options: NatsQueueOptions): Promise<PointQueue> {
  return NatsPointQueue.open(options);
}
