import { randomBytes } from 'node:crypto';
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { FormatError } from '../../common/errors.ts';
import { type ClockEstimate, HostClock } from '../clock-offset.ts';
import {
  FEEDBACK_USE,
  FeedbackHandshake,
  type HandshakeUse,
  MAX_FRAME_BYTES,
  NONCE_BYTES,
  type SocketRole,
} from '../feedback-auth.ts';
import type { SocketCounters } from '../feedback-socket.ts';
import type { HostFeedback, HostFeedbackOptions } from '../host-feedback.ts';
import { MessageQueue } from '../message-queue.ts';
import { connectNats } from './nats-connection.ts';
import { NatsPushServer } from './nats-push.ts';
import { DEFAULT_NAME, describePlace, type NatsPlace, parseNatsUrl } from './nats-url.ts';

/** Attempts that have not proved themselves, at a receiver: the oldest goes first. */
const MOST_UNPROVED = 64;
/** Before a sender begins anew, ms: first, and most; a receiver keeps what is unproved no longer than the second. */
const ATTEMPT_MS = { first: 500, most: 4000 } as const;
/** Each end says so often that it is there, ms; one that has been silent for the second time is gone. */
const ALIVE_MS = 2000;
const SILENT_MS = 7000;
/** Messages of the channel itself: no report is so short. */
const OWN_BYTES = 1;
const KEEP_ALIVE = Uint8Array.of(0);
const GOODBYE = Uint8Array.of(1);
const ID = /^[0-9a-f]{32}$/;
const SHARED: HandshakeUse = { ...FEEDBACK_USE, medium: 'shared' };

/** One attempt of a sender to reach the receiver. */
interface Session {
  readonly id: string;
  readonly handshake: FeedbackHandshake;
  heardMs: number;
}

/**
 * The way back through a NATS server: both ends connect to it, so neither needs to be reachable from the other. A receiver hears
 * `sct.feedback.NAME.server.*`, a sender that makes a new attempt draws an id and hears `sct.feedback.NAME.client.ID`. The ends prove
 * and seal as on a WebSocket (feedback-auth.ts, a shared medium): who may publish on the server can disturb the way back, not speak on it.
 * The newest proved attempt is the peer. Subjects carry each message at most once: what must arrive is repeated by those who say it.
 */
export class NatsFeedback implements HostFeedback {
  readonly counters: SocketCounters = { connections: 0, refused: 0, sent: 0, received: 0, dropped: 0, lost: 0 };
  private readonly role: SocketRole;
  private readonly place: NatsPlace;
  private readonly options: HostFeedbackOptions;
  private readonly subject: string;
  private readonly outgoing = new MessageQueue(this.counters);
  private readonly incoming = new MessageQueue(this.counters);
  private readonly hostClock: HostClock;
  private readonly unproved = new Map<string, Session>();
  private connection: NatsConnection | null = null;
  private inbox: Subscription | null = null;
  private peer: Session | null = null;
  private pushes: NatsPushServer | null = null;
  /** Whether the server is there; the peer may still be another matter. */
  private linked = false;
  private attemptMs: number = ATTEMPT_MS.first;
  private attempt: NodeJS.Timeout | null = null;
  private alive: NodeJS.Timeout | null = null;

  private constructor(role: SocketRole, place: NatsPlace, options: HostFeedbackOptions) {
    this.role = role;
    this.place = place;
    this.options = options;
    this.subject = `sct.feedback.${place.name ?? DEFAULT_NAME}`;
    this.hostClock = new HostClock({
      nowMs: options.nowMs,
      note: (text) => options.note?.(text),
      say: (message) => {
        if (this.peer && this.linked) this.say(this.peer, message);
      },
    });
  }

  /**
   * One end at `nats://HOST[:PORT][/NAME]`: a receiver is the server, a sender the client. DeviceError where no NATS server answers; a peer
   * that is not there is waited for.
   */
  static async open(role: SocketRole, url: string, options: HostFeedbackOptions): Promise<NatsFeedback> {
    const place = parseNatsUrl(url, '--feedback');
    const out = new NatsFeedback(role, place, options);
    out.connection = await connectNats(place, {
      name: `sct feedback ${role}`,
      note: (text) => options.note?.(text),
      lost: () => {
        out.linked = false;
      },
      back: () => {
        out.linked = true;
        out.tick();
      },
      closed: () => {
        out.linked = false;
      },
    });
    out.linked = true;
    const { pushes, token, note } = options;
    if (pushes) {
      out.pushes = await NatsPushServer.open(url, { token, pushes, note }).catch(async (error: unknown) => {
        await out.close();
        throw error;
      });
    }
    out.alive = setInterval(() => out.tick(), ALIVE_MS);
    if (role === 'server') out.hear(`${out.subject}.server.*`);
    else out.dial();
    return out;
  }

  get url(): string {
    return describePlace(this.place);
  }

  get connected(): boolean {
    return this.peer !== null;
  }

  clock(): ClockEstimate | null {
    return this.hostClock.estimate();
  }

  send(message: Uint8Array): void {
    this.outgoing.push(message.slice());
    this.flush();
  }

  receive(): Uint8Array[] {
    return this.incoming.takeAll();
  }

