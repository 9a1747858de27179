import { ExitCode, SctError } from '../../common/errors.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { ModelSetInfo } from '../../sct/semantics/model-set.ts';
import { openModelSet, type SemanticModels } from '../../sct/semantics/models.ts';
import { canonical } from '../canonical-json.ts';
import { type LinkCodec, senderCodec } from '../link-codecs.ts';
import type { LinkConfig } from '../link-config.ts';
import { loadPhoto } from '../photo.ts';
import { openQualityInputs, type QualityInputs } from '../quality-inputs.ts';
import { type RecordedChannel, recordedChannel } from '../recorded-channel.ts';
import { Kept } from './kept.ts';
import { measurePoint, type PointMaterials } from './measure-point.ts';
import { PlannedOnce } from './planned-once.ts';
import { type PointOutcome, type PointRunner, RESULT_SCHEMA, type SweepPoint } from './point.ts';

/** Threads of a network's run: one, so that results are the same however many points are under way. */
const NETWORK_THREADS = 1;
/** What is kept of each kind. Model sets are the largest: some 100 MB with their networks. */
const MOST = { models: 3, codecs: 8, photos: 4, channels: 2 } as const;

/** What a codec is made from: words that differ make another. */
const CODEC_WORDS = [
  ...(['codec', 'format', 'size', 'modelsDir', 'rxModelsDir', 'known', 'mode', 'task'] as const),
  ...(['order', 'keep', 'roi', 'distortion', 'correction', 'perceptual'] as const),
] satisfies (keyof LinkConfig)[];

interface Photo {
  readonly image: RgbImage;
  readonly quality: QualityInputs;
}

/** Measures points in this thread. Networks, codecs, photos and recorded channels are kept from point to point. */
export class LocalPointRunner implements PointRunner {
  private readonly models = new Kept<SemanticModels>(MOST.models);
  private readonly codecs = new Kept<LinkCodec>(MOST.codecs);
  private readonly photos = new Kept<Photo>(MOST.photos);
  private readonly channels = new Kept<RecordedChannel | null>(MOST.channels);

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
        metrics: canonical(numbers) as unknown as typeof numbers,
        exitCode,
        timings: { prepareMs: rounded(ready - started), linkMs: rounded(measured - ready) },
      } as const;
      return { kind: 'measured', result };
    } catch (error) {
      return { kind: 'failed', failure: { id: point.id, ...told(error) } };
    }
  }

  async close(): Promise<void> {
    for (const kept of [this.models, this.codecs, this.photos, this.channels]) kept.clear();
  }

  private async materials({ config, inputs }: SweepPoint): Promise<PointMaterials> {
    // By contents: a file that has changed under its name is another one.
    const hash = (use: string) => inputs.find((input) => input.use === use)?.sha256 ?? '';
    const photo = inputs.find((input) => input.use === 'photo');
    const looked = ['photo', 'truth', 'lpips', 'judge'].map(hash).join(' ');
    const { image, quality } = await this.photos.get(looked, async () => {
      const { image } = await loadPhoto(photo ? { kind: 'file', path: photo.path } : { kind: 'demo' });
      return { image, quality: await openQualityInputs(config, image) };
    });
    const words = JSON.stringify([CODEC_WORDS.map((key) => config[key] ?? null), hash('models'), hash('pair')]);
    const coding = await this.codecs.get(words, async () => {
      const made = await senderCodec(config, 'float', (dir, set) => this.modelSet(dir, set));
      return { ...made, codec: new PlannedOnce(made.codec) };
    });
    // What a trace covers is checked against the numerology.
    const recorded = await this.channels.get(`${hash('trace')} ${config.numerology}`, () => recordedChannel(config));
    return { image, quality, coding, recorded };
  }

  private modelSet(dir: string, set: ModelSetInfo): Promise<SemanticModels> {
    return this.models.get(`${dir}\0${set.sha256}`, () => openModelSet(dir, set, NETWORK_THREADS));
  }
}

function rounded(ms: number): number {
  return Math.round(100 * ms) / 100;
}

const MAX_MESSAGE = 2000;

/** What an error says of itself, for a log. */
export function told(error: unknown): { message: string; exitCode: number } {
  if (error instanceof SctError) return { message: error.message.slice(0, MAX_MESSAGE), exitCode: error.exitCode };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: text.slice(0, MAX_MESSAGE), exitCode: ExitCode.internal };
}
