import { RxChain } from '../link/chains.ts';
import { Receiver } from '../link/receiver.ts';
import type { EstimatorName } from '../phy/channel-est/estimator.ts';
import { frontendFor } from '../phy/frontend/frontend.ts';
import { type Numerology, numerology } from '../phy/numerology.ts';
import type { SampleBlock, SampleFormat } from '../radio/radio.ts';
import { CaptureReader } from '../radio/sigmf/capture-reader.ts';
import { ClassicalCodec } from '../sct/codec/classical.ts';
import type { DecodedImage, DecodeOptions } from '../sct/codec/codec.ts';
import type { ReceiverCodecs } from './link-codecs.ts';
import { occupiedHz } from './link-config.ts';
import { type BurstTrace, LinkTrace } from './link-trace.ts';

/** What a capture says about how it was tuned; absent fields are not ours. */
export interface CaptureHints {
  readonly numerology: number | null;
  readonly loOffsetHz: number;
  readonly rateHz: number;
  readonly format: SampleFormat;
  readonly fullScale: number;
  readonly frequencyHz: number | null;
  readonly clippedSamples: number;
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
      format,
      fullScale,
      frequencyHz: segments[0]?.frequencyHz ?? null,
      clippedSamples: number('sct:clipped_samples') ?? 0,
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
  /** Where codecs are found; default: the classical one alone. */
  readonly codecs?: ReceiverCodecs;
}

/** What came of a stream. */
export interface StreamResult {
  readonly numerology: Numerology;
  readonly chain: RxChain;
  readonly trace: LinkTrace;
  readonly codecs: ReceiverCodecs | null;
}

export interface StreamHooks {
  /** Called for every burst; returning true stops the reception. */
  burst?(trace: BurstTrace, receiver: Receiver): boolean | undefined;
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
  const receiver = new Receiver({ numerology: n, codecs: codecs ?? [new ClassicalCodec()], estimator });
  const chain = new RxChain(frontend, receiver);
  const trace = new LinkTrace();
  const take = (events: ReturnType<RxChain['push']>): boolean => {
    let stop = false;
    for (const event of events) {
      const burst = trace.add(event, chain);
      if (burst && hooks.burst?.(burst, chain.receiver)) stop = true;
    }
    return stop;
  };
  for await (const block of blocks) {
    const stop = take(chain.push(block));
    hooks.progress?.(chain.samples);
    if (stop) break;
  }
  take(chain.flush());
  trace.markLosses(chain);
  return { numerology: n, chain, trace, codecs };
}

/** The last picture of which anything arrived, decoded; undefined when none did. */
export async function lastPicture(
  result: StreamResult,
  options: DecodeOptions = {},
): Promise<DecodedImage | undefined> {
  const picture = result.chain.receiver.received.at(-1);
  return picture ? result.chain.receiver.picture(picture, options) : undefined;
}
