import { UsageError } from '../../common/errors.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import {
  CELL_PX,
  type ClassMap,
  type FeatureMap,
  type GridPlane,
  type GridShape,
  gridOf,
  type PictureShape,
} from './feature-map.ts';
import { int8OrFloat, PROBE_GRID, type Precision } from './int8.ts';
import type { NetworkContract, NetworkRole } from './model-contract.ts';
import { TensorError } from './model-error.ts';
import { readModelFile } from './model-files.ts';
import type { ModelFileInfo, ModelSetInfo } from './model-set.ts';
import { CLASSES, K_MAX, LABELS, type ModelTables } from './model-tables.ts';
import { imageCells, imageFromCells } from './picture-cells.ts';
import { imageFromTensor, imageTensor, requireNetworkSize } from './picture-tensor.ts';
import type { CorrectorInput, GeneratorInput, LabelOutput, SemanticModels } from './semantic-models.ts';
import { type Lengths, NetworkSession, type TensorData, tensorLength } from './session.ts';
import { SpareBuffers } from './spare-buffers.ts';

/**
 * Pictures up to this size (a megapixel) run in memory that is kept from run to run: 8 % of CPU time of a frame's networks. For larger ones
 * it goes back after each run: 4000x3000 then takes 1.0 GB in place of 1.7.
 */
const MOST_KEPT_CELLS = 4096;

/** The networks of one set; each is read, checked and made when it is first used. */
export class LoadedModels implements SemanticModels {
  readonly set: ModelSetInfo;
  readonly tables: ModelTables;
  private readonly dir: string;
  private readonly threads: number;
  private readonly precision: Precision;
  /** What stands in place of a reference that there is none of. */
  private zeros = new Float32Array(0);
  /** Samples of pictures on their way into and out of the networks. */
  private readonly planes = new SpareBuffers((n) => new Float32Array(n), 3 * CELL_PX ** 2 * MOST_KEPT_CELLS);
  private readonly bytes = new SpareBuffers((n) => new Uint8Array(n), 3 * CELL_PX ** 2 * MOST_KEPT_CELLS);
  private readonly sessions = new Map<string, Promise<NetworkSession>>(); // role, and how large its pictures are

  constructor(dir: string, set: ModelSetInfo, tables: ModelTables, threads: number, precision: Precision = 'float') {
    this.dir = dir;
    this.set = set;
    this.tables = tables;
    this.threads = threads;
    this.precision = precision;
  }

  async analyse(image: RgbImage): Promise<FeatureMap> {
    const shape = { widthPx: image.width, heightPx: image.height };
    requireNetworkSize(shape);
    const grid = gridOf(shape);
    const session = await this.session('analysis', grid);
    const made =
      session.form === 'cells'
        ? this.bytes.lend(samplesOf(grid), (cells) => this.run('analysis', { cells: imageCells(image, cells) }, grid))
        : this.planes.lend(samplesOf(grid), (planes) =>
            this.run('analysis', { image: imageTensor(image, planes) }, grid),
          );
    return this.features((await made).y, shape);
  }

  async synthesise(
    y: FeatureMap,
    quality: GridPlane,
    options: { perceptual?: boolean | undefined } = {},
  ): Promise<RgbImage> {
    requireNetworkSize(y);
    const role = options.perceptual ? 'synthesis-perceptual' : 'synthesis';
    const feeds = { yHat: y.data, quality: sameGrid(quality, y) };
    const session = await this.session(role, y);
    if (session.form === 'cells') {
      return imageFromCells((await session.run<Uint8Array>(feeds, lengthsOf(y))).cells, y);
    }
    return imageFromTensor((await session.run(feeds, lengthsOf(y))).image, y);
  }

  async labels(y: FeatureMap): Promise<LabelOutput> {
    const { maps, presence, clusters, street } = await this.run('labels', { y: y.data }, y);
    return { maps, presence, clusters, street: street[0] };
  }

  async labelsVjp(y: FeatureMap, dMaps: Float32Array, dPresence: Float32Array): Promise<FeatureMap> {
    const { dY } = await this.run('labels-vjp', { y: y.data, dMaps, dPresence }, y);
    return this.features(dY, y);
  }

