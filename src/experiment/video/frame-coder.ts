import { countedRe } from '../../link/accounting.ts';
import type { CsiReport } from '../../link/reverse/reverse-messages.ts';
import type { Transmitter } from '../../link/transmitter.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { type LinkCodec, senderCodec } from '../link-codecs.ts';
import type { LinkConfig } from '../link-config.ts';
import { budgetOf, type LinkSetup, setupLink } from '../link-setup.ts';
import { sendingEnd } from '../session-ends.ts';

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

  private constructor(config: LinkConfig, coding: LinkCodec, session: number) {
    this.config = config;
    this.coding = coding;
    this.setup = setupLink(config, null, coding);
    this.transmitter = sendingEnd(config, this.setup, {
      ...{ harq: 0, session, answers: config.feedback !== 'none' },
    });
    this.upconverter = this.setup.frontend.upconverter();
  }

  /** @throws UsageError, DeviceError and ModelError as `senderCodec` */
  static async open(config: LinkConfig, session: number): Promise<FrameCoder> {
    return new FrameCoder(config, await senderCodec(config, PRECISION), session);
  }

  /** Codes a picture that nobody sends, so that the first that counts does not wait for networks to be made. */
  async rehearse(image: RgbImage): Promise<void> {
    const plan = await this.transmitter.understudy().send(image, this.budget(image), 0);
    for (const burst of plan.bursts) void burst.samples;
  }

  /**
   * @param nowS when the frame will be on the air, of the clock of the reports
   * @param capturedAtMs UTC; rides on the air
   */
  async code(image: RgbImage, nowS: number, capturedAtMs: number | null): Promise<FrameWaveform> {
    const { transmitter } = this;
    const before = countedRe(transmitter.budget);
    const startedMs = performance.now();
    const plan = await transmitter.send(image, this.budget(image), nowS, [], { capturedAtMs });
    const plannedMs = performance.now();
    const pieces = plan.bursts.map((burst) => this.up(burst.samples));
    const gap = Math.ceil(GAP_S * this.setup.frontend.deviceRateHz);
    const total = pieces.reduce((sum, p) => sum + (p.length >> 1), 0) + gap * (pieces.length - 1);
    const reIm = new Float32Array(2 * total);
    const bursts: { burst: number; endSample: number }[] = [];
    let at = 0;
    for (const [i, piece] of pieces.entries()) {
      reIm.set(piece, 2 * at);
      at += piece.length >> 1;
      bursts.push({ burst: plan.bursts[i].burst, endSample: at });
      at += gap;
    }
    return {
      image: plan.bursts[0].extension!.image,
      ...{ reIm, bursts },
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

  private up(samples: Float32Array): Float32Array {
    const { upconverter } = this;
    upconverter.reset();
    const main = upconverter.process(samples).slice();
    const rest = upconverter.process(new Float32Array(2 * Math.ceil(upconverter.tailInputSamples)));
    const out = new Float32Array(main.length + rest.length);
    out.set(main);
    out.set(rest, main.length);
    return out;
  }
}
