import { basename, dirname, resolve } from 'node:path';
import { ExitCode, SctError } from '../../common/errors.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { ModelSetInfo } from '../../sct/semantics/model-set.ts';
import { openModelSet, type SemanticModels } from '../../sct/semantics/models.ts';
import { type LinkCodec, senderCodec } from '../config/link-codecs.ts';
import { type LinkConfig, tracePath } from '../config/link-config.ts';
import { openQualityInputs, type QualityInputs } from '../config/quality-inputs.ts';
import { type RecordedChannel, recordedChannel } from '../replay/recorded-channel.ts';
import { canonical } from '../run/canonical-json.ts';
import { loadPhoto } from '../run/photo.ts';
import { loadSpeech } from '../speech/speech-file.ts';
import { type SpeechSending, speechSending } from '../speech/speech-sending.ts';
import { checkUnchanged } from './inputs.ts';
import { Kept } from './kept.ts';
import { measurePoint, type PointMaterials } from './measure-point.ts';
import { PlannedOnce } from './planned-once.ts';
import { type InputUse, type PointOutcome, type PointRunner, RESULT_SCHEMA, type SweepPoint } from './point.ts';

/** Threads of a network's run: one, so that results are the same however many points are under way. */
const NETWORK_THREADS = 1;
/** What is kept of each kind. Model sets are the largest: some 100 MB with their networks. */
const MOST = { models: 3, codecs: 8, photos: 4, channels: 2, sendings: 8 } as const;

/** What a codec is made from: words that differ make another. */
const CODEC_WORDS = [
  ...(['codec', 'format', 'size', 'modelsDir', 'rxModelsDir', 'known', 'mode', 'task'] as const),
  ...(['order', 'keep', 'roi', 'distortion', 'correction', 'perceptual'] as const),
] satisfies (keyof LinkConfig)[];

/** What is read together, and kept together. */
const PICTURE: readonly InputUse[] = ['photo', 'truth', 'lpips', 'judge'];
const CODING: readonly InputUse[] = ['models', 'rx-models', 'known', 'pair'];

/** What settles how speech is sent, besides its own words and files. */
const SPEECH_WORDS = ['symbolsPerPixel', 'numerology', 'maxSfvs'] satisfies (keyof LinkConfig)[];

interface Photo {
  /** undefined where speech goes alone. */
  readonly image: RgbImage | undefined;
  readonly quality: QualityInputs;
}

/** Measures points in this thread. Networks, codecs, photos and recorded channels are kept from point to point. */
export class LocalPointRunner implements PointRunner {
  private readonly models = new Kept<SemanticModels>(MOST.models);
  private readonly codecs = new Kept<LinkCodec>(MOST.codecs);
  private readonly photos = new Kept<Photo>(MOST.photos);
  private readonly channels = new Kept<RecordedChannel | null>(MOST.channels);
  private readonly sendings = new Kept<SpeechSending>(MOST.sendings);

  async run(point: SweepPoint): Promise<PointOutcome> {
    const started = performance.now();
    try {
      const materials = await this.materials(point);
      const ready = performance.now();
      const { metrics, exitCode } = await measurePoint(point.config, materials);
      const measured = performance.now();
      const { files: _, timings: __, ...numbers } = metrics;
      const result = {
        schema: RESULT_SCHEMA,
        id: point.id,
        // Plain and finite: it goes to other threads, machines and files.
        metrics: canonical({ ...numbers, channel: channelName(point.config) }) as unknown as typeof numbers,
        exitCode,
        timings: { prepareMs: rounded(ready - started), linkMs: rounded(measured - ready) },
      } as const;
      return { kind: 'measured', result };
    } catch (error) {
      return { kind: 'failed', failure: { id: point.id, ...told(error) }, ofMachine: isOutOfMemory(error) };
    }
  }

  async close(): Promise<void> {
    const { models, codecs, photos, channels, sendings } = this;
    for (const kept of [models, codecs, photos, channels, sendings]) kept.clear();
  }

