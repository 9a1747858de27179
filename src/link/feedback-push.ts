import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { DeviceError, FormatError, UsageError } from '../common/errors.ts';
import { FeedbackHandshake, type HandshakeUse, NONCE_BYTES, type SocketRole } from './feedback-auth.ts';
import { PushInbox } from './push/push-inbox.ts';
import type { PushLink } from './push/push-link.ts';
import { MAX_PUSH_MESSAGE } from './push/push-messages.ts';

/** Pushes have a path of their own at the address of the feedback socket, and keys of their own from the same token. */
export const PUSH_PATH = '/push';
export const PUSH_USE: HandshakeUse = {
  label: 'sct push',
  magic: Buffer.from('sctp\x01', 'latin1'),
  mostBytes: MAX_PUSH_MESSAGE,
  medium: 'stream',
};
/** Largest frame: a message with its number and tag. */
export const MAX_PUSH_FRAME = MAX_PUSH_MESSAGE + 24;
const PROOF_TIMEOUT_MS = 10_000;
/** Alive is asked for so often, ms; a peer that has not answered by the next time is gone. */
const PING_MS = 5000;
const CLOSE_MS = 500;
/** Of a peer that did not say why: often it was this end's proof that it did not take. */
export const LEFT_UNPROVED = 'the peer left unproved; does it hold another token?';
/** RFC 6455 §7.4.1: the connection broke. */
const ABNORMAL_CLOSURE = 1006;

/** One authenticated connection of a push over a WebSocket. */
export class SocketPushLink implements PushLink {
  /** Settles when the other end has proved that it holds the token, or the connection is over. */
  readonly proved: Promise<boolean>;
  /** Why the connection was given up; null where the other end left. */
  fault: string | null = null;
  left = false;
  private readonly socket: WebSocket;
  private readonly where: string;
  private readonly handshake: FeedbackHandshake;
  private readonly inbox = new PushInbox();
  private settle!: (proved: boolean) => void;
  private alive = true;

  constructor(socket: WebSocket, role: SocketRole, token: Buffer, where: string) {
    this.socket = socket;
    this.where = where;
    this.handshake = new FeedbackHandshake(role, token, randomBytes(NONCE_BYTES), PUSH_USE);
    this.proved = new Promise((resolve) => {
      this.settle = resolve;
    });
    const { opening } = this.handshake;
    const begin = () => {
      if (opening) socket.send(opening);
    };
    if (socket.readyState === WebSocket.OPEN) begin();
    else socket.once('open', begin);
    const unproved = setTimeout(() => this.giveUp('it never proved that it holds the token'), PROOF_TIMEOUT_MS);
    void this.proved.then(() => clearTimeout(unproved));
    const pings = setInterval(() => {
      if (!this.alive) return this.giveUp('it does not answer');
      this.alive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }, PING_MS);
    socket.on('pong', () => {
      this.alive = true;
    });
    socket.on('message', (data, isBinary) => {
      this.alive = true;
      try {
        if (!isBinary || !Buffer.isBuffer(data)) throw new FormatError('frame', 'is not binary');
        this.take(data);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        this.giveUp(error.message);
      }
    });
    // What went wrong is seen in its closing.
    socket.on('error', () => undefined);
    socket.once('close', (code) => {
      clearInterval(pings);
      this.left = code !== ABNORMAL_CLOSURE;
      this.settle(false);
      this.inbox.end();
    });
  }

  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new DeviceError(`the connection is gone: ${this.describe()}`));
      if (this.inbox.ended || this.socket.readyState !== WebSocket.OPEN) return gone();
      this.socket.send(this.handshake.seal(message), (error) => (error ? gone() : resolve()));
    });
  }

  receive(): Promise<Uint8Array | null> {
    return this.inbox.take();
  }

  async close(): Promise<void> {
    if (this.inbox.ended) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.socket.terminate(), CLOSE_MS);
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.socket.close();
    });
  }

  describe(): string {
    return `push ${this.where}${this.fault === null ? '' : ` (${this.fault})`}`;
  }

  private take(frame: Buffer): void {
    const { reply, message } = this.handshake.take(frame);
    if (reply) this.socket.send(reply);
    if (this.handshake.ready) this.settle(true);
    if (message) this.inbox.put(message);
  }

  private giveUp(fault: string): void {
    this.fault ??= fault;
    this.socket.terminate();
  }
}

/** Why nobody could be reached; to be put behind "nobody is at ...". */
export function connectFault({ code }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ': its name cannot be resolved';
    case 'ECONNREFUSED':
      return ': connection refused';
    case undefined:
      return '';
    default:
      return `: ${code}`;
  }
}

/**
 * A connection for a push to the receiver at a feedback address.
 *
 * @throws UsageError where it holds another token; DeviceError where nobody is there, or nobody who takes pushes
 */
export async function connectPush(url: string, token: Buffer): Promise<SocketPushLink> {
  const target = new URL(PUSH_PATH, url).href;
  const socket = new WebSocket(target, {
    maxPayload: MAX_PUSH_FRAME,
    perMessageDeflate: false,
    handshakeTimeout: PROOF_TIMEOUT_MS,
  });
  let reached = false;
  let cause = '';
  socket.once('open', () => {
    reached = true;
  });
  socket.once('error', (error: NodeJS.ErrnoException) => {
    cause = connectFault(error);
  });
  const link = new SocketPushLink(socket, 'client', token, `to ${url}`);
  if (await link.proved) return link;
  if (link.fault !== null)
    throw new UsageError(`the receiver at ${url}: ${link.fault}`, 'give both ends the same token');
  if (!reached)
    throw new DeviceError(`nobody is at ${url}${cause}`, 'start sct models accept or sct receive --pushed there');
  throw new DeviceError(`${url} takes no pushes`, 'start sct models accept or sct receive --pushed there');
}