  async close(): Promise<void> {
    if (this.attempt) clearTimeout(this.attempt);
    if (this.alive) clearInterval(this.alive);
    this.attempt = this.alive = null;
    this.hostClock.stop();
    const { connection, linked, peer } = this;
    if (peer && linked) this.say(peer, GOODBYE);
    this.connection = null;
    this.linked = false;
    this.peer = null;
    await this.pushes?.close();
    this.pushes = null;
    if (!connection || connection.isClosed()) return;
    // What was said last is with the server when this ends.
    if (linked) await Promise.race([connection.flush().catch(() => undefined), pause(ATTEMPT_MS.first)]);
    await connection.close();
  }

  describe(): string {
    const { url, role, connected } = this;
    return `feedback ${role === 'server' ? 'at' : 'to'} ${url}${connected ? '' : ' (nobody there)'}`;
  }

  private hear(subject: string): void {
    this.inbox?.unsubscribe();
    this.inbox = this.connection!.subscribe(subject, {
      callback: (error, message) => {
        if (error) this.options.note?.(`feedback: ${subject}: ${error.message}`);
        else this.arrived(message);
      },
    });
  }

  /** A sender's next attempt, under an id that was never used before. */
  private dial(): void {
    if (!this.connection || this.connection.isClosed()) return;
    const session = this.begin(randomBytes(16).toString('hex'));
    this.hear(`${this.subject}.client.${session.id}`);
    if (this.linked) this.publish(session, session.handshake.opening!);
    const anew = (): void => {
      this.unproved.delete(session.id);
      if (this.peer !== session) this.dial();
    };
    this.attempt = setTimeout(() => {
      // The receiver has proved itself: on a slow way its first message, which it may hold for said, is still to come.
      if (session.handshake.ready && this.peer !== session) this.attempt = setTimeout(anew, ATTEMPT_MS.most);
      else anew();
    }, this.attemptMs);
    this.attemptMs = Math.min(2 * this.attemptMs, ATTEMPT_MS.most);
  }

  private begin(id: string): Session {
    const handshake = new FeedbackHandshake(this.role, this.options.token, randomBytes(NONCE_BYTES), SHARED);
    const session = { id, handshake, heardMs: performance.now() };
    this.unproved.set(id, session);
    const [oldest] = this.unproved.keys();
    if (this.unproved.size > MOST_UNPROVED) this.unproved.delete(oldest);
    return session;
  }

  private arrived({ subject, data }: Msg): void {
    const id = subject.slice(subject.lastIndexOf('.') + 1);
    if (!ID.test(id) || data.length > MAX_FRAME_BYTES) {
      this.counters.refused++;
      return;
    }
    const known = this.peer?.id === id ? this.peer : this.unproved.get(id);
    // A sender's own attempts are the only ones that it hears.
    const session = known ?? (this.role === 'server' ? this.begin(id) : null);
    if (session && !this.take(session, data) && !known) this.unproved.delete(id);
  }

  /** False where the frame was refused. */
  private take(session: Session, frame: Uint8Array): boolean {
    try {
      const lostBefore = session.handshake.lost;
      const { reply, message } = session.handshake.take(frame);
      this.counters.lost += session.handshake.lost - lostBefore;
      session.heardMs = performance.now();
      if (reply) this.publish(session, reply);
      // A receiver knows its peer by the answer; a sender by the first message, for its answer may have been lost.
      const proved = message !== null || (this.role === 'server' && session.handshake.ready);
      if (proved && this.peer !== session) this.welcome(session);
      if (message && message.length > OWN_BYTES) {
        if (!this.hostClock.take(message)) this.deliver(message);
      } else if (message?.[0] === GOODBYE[0]) this.gone();
      return true;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      // Whoever may publish can send anything: only a whole proof that does not match tells of another token.
      if (this.role === 'server' || error.field === 'proof') this.counters.refused++;
      this.options.note?.(`feedback: a message was refused: ${error.message}`);
      return false;
    }
  }

  private welcome(session: Session): void {
    this.unproved.delete(session.id);
    this.peer = session;
    this.counters.connections++;
    this.attemptMs = ATTEMPT_MS.first;
    if (this.attempt) clearTimeout(this.attempt);
    this.attempt = null;
    this.say(session, KEEP_ALIVE);
    this.hostClock.begin();
    this.flush();
    this.options.changed?.();
  }

  private deliver(message: Uint8Array): void {
    this.counters.received++;
    this.incoming.push(message);
    this.options.changed?.();
  }

  private flush(): void {
    const { peer } = this;
    if (!peer || !this.linked) return;
    for (const message of this.outgoing.takeAll()) {
      this.say(peer, message);
      this.counters.sent++;
    }
  }

  /** Alive is said and looked for; a sender whose peer is gone begins anew. */
  private tick(): void {
    const now = performance.now();
    for (const session of this.unproved.values()) {
      if (this.role === 'server' && now - session.heardMs > ATTEMPT_MS.most) this.unproved.delete(session.id);
    }
    const { peer } = this;
    if (!peer || !this.linked) return;
    if (now - peer.heardMs <= SILENT_MS) {
      this.say(peer, KEEP_ALIVE);
      return;
    }
    this.gone();
  }

  private gone(): void {
    this.peer = null;
    this.hostClock.stop();
    this.options.note?.('feedback: the peer is gone');
    if (this.role === 'client') this.dial();
  }

  private say(session: Session, message: Uint8Array): void {
    this.publish(session, session.handshake.seal(message));
  }

  private publish(session: Session, frame: Uint8Array): void {
    const other = this.role === 'server' ? 'client' : 'server';
    if (!this.connection || this.connection.isClosed()) return;
    this.connection.publish(`${this.subject}.${other}.${session.id}`, frame);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
