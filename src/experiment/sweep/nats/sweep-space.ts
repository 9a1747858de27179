import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Consumer, JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { ObjectStore } from '@nats-io/obj';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { DeviceError, SctError } from '../../../common/errors.ts';
import { connectNats, optional } from '../../../link/nats/nats-connection.ts';
import { describePlace, parseNatsUrl } from '../../../link/nats/nats-url.ts';
import { type ProgramFacts, programFacts } from '../../host-facts.ts';

/** Results and files that nobody has fetched for so long are deleted by the server, ms. */
const RESULTS_MS = 14 * 86_400e3;
const FILES_MS = 30 * 86_400e3;
/** A point whose worker has said nothing for so long is given to another, ms. */
const ACK_WAIT_MS = 30_000;
/** For an answer of the server, ms; between attempts while it is away, ms: first, and most. */
const ANSWER_MS = 5000;
const RETRY_MS = { first: 100, most: 2000 } as const;
const MOST_UNDER_WAY = 65_536;
/** Requests of workers that wait for a point. */
const MOST_WAITING = 8192;
/** Attempts after which it is said why they fail. */
const TRIES_TOLD = 10;
/** Codes of JetStream's errors. */
const NO_STREAM = 10059;
const NO_CONSUMER = 10014;
const NO_MESSAGE = 10037;
const WRONG_LAST_SEQUENCE = 10071;

const DEFAULT_NAME = 'sweep';

export interface SpaceOptions {
  readonly url: string;
  /** What joins, for the server's monitoring. */
  readonly client: string;
  readonly signal: AbortSignal;
  note(text: string): void;
  /** The connection is back: what was said meanwhile was not heard. */
  back?(): void;
  /** Instead of 30 s: so short only in tests. */
  readonly ackWaitMs?: number;
  /** Instead of this program: whose points these are. */
  readonly program?: string;
}

/** How the packages of the NATS client are typed, loaded only where they are asked for. */
type JetStream = typeof import('@nats-io/jetstream');

/**
 * What a sweep has on a NATS server, under the name of the URL (`nats://HOST/NAME`):
 *
 *     SCT_NAME_POINTS   work queue; sct.sweep.NAME.point.PROGRAM.QUEUE.ID: a point until a worker has acknowledged it
 *     SCT_NAME_RESULTS  sct.sweep.NAME.result.QUEUE.ID: its first outcome, 14 days
 *     sct.sweep.NAME.sign.QUEUE.ID, not kept: the point has an outcome now
 *     sct-NAME          object store: photos, model sets, captures by their SHA-256, 30 days
 *
 * Both streams hold at most one message a subject: a message is accepted only where none is (Nats-Expected-Last-Subject-Sequence 0). So a point is queued
 * once however often that is asked for, and has one outcome however many workers measured it. PROGRAM is version and commit: a worker of another
 * build is not given what it would measure otherwise. QUEUE is a sweep's own.
 */
export class SweepSpace {
  readonly program: string;
  readonly ackWaitMs: number;
  readonly connection: NatsConnection;
  private readonly prefix: string;
  private readonly name: string;
  private readonly where: string;
  private readonly options: SpaceOptions;
  private readonly api: JetStream;
  private readonly client: JetStreamClient;
  private readonly manager: JetStreamManager;
  private readonly state: { readonly away: boolean };
  private bucket: ObjectStore | null = null;

  private constructor(
    options: SpaceOptions,
    program: string,
    connection: NatsConnection,
    state: { readonly away: boolean },
    api: JetStream,
    jsm: JetStreamManager,
  ) {
    const place = parseNatsUrl(options.url, '--nats');
    this.options = options;
    // One listener a place that waits.
    setMaxListeners(0, options.signal);
    this.program = program;
    this.ackWaitMs = options.ackWaitMs ?? ACK_WAIT_MS;
    this.connection = connection;
    this.state = state;
    this.name = place.name ?? DEFAULT_NAME;
    this.prefix = `sct.sweep.${this.name}`;
    this.where = describePlace(place);
    this.api = api;
    this.manager = jsm;
    this.client = jsm.jetstream();
  }

