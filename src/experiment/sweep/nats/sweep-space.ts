import { setMaxListeners } from 'node:events';
import type { Consumer, JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { ObjectStore } from '@nats-io/obj';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { DeviceError } from '../../../common/errors.ts';
import { connectNats, optional } from '../../../link/nats/nats-connection.ts';
import { describePlace, parseNatsUrl } from '../../../link/nats/nats-url.ts';
import { Insistence, JETSTREAM, jetStreamCode, unusable } from './insistence.ts';
import { MAX_MESSAGE_BYTES } from './messages.ts';
import { programKey } from './program-key.ts';

/** Points and results that nobody has fetched for so long, and files, are deleted by the server, ms. A sweep that still waits puts its points there anew. */
const POINTS_MS = 14 * 86_400e3;
const RESULTS_MS = 14 * 86_400e3;
const FILES_MS = 30 * 86_400e3;
/** A point whose worker has said nothing for so long is given to another, ms. */
const ACK_WAIT_MS = 30_000;
/** For an answer of the server, ms. */
const ANSWER_MS = 5000;
const MOST_UNDER_WAY = 65_536;
/** Requests of workers that wait for a point. */
const MOST_WAITING = 8192;
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
 *     SCT_NAME_POINTS   work queue; sct.sweep.NAME.point.PROGRAM.QUEUE.ID: a point until a worker has acknowledged it, 14 days
 *     SCT_NAME_RESULTS  sct.sweep.NAME.result.QUEUE.ID: its first outcome, until it is on the sweep's disk; 14 days where nobody fetches it
 *     sct.sweep.NAME.sign.QUEUE.ID, not kept: the point has an outcome now
 *     sct-NAME          object store: photos, model sets, captures by their SHA-256, 30 days
 *
 * Both streams hold at most one message a subject: a message is accepted only where none is (Nats-Expected-Last-Subject-Sequence 0). So a point is queued
 * once however often that is asked for, and has one outcome however many workers measured it. PROGRAM is a hash of the code that measures: a worker of another
 * build is not given what it would measure otherwise (program-key.ts). QUEUE is a sweep's own.
 */
export class SweepSpace {
  readonly program: string;
  readonly ackWaitMs: number;
  readonly connection: NatsConnection;
  /** Ends whatever waits for the server. */
  readonly signal: AbortSignal;
  private readonly prefix: string;
  private readonly name: string;
  private readonly where: string;
  private readonly api: JetStream;
  private readonly client: JetStreamClient;
  private readonly manager: JetStreamManager;
  private readonly state: { readonly away: boolean };
  private readonly requests: Insistence;
  private bucket: ObjectStore | null = null;

  private constructor(
    options: SpaceOptions,
    program: string,
    connection: NatsConnection,
    state: { away: boolean; denied: (text: string) => void },
    api: JetStream,
    jsm: JetStreamManager,
  ) {
    const place = parseNatsUrl(options.url, '--nats');
    // One listener a place that waits.
    setMaxListeners(0, options.signal);
    this.program = program;
    this.signal = options.signal;
    this.ackWaitMs = options.ackWaitMs ?? ACK_WAIT_MS;
    this.connection = connection;
    this.state = state;
    this.name = place.name ?? DEFAULT_NAME;
    this.prefix = `sct.sweep.${this.name}`;
    this.where = describePlace(place);
    this.api = api;
    this.manager = jsm;
    this.client = jsm.jetstream();
    const { signal } = options;
    this.requests = new Insistence({
      signal,
      where: this.where,
      note: (text) => options.note(text),
      closed: () => connection.isClosed(),
      repair: () => this.prepare(),
    });
    state.denied = (text) => this.requests.denied(text);
  }

  /** DeviceError where no server with JetStream is there or the client is not installed; UsageError for a wrong URL or credentials. */
  static async open(options: SpaceOptions): Promise<SweepSpace> {
    const place = parseNatsUrl(options.url, '--nats');
    const program = options.program ?? (await programKey());
    const api = await optional(() => import('@nats-io/jetstream'));
    const state = { away: false, denied: (_text: string) => {} };
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
      denied: (text) => state.denied(text),
    });
    try {
      checkSizes(describePlace(place), connection);
      const manager = await api.jetstreamManager(connection, { timeout: ANSWER_MS, checkAPI: true });
      const out = new SweepSpace(options, program, connection, state, api, manager);
      await out.prepare();
      return out;
    } catch (error) {
      await connection.close();
      throw unusable(describePlace(place), error);
    }
  }

  describe(): string {
    return this.where;
  }

  /** Queues a point. False where it is queued or under way already. */
  putPoint(queue: string, id: string, bytes: Uint8Array): Promise<boolean> {
    return this.putFirst(this.pointSubject(queue, id), bytes);
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

  /** The outcome of a point, and its number in the stream; null where it has none. */
  outcome(queue: string, id: string): Promise<{ readonly data: Uint8Array; readonly seq: number } | null> {
    const subject = this.outcomeSubject(queue, id);
    return this.insist(async () => {
      try {
        const message = await this.manager.streams.getMessage(this.results, { last_by_subj: subject });
        return message === null ? null : { data: message.data, seq: message.seq };
      } catch (error) {
        if (jetStreamCode(error) === JETSTREAM.noMessage) return null;
        throw error;
      }
    });
  }

  /** Forgets what a point came to, so that it can be measured again. */
  async dropOutcome(queue: string, id: string): Promise<void> {
    const filter = this.outcomeSubject(queue, id);
    await this.insist(() => this.manager.streams.purge(this.results, { filter }));
  }

  /**
   * Takes a point back, as far as it is there. One by one: after a purge of a queue's subjects the consumer of nats-server 2.9 passes over points of
   * other queues that were waiting.
   */
  async dropPoint(queue: string, id: string): Promise<void> {
    const subject = this.pointSubject(queue, id);
    const message = await this.manager.streams.getMessage(this.points, { last_by_subj: subject });
    if (message) await this.manager.streams.deleteMessage(this.points, message.seq, false);
  }

  /** Deletes an outcome that is needed no longer by its number, as far as the server is there. */
  async dropOutcomeAt(seq: number): Promise<void> {
    // Without overwriting what is deleted: that takes the server longer.
    await this.manager.streams.deleteMessage(this.results, seq, false);
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

  /** Points that workers have taken or are waiting for: how many could be under way at once. And those that the server knows of, taken or not. */
  async load(): Promise<{ readonly places: number; readonly points: number }> {
    const info = await this.manager.consumers.info(this.points, this.durable);
    return { places: info.num_waiting + info.num_ack_pending, points: info.num_pending + info.num_ack_pending };
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
   * Tries until the server has answered; what was deleted there is made anew. Ends with the signal (AbortError), or where the connection is closed for
   * good or the login may not do it (DeviceError).
   */
  insist<T>(attempt: () => Promise<T>): Promise<T> {
    return this.requests.until(attempt);
  }

  /** True where the message was the first of its subject. */
  private putFirst(subject: string, bytes: Uint8Array): Promise<boolean> {
    return this.insist(async () => {
      try {
        await this.client.publish(subject, bytes, { timeout: ANSWER_MS, expect: { lastSubjectSequence: 0 } });
        return true;
      } catch (error) {
        if (jetStreamCode(error) === JETSTREAM.wrongLastSequence) return false;
        throw error;
      }
    });
  }

  private pointSubject(queue: string, id: string): string {
    return `${this.prefix}.point.${this.program}.${queue}.${id}`;
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
    const points = {
      name: this.points,
      subjects: [`${this.prefix}.point.>`],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      storage: StorageType.File,
      max_age: POINTS_MS * 1e6,
    };
    await streams.add(points).catch(async (error: unknown) => {
      // Earlier versions kept points of sweeps that never came back for ever; what else differs was made by others, and is theirs.
      if (!(JETSTREAM.otherSetting as readonly (number | null)[]).includes(jetStreamCode(error))) throw error;
      const { config } = await streams.info(this.points);
      const ours = config.retention === points.retention && config.subjects.join() === points.subjects.join();
      if (!ours || config.max_age !== 0) throw error;
      await streams.update(this.points, { max_age: points.max_age });
      await streams.add(points);
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

/** DeviceError where a point's outcome would not fit into a message of this server. */
function checkSizes(where: string, { info }: NatsConnection): void {
  const most = info?.max_payload ?? 0;
  if (most >= MAX_MESSAGE_BYTES) return;
  throw new DeviceError(
    `${where} takes messages of at most ${most} bytes, a sweep needs ${MAX_MESSAGE_BYTES}`,
    'set max_payload in its configuration, or leave it out: it is 1 MiB then',
  );
}