  private async materials(point: SweepPoint): Promise<PointMaterials> {
    const { config, inputs } = point;
    // By contents: a file that has changed under its name is another one.
    const hash = (use: InputUse) => inputs.find((input) => input.use === use)?.sha256 ?? '';
    const photo = inputs.find((input) => input.use === 'photo');
    const alone = point.speech?.alone === true;
    const { image, quality } = await this.photos.get([alone, ...PICTURE.map(hash)].join(' '), async () => {
      const image = alone
        ? undefined
        : (await loadPhoto(photo ? { kind: 'file', path: photo.path } : { kind: 'demo' })).image;
      const quality = await openQualityInputs(config, image);
      await checkUnchanged(point, PICTURE);
      return { image, quality };
    });
    const words = JSON.stringify([CODEC_WORDS.map((key) => config[key] ?? null), CODING.map(hash)]);
    const pictures = () =>
      this.codecs.get(words, async () => {
        const made = await senderCodec(config, 'float', (dir, set) => this.modelSet(dir, set));
        await checkUnchanged(point, CODING);
        return { ...made, codec: new PlannedOnce(made.codec) };
      });
    // What a trace covers is checked against the numerology.
    const recorded = await this.channels.get(`${hash('trace')} ${config.numerology}`, async () => {
      const channel = await recordedChannel(config);
      await checkUnchanged(point, ['trace']);
      return channel;
    });
    if (!point.speech) return { image: image!, quality, coding: await pictures(), recorded };
    const spoken = [point.speech, SPEECH_WORDS.map((key) => config[key] ?? null), alone || words, hash('photo')];
    const speech = await this.sendings.get(JSON.stringify([...spoken, hash('speech')]), () =>
      this.sending(point, image, pictures),
    );
    return { image: speech.image, speech, quality, coding: speech.coding, recorded };
  }

  /** Speech and perhaps a picture, whose codec looks at it once whatever is said beside it. */
  private async sending(
    point: SweepPoint,
    image: RgbImage | undefined,
    pictures: () => Promise<LinkCodec>,
  ): Promise<SpeechSending> {
    const { path } = point.inputs.find(({ use }) => use === 'speech')!;
    const speech = await loadSpeech(path);
    await checkUnchanged(point, ['speech']);
    const sending = await speechSending(point.config, { ...point.speech!, speech, image }, pictures);
    const { coding } = sending;
    return { ...sending, coding: { ...coding, codec: new PlannedOnce(coding.codec) } };
  }

  private modelSet(dir: string, set: ModelSetInfo): Promise<SemanticModels> {
    return this.models.get(`${dir}\0${set.sha256}`, () => openModelSet(dir, set, NETWORK_THREADS));
  }
}

/** A recorded channel by its run's name: where it lies differs from machine to machine. */
function channelName({ channel }: LinkConfig): string {
  const path = tracePath(channel);
  if (path === null) return channel;
  return `trace:${basename(basename(path) === 'run.json' ? dirname(resolve(path)) : path)}`;
}

function rounded(ms: number): number {
  return Math.round(100 * ms) / 100;
}

/** As V8, WebAssembly, C++ and the system say it. */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|ENOMEM|cannot allocate|(failed|unable) to allocate|allocation failed|allocation failure/i;

/** Whether memory was short: no fault of what was to be done. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && OUT_OF_MEMORY.test(error.message);
}

const MAX_MESSAGE = 2000;

/** What an error says of itself and what would help, for a log. */
export function told(error: unknown): { message: string; exitCode: number } {
  if (error instanceof SctError) {
    const { message, hint, exitCode } = error;
    return { message: (hint === undefined ? message : `${message} (${hint})`).slice(0, MAX_MESSAGE), exitCode };
  }
  if (isOutOfMemory(error)) {
    const message = `not enough memory, fewer --jobs need less: ${(error as Error).message}`;
    return { message: message.slice(0, MAX_MESSAGE), exitCode: ExitCode.internal };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: text.slice(0, MAX_MESSAGE), exitCode: ExitCode.internal };
}
