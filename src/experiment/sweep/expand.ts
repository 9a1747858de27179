import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SctError, UsageError } from '../../common/errors.ts';
import { FADING_CHANNELS } from '../../phy/channel/power-delay-profiles.ts';
import { listImages } from '../../sct/image/list.ts';
import { USUAL_SPEECH_SFVS } from '../../sct/speech/speech-codec.ts';
import { type LinkConfig, type LinkInput, resolveLinkConfig, tracePath } from '../config/link-config.ts';
import { truthOfPhoto } from '../config/quality-inputs.ts';
import { checkModelledFeedback } from '../loopback/loopback-run.ts';
import { canonical } from '../run/canonical-json.ts';
import { listSpeech } from '../speech/speech-file.ts';
import { AXES } from './axes.ts';
import { absolutePaths, InputHasher } from './inputs.ts';
import { PhotoCheck } from './photo-check.ts';
import { POINT_SCHEMA, type PointInput, type PointSpeech, type SpeechSetting, type SweepPoint } from './point.ts';
import { DEMO, type SweepCase, type SweepFile } from './sweep-file.ts';

/** Most points of a sweep. */
export const MAX_POINTS = 100_000;

/** Combinations and seeds between two pauses: some hundredths of a second. */
const PAUSE_STEPS = 200;

export interface Expansion {
  readonly points: readonly SweepPoint[];
  /** Combinations that came to a point that was there: a setting that means nothing to a codec or channel was left out. */
  readonly repeated: number;
}

/**
 * All points of a sweep's file: for each of its cases photos times speech times settings times seeds, the seed changing fastest.
 *
 * @param look told now and then how many there are
 * @throws UsageError for more than 100 000 combinations, and for one that is not possible; what is wrong with a photo, model set or trace
 */
export async function expandSweep(
  file: SweepFile,
  signal?: AbortSignal,
  look: (points: number) => void = () => undefined,
): Promise<Expansion> {
  signal?.throwIfAborted();
  let looked = 0;
  const cases = await Promise.all(file.cases.map((one) => withSources(one, file.folder)));
  const combinations = cases.reduce((sum, { sources, axes }) => sum + sources.length * sizeOf(axes), 0);
  if (combinations > MAX_POINTS) {
    throw new UsageError(
      `${file.path}: ${combinations} points: allowed 1 to ${MAX_POINTS}`,
      'make several sweeps of it, or leave values out',
    );
  }
  const readers = { hasher: new InputHasher(), photos: new PhotoCheck() };
  const points: SweepPoint[] = [];
  const ids = new Set<string>();
  const seedsOf = new Map<string, number>();
  const pause = async () => {
    if (++looked % PAUSE_STEPS !== 0) return;
    // Nothing else here lets a Ctrl-C through.
    await setImmediate();
    signal?.throwIfAborted();
    look(points.length);
  };
  for (const { sources, axes } of cases) {
    const { settings, seeds } = apart(axes);
    for (const source of sources) {
      const { photo, speech } = source;
      for (const input of product(settings)) {
        await pause();
        const { config, inputs } = await resolved(file, input, source, readers);
        const idOfSeed = (seed: number | null) => idOf(config, inputs, seed, speech?.point);
        const group = idOfSeed(null);
        for (const seed of seeds) {
          await pause();
          const id = idOfSeed(seed);
          if (ids.has(id)) continue;
          ids.add(id);
          const seedIndex = seedsOf.get(group) ?? 0;
          seedsOf.set(group, seedIndex + 1);
          points.push({
            schema: POINT_SCHEMA,
            id,
            index: points.length,
            group,
            seedIndex,
            photo: typeof photo === 'string' ? basename(photo) : null,
            ...(speech ? { speech: speech.point } : {}),
            inputs,
            config: { ...config, seed },
          });
        }
      }
    }
  }
  return { points, repeated: combinations - points.length };
}

/** What one point sends. */
interface Source {
  /** Absolute; null: the demo photo; undefined: none. */
  readonly photo: string | null | undefined;
  readonly speech: { readonly path: string; readonly point: PointSpeech } | undefined;
}

/** A case with its folders as what is in them, photos times speech times what is varied of it. */
async function withSources(one: SweepCase, folder: string): Promise<{ sources: Source[]; axes: SweepCase['axes'] }> {
  const seen = await Promise.all(
    one.photos.map((path) => (path === DEMO ? [null] : listImages(resolve(folder, path)))),
  );
  const heard = await Promise.all(one.speech.map((path) => listSpeech(resolve(folder, path))));
  const photos = one.photos.length === 0 ? [undefined] : seen.flat();
  const combinations = photos.length * Math.max(1, heard.flat().length) * sizeOf(one.spoken);
  if (combinations > MAX_POINTS)
    throw new UsageError(`${combinations} combinations of what is sent: allowed 1 to ${MAX_POINTS}`);
  const speeches =
    heard.length === 0
      ? [undefined]
      : heard.flat().flatMap((path) =>
          [...product(one.spoken)].map((words) => ({
            path,
            point: pointSpeech(path, words, photos[0] === undefined),
          })),
        );
  return { sources: photos.flatMap((photo) => speeches.map((speech) => ({ photo, speech }))), axes: one.axes };
}

/** With every default but that of the budget, which the length of the speech decides. */
function pointSpeech(path: string, words: SpeechSetting, alone: boolean): PointSpeech {
  const { kind = 'analog', priority = 1, maxSfvs = USUAL_SPEECH_SFVS, symbols } = words;
  return {
    name: basename(path),
    alone,
    kind,
    maxSfvs,
    // Alone there is nothing to come before.
    ...(alone ? {} : { priority }),
    ...(symbols === undefined ? {} : { symbols }),
  };
}

