import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { DeviceError, FormatError } from '../../common/errors.ts';
import { FeedbackHandshake, type HandshakeUse, NONCE_BYTES, type SocketRole } from '../feedback-auth.ts';
import { PUSH_USE } from '../feedback-push.ts';
import { PushInbox } from '../push/push-inbox.ts';
import type { PushLink } from '../push/push-link.ts';

/** A stranger's frame is refused alone; a message of the other end that is missing ends the connection, and the push goes on over another. */
export const NATS_PUSH_USE: HandshakeUse = { ...PUSH_USE, medium: 'ordered' };
/**
 * Each end says so often that it is there, ms; one that has been silent for the second time is gone, and for the third where the server says
 * that nobody hears its subject: that word anyone may forge, so it only makes this end less patient.
 */
const ALIVE_MS = 1000;
const SILENT_MS = 10_000;
const UNHEARD_MS = 3000;
const NO_RESPONDERS = 503;
const PROOF_TIMEOUT_MS = 10_000;
/** For the server to have what was published, ms; and what may be on the way to it, bytes. */
const FLUSH_MS = 20_000;
/** For the last word to be with the server, ms: packets of it may have to be said several times. */
const LEAVE_MS = 5000;
const MOST_UNFLUSHED = 256 * 1024;
/** Fault of a connection whose first word reached nobody. */
export const NOBODY = 'nobody hears it';
/** Messages of the connection itself: no message of a push is so short. */
const OWN_BYTES = 1;
const KEEP_ALIVE = Uint8Array.of(0);
const GOODBYE = Uint8Array.of(1);

/**
 * One authenticated connection of a push through a NATS server: frames go out on one subject, and whoever hears the other hands them to
 * `take`. Ended by the other end's leave, its silence, a gap in its messages, or the loss of the server.
 */
export class NatsPushLink implements PushLink {
  /** Settles when the other end has proved that it holds the token, or the connection is over. */
  readonly proved: Promise<boolean>;
  /** What was wrong with the last frame that was refused, or why the connection was given up; null where the other end left. */
  fault: string | null = null;
  /** Whether somebody answered who does not hold the token. */
  distrusted = false;
  left = false;
  /** Whether the other end said hello, as no noise does. */
  greeted = false;
  private readonly connection: NatsConnection;
  private readonly out: string;
  private readonly into: string;
  private readonly where: string;
  private readonly handshake: FeedbackHandshake;
  private readonly inbox = new PushInbox();
  private readonly over: (link: NatsPushLink) => void;
  private readonly timers: readonly NodeJS.Timeout[];
  private readonly ended: Promise<void>;
  private settle!: (proved: boolean) => void;
  private finish!: () => void;
  private heardMs = performance.now();
  private isUnheard = false;
  private unflushed = 0;

  /**
   * @param out subject that the other end hears
   * @param into subject that this end hears
   * @param over called once, when the connection has ended
   */
  constructor(
    connection: NatsConnection,
    role: SocketRole,
    token: Buffer,
    { out, into, where, over }: { out: string; into: string; where: string; over(link: NatsPushLink): void },
  ) {
    this.connection = connection;
    this.out = out;
    this.into = into;
    this.where = where;
    this.over = over;
    this.handshake = new FeedbackHandshake(role, token, randomBytes(NONCE_BYTES), NATS_PUSH_USE);
    this.proved = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
    const unproved = setTimeout(
      () => this.end(this.fault ?? 'it never proved that it holds the token'),
      PROOF_TIMEOUT_MS,
    );
    void this.proved.then(() => clearTimeout(unproved));
    this.timers = [unproved, setInterval(() => this.tick(), ALIVE_MS)];
  }

  /** Says what a client says first. */
  begin(): void {
    const { opening } = this.handshake;
    if (opening) this.publish(opening);
  }

  async send(message: Uint8Array): Promise<void> {
    const gone = () => new DeviceError(`the connection is gone: ${this.describe()}`);
    if (this.inbox.ended || !this.publish(this.handshake.seal(message))) throw gone();
    this.unflushed += message.length;
    if (this.unflushed < MOST_UNFLUSHED) return;
    this.unflushed = 0;
    // The client takes whatever it is given; only the server's answer says that there is room.
    const flushed = this.connection.flush();
    if (!(await within(Promise.race([flushed, this.ended]), FLUSH_MS))) this.end('the server does not answer');
    if (this.inbox.ended) throw gone();
  }

  receive(): Promise<Uint8Array | null> {
    return this.inbox.take();
  }

  async close(): Promise<void> {
    if (this.inbox.ended) return;
    if (this.handshake.ready && this.publish(this.handshake.seal(GOODBYE))) {
      // What was said last is with the server when this ends.
      await within(this.connection.flush(), LEAVE_MS);
    }
    this.end(null);
  }

  describe(): string {
    return `push ${this.where}${this.fault === null ? '' : ` (${this.fault})`}`;
  }

  /** What came on this connection's subject. */
  take({ data, headers }: Pick<Msg, 'data' | 'headers'>): void {
    if (data.length === 0 && headers?.code === NO_RESPONDERS) {
      this.isUnheard = true;
      if (!this.greeted) this.end(NOBODY);
    } else this.takeFrame(data);
  }

  private takeFrame(frame: Uint8Array): void {
    if (this.inbox.ended) return;
    try {
      const { reply, message } = this.handshake.take(frame);
      this.heardMs = performance.now();
      this.isUnheard = false;
      if (reply) {
        this.greeted = true;
        this.publish(reply);
      }
      if (this.handshake.ready) this.settle(true);
      if (message && message.length > OWN_BYTES) this.inbox.put(message);
      else if (message?.[0] === GOODBYE[0]) {
        this.left = true;
        this.end(null);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      // A sealed message after a gap, or more of them than were asked for, are the other end's; all else may be a stranger's.
      if (this.handshake.ended || error.field === 'frame') this.end(error.message);
      else if (!this.handshake.ready) {
        this.fault = error.message;
        this.distrusted = error.field === 'proof' || error.field === 'answer';
      }
    }
  }

  /** Ends it here, without a word to the other end. */
  end(fault: string | null): void {
    if (this.inbox.ended) return;
    this.fault = fault;
    for (const timer of this.timers) clearTimeout(timer);
    this.inbox.end();
    this.settle(false);
    this.finish();
    this.over(this);
  }

  private tick(): void {
    if (!this.handshake.ready) return;
    if (performance.now() - this.heardMs > (this.isUnheard ? UNHEARD_MS : SILENT_MS)) this.end('it does not answer');
    else this.publish(this.handshake.seal(KEEP_ALIVE));
  }

  private publish(frame: Uint8Array): boolean {
    if (this.connection.isClosed()) return false;
    this.connection.publish(this.out, frame, { reply: this.into });
    return true;
  }
}

/** Whether the promise was fulfilled in time. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true).catch(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
