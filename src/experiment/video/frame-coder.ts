import { FloatRoom } from '../../common/float-room.ts';
import { countedRe } from '../../link/accounting.ts';
import type { CsiReport } from '../../link/reverse/reverse-messages.ts';
import type { TransmitBurst, Transmitter } from '../../link/transmitter.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { type LinkCodec, senderCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { budgetOf, type LinkSetup, setupLink } from '../config/link-setup.ts';
import { sendingEnd } from '../loopback/session-ends.ts';
import type { WaveformSlots } from './waveform-slots.ts';

/** Of a video's networks: some 0.02 dB less PSNR, a third less time. */
export const PRECISION = 'int8';
/** Silence between the bursts of a frame, s: the receiver's search begins anew. */
export const GAP_S = 0.2e-3;

/** A frame as samples for the air. */
export interface FrameWaveform {
  /** Number of the picture on the air, 0 to 255. */
  readonly image: number;
  /** At the device rate, bursts and the silence between them, [sample][re, im]. */
  readonly reIm: Float32Array;
  /** Numbers of its bursts and where they end in it, samples. */
  readonly bursts: readonly { readonly burst: number; readonly endSample: number }[];
  /** Counted resource elements. */
  readonly re: number;
  readonly map: string;
  readonly csiAgeMs: number | null;
  readonly sideInfoBytes: number;
  readonly timingsMs: Readonly<Record<string, number>>;
}

/** Codes the frames of a video one after another: a transmitter without repetitions, and the way up to the device rate. */
export class FrameCoder {
  readonly transmitter: Transmitter;
  readonly setup: LinkSetup;
  readonly coding: LinkCodec;
  private readonly config: LinkConfig;
  private readonly upconverter;
  private readonly waveforms: WaveformSlots | null;
  /** Of the burst that is being made, at the modem rate. */
  private readonly room = new FloatRoom();
  /** Zeros that bring the last samples out of the upconverter, [sample][re, im]. */
  private readonly tail: Float32Array;

  private constructor(config: LinkConfig, coding: LinkCodec, session: number, waveforms: WaveformSlots | null) {
    this.config = config;
    this.coding = coding;
    this.setup = setupLink(config, null, coding);
    this.transmitter = sendingEnd(config, this.setup, {
      harq: 0,
      session,
      answers: config.feedback !== 'none',
      oneAtATime: true,
    });
    this.upconverter = this.setup.frontend.upconverter();
    this.waveforms = waveforms;
    this.tail = new Float32Array(2 * Math.ceil(this.upconverter.tailInputSamples));
  }

  /**
   * @param waveforms where frames stand until they are freed; default each has memory of its own
   * @throws UsageError, DeviceError and ModelError as `senderCodec`
   */
  static async open(config: LinkConfig, session: number, waveforms: WaveformSlots | null = null): Promise<FrameCoder> {
    return new FrameCoder(config, await senderCodec(config, PRECISION), session, waveforms);
  }

  /** Codes a picture that nobody sends, so that the first that counts does not wait for networks to be made. */
  async rehearse(image: RgbImage): Promise<void> {
    const plan = await this.transmitter.understudy().send(image, this.budget(image), 0);
    for (const burst of plan.bursts) this.samplesOf(burst);
  }

  /**
   * One frame at a time.
   *
   * @param nowS when the frame will be on the air, of the clock of the reports
   * @param capturedAtMs UTC; rides on the air
   */
  async code(image: RgbImage, nowS: number, capturedAtMs: number | null): Promise<FrameWaveform> {
    const { transmitter } = this;
    const before = countedRe(transmitter.budget);
    const startedMs = performance.now();
    const plan = await transmitter.send(image, this.budget(image), nowS, [], { capturedAtMs });
    const plannedMs = performance.now();
    const { deviceRateHz, modemRateHz } = this.setup.frontend;
    const gap = 2 * Math.ceil(GAP_S * deviceRateHz);
    const most = plan.bursts.reduce(
      (sum, { layout }) =>
        sum + 2 * Math.ceil(((layout.samples + this.tail.length / 2) * deviceRateHz) / modemRateHz + 2),
      gap * (plan.bursts.length - 1),
    );
    const memory = this.waveforms?.take(most) ?? new Float32Array(most);
    const bursts: { burst: number; endSample: number }[] = [];
    let end = 0;
    for (const [i, burst] of plan.bursts.entries()) {
      if (i > 0) memory.fill(0, end, (end += gap));
      end = this.up(this.samplesOf(burst), memory, end);
      bursts.push({ burst: burst.burst, endSample: end / 2 });
    }
    return {
      image: plan.bursts[0].extension!.image,
      reIm: memory.subarray(0, end),
      bursts,
      re: countedRe(transmitter.budget) - before,
      map: plan.map,
      csiAgeMs: plan.csiAgeS === null ? null : 1e3 * plan.csiAgeS,
      sideInfoBytes: plan.sideInfoBytes,
      timingsMs: { ...plan.timingsMs, sendMs: plannedMs - startedMs, waveformMs: performance.now() - plannedMs },
    };
  }

  /** @param measuredAtS when the burst that it names was on the air */
  takeReport(report: CsiReport, measuredAtS: number): void {
    this.transmitter.takeReport(report, measuredAtS);
  }

  private budget(image: RgbImage): number {
    return budgetOf(this.config, image.width * image.height);
  }

  /** At the modem rate; valid until the next burst is made. */
  private samplesOf(burst: TransmitBurst): Float32Array {
    return burst.samplesIn(this.room.first(2 * burst.layout.samples));
  }

  /** Writes a burst at the device rate into `out` from element `at` on; returns where it ends. */
  private up(samples: Float32Array, out: Float32Array, at: number): number {
    const { upconverter, tail } = this;
    upconverter.reset();
    const main = upconverter.process(samples);
    out.set(main, at);
    const from = at + main.length;
    const rest = upconverter.process(tail);
    out.set(rest, from);
    return from + rest.length;
  }
}
