import { api, token } from './api.ts';
import { store } from './store.ts';

export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'refused';
export type Access = 'read' | 'control';

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
/** An answer takes so long at most; a part of a recording is written first. */
const REPLY_MS = 20_000;
const EXPORT_MS = 3_600_000;

export type Command = 'start' | 'stop' | 'replay' | 'again' | 'export';

/** What the server answered to a command that it did not carry out. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
  }
}

/** The WebSocket to the server: comes back by itself, with growing pauses, and begins with an empty store each time. */
export class Connection {
  state: ConnectionState = 'connecting';
  access: Access | null = null;
  /** Command that runs on the server; null: none. */
  job: string | null = null;
  /** Times that it was lost since the page was opened. */
  losses = 0;
  /** When the next attempt is made, by the page's clock, ms. */
  nextAtMs = 0;
  private socket: WebSocket | null = null;
  private waitMs = FIRST_WAIT_MS;
  private timer: number | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, (reply: Reply) => void>();

  open(): void {
    clearTimeout(this.timer);
    this.set('connecting');
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/ws`, ['sct.v1', `token.${token()}`]);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    socket.onopen = () => {
      this.waitMs = FIRST_WAIT_MS;
      store.reset();
      this.set('open');
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) store.take(new Uint8Array(data), performance.now());
      else this.text(String(data));
    };
    socket.onclose = () => this.closed(socket);
  }

  /** Tries at once, where it waits. */
  retry(): void {
    if (this.state === 'waiting' || this.state === 'refused') this.open();
  }

  /**
   * Has the server do something.
   *
   * @throws Refused with the server's words
   */
  async command(what: Command, body: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const { socket } = this;
    if (this.state !== 'open' || !socket) throw new Refused('there is no connection to the server', null);
    const id = this.nextId++;
    const reply = await new Promise<Reply>((resolve) => {
      const timer = setTimeout(
        () => resolve({ ok: false, error: { message: 'the server does not answer' } }),
        what === 'export' ? EXPORT_MS : REPLY_MS,
      );
      this.waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      socket.send(JSON.stringify({ ...body, id, do: what }));
    });
    this.waiting.delete(id);
    if (!reply.ok) throw new Refused(reply.error?.message ?? 'the server refused', reply.error?.hint ?? null);
    return reply.result;
  }

  private text(data: string): void {
    let message: { access?: Access; reply?: number; job?: string | null } & Partial<Reply>;
    try {
      message = JSON.parse(data);
    } catch {
      store.unreadable++;
      return;
    }
    if (message.access === 'read' || message.access === 'control') this.access = message.access;
    if (message.job !== undefined) this.job = message.job;
    store.say('connection');
    if (typeof message.reply === 'number') this.waiting.get(message.reply)?.({ ...message, ok: message.ok === true });
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return;
    for (const answer of this.waiting.values()) answer({ ok: false, error: { message: 'the connection was lost' } });
    if (this.state === 'open') this.losses++;
    const waitMs = this.waitMs * (0.75 + Math.random() / 2);
    this.waitMs = Math.min(LONGEST_WAIT_MS, 2 * this.waitMs);
    this.nextAtMs = performance.now() + waitMs;
    this.set('waiting');
    this.timer = setTimeout(() => this.open(), waitMs);
    void this.findOutWhy();
  }

  /** A browser does not say why a WebSocket was refused; the same token on REST does. */
  private async findOutWhy(): Promise<void> {
    const status = await api.status();
    if (this.state !== 'waiting' || (status !== 401 && status !== 403)) return;
    clearTimeout(this.timer);
    this.set('refused');
  }

  private set(state: ConnectionState): void {
    this.state = state;
    store.say('connection');
  }
}

interface Reply {
  readonly ok: boolean;
  readonly error?: { readonly message: string; readonly hint?: string | null };
  readonly result?: unknown;
}

export const connection = new Connection();
