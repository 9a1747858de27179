import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { encodeFrame, type FrameArray, FrameError, type Topic } from '../dashboard/frames.ts';
import type { Telemetry, TelemetryEvent } from '../link/telemetry.ts';

/** Environment variable that names the file descriptor on which a watched command tells what happens. */
export const TELEMETRY_FD = 'SCT_TELEMETRY_FD';

/** What waits for the watcher at most, bytes: beyond it events that a later one replaces are left out, beyond four times as much all. */
const MOST_WAITING = 1 << 22;
/** Less than a picture of the page takes. */
const GATHER_MS = 20;
const REPLACED: ReadonlySet<Topic> = new Set(['spectrum', 'status', 'burst', 'replay', 'video']);

/** What a pipe needs of a socket. */
export type PipeEnd = Pick<
  Socket,
  'write' | 'cork' | 'uncork' | 'writableLength' | 'end' | 'destroyed' | 'on' | 'resume'
>;

/** Writes what a command tells as frames. It never waits: what the watcher does not take in time is left out and counted. */
export class TelemetryPipe implements Telemetry {
  leftOut = 0;
  /** Aborted once nobody reads any more. */
  readonly gone: AbortSignal;
  private readonly socket: PipeEnd;
  private readonly sequences = new Map<Topic, number>();
  private gathering = false;

  constructor(socket: PipeEnd) {
    this.socket = socket;
    const controller = new AbortController();
    this.gone = controller.signal;
    for (const end of ['end', 'error', 'close']) socket.on(end, () => controller.abort());
  }

  /** The pipe that the environment names; null where nobody watches. */
  static fromEnvironment(environment: NodeJS.ProcessEnv): TelemetryPipe | null {
    const fd = Number(environment[TELEMETRY_FD]);
    if (!Number.isInteger(fd) || fd < 3 || fd > 255) return null;
    try {
      // The watcher says nothing on it; that it ends is heard by reading, and a run that has nothing to tell hears it as well. A pipe of one
      // direction cannot be read: there it is heard when something is told.
      const socket = new Socket({ fd, readable: fstatSync(fd).isSocket(), writable: true });
      socket.resume().unref();
      return new TelemetryPipe(socket);
    } catch {
      return null;
    }
  }

  tell(event: TelemetryEvent): void {
    const { topic, ...fields } = event;
    const waiting = this.socket.writableLength;
    if (this.socket.destroyed || waiting > (REPLACED.has(topic) ? MOST_WAITING : 4 * MOST_WAITING)) {
      this.leftOut++;
      return;
    }
    const data: Record<string, unknown> = {};
    const arrays: Record<string, FrameArray> = {};
    for (const [key, value] of Object.entries(fields)) {
      if (value instanceof Float32Array || value instanceof Uint8Array) arrays[key] = value;
      else data[key] = value;
    }
    const sequence = this.sequences.get(topic) ?? 0;
    this.sequences.set(topic, (sequence + 1) >>> 0);
    this.gather();
    try {
      this.socket.write(encodeFrame({ topic, sequence, timeS: timeOf(event), data, arrays }));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.leftOut++;
    }
  }

  /** What is told within some milliseconds goes out in one write: each wakes the watcher, which costs more than the bytes. */
  private gather(): void {
    if (this.gathering) return;
    this.gathering = true;
    this.socket.cork();
    setTimeout(() => {
      this.gathering = false;
      this.socket.uncork();
    }, GATHER_MS).unref();
  }

  /** Everything told has been taken, or the watcher has had so long, ms. */
  end(patienceMs = 2000): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed) return resolve();
      const timer = setTimeout(resolve, patienceMs);
      this.socket.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** When it happened, s of the stream that is watched; 0 where that means nothing. */
function timeOf(event: TelemetryEvent): number {
  if (event.topic === 'status' || event.topic === 'spectrum') return event.timeS;
  if (event.topic === 'burst') return event.startS;
  if (event.topic === 'loss') return event.fromS;
  return event.topic === 'replay' ? event.positionS : 0;
}