  /** DeviceError where no server with JetStream is there or the client is not installed; UsageError for a wrong URL or credentials. */
  static async open(options: SpaceOptions): Promise<SweepSpace> {
    const place = parseNatsUrl(options.url, '--nats');
    const program = options.program ?? programKey(await programFacts());
    const api = await optional(() => import('@nats-io/jetstream'));
    const state = { away: false };
    const connection = await connectNats(place, {
      name: options.client,
      note: options.note,
      lost: () => {
        state.away = true;
      },
      back: () => {
        state.away = false;
        options.back?.();
      },
    });
    try {
      const manager = await api.jetstreamManager(connection, { timeout: ANSWER_MS, checkAPI: true });
      const out = new SweepSpace(options, program, connection, state, api, manager);
      await out.prepare();
      return out;
    } catch (error) {
      await connection.close();
      throw new DeviceError(
        `${describePlace(place)} has no usable JetStream: ${(error as Error).message}`,
        'start the server with a store: nats-server -js -sd DIR',
      );
    }
  }

  describe(): string {
    return this.where;
  }

  /** Queues a point. False where it is queued or under way already. */
  putPoint(queue: string, id: string, bytes: Uint8Array): Promise<boolean> {
    return this.putFirst(`${this.prefix}.point.${this.program}.${queue}.${id}`, bytes);
  }

  /** Keeps a point's outcome. False where it has one. */
  putOutcome(queue: string, id: string, bytes: Uint8Array): Promise<boolean> {
    return this.putFirst(this.outcomeSubject(queue, id), bytes);
  }

  /** Hears that a point of the queue has an outcome now. It may go unheard: those who wait look from time to time. */
  hear(queue: string, sign: (id: string) => void): Subscription {
    const subject = `${this.prefix}.sign.${queue}.`;
    return this.connection.subscribe(`${subject}*`, {
      callback: (error, message) => {
        if (!error) sign(message.subject.slice(subject.length));
      },
    });
  }

  /** Said once the outcome is stored. */
  sign(queue: string, id: string): void {
    if (!this.connection.isClosed()) this.connection.publish(`${this.prefix}.sign.${queue}.${id}`);
  }

  /** The outcome of a point; null where it has none. */
  outcome(queue: string, id: string): Promise<Uint8Array | null> {
    const subject = this.outcomeSubject(queue, id);
    return this.insist(async () => {
      try {
        const message = await this.manager.streams.getMessage(this.results, { last_by_subj: subject });
        return message === null ? null : message.data;
      } catch (error) {
        if (codeOf(error) === NO_MESSAGE) return null;
        throw error;
      }
    });
  }

  /** Forgets what a point came to, so that it can be measured again. */
  async dropOutcome(queue: string, id: string): Promise<void> {
    const filter = this.outcomeSubject(queue, id);
    await this.insist(() => this.manager.streams.purge(this.results, { filter }));
  }

  /** Takes back the points that no worker has taken. */
  async dropPoints(queue: string): Promise<void> {
    await this.manager.streams.purge(this.points, { filter: `${this.prefix}.point.${this.program}.${queue}.*` });
  }

  async dropOutcomes(queue: string): Promise<void> {
    await this.manager.streams.purge(this.results, { filter: `${this.prefix}.result.${queue}.*` });
  }

  /** Queue and id of a point's message; null where the subject is none of ours. */
  pointOf(subject: string): { readonly queue: string; readonly id: string } | null {
    const rest = subject.startsWith(`${this.prefix}.point.`) ? subject.slice(this.prefix.length + 7).split('.') : [];
    return rest.length === 3 && /^[0-9a-f]{32}$/.test(rest[1]) && /^[0-9a-f]{32}$/.test(rest[2])
      ? { queue: rest[1], id: rest[2] }
      : null;
  }

  /** Where this program's workers take their points from. */
  consumer(): Promise<Consumer> {
    return this.insist(() => this.client.consumers.get(this.points, this.durable));
  }