function sizeOf(axes: readonly (readonly unknown[])[]): number {
  return axes.reduce((n, values) => n * values.length, 1);
}

/** Seeds change nothing that has to be checked: they are kept apart. */
function apart(axes: SweepCase['axes']): { settings: SweepCase['axes']; seeds: readonly number[] } {
  const ofSeed = axes.find((values) => values[0].seed !== undefined);
  return {
    settings: axes.filter((values) => values !== ofSeed),
    seeds: ofSeed ? ofSeed.map(({ seed }) => seed!) : [1],
  };
}

/** Every combination, the last axis changing fastest. */
function* product<T extends object>(axes: readonly (readonly T[])[], from = 0): Generator<T> {
  if (from === axes.length) {
    yield {} as T;
    return;
  }
  for (const value of axes[from]) for (const rest of product(axes, from + 1)) yield { ...value, ...rest };
}

async function resolved(
  file: SweepFile,
  input: LinkInput,
  { photo, speech }: Source,
  { hasher, photos }: { readonly hasher: InputHasher; readonly photos: PhotoCheck },
): Promise<{ config: LinkConfig; inputs: PointInput[] }> {
  try {
    const own = photo === undefined ? ofSpeech(input) : input;
    const config = absolutePaths(resolveLinkConfig(meaningful(own)), file.folder);
    checkModelledFeedback(config);
    if (photo !== undefined) await hasher.checkWords(config);
    const seen = typeof photo === 'string' ? truthOfPhoto(config, photo) : config;
    const inputs = await hasher.inputsOf(seen, photo, speech?.path);
    // With speech the budget is that of both.
    if (photo !== undefined) await photos.check(config, photo, speech === undefined);
    return { config: seen, inputs };
  } catch (error) {
    if (!(error instanceof SctError)) throw error;
    throw new SctError(`${file.path}: ${words(input)}: ${error.message}`, error.exitCode, error.hint);
  }
}

/** What was combined, as the file has it. */
function words(input: LinkInput): string {
  const given = AXES.filter(({ key }) => input[key] !== undefined);
  return given.map(({ name, key }) => `${name} ${JSON.stringify(input[key])}`).join(', ') || 'defaults';
}

/** What only codecs with SFVs know, at either end. */
const SEMANTIC_KEYS = [
  ...['size', 'mode', 'order', 'keep', 'roi', 'maxSfvs', 'task', 'distortion', 'correction', 'perceptual'],
  ...['modelsDir', 'rxModelsDir', 'known'],
] as (keyof LinkInput)[];

/** What leaves SFVs out or knows what is in them: not for a pair of the user's own. */
const SFV_KEYS = ['mode', 'keep', 'roi', 'rxModelsDir', 'known'] as (keyof LinkInput)[];

/** What selective mode keeps. */
const KEPT_KEYS = ['keep', 'roi'] as const;

/**
 * A combination without the settings that mean nothing in it, so that codecs and channels with words of their own can stand in one
 * product: those combinations are then one point.
 */
export function meaningful(input: LinkInput): LinkInput {
  const codec = input.codec ?? (input.format === undefined ? 'integrated' : 'classical');
  const channel = input.channel ?? 'awgn';
  const without = new Set<keyof LinkInput>();
  // A product over modes says once what selective mode keeps.
  if (input.mode !== undefined && input.mode !== 'selective') for (const key of KEPT_KEYS) without.add(key);
  if (codec === 'classical') for (const key of SEMANTIC_KEYS) without.add(key);
  else without.add('format');
  if (codec.startsWith('onnx:')) for (const key of SFV_KEYS) without.add(key);
  if (!FADING_CHANNELS.includes(channel)) without.add('dopplerHz');
  if (!channel.startsWith('tdl-')) without.add('delaySpreadNs');
  if (tracePath(channel) !== null) without.add('snrNorm');
  const kept = Object.entries(input).filter(([key]) => !without.has(key as keyof LinkInput));
  return Object.fromEntries(kept) as LinkInput;
}

/** What is about pictures alone; `perceptual` is how speech is filled, too. */
const PICTURE_KEYS = [
  ...SEMANTIC_KEYS.filter((key) => key !== 'perceptual'),
  ...(['codec', 'format', 'cbr', 'symbolsPerPixel', 'truth', 'lpips', 'judge', 'protectionDb'] as const),
] as readonly string[];

/** A combination without what only a picture has. */
function ofSpeech(input: LinkInput): LinkInput {
  return Object.fromEntries(Object.entries(input).filter(([key]) => !PICTURE_KEYS.includes(key))) as LinkInput;
}

/** What stands for the paths: hashes take their place. */
const PATHS = ['truth', 'modelsDir', 'rxModelsDir', 'known', 'lpips', 'judge', 'channel', 'codec', 'seed'] as const;

/** 128 bits of the SHA-256 over the canonical JSON of settings and inputs; `seed` null: of the group. */
function idOf(
  config: LinkConfig,
  inputs: readonly PointInput[],
  seed: number | null,
  speech: PointSpeech | undefined,
): string {
  const rest = Object.fromEntries(
    Object.entries(config).filter(([key]) => !(PATHS as readonly string[]).includes(key)),
  );
  const named = {
    ...rest,
    codec: config.codec.startsWith('onnx:') ? 'onnx' : config.codec,
    channel: tracePath(config.channel) === null ? config.channel : 'trace',
    inputs: Object.fromEntries(inputs.map(({ use, sha256 }) => [use, sha256])),
    ...(speech ? { speech: { ...speech, name: null } } : {}),
    seed,
  };
  return createHash('sha256')
    .update(JSON.stringify(canonical(named)))
    .digest('hex')
    .slice(0, 32);
}
