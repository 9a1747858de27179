import { ExitCode, UsageError } from '../../common/errors.ts';
import type { ReceivedPicture, Receiver } from '../../link/receiver.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { encodePng } from '../../sct/image/save.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { codecTimings, decodeOptions, type ReceiverCodecs } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { openQualityInputs } from '../config/quality-inputs.ts';
import { exitCodeOf, outcomeText } from '../metrics/exit-code.ts';
import { linkMetrics } from '../metrics/link-metrics.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import { cleanTask, decodedSize } from '../metrics/machine-metrics.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import { heardSpeech } from '../speech/speech-figures.ts';
import { wavOf } from '../speech/speech-files.ts';
import type { RunWatch } from '../telemetry/run-watch.ts';
import type { HeardPicture } from './heard-pictures.ts';
import type { StreamResult } from './receive-stream.ts';

/** One of several pictures of a stream; what is counted over the stream (samples, repetitions) is null. */
export interface PictureMetrics extends LinkMetrics {
  session: number;
  /** Number in the session; null for a picture of which nothing could be read. */
  image: number | null;
}

/** Pictures of a long stream whose figures are not kept any more: how many, and how many of them came whole. */
export interface EarlierPictures {
  readonly count: number;
  readonly whole: number;
}

/** How a stream's pictures are judged. */
export interface LedgerOptions {
  readonly config: LinkConfig;
  /** Original; compared with the pictures of its size. */
  readonly reference: RgbImage | undefined;
  /** The same of speech. */
  readonly speech?: Speech | undefined;
  readonly codecs: ReceiverCodecs;
  /** Writes a file of the run; returns its path. */
  readonly write: (name: string, bytes: Uint8Array) => Promise<string>;
  readonly note: (text: string) => void;
  readonly watch?: RunWatch | null;
  /** Pictures whose figures are kept, the last ones; of those before them counts. */
  readonly mostKept?: number;
}

/** A metrics object has some kilobytes; a stream of pictures can go on for days. */
const MOST_KEPT = 1000;
const MOST_PROBLEMS = 100;

/**
 * Pictures of one stream, decoded, judged and written (received-1.png, ...) one after another, so that only one is in memory.
 * A stream with a single picture leaves nothing here.
 */
export class PictureLedger {
  /** Of the last pictures, in order. */
  readonly images: PictureMetrics[] = [];
  /** All that were settled, and those of them that are whole. */
  readonly counts = { all: 0, whole: 0 };
  private readonly said: string[] = [];
  private problemsLeft = 0;
  /** The last picture of which anything came. */
  last: { picture: ReceivedPicture; decoded: DecodedImage | undefined; trace: LinkTrace } | null = null;
  private readonly options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.options = options;
  }

  async settle({ session, picture, trace }: HeardPicture, receiver: Receiver): Promise<void> {
    const { config, codecs, write, note, watch } = this.options;
    let decoded: DecodedImage | undefined;
    let problem: string | null = null;
    try {
      if (picture) decoded = await receiver.picture(picture, decodeOptions(config));
    } catch (error) {
      // One picture of an unknown codec or model set does not cost the others.
      if (!(error instanceof UsageError)) throw error;
      problem = error.message;
    }
    const metrics = await this.measure(trace, picture, decoded, codecs);
    const exitCode = exitCodeOf(metrics, { minPsnrDb: config.minPsnrDb }, true);
    metrics.ok = exitCode === ExitCode.ok;
    const number = ++this.counts.all;
    if (metrics.ok) this.counts.whole++;
    if (decoded?.image) {
      metrics.files = { received: await write(`received-${number}.png`, await encodePng(decoded.image)) };
    }
    const heard = heardSpeech(decoded)?.speech;
    if (heard) {
      metrics.files = { ...metrics.files, receivedSpeech: await write(`received-${number}.wav`, wavOf(heard)) };
    }
    await watch?.decoded(decoded, metrics);
    problem ??= outcomeText(metrics, config, decoded, trace);
    if (problem) {
      const line = `picture ${number} (session ${session}): ${problem}`;
      note(line);
      if (this.said.push(line) > MOST_PROBLEMS) {
        this.said.shift();
        this.problemsLeft++;
      }
    }
    this.images.push({ ...metrics, session, image: picture?.image ?? null });
    if (this.images.length > (this.options.mostKept ?? MOST_KEPT)) this.images.shift();
    if (picture) this.last = { picture, decoded, trace };
  }

  /** The stream has ended. A picture that came alone is left to the caller. */
  async finish({ heard, chain }: StreamResult): Promise<void> {
    if (this.counts.all + heard.length < 2) return;
    for (const picture of heard) await this.settle(picture, chain.receiver);
  }

  /** Whether the stream had more than one picture. */
  get several(): boolean {
    return this.counts.all > 1;
  }

  /** Pictures whose figures are not kept any more. */
  get earlier(): EarlierPictures {
    const whole = this.images.filter((m) => m.ok).length;
    return { count: this.counts.all - this.images.length, whole: this.counts.whole - whole };
  }

  /** What became of the last that did not come whole, a line each. */
  get problems(): string[] {
    const left = this.problemsLeft;
    return left === 0 ? this.said : [`${left} more pictures that did not come whole before these`, ...this.said];
  }

  private async measure(
    trace: LinkTrace,
    picture: ReceivedPicture | null,
    decoded: DecodedImage | undefined,
    codecs: ReceiverCodecs,
  ): Promise<LinkMetrics> {
    const { config, reference, speech } = this.options;
    const size = decodedSize(decoded);
    const fits = size && (size.width !== reference?.width || size.height !== reference.height) ? undefined : reference;
    const inputs = await openQualityInputs(config, fits);
    const metrics = linkMetrics({
      config,
      trace,
      facts: null,
      source: fits,
      speech,
      decoded,
      picture: picture ?? undefined,
      labels: codecs.labels,
      samples: 0,
      lostSamples: 0,
      clippedSamples: 0,
      modelled: false,
      roiMask: fits ? inputs.roiMask : undefined,
      machine: {
        truth: size && inputs.truth?.length === size.width * size.height ? inputs.truth : undefined,
        clean: await cleanTask(codecs.models, decoded, fits),
      },
      networks: await inputs.networks(fits, decoded),
    });
    const timings = codecTimings(decoded?.timingsMs ?? {}, decoded?.task);
    return {
      ...metrics,
      timings,
      samples: null,
      lostSamples: null,
      droppedBursts: null,
      clippedSamples: null,
      harq: null,
    };
  }
}
