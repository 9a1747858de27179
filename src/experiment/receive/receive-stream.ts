import type { FrontRecord } from '../../link/front-record.ts';
import { type PipelineOptions, ReceivePipeline } from '../../link/pipeline/receive-pipeline.ts';
import { type LinkEvent, Receiver } from '../../link/receiver.ts';
import type { PredictionOptions } from '../../link/reverse/csi-history.ts';
import { RxBack } from '../../link/rx-back.ts';
import { RxFront } from '../../link/rx-front.ts';
import type { PipelineQueues } from '../../link/telemetry.ts';
import type { BurstRecord, SkipRecord } from '../../phy/burst/record.ts';
import type { EstimatorName } from '../../phy/channel-est/estimator.ts';
import { type Frontend, frontendFor } from '../../phy/frontend/frontend.ts';
import { type Numerology, numerology } from '../../phy/numerology.ts';
import type { SampleBlock, SampleFormat } from '../../radio/radio.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { ClassicalCodec } from '../../sct/codec/classical.ts';
import type { ReceiverCodecs } from '../config/link-codecs.ts';
import { occupiedHz } from '../config/link-config.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import { LinkTrace } from '../metrics/link-trace.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import { DroppedBursts } from './dropped-bursts.ts';
import { type HeardPicture, HeardPictures } from './heard-pictures.ts';

/** What a capture says about how it was tuned; absent fields are not ours. */
export interface CaptureHints {
  readonly numerology: number | null;
  readonly loOffsetHz: number;
  readonly rateHz: number;
  /** Index of the first sample, and the one behind the last. */
  readonly startIndex: number;
  readonly endIndex: number;
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly frequencyHz: number | null;
  readonly clippedSamples: number;
  /** Samples lost behind the last one that the capture has, at most. */
  readonly lostAtEnd: number;
  /** Bursts that were heard and not decoded when it was made. */
  readonly dropped: DroppedBursts;
  /** What is wrong with the capture and leaves it readable. */
  readonly problems: readonly string[];
  /** False where its writer may be at it still. */
  readonly complete: boolean;
}

/** Reads the tuning from a capture's metadata. */
export async function captureHints(path: string): Promise<CaptureHints> {
  const reader = await CaptureReader.open(path);
  try {
    const g = reader.meta.global as Record<string, unknown>;
    const number = (key: string) => (typeof g[key] === 'number' && Number.isFinite(g[key]) ? (g[key] as number) : null);
    const { rateHz, format, fullScale, segments } = reader.layout;
    return {
      numerology: number('sct:numerology'),
      loOffsetHz: number('sct:lo_offset_hz') ?? 0,
      rateHz,
      startIndex: reader.span.start,
      endIndex: reader.span.end,
      format,
      fullScale,
      frequencyHz: segments[0]?.frequencyHz ?? null,
      clippedSamples: number('sct:clipped_samples') ?? 0,
      lostAtEnd: mostLost(g['sct:lost_at_end']),
      dropped: DroppedBursts.of(reader),
      problems: reader.layout.problems,
      complete: reader.layout.complete,
    };
  } finally {
    await reader.close();
  }
}

/** The most of a capture's `sct:lost_at_end`; 0 where it says nothing sensible. */
export function mostLost(span: unknown): number {
  const max = (span as { max?: unknown } | null | undefined)?.max;
  return typeof max === 'number' && Number.isSafeInteger(max) && max > 0 ? max : 0;
}

/** How a stream is received. */
export interface ReceiveSettings {
  readonly numerology: number;
  readonly rateHz: number;
  readonly loOffsetHz: number;
  readonly estimator: EstimatorName;
  /** What the receiver's reports were predicted by; absent: they say what was measured. */
  readonly prediction?: PredictionOptions;
  /** Where codecs are found; default: the classical one alone. */
  readonly codecs?: ReceiverCodecs;
  /** Demodulated in a thread of its own; absent: all in this thread. */
  readonly pipeline?: Pick<PipelineOptions, 'format' | 'fullScale' | 'live'>;
  /** Bursts of which only the header counts, as where there was no time for more. */
  readonly leftOut?: DroppedBursts;
  /** Bursts that the trace keeps, the last ones; of those before them means and counts. */
  readonly mostBursts?: number;
}

