import { ExitCode, SctError } from '../../common/errors.ts';
import type { PipelineQueues } from '../../link/telemetry.ts';
import { DeadlinePolicy } from '../../link/video/deadline.ts';
import { type CodedFrame, type DropReason, VideoSender } from '../../link/video/video-sender.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { setupLink } from '../config/link-setup.ts';
import type { AirReply, AirRequest, AirSetup } from './air-worker.ts';
import type { DecodeReply, DecodeRequest, DecodeSetup } from './decode-worker.ts';
import type { CodedReply, EncodeReply, EncodeRequest, EncodeSetup } from './encode-worker.ts';
import { utcNowMs, VideoThread } from './thread.ts';
import { checkAirTime, type StreamConfig } from './video-config.ts';
import { transferOf } from './waveform-slots.ts';

/** A frame as it was captured. */
export interface SentFrame {
  readonly number: number;
  /** UTC. */
  readonly capturedMs: number;
  readonly image: RgbImage;
}

interface Coded extends CodedFrame<SentFrame> {
  readonly waveform: CodedReply;
}

/** Told of everything that becomes of frames. */
export interface SessionHooks {
  placed(frame: SentFrame, coded: CodedReply, startMs: number): void;
  dropped(frame: SentFrame, reason: DropReason): void;
  /** A frame came through; `frame` is the original. */
  arrived(frame: SentFrame, reply: Extract<DecodeReply, { kind: 'frame' }>): void;
  /** It came, but too late to be decoded. */
  skipped(frame: SentFrame, reply: Extract<DecodeReply, { kind: 'skipped' }>): void;
  /** A frame that was kept, decoded as if none had come before it. */
  compared(key: number, without: RgbImage): void;
}

/** Originals that are waited for: of 256 numbers on the air half can be told apart. */
const MOST_UNDERWAY = 127;
/** From the last frame to the end of the air, ms. */
const TAIL_MS = 150;
/** The other ends of threads that do not answer are not waited for longer, ms. */
const END_MS = 20_000;
/** Usual time on the air before the first frame was coded, as a share of the frame period. */
const FIRST_AIR_SHARE = 0.4;

/**
 * Sender, modelled air and receiver of a video in one process and in real time, each in a thread of its own: coding, the air,
 * demodulation (of the air's pipeline) and decoding. Reports go back from decoder to coder after the delay of the way back.
 */
export class LoopbackSession {
  readonly sender: VideoSender<SentFrame, Coded>;
  readonly policy: DeadlinePolicy;
  channel = '';
  codec = '';
  modelSet = 0;
  offsets: Readonly<Record<string, number>> = {};
  queues: PipelineQueues | null = null;
  mostBehindMs = 0;
  received: Extract<DecodeReply, { kind: 'ended' }> | null = null;
  airSamples = 0;
  private readonly config: StreamConfig;
  private readonly hooks: SessionHooks;
  private encoder!: VideoThread<EncodeRequest, EncodeReply>;
  private air!: VideoThread<AirRequest, AirReply>;
  private decoder!: VideoThread<DecodeRequest, DecodeReply>;
  private readonly coding = new Map<number, { frame: SentFrame; done: (coded: Coded) => void }>();
  private readonly placing = new Map<number, { coded: Coded; done: (startMs: number | null) => void }>();
  /** Frames on the air by their number there, oldest first. */
  private readonly underway = new Map<number, SentFrame>();
  /** When each burst was on the air by its number, s. */
  private readonly sentAtS = new Map<number, number>();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Ring of what was received, from the air's pipeline to the decoder. */
  private records: SharedArrayBuffer | null = null;
  private startAtMs = 0;
  private failure: Error | null = null;
  private wake: () => void = () => undefined;

  private constructor(config: StreamConfig, hooks: SessionHooks) {
    this.config = config;
    this.hooks = hooks;
    this.policy = new DeadlinePolicy(config.video.deadlineMs);
    this.sender = new VideoSender<SentFrame, Coded>(
      {
        policy: this.policy,
        coder: { code: (frame) => this.code(frame) },
        air: { place: (coded, latestMs) => this.place(coded, latestMs) },
        nowMs: utcNowMs,
        sent: ({ frame, waveform }, startMs) => this.hooks.placed(frame, waveform, startMs),
        dropped: (frame, reason) => this.hooks.dropped(frame, reason),
        failed: (error) => this.fail(error as Error),
      },
      (FIRST_AIR_SHARE * 1e3) / config.video.fps,
    );
  }

  /**
   * Starts the threads and lets time begin.
   *
   * @param keepEvery as DecodeSetup
   * @throws UsageError, DeviceError, ModelError of the codec
   */
  static async open(
    config: StreamConfig,
    session: number,
    keepEvery: number,
    hooks: SessionHooks,
  ): Promise<LoopbackSession> {
    const self = new LoopbackSession(config, hooks);
    const failed = (error: Error) => self.fail(error);
    const { video, source: _, to: __, ...link } = config;
    try {
      self.encoder = await VideoThread.start(
        'encode-worker',
        { config: link, session, sizePx: video.sizePx } satisfies EncodeSetup,
        (reply: EncodeReply) => {
          if (reply.kind === 'coded') self.coded(reply);
          else {
            self.modelSet = reply.modelSet;
            self.codec = reply.codec;
          }
        },
        failed,
      );
      const { loOffsetHz } = setupLink(config, null, null).frontend;
      self.decoder = await VideoThread.start(
        'decode-worker',
        {
          config: link,
          loOffsetHz,
          deadlineMs: video.deadlineMs,
          modelSet: self.modelSet,
          sizePx: video.sizePx,
          keepEvery,
        } satisfies DecodeSetup,
        (reply: DecodeReply) => self.decoded(reply),
        failed,
      );
      self.air = await VideoThread.start(
        'air-worker',
        { config: link } satisfies AirSetup,
        (reply: AirReply) => self.onAir(reply),
        failed,
      );
    } catch (error) {
      await self.close();
      throw error;
    }
    self.decoder.post({ kind: 'open', records: self.records! });
    self.startAtMs = utcNowMs();
    self.air.post({ kind: 'open' });
    return self;
  }