  async saliency(y: FeatureMap): Promise<Float32Array> {
    return (await this.run('saliency', { y: y.data }, y)).map;
  }

  async encodeSymbols(y: FeatureMap, classMap: ClassMap, symbols: GridPlane, snrDb: GridPlane): Promise<Float32Array> {
    const feeds = { y: y.data, ...conditions(classMap, symbols, snrDb, y) };
    return (await this.run('symbol-encoder', feeds, y)).z;
  }

  async decodeSymbols(
    received: Float32Array,
    scale: number,
    classMap: ClassMap,
    symbols: GridPlane,
    snrDb: GridPlane,
    shape: PictureShape,
  ): Promise<{ yHat: FeatureMap; quality: GridPlane }> {
    if (!(scale > 0)) throw new TensorError(this.faultOf('symbol-decoder'), 'scale', `is ${scale}, must be above 0`);
    const grid = gridOf(shape);
    const feeds = { received, scale: Float32Array.of(scale), ...conditions(classMap, symbols, snrDb, grid) };
    const { yHat, quality } = await this.run('symbol-decoder', feeds, grid);
    return { yHat: this.features(yHat, shape), quality: { ...grid, data: quality } };
  }

  async correct(input: CorrectorInput): Promise<{ yHat: FeatureMap; quality: GridPlane }> {
    const { yHat, reference, hasReference } = input;
    if ((reference === undefined) !== (hasReference === undefined)) {
      throw new Error('a reference needs the plane of the cells that it stands for, and the other way round');
    }
    const { rows, columns } = yHat;
    const feeds = {
      yHat: yHat.data,
      quality: sameGrid(input.quality, yHat),
      damage: sameGrid(input.damage, yHat),
      strength: sameGrid(input.strength, yHat),
      classMap: integers(input.classMap, yHat, CLASSES),
      labelMap: integers(input.labelMap, yHat, LABELS),
      reference: reference ? reference.data : this.noReference(yHat.data.length),
      hasReference: hasReference ? sameGrid(hasReference, yHat) : new Float32Array(rows * columns),
    };
    const { yHatOut, qualityOut } = await this.run('corrector', feeds, yHat);
    return { yHat: this.features(yHatOut, yHat), quality: { rows, columns, data: qualityOut } };
  }

  async generate({ yHat, missing, labelMap, noise }: GeneratorInput): Promise<FeatureMap> {
    const labels = integers(labelMap, yHat, LABELS);
    const feeds = { yHat: yHat.data, missing: sameGrid(missing, yHat), labelMap: labels, noise };
    return this.features((await this.run('generator', feeds, yHat)).yOut, yHat);
  }

  async forHeads(yHat: FeatureMap, quality: GridPlane): Promise<FeatureMap> {
    if (!this.set.files.some((file) => file.role === 'features')) return yHat;
    const { y } = await this.run('features', { yHat: yHat.data, quality: sameGrid(quality, yHat) }, yHat);
    return this.features(y, yHat);
  }

  async warm(): Promise<void> {
    const grid = { rows: 4, columns: 4 };
    for (const { role } of this.set.files) {
      if (role === 'tables') continue;
      const session = await this.session(role, grid);
      await session.run<TensorData>(zeros(session.contract, grid), lengthsOf(grid));
    }
  }

