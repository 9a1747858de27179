import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FormatError, UsageError } from '../../common/errors.ts';
import { systemWords } from '../../common/system-words.ts';
import { semanticSettings } from '../../sct/modes/semantic-options.ts';
import { parseLpipsName } from '../../sct/quality/lpips.ts';
import { parseJudgeName } from '../../sct/quality/street-judge.ts';
import { shippedModelsDir } from '../../sct/semantics/model-files.ts';
import { chooseSet, MANIFEST, readModelSets } from '../../sct/semantics/model-set.ts';
import { openModelSet } from '../../sct/semantics/models.ts';
import { readUserCodecInfo } from '../../sct/semantics/user-codec.ts';
import { isSemantic } from '../config/link-codecs.ts';
import { type LinkConfig, tracePath } from '../config/link-config.ts';
import { userPairPath } from '../config/user-link-codec.ts';
import { runCapture } from '../run/run-capture.ts';
import type { InputUse, PointInput, SweepPoint } from './point.ts';

/** Most files of a folder that is one input, not counting folders in it. */
const MAX_FOLDER_FILES = 1000;

/** The paths that a configuration reads, made absolute from the sweep file's folder. */
export function absolutePaths(config: LinkConfig, folder: string): LinkConfig {
  const from = (path: string) => resolve(folder, path);
  const pair = userPairPath(config.codec);
  const trace = tracePath(config.channel);
  return {
    ...config,
    ...(pair === null ? {} : { codec: `onnx:${from(pair)}` as const }),
    ...(trace === null ? {} : { channel: `trace:${from(trace)}` }),
    ...networksOf(config, (_, path) => from(path)),
    ...pathsOf(config, (_, path) => from(path)),
  };
}

const PATH_KEYS = { truth: 'truth', modelsDir: 'models', rxModelsDir: 'rx-models', known: 'known' } as const;

function pathsOf(config: LinkConfig, to: (use: InputUse, path: string) => string): Partial<LinkConfig> {
  const keys = Object.keys(PATH_KEYS) as (keyof typeof PATH_KEYS)[];
  const given = keys.filter((key) => config[key] !== undefined);
  return Object.fromEntries(given.map((key) => [key, to(PATH_KEYS[key], config[key]!)]));
}

/** FILE:SHA256 of the networks that only measure, their files elsewhere. */
function networksOf(config: LinkConfig, to: (use: InputUse, path: string) => string): Partial<LinkConfig> {
  const { lpips, judge } = measuringNetworks(config);
  return {
    ...(lpips && { lpips: `${to('lpips', lpips.path)}:${lpips.sha256}` }),
    ...(judge && { judge: `${to('judge', judge.path)}:${judge.sha256}` }),
  };
}

function measuringNetworks({ lpips, judge }: LinkConfig) {
  return {
    lpips: lpips === undefined ? undefined : parseLpipsName(lpips),
    judge: judge === undefined ? undefined : parseJudgeName(judge),
  };
}

/**
 * The same point with its inputs elsewhere; its id stays, for that is made of what they hold.
 *
 * @param place where an input lies here; null: where the point says, or for models that it does not name, those that ship
 */
export function rebasePoint(point: SweepPoint, place: (input: PointInput) => string | null): SweepPoint {
  const moved = new Map(point.inputs.map((input) => [input.use, place(input)]));
  const inputs = point.inputs.map((input) => ({ ...input, path: moved.get(input.use) ?? input.path }));
  const at = (use: InputUse) => moved.get(use) ?? undefined;
  const { config } = point;
  const [pair, trace] = [at('pair'), at('trace')];
  return {
    ...point,
    inputs,
    config: {
      ...config,
      ...(pair === undefined ? {} : { codec: `onnx:${pair}` as const }),
      ...(trace === undefined ? {} : { channel: `trace:${trace}` }),
      ...networksOf(config, (use, path) => at(use) ?? path),
      ...(at('models') === undefined ? {} : { modelsDir: at('models') }),
      ...pathsOf(config, (use, path) => at(use) ?? path),
    },
  };
}

function modelsOf({ modelsDir }: LinkConfig): string {
  return modelsDir ?? shippedModelsDir();
}

/**
 * What was just read for a point is what its id was made of. After it was read, for a file may be replaced at any time.
 *
 * @throws UsageError naming the first input of these uses that holds something else by now
 */
export async function checkUnchanged({ config, inputs }: SweepPoint, uses: readonly InputUse[]): Promise<void> {
  for (const { use, path, sha256 } of inputs) {
    if (!uses.includes(use)) continue;
    const at = use === 'models' ? modelsOf(config) : path;
    if ((await inputSha256(use, at, config.size)) === sha256) continue;
    throw new UsageError(`${at} (${use}) is no longer what it was when the sweep was made`);
  }
}

