import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { loadProfile, type RadioProfile } from '../../../src/radio/profile.ts';
import type { Air, AirClock } from '../air.ts';
import type { MakeFaults } from '../analogue-faults.ts';
import { type RfFigures, rfFigures } from '../rf-figures.ts';
import type { ControlReply, EmulatedUsbDevice, UsbDescriptors, UsbSetup } from '../usb-device.ts';
import { Chips } from './chips.ts';
import { BULK_IN, BULK_OUT, hackrfDescriptors } from './descriptors.ts';
import { type Firmware, firmwareOf } from './firmware.ts';
import { RadioRegisters } from './radio-registers.ts';
import { type RequestTarget, type SweepPlan, vendorRequest } from './requests.ts';
import { RfSide } from './rf-side.ts';
import { RadioSettings } from './settings.ts';
import { Transceiver } from './transceiver.ts';

export interface HackrfOptions {
  /** Name of its connector on the air. */
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly serial: string;
  readonly clock: AirClock;
  /** Null: nothing is heard but noise. */
  readonly air: Air | null;
  /** USB API version, which stands for a release of the firmware. */
  readonly apiVersion?: number;
  /** Error of its clock, parts per million. */
  readonly ppm?: number;
  /** Error of the 10 MHz at CLKIN, which the board uses when it is there; absent: nothing is connected. */
  readonly clkinPpm?: number;
  readonly seed?: number | string;
  /** Where its levels come from: hardware/hackrf.json unless given. */
  readonly profile?: RadioProfile;
  /** What the analogue parts do to the samples, full scale 1.0: after the gain in RX, before it in TX. */
  readonly rxFaults?: MakeFaults;
  readonly txFaults?: MakeFaults;
  /**
   * In place of what the converter gives: sample n is the bytes n mod 256 and n / 256 mod 256, n counting the
   * converter's samples since the operation began, lost ones included.
   */
  readonly rxCounter?: boolean;
  /** Bytes a second of the bus; at most 53.2e6 for 13 packets a microframe. */
  readonly busBytesPerS?: number;
}

/** Time a restarted board is away from the bus, s. */
const RESTART_S = { leaves: 0.1, isBack: 1 } as const;

/** An emulated HackRF One. */
export class HackrfBoard implements EmulatedUsbDevice, RequestTarget {
  readonly descriptors: UsbDescriptors;
  readonly firmware: Firmware;
  readonly serial: string;
  readonly chips = new Chips();
  private readonly options: HackrfOptions;
  private readonly random: RandomStream;
  private readonly figures: RfFigures;
  private readonly listeners: ((plugged: boolean) => void)[] = [];
  private radio!: RadioSettings;
  private radioRegisters!: RadioRegisters;
  private transceiver!: Transceiver;
  private rf!: RfSide;
  private readonly antenna: ReturnType<Air['attach']> | null;
  private plugged = true;
  private runs = 0;
  private wake: { readonly timeS: number; readonly abort: AbortController } | null = null;

  constructor(options: HackrfOptions) {
    if (!/^[0-9a-f]{32}$/.test(options.serial)) {
      throw new UsageError(`serial "${options.serial}" of an emulated HackRF: it needs 32 digits of 0-9, a-f`);
    }
    this.options = options;
    this.firmware = firmwareOf(options.apiVersion ?? 0x0107);
    this.serial = options.serial;
    this.descriptors = hackrfDescriptors(this.firmware.apiVersion, options.serial, options.clock.speed);
    this.random = new RandomStream(options.seed ?? options.serial).fork('hackrf');
    this.figures = rfFigures(options.profile ?? loadProfile('hackrf'));
    const transmitTo = (timeS: number) => this.transceiver.transmitTo(timeS);
    this.antenna = options.air?.attach(options.name, { transmitTo }) ?? null;
    this.powerOn();
  }

  get settings(): RadioSettings {
    return this.radio;
  }

  get registers(): RadioRegisters {
    return this.radioRegisters;
  }

  control(setup: UsbSetup, data: Uint8Array): ControlReply | Promise<ControlReply> {
    if (!this.plugged) return 'stall';
    this.run();
    const reply = vendorRequest(this, setup, data);
    this.rearm();
    return reply;
  }

  async bulkIn(endpoint: number, length: number, signal: AbortSignal): Promise<Uint8Array | 'stall'> {
    if (endpoint !== BULK_IN || !this.plugged) return 'stall';
    this.run();
    const done = this.transceiver.input.queue(length, signal);
    this.run();
    this.rearm();
    return done;
  }