/** What came of a stream. */
export interface StreamResult {
  readonly numerology: Numerology;
  readonly chain: RxBack;
  readonly trace: LinkTrace;
  readonly codecs: ReceiverCodecs | null;
  /** Pictures of which anything came, and those lost whole, in order; without those that `picture` has settled. */
  readonly heard: readonly HeardPicture[];
}

export interface StreamHooks {
  /** Called for everything heard, after it has been noted. */
  heard?(event: LinkEvent, receiver: Receiver): void;
  /** Called for every burst; returning true stops the reception. */
  burst?(trace: BurstTrace, receiver: Receiver): boolean | undefined;
  /**
   * Called for a picture that another has followed, in order, before the next samples are taken: the receiver does not
   * keep it, so that memory does not grow with the number of pictures. Without it all are kept until the end.
   */
  picture?(heard: HeardPicture, receiver: Receiver): Promise<void>;
  /** Called for the bursts that a long stream's trace keeps no more, in order. */
  leaves?(burst: BurstTrace): void;
  readonly watch?: RunWatch | null;
  /** Called once with what tells how much waits between the threads, where there are several. */
  queues?(read: () => PipelineQueues): void;
  /** Called now and then with the number of samples taken. */
  progress?(samples: number): void;
}

/** Bursts of a stream that are kept, some 12 kB each. */
const MOST_BURSTS = 4096;
/** Pictures that may wait to be settled while the next are received. */
const MAX_UNSETTLED = 2;

/**
 * Receives a stream to its end (or until a hook stops it), knowing only what came over the air: in this thread alone, which gives the same whenever it
 * is done again, or with the demodulation in a thread of its own (`settings.pipeline`), which gives the same, too, as long as nothing is dropped.
 */
export async function receiveStream(
  blocks: AsyncIterable<SampleBlock>,
  settings: ReceiveSettings,
  hooks: StreamHooks = {},
): Promise<StreamResult> {
  const reception = new Reception(settings, hooks);
  if (settings.pipeline) await piped(blocks, reception, settings.pipeline);
  else await alone(blocks, reception);
  return reception.end();
}

/** Both halves of the receiver one after the other, block by block. */
async function alone(blocks: AsyncIterable<SampleBlock>, reception: Reception): Promise<void> {
  const { hooks, back } = reception;
  const records: FrontRecord[] = [];
  const front = new RxFront(reception.frontend, back.receiver.phy, (record) => records.push(record));
  const drain = () => {
    front.progress();
    for (const record of records.splice(0)) reception.take(record);
  };
  for await (const block of blocks) {
    hooks.watch?.block(block, back);
    front.push(block);
    drain();
    await reception.settle();
    hooks.progress?.(back.samples);
    if (reception.stopped) break;
  }
  front.flush();
  drain();
}

/** The front half in another thread, the back half here as its records come; what is on the way when a hook stops the reception is still received. */
async function piped(
  blocks: AsyncIterable<SampleBlock>,
  reception: Reception,
  how: NonNullable<ReceiveSettings['pipeline']>,
): Promise<void> {
  const { hooks, back, settings } = reception;
  const { numerology: subbands, estimator, rateHz, loOffsetHz } = settings;
  const occupied = occupiedHz(numerology(subbands));
  const pipeline = await ReceivePipeline.start({
    subbands,
    estimator,
    rateHz,
    loOffsetHz,
    occupiedHz: occupied,
    passing: true,
    ...how,
  });
  hooks.queues?.(() => pipeline.depths());
  let failed = false;
  const heard = (async () => {
    for await (const record of pipeline) {
      reception.take(record);
      if (record.type === 'burst') await reception.settleSoon();
    }
    await reception.settle();
  })().catch(async (error: unknown) => {
    failed = true;
    await pipeline.close(); // whoever waits for room stops waiting
    throw error;
  });
  heard.catch(() => undefined); // looked at below
  try {
    let samples = 0;
    for await (const block of blocks) {
      if (failed) break;
      hooks.watch?.block(block, back);
      await pipeline.push(block);
      samples += block.data.length >> 1;
      hooks.progress?.(samples);
      if (reception.stopped) break;
    }
    await pipeline.flush();
    await heard;
  } finally {
    await pipeline.close();
  }
}