  /** Time that has passed on the air, s. */
  get airS(): number {
    return (utcNowMs() - this.startAtMs) / 1e3;
  }

  /** Throws what has gone wrong, if anything has. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** No more frames come: waits until the last has been shown, and the receiver has told all. */
  async finish(): Promise<void> {
    await this.sender.idle();
    this.check();
    this.air.post({ kind: 'end', atMs: utcNowMs() + TAIL_MS });
    await this.until(() => this.received !== null);
  }

  /** Decodes the frames that were kept once more, without the frames before them. */
  async compare(): Promise<void> {
    let done = false;
    this.compared = () => {
      done = true;
      this.wake();
    };
    this.decoder.post({ kind: 'compare' });
    await this.until(() => done);
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    await Promise.all([this.encoder?.stop(), this.air?.stop(), this.decoder?.stop()]);
  }

  private compared: () => void = () => undefined;

  private code(frame: SentFrame): Promise<Coded> {
    const { number, capturedMs, image } = frame;
    return new Promise((done) => {
      this.coding.set(number, { frame, done });
      const nowS = (utcNowMs() - this.startAtMs + this.policy.coding.ms) / 1e3;
      this.encoder.post({ kind: 'code', number, image, nowS, capturedAtMs: capturedMs });
    });
  }

  private coded(waveform: CodedReply): void {
    const { frame, done } = this.coding.get(waveform.number)!;
    this.coding.delete(waveform.number);
    const airMs = (waveform.reIm.length / 2 / this.config.rateHz) * 1e3;
    try {
      checkAirTime(airMs, this.config.video);
    } catch (error) {
      this.fail(error as Error);
    }
    done({ frame, waveform, airMs });
  }

  private place(coded: Coded, latestAtMs: number): Promise<number | null> {
    const { number, reIm } = coded.waveform;
    // Known before the air can bring it back.
    this.underway.set(coded.waveform.image, coded.frame);
    if (this.underway.size > MOST_UNDERWAY) this.underway.delete(this.underway.keys().next().value!);
    return new Promise((done) => {
      this.placing.set(number, { coded, done });
      this.air.post({ kind: 'burst', id: number, reIm, latestAtMs }, transferOf(reIm));
    });
  }

  private onAir(reply: AirReply): void {
    if (reply.kind === 'described') {
      this.channel = reply.channel;
      this.offsets = reply.offsets;
      this.records = reply.records;
    } else if (reply.kind === 'state') {
      this.queues = reply.queues;
      this.mostBehindMs = Math.max(this.mostBehindMs, reply.mostBehindMs);
    } else if (reply.kind === 'ended') {
      this.airSamples = reply.samples;
    } else {
      const { coded, done } = this.placing.get(reply.id)!;
      this.placing.delete(reply.id);
      const { waveform } = coded;
      if (reply.startAtMs === null) this.underway.delete(waveform.image);
      else {
        for (const { burst, endSample } of waveform.bursts)
          this.sentAtS.set(burst, reply.startS + endSample / this.config.rateHz);
      }
      done(reply.startAtMs);
    }
  }

  private decoded(reply: DecodeReply): void {
    if (reply.kind === 'report') this.report(reply);
    else if (reply.kind === 'frame' || reply.kind === 'skipped') {
      const frame = this.underway.get(reply.airNumber);
      if (!frame) return;
      this.underway.delete(reply.airNumber);
      if (reply.kind === 'skipped') this.hooks.skipped(frame, reply);
      else {
        this.hooks.arrived(frame, reply);
      }
      const measured = utcNowMs() - this.startAtMs - 1e3 * reply.endS;
      this.policy.receiving.add(measured);
    } else if (reply.kind === 'compared') {
      this.hooks.compared(reply.key, reply.without);
    } else if (reply.kind === 'all-compared') this.compared();
    else {
      this.received = reply;
      this.wake();
    }
  }

  /** A report goes back to the coder after the delay of the way back. */
  private report({ report }: Extract<DecodeReply, { kind: 'report' }>): void {
    const measuredAtS = this.sentAtS.get(report.burst);
    this.sentAtS.delete(report.burst);
    if (this.config.feedback === 'none' || measuredAtS === undefined) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.encoder.post({ kind: 'report', report, measuredAtS });
    }, this.config.csiDelayMs);
    this.timers.add(timer);
  }

  private async until(done: () => boolean): Promise<void> {
    const endMs = utcNowMs() + END_MS;
    while (!done()) {
      this.check();
      if (utcNowMs() > endMs) throw new SctError('the threads of the video do not end', ExitCode.internal);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }
}
