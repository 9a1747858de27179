import { mkdtemp } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { UsageError } from '../../src/common/errors.ts';
import { decodeFrame, encodeFrame, type Frame, type FrameArray, type Topic } from '../../src/dashboard/frames.ts';
import { Dashboard } from '../../src/dashboard/server.ts';
import type {
  Controller,
  Job,
  JobEnd,
  JobListener,
  JobRequest,
  MadeCapture,
  RangeRequest,
} from '../../src/link/controller.ts';
import { pictureSize } from '../../src/sct/image/load.ts';

/** A controller whose one job says what the test wants it to. */
export class TestController implements Controller {
  readonly commands = ['loopback', 'sound'];
  readonly started: JobRequest[] = [];
  readonly told: unknown[] = [];
  listener: JobListener | null = null;
  /** Times that what it tells was asked for again. */
  resumed = 0;

  optionsOf(command: string): object {
    if (!this.commands.includes(command)) throw new UsageError(`${command} is not started from here`);
    return { type: 'object', title: command };
  }

  devices(): Promise<unknown> {
    return Promise.resolve([]);
  }

  pictureSize(path: string, name: string): Promise<{ width: number; height: number }> {
    return pictureSize(path, name);
  }

  start(request: JobRequest, listener: JobListener): Job {
    this.optionsOf(request.command);
    this.started.push(request);
    this.listener = listener;
    return {
      command: request.command,
      tell: (message) => void this.told.push(message),
      more: () => void this.resumed++,
      stop: async () => this.end(130, 'stopped'),
    };
  }

  exported: RangeRequest[] = [];
  /** What becomes of a part that is to be written. */
  export: (signal: AbortSignal) => Promise<MadeCapture> = async () => ({ name: 'part', files: [], samples: 1 });

  exportRange(request: RangeRequest, signal: AbortSignal): Promise<MadeCapture> {
    this.exported.push(request);
    return this.export(signal);
  }

  end(exitCode: number, how: JobEnd['how'] = 'ended', error: JobEnd['error'] = null): void {
    const { listener } = this;
    this.listener = null;
    listener?.ended({ exitCode, how, result: null, error });
  }

  /** A frame as the job writes it. */
  tell(topic: Topic, data: Record<string, unknown>, arrays: Record<string, FrameArray> = {}, sequence = 0): void {
    this.listener!.bytes(encodeFrame({ topic, sequence, timeS: 0, data, arrays }));
  }
}

export async function dashboard(
  options: { token?: string; host?: string; web?: string; names?: readonly string[] } = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'sct-dashboard-'));
  const controller = new TestController();
  const server = await Dashboard.listen({
    host: options.host ?? '127.0.0.1',
    port: 0,
    controller,
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.names === undefined ? {} : { names: options.names }),
    places: {
      runs: join(folder, 'runs'),
      captures: join(folder, 'captures'),
      pictures: join(folder, 'pictures'),
      web: options.web ?? join(folder, 'web'),
    },
  });
  return { server, controller, folder, ...server.access };
}

/** How long a test waits for what takes a second on a quiet machine. */
const PATIENCE_MS = 120_000;

export interface TestPage {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  readonly texts: Record<string, unknown>[];
  ask(message: object): Promise<Record<string, unknown>>;
  until(done: () => boolean): Promise<void>;
}

/** A WebSocket as the page opens it. */
export function page(
  { port, host = '127.0.0.1' }: { readonly port: number; readonly host?: string },
  token: string,
  headers: { host?: string; origin?: string } = {},
): Promise<TestPage> {
  const socket = new WebSocket(
    `ws://${host.includes(':') ? `[${host}]` : host}:${port}/ws`,
    ['sct.v1', `token.${token}`],
    {
      ...(headers.origin === undefined ? {} : { origin: headers.origin }),
      headers: headers.host === undefined ? {} : { Host: headers.host },
    },
  );
  const frames: Frame[] = [];
  const texts: Record<string, unknown>[] = [];
  // Several may wait at once: each is woken by whatever comes.
  let waiting: (() => void)[] = [];
  const changed = () => {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  };
  socket.on('message', (data, binary) => {
    if (binary) frames.push(decodeFrame(new Uint8Array(data as Buffer)));
    else texts.push(JSON.parse(String(data)));
    changed();
  });
  let closed = false;
  socket.on('close', () => {
    closed = true;
    changed();
  });
  const until = async (done: () => boolean) => {
    const endMs = Date.now() + PATIENCE_MS;
    const look = setInterval(changed, 1000);
    try {
      while (!done()) {
        if (closed) throw new Error('closed');
        if (Date.now() > endMs) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${done}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    } finally {
      clearInterval(look);
    }
  };
  let id = 0;
  const ask = async (message: object) => {
    const own = ++id;
    socket.send(JSON.stringify({ id: own, ...message }));
    const mine = () => texts.find((t) => t.reply === own);
    await until(() => mine() !== undefined);
    return mine()!;
  };
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ socket, frames, texts, ask, until }));
    socket.once('error', reject);
  });
}

/** One HTTP request with headers of the test's own. */
export function get(
  { port, host = '127.0.0.1' }: { readonly port: number; readonly host?: string },
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  body: string | Uint8Array = '',
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, headers, method }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