/** The back half of a stream's receiver with what is made of its events. */
class Reception {
  readonly settings: ReceiveSettings;
  readonly hooks: StreamHooks;
  readonly frontend: Frontend;
  readonly back: RxBack;
  /** A hook wants no more. */
  stopped = false;
  private readonly numerology: Numerology;
  private readonly trace = new LinkTrace();
  private readonly pictures: HeardPictures;
  private readonly most: number;
  private readonly kept: HeardPicture[] = [];
  private settling: Promise<void> | null = null;

  constructor(settings: ReceiveSettings, hooks: StreamHooks) {
    const { estimator, codecs, prediction } = settings;
    const n = numerology(settings.numerology);
    this.settings = settings;
    this.hooks = hooks;
    this.most = settings.mostBursts ?? MOST_BURSTS;
    this.pictures = new HeardPictures(this.most);
    this.numerology = n;
    this.frontend = frontendFor(n.sampleRateHz, occupiedHz(n), settings.rateHz, settings.loOffsetHz);
    const receiver = new Receiver({
      numerology: n,
      codecs: codecs ?? [new ClassicalCodec()],
      estimator,
      prediction,
      passing: true,
      retire: (picture) => this.pictures.retire(picture),
    });
    this.back = new RxBack(this.frontend, receiver);
  }

  take(record: FrontRecord): void {
    const { back, hooks } = this;
    const event = back.take(this.isLeftOut(record) ? skipOf(record) : record);
    if (!event) return;
    const burst = this.trace.add(event, back);
    this.pictures.add(event, burst, back);
    if (burst && event.type === 'burst') hooks.watch?.heard(event, burst, back);
    hooks.heard?.(event, back.receiver);
    if (burst && hooks.burst?.(burst, back.receiver)) this.stopped = true;
    for (const gone of this.trace.letGo(this.most)) hooks.leaves?.(gone);
  }

  private isLeftOut(record: FrontRecord): record is BurstRecord {
    const { leftOut } = this.settings;
    if (!leftOut || record.type !== 'burst') return false;
    return leftOut.has(record.header.burst, this.back.deviceIndexOf(record.startSample));
  }

  /** Shows the picture as far as it has come, and hands over those that are done with. */
  async settle(): Promise<void> {
    await this.settling;
    await this.settleNow();
  }

  /** The same beside what is received meanwhile, waiting only where too many pictures have come since. */
  async settleSoon(): Promise<void> {
    this.settling ??= this.settleNow().finally(() => {
      this.settling = null;
    });
    this.settling.catch(() => undefined); // said where it is waited for
    if (this.pictures.waiting > MAX_UNSETTLED) await this.settling;
  }

  async end(): Promise<StreamResult> {
    const { back, trace, numerology: n, kept, pictures } = this;
    trace.markLosses(back);
    await this.settle();
    const { codecs = null } = this.settings;
    return { numerology: n, chain: back, trace, codecs, heard: [...kept, ...pictures.end(back.receiver.received)] };
  }

  private async settleNow(): Promise<void> {
    const { hooks, back } = this;
    await hooks.watch?.building(back.receiver);
    for (const heard of this.pictures.take()) {
      if (hooks.picture) await hooks.picture(heard, back.receiver);
      else this.kept.push(heard);
    }
  }
}

function skipOf({ startSample, lengthSamples, header }: BurstRecord): SkipRecord {
  return { type: 'skip', startSample, lengthSamples, header, reason: 'overload' };
}
