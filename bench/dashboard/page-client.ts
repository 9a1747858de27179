import { connect, type Socket } from 'node:net';
import { decodeFrame } from '../../src/dashboard/frames.ts';
import { clientFrame, Opcode, serverFrame, upgradeRequest } from './web-socket-bytes.ts';

/** A dashboard, and a token of it. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

type Reply = Readonly<Record<string, unknown>>;

/** Watches as a page does, without drawing: takes every frame, answers pings, and asks. */
export class PageClient {
  frames = 0;
  /** Of their payloads. */
  bytes = 0;
  readonly topics = new Map<string, number>();
  private readonly socket: Socket;
  private readonly decodes: boolean;
  private rest: Buffer = Buffer.alloc(0);
  private nextId = 1;
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private readonly heard: ((topic: string) => void)[] = [];

  private constructor(socket: Socket, decodes: boolean) {
    this.socket = socket;
    this.decodes = decodes;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => socket.destroy());
  }

  /** @param decodes it looks at what frames say; else they are counted alone */
  static open({ host, port, token }: Place, decodes = false): Promise<PageClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the dashboard closed the connection')));
      socket.once('connect', () => socket.write(upgradeRequest({ host, port }, token)));
      socket.once('data', (first: Buffer) => {
        const end = first.indexOf('\r\n\r\n');
        if (end < 0 || !first.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) {
          socket.destroy();
          return reject(new Error(first.toString('latin1', 0, 40)));
        }
        const client = new PageClient(socket, decodes);
        client.take(first.subarray(end + 4));
        resolve(client);
      });
    });
  }

  ask(message: object): Promise<Reply> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (reply) => {
        this.waiting.delete(id);
        if (reply.ok === true) resolve(reply);
        else reject(new Error(JSON.stringify(reply.error)));
      });
      this.socket.write(clientFrame(Opcode.text, Buffer.from(JSON.stringify({ ...message, id }))));
    });
  }

  /** The next frame of a topic (any) has come. */
  next(topic?: string): Promise<void> {
    return new Promise((resolve) => {
      const hear = (heard: string) => {
        if (topic !== undefined && heard !== topic) return;
        this.heard.splice(this.heard.indexOf(hear), 1);
        resolve();
      };
      this.heard.push(hear);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const frame = serverFrame(this.rest);
      if (!frame) return;
      this.rest = this.rest.subarray(frame.length);
      if (frame.opcode === Opcode.ping) this.socket.write(clientFrame(Opcode.pong, frame.payload));
      else if (frame.opcode === Opcode.text) this.say(JSON.parse(frame.payload.toString()) as Reply);
      else if (frame.opcode === Opcode.binary) this.count(frame.payload);
    }
  }

  private count(payload: Buffer): void {
    this.frames++;
    this.bytes += payload.length;
    if (!this.decodes) return;
    const { topic } = decodeFrame(new Uint8Array(payload));
    this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1);
    for (const hear of [...this.heard]) hear(topic);
  }

  private say(message: Reply): void {
    if (typeof message.reply === 'number') this.waiting.get(message.reply)?.(message);
  }
}