  async bulkOut(endpoint: number, data: Uint8Array, signal: AbortSignal): Promise<'ok' | 'stall'> {
    if (endpoint !== BULK_OUT || !this.plugged) return 'stall';
    this.run();
    const done = this.transceiver.output.queue(data, signal);
    this.run();
    this.rearm();
    await done;
    return 'ok';
  }

  reset(): void {
    if (!this.plugged) return;
    this.run();
    this.transceiver.abort();
    this.rearm();
  }

  unplug(): void {
    if (!this.plugged) return;
    this.run();
    this.transceiver.abort();
    this.transceiver.input.drop();
    this.transceiver.output.drop();
    this.plugged = false;
    this.rearm();
    for (const listener of [...this.listeners]) listener(false);
  }

  plug(): void {
    if (this.plugged) return;
    this.plugged = true;
    this.powerOn();
    for (const listener of [...this.listeners]) listener(true);
  }

  onConnection(listener: (plugged: boolean) => void): () => void {
    this.listeners.push(listener);
    return () => {
      const at = this.listeners.indexOf(listener);
      if (at >= 0) this.listeners.splice(at, 1);
    };
  }

  /** A pulse at the trigger input. */
  trigger(): void {
    this.run();
    this.transceiver.trigger(this.options.clock.nowS());
    this.run();
    this.rearm();
  }

  /** What a measuring receiver at the connector and a probe inside would show, for tests and reports; up to now. */
  inspect() {
    this.run();
    const { transceiver, rf } = this;
    return {
      ...transceiver.inspect(),
      plugged: this.plugged,
      /** Samples put on the air that were not zero. */
      emittedSamples: rf.emittedSamples,
      /** End of the last stretch of samples that were not zero, s of the air; null: never. */
      lastEmissionS: rf.lastEmissionS,
      clippedSamples: rf.received.clippedSamples,
      loudestInputDbm: rf.loudestInputDbm,
    };
  }

  // What requests use.

  setMode(mode: number): ControlReply | Promise<ControlReply> {
    return this.transceiver.request(mode, this.options.clock.nowS());
  }

  rateChanged(): void {
    this.transceiver.rateChanged();
  }

  tuned(): void {
    // Levels and frequency are looked at for every stretch of samples; all before this moment was done by run().
  }

  setSweep(plan: SweepPlan): void {
    this.transceiver.sweepPlan = plan;
  }

  m0State(): Uint8Array {
    return this.transceiver.m0.bytes();
  }

  clkinPresent(): boolean {
    return this.options.clkinPpm !== undefined;
  }

  bufferSizeAsked(): void {
    this.transceiver.hostFlushes = true;
  }

  restart(): void {
    const { clock } = this.options;
    const run = this.runs;
    void clock.at(clock.nowS() + RESTART_S.leaves).then(async () => {
      if (this.runs !== run || !this.plugged) return;
      this.unplug();
      await clock.at(clock.nowS() + RESTART_S.isBack);
      this.plug();
    });
  }

  private powerOn(): void {
    this.runs++;
    const { options, firmware, random } = this;
    this.radio = new RadioSettings(firmware);
    this.radioRegisters = new RadioRegisters(this.radio);
    this.chips.setClkinPresent(this.clkinPresent());
    const clockFactor = () => 1 + this.clockPpm() * 1e-6;
    const { rxFaults, txFaults } = options;
    this.rf = new RfSide({
      antenna: this.antenna,
      figures: this.figures,
      settings: this.radio,
      clockFactor,
      random: random.fork(`power-on-${this.runs}`),
      ...(rxFaults ? { rxFaults } : {}),
      ...(txFaults ? { txFaults } : {}),
    });
    this.transceiver = new Transceiver({
      firmware,
      settings: this.radio,
      rf: this.rf,
      clockFactor,
      busBytesPerS: options.busBytesPerS ?? 48e6,
      counter: options.rxCounter ?? false,
    });
  }

  private clockPpm(): number {
    return this.options.clkinPpm ?? this.options.ppm ?? 0;
  }

  /** Lets everything happen that had to until now. */
  private run(): void {
    if (this.plugged) this.transceiver.advance(this.options.clock.nowS());
  }

  /** Sees to it that the board runs when the host next waits for something. */
  private rearm(): void {
    const { clock } = this.options;
    const timeS = this.plugged ? this.transceiver.wakeS(clock.nowS()) : null;
    if (timeS === null) {
      this.wake?.abort.abort();
      this.wake = null;
      return;
    }
    if (this.wake && this.wake.timeS <= timeS) return;
    this.wake?.abort.abort();
    const wake = { timeS, abort: new AbortController() };
    this.wake = wake;
    void clock.at(timeS, wake.abort.signal).then(() => {
      if (this.wake !== wake) return;
      this.wake = null;
      this.run();
      this.rearm();
    });
  }
}
