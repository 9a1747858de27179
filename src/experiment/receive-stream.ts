import { RxChain } from '../link/chains.ts';
import { type LinkEvent, Receiver } from '../link/receiver.ts';
import type { PredictionOptions } from '../link/reverse/csi-history.ts';
import type { EstimatorName } from '../phy/channel-est/estimator.ts';
import { frontendFor } from '../phy/frontend/frontend.ts';
import { type Numerology, numerology } from '../phy/numerology.ts';
import type { SampleBlock, SampleFormat } from '../radio/radio.ts';
import { CaptureReader } from '../radio/sigmf/capture-reader.ts';
import { ClassicalCodec } from '../sct/codec/classical.ts';
import { type HeardPicture, HeardPictures } from './heard-pictures.ts';
import type { ReceiverCodecs } from './link-codecs.ts';
import { occupiedHz } from './link-config.ts';
import { type BurstTrace, LinkTrace } from './link-trace.ts';
import type { RunWatch } from './telemetry/run-watch.ts';

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
      problems: reader.layout.problems,
      complete: reader.layout.complete,
    };
  } finally {
    await reader.close();
  }
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
}

/** What came of a stream. */
export interface StreamResult {
  readonly numerology: Numerology;
  readonly chain: RxChain;
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
  readonly watch?: RunWatch | null;
  /** Called now and then with the number of samples taken. */
  progress?(samples: number): void;
}

/** Receives a stream to its end (or until a hook stops it), knowing only what came over the air. */
export async function receiveStream(
  blocks: AsyncIterable<SampleBlock>,
  settings: ReceiveSettings,
  hooks: StreamHooks = {},
): Promise<StreamResult> {
  const n = numerology(settings.numerology);
  const frontend = frontendFor(n.sampleRateHz, occupiedHz(n), settings.rateHz, settings.loOffsetHz);
  const { estimator, codecs = null } = settings;
  const pictures = new HeardPictures();
  const receiver = new Receiver({
    ...{ numerology: n, codecs: codecs ?? [new ClassicalCodec()], estimator, prediction: settings.prediction },
    retire: (picture) => pictures.retire(picture),
  });
  const chain = new RxChain(frontend, receiver);
  const trace = new LinkTrace();
  const take = (events: ReturnType<RxChain['push']>): boolean => {
    let stop = false;
    for (const event of events) {
      const burst = trace.add(event, chain);
      pictures.add(event, burst, chain);
      if (burst && event.type === 'burst') hooks.watch?.heard(event, burst, chain);
      hooks.heard?.(event, chain.receiver);
      if (burst && hooks.burst?.(burst, chain.receiver)) stop = true;
    }
    return stop;
  };
  const kept: HeardPicture[] = [];
  const settle = async (): Promise<void> => {
    for (const heard of pictures.take()) {
      if (hooks.picture) await hooks.picture(heard, receiver);
      else kept.push(heard);
    }
  };
  for await (const block of blocks) {
    hooks.watch?.block(block, chain);
    const stop = take(chain.push(block));
    await hooks.watch?.building(receiver);
    await settle();
    hooks.progress?.(chain.samples);
    if (stop) break;
  }
  take(chain.flush());
  trace.markLosses(chain);
  await settle();
  return { numerology: n, chain, trace, codecs, heard: [...kept, ...pictures.end(receiver.received)] };
}
