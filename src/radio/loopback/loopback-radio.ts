import { DeviceError, inRange, UsageError } from '../../common/errors.ts';
import { checkFullScale, formatSpec } from '../format/sample-format.ts';
import type { Radio, RadioCapabilities, SampleFormat, StreamRequest, StreamSettings } from '../radio.ts';
import { resolveRequest } from '../settings.ts';
import { type ChannelFn, type LoopbackDrop, LoopbackPath, SimulatedClock } from './loopback-path.ts';
import { LoopbackRx, LoopbackTx } from './loopback-streams.ts';

export interface LoopbackOptions {
  /** From transmitter to receiver. */
  readonly channel: ChannelFn;
  /** Converters of both ends; default cf32_le, which has none. */
  readonly format?: SampleFormat;
  readonly fullScale?: number;
  readonly rateHz?: number;
  readonly frequencyHz?: number;
  /** half: one direction open at a time, as on a HackRF. Default full. */
  readonly duplex?: 'full' | 'half';
  readonly drops?: readonly LoopbackDrop[];
  /** Samples in a received block. */
  readonly blockSamples?: number;
  /** Queued but unheard burst samples at which write() waits for the receiver. */
  readonly maxPendingSamples?: number;
}

/** The paths of one radio, and everybody on the same clock. */
interface Wiring {
  readonly clock: SimulatedClock;
  readonly txPath: LoopbackPath;
  readonly rxPath: LoopbackPath;
  readonly rxChannel: string;
  readonly peers: LoopbackRadio[];
}

/**
 * Transmitter and receiver in one process, joined by a channel function, in simulated time: time moves only with
 * what is transmitted and with advance(), so a run is the same on any machine. Without an open receiver samples
 * pass unheard; the channel goes on all the same.
 */
export class LoopbackRadio implements Radio {
  readonly uri = 'loopback';
  readonly capabilities: RadioCapabilities;
  private readonly options: LoopbackOptions;
  private readonly wiring: Wiring;
  private rx: LoopbackRx | null = null;
  private tx: LoopbackTx | null = null;
  private closed = false;

  private constructor(options: LoopbackOptions, wiring: Wiring) {
    this.options = options;
    this.wiring = wiring;
    this.capabilities = capabilitiesOf(options);
    wiring.peers.push(this);
  }

  /** One radio that hears itself through the channel. */
  static create(options: LoopbackOptions): LoopbackRadio {
    const clock = new SimulatedClock();
    const path = newPath(options, options.channel, clock, options.drops);
    const wiring = { clock, txPath: path, rxPath: path, rxChannel: options.channel.describe(), peers: [] };
    return new LoopbackRadio(options, wiring);
  }

  /**
   * Two radios facing each other on one clock: what the first sends through `channel` the second hears, and back
   * through `reverse`. Drops act on the forward path.
   */
  static pair(options: LoopbackOptions, reverse: ChannelFn): [LoopbackRadio, LoopbackRadio] {
    const clock = new SimulatedClock();
    const forward = newPath(options, options.channel, clock, options.drops);
    const back = newPath(options, reverse, clock, undefined);
    const peers: LoopbackRadio[] = [];
    const near = { clock, txPath: forward, rxPath: back, rxChannel: reverse.describe(), peers };
    const far = { clock, txPath: back, rxPath: forward, rxChannel: options.channel.describe(), peers };
    return [new LoopbackRadio(options, near), new LoopbackRadio(options, far)];
  }

  /** Simulated time, samples since the start. */
  get now(): number {
    return this.wiring.clock.now;
  }

  /** Lets simulated time pass; the receiver hears the channel without signal. */
  advance(samples: number): void {
    if (!Number.isSafeInteger(samples)) throw new UsageError(`${samples} is not a number of samples`);
    this.wiring.clock.now += inRange('time to wait', samples, 0, 2 ** 48, 'samples');
    this.timePassed();
  }

  async openRx(request: StreamRequest = {}): Promise<LoopbackRx> {
    this.checkFree('rx');
    const settings = this.resolve('rx', request);
    this.wiring.rxPath.skip();
    const { rxPath, rxChannel } = this.wiring;
    const rx = new LoopbackRx(rxPath, settings, this.options.blockSamples ?? 16_384, rxChannel, () => {
      this.rx = null;
      this.timePassed();
    });
    this.rx = rx;
    return rx;
  }

  async openTx(request: StreamRequest = {}): Promise<LoopbackTx> {
    this.checkFree('tx');
    const settings = this.resolve('tx', request);
    const limit = this.options.maxPendingSamples ?? 2 ** 24;
    this.tx = new LoopbackTx(this.wiring.txPath, settings, limit, {
      timePassed: () => this.timePassed(),
      closed: () => {
        this.tx = null;
      },
      receiverOf: () => this.wiring.peers.find((peer) => peer.wiring.rxPath === this.wiring.txPath)?.rx ?? null,
    });
    return this.tx;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.tx?.close();
    await this.rx?.close();
  }

  describe(): string {
    return `loopback (${this.capabilities.formats[0]}, ${this.capabilities.duplex} duplex) through ${this.wiring.rxChannel}`;
  }

  /** Wakes receivers, or lets the samples go by where nobody listens. */
  private timePassed(): void {
    for (const peer of this.wiring.peers) {
      if (peer.rx) peer.rx.wake();
      else peer.wiring.rxPath.skip();
    }
  }

  private resolve(direction: 'rx' | 'tx', request: StreamRequest): StreamSettings {
    const { rateHz = 7.68e6, frequencyHz = 0 } = this.options;
    return resolveRequest(this.capabilities, direction, request, { rateHz, frequencyHz, ...converterOf(this.options) });
  }

  private checkFree(direction: 'rx' | 'tx'): void {
    if (this.closed) throw new DeviceError('loopback: the radio is closed');
    if (direction === 'rx' ? this.rx : this.tx) throw new DeviceError(`loopback: ${direction} is open already`);
    if (this.capabilities.duplex === 'half' && (this.rx || this.tx)) {
      throw new DeviceError('loopback: the radio is half-duplex', `close ${this.rx ? 'rx' : 'tx'} first`);
    }
  }
}

function converterOf(options: LoopbackOptions): { format: SampleFormat; fullScale: number } {
  const format = options.format ?? 'cf32_le';
  return { format, fullScale: checkFullScale(format, options.fullScale ?? formatSpec(format).defaultFullScale) };
}

function newPath(
  options: LoopbackOptions,
  channel: ChannelFn,
  clock: SimulatedClock,
  drops: readonly LoopbackDrop[] | undefined,
): LoopbackPath {
  return new LoopbackPath({ channel, clock, ...converterOf(options), ...(drops ? { drops } : {}) });
}

function capabilitiesOf(options: LoopbackOptions): RadioCapabilities {
  return {
    name: 'loopback',
    formats: [options.format ?? 'cf32_le'],
    duplex: options.duplex ?? 'full',
    rx: true,
    tx: true,
    frequencyHz: { min: 0, max: 1e12, step: 0 },
    rateHz: { min: 1, max: 1e9, step: 0 },
    maxContinuousRateHz: 1e9,
    gains: [],
    realtime: false,
  };
}