/** Finds out what points read, each file once. */
export class InputHasher {
  private readonly known = new Map<string, Promise<string>>();
  private readonly classes = new Map<string, Promise<readonly string[]>>();
  private readonly gridded = new Map<string, Promise<boolean>>();

  /**
   * What a configuration with absolute paths reads, its photo first.
   *
   * @param photo null for the demo photo, undefined for none
   */
  async inputsOf(config: LinkConfig, photo: string | null | undefined, speech?: string): Promise<PointInput[]> {
    const found: [InputUse, string][] = [];
    if (typeof photo === 'string') found.push(['photo', photo]);
    if (speech !== undefined) found.push(['speech', speech]);
    if (config.truth !== undefined) found.push(['truth', config.truth]);
    if (photo !== undefined && (await this.needsModels(config.codec))) found.push(['models', modelsOf(config)]);
    if (config.rxModelsDir !== undefined) found.push(['rx-models', config.rxModelsDir]);
    if (config.known !== undefined) found.push(['known', config.known]);
    const [pair, trace] = [userPairPath(config.codec), tracePath(config.channel)];
    if (pair !== null) found.push(['pair', pair]);
    if (trace !== null) found.push(['trace', trace]);
    const { lpips, judge } = measuringNetworks(config);
    if (lpips) found.push(['lpips', lpips.path]);
    if (judge) found.push(['judge', judge.path]);
    const inputs: PointInput[] = [];
    for (const [use, path] of found) inputs.push({ use, path, sha256: await this.sha256(use, path, config.size) });
    return inputs;
  }

  /**
   * Looks at what only codecs with a model set can check: class names that are kept, words that contradict each other.
   *
   * @throws UsageError as `sct loopback` does; ModelError where a file of the set is not as models.json says
   */
  async checkWords(config: LinkConfig): Promise<void> {
    if (isSemantic(config.codec)) semanticSettings(config, await this.classesOf(modelsOf(config), config.size));
  }

  private classesOf(dir: string, size: string | undefined): Promise<readonly string[]> {
    const key = `${dir}\0${size ?? ''}`;
    const names = this.classes.get(key) ?? classNames(dir, size);
    this.classes.set(key, names);
    return names;
  }

  /** A pair with a grid is divided into SFVs by a model set, too. */
  private async needsModels(codec: string): Promise<boolean> {
    const pair = userPairPath(codec);
    if (pair === null) return isSemantic(codec);
    const has = this.gridded.get(pair) ?? readUserCodecInfo(pair).then(({ grid }) => grid !== undefined);
    this.gridded.set(pair, has);
    return has;
  }

  private sha256(use: InputUse, path: string, size: string | undefined): Promise<string> {
    const key = `${use}\0${path}\0${use === 'models' ? (size ?? '') : ''}`;
    const hash = this.known.get(key) ?? inputSha256(use, path, size);
    this.known.set(key, hash);
    return hash;
  }
}

async function classNames(dir: string, size: string | undefined): Promise<readonly string[]> {
  const models = await openModelSet(dir, chooseSet(await readModelSets(dir), size));
  return models.tables.labels.names;
}

/**
 * SHA-256 of what an input holds: a model set's own hash; of a run its received capture, samples and metadata; of another folder its files by
 * name; of a file its bytes.
 *
 * @param size of the model set, where there are several
 * @throws UsageError where it is not there, and what readers of models and runs throw
 */
export async function inputSha256(use: InputUse, path: string, size?: string): Promise<string> {
  if (use === 'models') return chooseSet(await readModelSets(path), size).sha256;
  if (use === 'rx-models') return fileSha256(join(path, MANIFEST));
  if (use === 'trace') {
    const { capture } = await runCapture(path);
    return filesSha256([
      ['data', `${capture}.sigmf-data`],
      ['meta', `${capture}.sigmf-meta`],
    ]);
  }
  const info = await stat(path).catch(() => null);
  if (!info) throw new UsageError(`${path}: no such file or folder`);
  if (!info.isDirectory()) return fileSha256(path);
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries.filter((e) => e.isFile() && !e.name.startsWith('.')).map((e) => e.name);
  if (names.length > MAX_FOLDER_FILES) {
    throw new FormatError(path, `${names.length} files, at most ${MAX_FOLDER_FILES} allowed`);
  }
  return filesSha256(names.sort().map((name) => [name, join(path, name)]));
}

async function filesSha256(files: readonly (readonly [name: string, path: string])[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, path] of files) hash.update(`${name}\0${await fileSha256(path)}\n`);
  return hash.digest('hex');
}

async function fileSha256(path: string): Promise<string> {
  const info = await stat(path).catch(() => null);
  // A pipe would be waited for.
  if (info && !info.isFile()) throw new UsageError(`${path}: not a file`);
  const hash = createHash('sha256');
  try {
    for await (const block of createReadStream(path)) hash.update(block as Buffer);
  } catch (cause) {
    throw new UsageError(`${path}: cannot be read (${systemWords(cause)})`);
  }
  return hash.digest('hex');
}
