import { ExitCode } from '../../common/errors.ts';
import { unsentOf } from '../../link/plan/coded-in-budget.ts';
import { type RgbImage, rgbImage } from '../../sct/image/rgb-image.ts';
import { psnrDb } from '../../sct/quality/psnr.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { setupLink } from '../config/link-setup.ts';
import { LoopbackExchange } from '../loopback/exchange.ts';
import { checkModelledFeedback, loopbackPicture } from '../loopback/loopback-run.ts';
import { runPicture } from '../loopback/picture-run.ts';
import { transmitFacts } from '../metrics/transmit-facts.ts';
import { recordedChannel } from '../replay/recorded-channel.ts';
import type { PhotoSource, RunIo, RunResult } from '../run/run-io.ts';
import { heardSpeech, speechFigures } from './speech-figures.ts';
import { type SpeechMetrics, speechMetrics } from './speech-metrics.ts';
import { openSpeech, speechSending } from './speech-sending.ts';
import type { SpeechWords } from './speech-words.ts';

export interface SpeechRunInput extends Omit<SpeechWords, 'path'> {
  readonly speech: Speech;
  /** Sent beside it, in the same budget. */
  readonly image?: RgbImage | undefined;
  /** What is missing sounds like noise of the right spectrum. */
  readonly perceptual?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came of a transmission. */
export interface SpeechRunResult {
  readonly metrics: SpeechMetrics;
  readonly received: Speech | undefined;
  readonly image: RgbImage | undefined;
  readonly exitCode: number;
}

/** Speech through the modem and a modelled channel without a trace on disk: for trials. UsageError for what does not fit. */
export async function runSpeech(config: LinkConfig, input: SpeechRunInput): Promise<SpeechRunResult> {
  checkModelledFeedback(config);
  const sending = await speechSending(config, { ...input, name: 'speech' });
  const setup = setupLink(config, await recordedChannel(config), sending.coding);
  const exchange = new LoopbackExchange(config, setup, input.signal ? { signal: input.signal } : {});
  try {
    await exchange.open();
    const plan = await unsentOf(exchange.sendPicture(sending.image, sending.budgetRe));
    await exchange.close();
    const { receiver } = exchange.chain;
    const picture = receiver.received.at(-1);
    const decoded = picture && (await receiver.picture(picture, { perceptual: input.perceptual }));
    const heard = heardSpeech(decoded);
    const decodable = heard?.decodable ?? false;
    const { photo } = sending;
    const shown = decoded?.decodable ? decoded.image : undefined;
    const facts = transmitFacts(plan, exchange.transmitter);
    const metrics = speechMetrics({
      config,
      sending,
      facts,
      figures: speechFigures(decoded, facts, sending.speech)!,
      ok: decodable,
      psnrDb: photo ? psnrDb(photo, pictureOrGrey(shown, photo)) : null,
    });
    const amiss = picture || plan.unsent ? ExitCode.quality : ExitCode.noSignal;
    return { metrics, received: heard?.speech, image: shown, exitCode: decodable ? ExitCode.ok : amiss };
  } finally {
    await exchange.close();
  }
}

/** A run with its metrics in the words of `sct speech`. */
export interface RecordedSpeech extends RunResult {
  readonly speech: SpeechMetrics;
}

/** `sct speech`: through a modelled channel, with a run directory that `sct replay` receives again. */
export async function runRecordedSpeech(
  config: LinkConfig,
  words: SpeechWords,
  photo: Exclude<PhotoSource, { kind: 'folder' }> | undefined,
  io: RunIo,
): Promise<RecordedSpeech> {
  checkModelledFeedback(config);
  const sending = await openSpeech(config, words, photo);
  const recorded = await recordedChannel(config);
  const picture = loopbackPicture(config, undefined, recorded, sending.coding, io, io.outputDirectory);
  const settings = { ...config, speech: words, ...(photo ? { photo } : {}) };
  const result = await runPicture({ ...picture, speech: sending, settings }, io);
  const { metrics } = result;
  const { psnrDb: psnr, ok, files } = metrics;
  const facts = result.facts!;
  const speech = speechMetrics({ config, sending, facts, figures: metrics.speech!, psnrDb: psnr, ok });
  return { ...result, speech: { ...speech, files } };
}

/** An outage is judged as flat mid-grey, as everywhere. */
function pictureOrGrey(shown: RgbImage | undefined, { width, height }: RgbImage): RgbImage {
  if (shown && shown.width === width && shown.height === height) return shown;
  return rgbImage(width, height, new Uint8Array(3 * width * height).fill(128));
}
