import type { ControlReply } from '../usb-device.ts';
import type { Firmware } from './firmware.ts';
import { M0, M0Mode } from './m0.ts';
import { type SweepPlan, TransceiverMode } from './requests.ts';
import type { RfSide } from './rf-side.ts';
import { RxStream } from './rx-stream.ts';
import type { SampleClock } from './sample-clock.ts';
import type { RadioSettings } from './settings.ts';
import { type Shortfall, ShortfallLog } from './shortfall-log.ts';
import type { Converter, SampleStream, StreamParts } from './stream.ts';
import { SweepStream } from './sweep-stream.ts';
import { TxStream } from './tx-stream.ts';
import { InPipe, OutPipe } from './usb-pipes.ts';

export interface TransceiverParts {
  readonly firmware: Firmware;
  readonly settings: RadioSettings;
  readonly rf: RfSide;
  readonly clockFactor: () => number;
  readonly busBytesPerS: number;
  /** Count samples in place of receiving them. */
  readonly counter: boolean;
}

/** Which operation runs, how one ends and the next begins. Half duplex: one at a time. */
export class Transceiver {
  readonly m0 = new M0();
  readonly input = new InPipe();
  readonly output = new OutPipe();
  sweepPlan: SweepPlan | null = null;
  /** The host flushes by itself, so leaving TX is answered at once. */
  hostFlushes = false;
  private readonly parts: TransceiverParts;
  private stream: SampleStream | null = null;
  private timeS = 0;
  private transmittingS = 0;
  /** What is to come when TX has emptied its buffers; answered then. */
  private leaving: { mode: number; readonly answer: (reply: ControlReply) => void } | null = null;
  private programming = false;
  private lastLosses = new ShortfallLog();

  constructor(parts: TransceiverParts) {
    this.parts = parts;
  }

  /** SET_TRANSCEIVER_MODE. Both endpoints are flushed, whatever the mode. */
  request(mode: number, nowS: number): ControlReply | Promise<ControlReply> {
    if (this.programming) return 'ok';
    if (this.leaving) {
      // The host gave up waiting and asks again: taken at once, done when the buffers are empty.
      this.leaving.mode = mode;
      return 'ok';
    }
    const { firmware } = this.parts;
    if (this.stream instanceof TxStream && firmware.autoFlush && !this.hostFlushes) {
      const tx = this.stream;
      if (!tx.prefilled) {
        this.start(mode, nowS);
        return new Promise(() => {});
      }
      tx.drain();
      return new Promise((answer) => {
        this.leaving = { mode, answer };
        this.advance(nowS);
      });
    }
    this.start(mode, nowS);
    return 'ok';
  }

  advance(nowS: number): void {
    this.stream?.advance(nowS);
    if (this.stream instanceof TxStream) this.transmittingS += Math.max(nowS - this.timeS, 0);
    this.timeS = Math.max(this.timeS, nowS);
    if (!this.leaving || !(this.stream instanceof TxStream) || !this.stream.drained) return;
    const { mode, answer } = this.leaving;
    this.leaving = null;
    this.start(mode, nowS);
    answer('ok');
  }

  /** For the air: what is sent until then, without hearing. */
  transmitTo(timeS: number): void {
    if (this.stream?.kind === 'tx') this.advance(timeS);
  }

  wakeS(nowS: number): number | null {
    return this.stream?.wakeS(nowS) ?? null;
  }

  rateChanged(): void {
    this.stream?.changeRate(this.trueRateHz());
  }

  trigger(nowS: number): void {
    this.stream?.trigger(nowS);
  }

  /** Bus reset or unplugged: off at once, whatever was under way. */
  abort(): void {
    this.leaving = null;
    this.programming = false;
    this.start(TransceiverMode.off, this.timeS);
  }

  inspect() {
    const losses = this.stream?.losses ?? this.lastLosses;
    const mode = this.stream?.kind ?? 'off';
    return {
      mode,
      /** How long the transmitter's RF path was switched on, s of the air. */
      transmittingS: this.transmittingS,
      /** Samples that the present or last operation moved through its buffer. */
      samples: this.m0.m0Count / 2,
      /** What it really lost (RX) or sent zeros for (TX). */
      lostSamples: losses.samples,
      shortfalls: losses.entries as readonly Shortfall[],
      m0: { ...this.m0 },
    };
  }

  private trueRateHz(): number {
    return this.parts.settings.rateHz * this.parts.clockFactor();
  }

  private start(mode: number, nowS: number): void {
    const { firmware, settings, busBytesPerS, rf } = this.parts;
    if (this.stream) {
      this.lastLosses = this.stream.losses;
      if (this.m0.activeMode !== M0Mode.idle) this.lastLosses.end(this.m0.m0Count / 2);
      this.stream.stop();
      this.stream = null;
      this.m0.setMode(M0Mode.idle);
      settings.enter('off');
    }
    if (mode === TransceiverMode.cpldUpdate) {
      // The board programs its CPLD from what comes and then only blinks: nothing but a restart ends it.
      this.programming = true;
      return;
    }
    if (mode === TransceiverMode.off) return;
    settings.enter(mode === TransceiverMode.tx ? 'tx' : 'rx');
    const parts: StreamParts = {
      firmware,
      m0: this.m0,
      rateHz: this.trueRateHz(),
      busBytesPerS,
      waitForTrigger: settings.hardwareTrigger,
    };
    if (mode === TransceiverMode.tx) {
      this.m0.setMode(M0Mode.txStart);
      this.m0.shortfallLimit = settings.txUnderrunLimit;
      const send = rf.transmit.bind(rf);
      this.stream = new TxStream(parts, this.output, send, nowS);
    } else {
      this.m0.setMode(M0Mode.rx);
      this.m0.shortfallLimit = settings.rxOverrunLimit;
      const convert: Converter = this.parts.counter
        ? countSamples
        : (startS, _n, out, clock) => rf.receive(startS, out, clock);
      if (mode === TransceiverMode.rx) this.stream = new RxStream(parts, this.input, convert, nowS);
      else {
        const plan = this.sweepPlan ?? NO_SWEEP;
        const tune = (frequencyHz: number) => settings.setFrequency(0, frequencyHz);
        this.stream = new SweepStream(parts, this.input, convert, plan, tune, nowS);
      }
    }
    this.stream.advance(nowS);
  }
}

/** A sweep that was never set up stays where it is; the firmware's variables are 0, and one block is a step. */
const NO_SWEEP: SweepPlan = { blocksPerStep: 1, stepHz: 0, offsetHz: 0, interleaved: false, rangesMhz: [[0, 0]] };

function countSamples(_startS: number, sample: number, out: Int8Array, _clock: SampleClock): void {
  let n = sample;
  for (let i = 0; i + 1 < out.length; i += 2) {
    out[i] = n;
    out[i + 1] = n >>> 8;
    n = (n + 1) & 0xffff;
  }
}