  async close(): Promise<void> {
    const open = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of await Promise.allSettled(open)) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  }

  /** Runs a network on a grid. */
  private async run(
    role: NetworkRole,
    feeds: Readonly<Record<string, TensorData>>,
    grid: GridShape,
  ): Promise<Record<string, Float32Array>> {
    return (await this.session(role, grid)).run(feeds, lengthsOf(grid));
  }

  /** The network of a role for pictures as large as a grid. */
  private session(role: NetworkRole, grid: GridShape): Promise<NetworkSession> {
    const keepsMemory = grid.rows * grid.columns <= MOST_KEPT_CELLS;
    const key = `${role}/${keepsMemory ? 'small' : 'large'}`;
    let session = this.sessions.get(key);
    if (!session) {
      session = this.open(role, keepsMemory);
      this.sessions.set(key, session);
      session.catch(() => this.sessions.delete(key));
    }
    return session;
  }

  private async open(role: NetworkRole, keepsMemory: boolean): Promise<NetworkSession> {
    const info = this.set.files.find((file) => file.role === role);
    if (!info) {
      const { name, files } = this.set;
      throw new UsageError(`model set ${name} has no ${role} network: it has ${files.map((f) => f.role).join(', ')}`);
    }
    const how = { threads: this.threads, keepsMemory };
    const read = (file: ModelFileInfo) => readModelFile(this.dir, file);
    if (this.precision === 'int8') {
      const probe = { analyse: (image: RgbImage) => this.analyse(image), lengths: lengthsOf(PROBE_GRID) };
      return int8OrFloat(info, role, this.set.channels, read, how, probe);
    }
    return NetworkSession.create(info, role, this.set.channels, await read(info), how);
  }

  private noReference(length: number): Float32Array {
    if (this.zeros.length !== length) this.zeros = new Float32Array(length);
    return this.zeros;
  }

  private faultOf(role: NetworkRole): { file: string } {
    return { file: this.set.files.find((file) => file.role === role)?.path ?? role };
  }

  private features(data: Float32Array, shape: PictureShape): FeatureMap {
    const { widthPx, heightPx } = shape;
    return { channels: this.set.channels, ...gridOf(shape), data, widthPx, heightPx };
  }
}

/** Free dimensions of a run on a grid. */
export function lengthsOf({ rows, columns }: GridShape): Lengths {
  return {
    h: rows,
    w: columns,
    h4: rows * (CELL_PX / 4),
    w4: columns * (CELL_PX / 4),
    H: rows * CELL_PX,
    W: columns * CELL_PX,
  };
}

/** Inputs of a network on a grid: zeros, and a scale of one. */
function zeros({ inputs }: NetworkContract, grid: GridShape): Record<string, TensorData> {
  const lengths = lengthsOf(grid);
  const feeds: Record<string, TensorData> = {};
  for (const info of inputs) {
    const length = tensorLength(info, lengths);
    if (info.type === 'int32') feeds[info.name] = new Int32Array(length);
    else if (info.type === 'uint8') feeds[info.name] = new Uint8Array(length);
    else feeds[info.name] = new Float32Array(length).fill(info.name === 'scale' ? 1 : 0);
  }
  return feeds;
}

function conditions(classMap: ClassMap, symbols: GridPlane, snrDb: GridPlane, grid: GridShape) {
  const k = sameGrid(symbols, grid);
  const bad = k.find((v) => !(v >= 0 && v <= K_MAX));
  if (bad !== undefined) throw new Error(`${bad} symbols for a cell: allowed 0 to ${K_MAX}`);
  return { classMap: integers(classMap, grid, CLASSES), symbols: k, snrDb: sameGrid(snrDb, grid) };
}

/** Samples of the padded picture, three planes. */
function samplesOf({ rows, columns }: GridShape): number {
  return 3 * rows * columns * CELL_PX ** 2;
}

/** Numbers of a plane after checking that it stands on the same grid. */
function sameGrid({ rows, columns, data }: GridPlane, grid: GridShape): Float32Array {
  if (rows !== grid.rows || columns !== grid.columns || data.length !== rows * columns) {
    throw new Error(`a plane of ${rows}x${columns} cells does not fit a grid of ${grid.rows}x${grid.columns}`);
  }
  return data;
}

/** A map of small numbers as int32, each below `count`. */
function integers({ rows, columns, data }: ClassMap, grid: GridShape, count: number): Int32Array {
  if (rows !== grid.rows || columns !== grid.columns || data.length !== rows * columns) {
    throw new Error(`a map of ${rows}x${columns} cells does not fit a grid of ${grid.rows}x${grid.columns}`);
  }
  const bad = data.find((v) => v >= count);
  if (bad !== undefined) throw new Error(`${bad} in a map of numbers 0 to ${count - 1}`);
  return new Int32Array(data);
}