  /** Points that workers have taken or are waiting for: how many could be under way at once. */
  async places(): Promise<number> {
    const info = await this.manager.consumers.info(this.points, this.durable);
    return info.num_waiting + info.num_ack_pending;
  }

  /** Files by name. */
  async files(): Promise<ObjectStore> {
    if (this.bucket) return this.bucket;
    const { Objm } = await optional(() => import('@nats-io/obj'));
    this.bucket = await this.insist(() =>
      new Objm(this.client).create(`sct-${this.name}`, { ttl: FILES_MS * 1e6, storage: this.api.StorageType.File }),
    );
    return this.bucket;
  }

  /** Age after which a file is put anew, ms: it shall not vanish in the middle of a sweep. */
  get renewMs(): number {
    return FILES_MS / 2;
  }

  /** Whether the server is there now, as far as is known. */
  get there(): boolean {
    return !this.state.away && !this.connection.isClosed();
  }

  async close(): Promise<void> {
    if (!this.connection.isClosed()) await this.connection.close();
  }

  /**
   * Tries until the server has answered: it may be starting again, the network may be cut. What was deleted there is made anew. Ends with the signal
   * (AbortError), or where the connection is closed for good (DeviceError).
   */
  async insist<T>(attempt: () => Promise<T>): Promise<T> {
    const { signal } = this.options;
    let waitMs: number = RETRY_MS.first;
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof SctError) throw error;
        const code = codeOf(error);
        if (code === NO_STREAM || code === NO_CONSUMER) await this.prepare().catch(() => undefined);
        else if (code !== null && !isPassing(error)) throw error;
        if (tries % TRIES_TOLD === 0) this.options.note(`nats: tried ${tries} times: ${(error as Error).message}`);
        if (this.connection.isClosed()) throw new DeviceError(`${this.where}: the connection is closed for good`);
      }
      await pause(waitMs, signal);
      waitMs = Math.min(2 * waitMs, RETRY_MS.most);
    }
  }

  /** True where the message was the first of its subject. */
  private putFirst(subject: string, bytes: Uint8Array): Promise<boolean> {
    return this.insist(async () => {
      try {
        await this.client.publish(subject, bytes, { timeout: ANSWER_MS, expect: { lastSubjectSequence: 0 } });
        return true;
      } catch (error) {
        if (codeOf(error) === WRONG_LAST_SEQUENCE) return false;
        throw error;
      }
    });
  }

  private outcomeSubject(queue: string, id: string): string {
    return `${this.prefix}.result.${queue}.${id}`;
  }

  private get points(): string {
    return `SCT_${this.name}_POINTS`;
  }

  private get results(): string {
    return `SCT_${this.name}_RESULTS`;
  }

  private get durable(): string {
    return `workers-${this.program}`;
  }

  /** Streams and consumer; making what is there changes nothing. */
  private async prepare(): Promise<void> {
    const { AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType } = this.api;
    const { streams, consumers } = this.manager;
    this.bucket = null;
    await streams.add({
      name: this.points,
      subjects: [`${this.prefix}.point.>`],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      storage: StorageType.File,
    });
    await streams.add({
      name: this.results,
      subjects: [`${this.prefix}.result.>`],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      storage: StorageType.File,
      max_age: RESULTS_MS * 1e6,
    });
    await consumers.add(this.points, {
      durable_name: this.durable,
      filter_subject: `${this.prefix}.point.${this.program}.>`,
      ack_policy: AckPolicy.Explicit,
      ack_wait: this.ackWaitMs * 1e6,
      deliver_policy: DeliverPolicy.All,
      max_deliver: -1,
      max_ack_pending: MOST_UNDER_WAY,
      max_waiting: MOST_WAITING,
    });
  }
}

/** Version and commit in 16 hexadecimal digits: what two builds that measure the same have in common. */
export function programKey({ packageVersion, git }: ProgramFacts): string {
  const text = JSON.stringify([packageVersion, git?.commit ?? null, git?.dirty ?? null]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** JetStream's own number of an error; null for one that the network or the client made. */
function codeOf(error: unknown): number | null {
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
