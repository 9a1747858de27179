import { UsageError } from '../../common/errors.ts';
import type { UsbDevice } from '../usb/usb.ts';
import { UsbError } from '../usb/usb.ts';
import { ChunkRingWriter } from './chunk-ring.ts';
import { asUsbError, type Clock, hostClock, InRunner, type Running } from './in-runner.ts';
import { OutRunner } from './out-runner.ts';
import {
  type InRequest,
  type OutRequest,
  PRESET_MS,
  type PresetRequest,
  type RunTask,
  type TaskContext,
  type TaskRequest,
} from './stream-board.ts';

/** A task that does not stop is left behind after so long. */
const STOP_MS = 700;

/** Streams, queues, tasks and farewell of one board, in the thread that has it open. */
export class BoardEngine {
  /** Null: a thread for tasks alone. */
  readonly device: UsbDevice | null;
  private readonly clock: Clock;
  private readonly streams = new Map<Running, number>();
  private readonly queues = new Map<OutRunner, number>();
  private farewell: readonly PresetRequest[] = [];
  private silent: Promise<void> | null = null;
  private closing: Promise<void> | null = null;

  constructor(device: UsbDevice | null, clock: Clock = hostClock) {
    this.device = device;
    this.clock = clock;
  }

  runIn(request: InRequest, shared: SharedArrayBuffer): Running {
    const device = this.boardFor(request.endpoint, this.streams);
    const runner = new InRunner(device, request, new ChunkRingWriter(shared), this.clock);
    return this.keep(runner, request.endpoint);
  }

  /** `onSent` hears how many bytes the board has taken. */
  openOut(request: OutRequest, onSent?: (bytes: number) => void): OutRunner {
    const runner = new OutRunner(this.boardFor(request.endpoint, this.queues), request, this.clock, onSent);
    this.queues.set(runner, request.endpoint);
    return runner;
  }

  async cancelOut(runner: OutRunner): Promise<void> {
    await runner.cancel();
    this.queues.delete(runner);
  }

  async runTask({ module, parameters }: TaskRequest, shared: SharedArrayBuffer): Promise<Running> {
    this.checkOpen();
    const { runTask } = (await import(module)) as { runTask?: RunTask };
    if (typeof runTask !== 'function') throw new UsageError(`${module} exports no runTask`);
    this.checkOpen();
    const ring = new ChunkRingWriter(shared);
    const abort = new AbortController();
    const { device, clock } = this;
    const context: TaskContext = {
      device,
      parameters,
      signal: abort.signal,
      push: (data, timeNs) => ring.push(data, timeNs ?? clock()),
      pushSide: (side) => ring.pushSide(side),
      get endIndex() {
        return ring.endIndex;
      },
    };
    const ended = (async () => {
      try {
        await runTask(context);
        return null;
      } catch (error) {
        return abort.signal.aborted ? null : asUsbError(error);
      } finally {
        ring.end();
      }
    })();
    const stop = async () => {
      abort.abort();
      await ended;
    };
    return this.keep({ ended, stop, pollNow: () => {} }, -1);
  }

  setFarewell(requests: readonly PresetRequest[]): void {
    this.farewell = requests;
  }

  /** Ends everything that is being sent, then the farewell. Never fails: a board that is gone is silent. */
  async silence(): Promise<void> {
    const { device } = this;
    if (!device) return;
    const endings = [...this.queues.keys()].map((queue) => queue.cancel());
    // A control request that the board does not answer would hold up the farewell: endpoint 0 serves one at a time.
    endings.push(device.cancel(0));
    for (const { endpoints } of device.interfaces) {
      for (const { address } of endpoints) if (address < 0x80) endings.push(device.cancel(address));
    }
    await Promise.allSettled(endings);
    for (const { data, timeoutMs = PRESET_MS, ...setup } of this.farewell) {
      await device.controlOut(setup, data, timeoutMs).catch(() => {});
    }
  }

  /**
   * Silence first, then the rest, then the board is let go. Safe to call twice.
   *
   * @param onSilent hears when the farewell was sent
   */
  close(onSilent: () => void = () => {}): Promise<void> {
    this.silent ??= this.silence();
    void this.silent.then(onSilent);
    this.closing ??= (async () => {
      await this.silent;
      const stopped = Promise.allSettled([...this.streams.keys()].map((stream) => stream.stop()));
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([stopped, new Promise((resolve) => (timer = setTimeout(resolve, STOP_MS)))]);
      clearTimeout(timer);
      await this.device?.close();
    })();
    return this.closing;
  }

  private keep(running: Running, endpoint: number): Running {
    this.streams.set(running, endpoint);
    void running.ended.then(() => this.streams.delete(running));
    return running;
  }

  private boardFor(endpoint: number, used: ReadonlyMap<unknown, number>): UsbDevice {
    this.checkOpen();
    if (!this.device) throw new UsageError('this thread has no board');
    if ([...used.values()].includes(endpoint)) {
      throw new UsbError('busy', `endpoint 0x${endpoint.toString(16)} is in use by another stream`);
    }
    return this.device;
  }

  private checkOpen(): void {
    if (this.closing) throw new UsbError('gone', 'the board was closed');
  }
}
