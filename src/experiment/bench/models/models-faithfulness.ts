import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomStream } from '../../../common/random.ts';
import { entropyMap } from '../../../sct/entropy/entropy-map.ts';
import { dequantise, quantise, quantisedQuality } from '../../../sct/entropy/quantise.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { encodePng } from '../../../sct/image/save.ts';
import { cellSaliency, DEFAULT_WEIGHTS, importanceMap } from '../../../sct/importance/importance-map.ts';
import { adoptPartition } from '../../../sct/partition/partition.ts';
import { ROI_LABELS, roiMask } from '../../../sct/quality/label-image.ts';
import { roiPsnrDb } from '../../../sct/quality/psnr.ts';
import { choiceForBudget, chooseClasses } from '../../../sct/rate/class-choice.ts';
import {
  type ClassMap,
  type FeatureMap,
  flatPlane,
  type GridPlane,
  withData,
} from '../../../sct/semantics/feature-map.ts';
import { gradCam } from '../../../sct/semantics/grad-cam.ts';
import { labelCells } from '../../../sct/semantics/label-map.ts';
import type { ModelTables } from '../../../sct/semantics/model-tables.ts';
import type { LabelOutput, SemanticModels } from '../../../sct/semantics/models.ts';
import { mean, meanInterval } from '../../metrics/stats.ts';
import { labelledPictures } from './models-data.ts';
import { judgeFigures, writeIfOther } from './models-judge.ts';
import { FAITHFULNESS_RATIO } from './models-published.ts';
import { atLeast, type ModelRow, rounded, shown } from './models-row.ts';

/** Share of the embeddings that is erased. */
const ERASED = 0.2;
/** Quantiser level of the pictures: the modular path without loss, mid-range. */
const LEVEL = 6;
const RANDOM_SEEDS = 3;

/**
 * What orders the cells, by folder name. `grad-cam` weighs gradients cell by cell as the product does, `grad-cam-channel` by their
 * mean over the grid [Selvaraju17]; `importance-*` weigh entropy and attention as the product does.
 */
const MAPS = [
  'grad-cam',
  'grad-cam-channel',
  'saliency',
  'entropy',
  'importance-human',
  'importance-machine',
  'grad-cam-saliency',
] as const;
type MapName = (typeof MAPS)[number];
/** Folder ending of the pictures whose erased cells the corrector restored, as the receiver does. */
const REPAIRED = '-repaired';

/** One way of erasing, with what it cost. The judge's columns are null until training/judge/score.py has run. */
export interface FaithfulnessRow {
  readonly name: string;
  readonly roiPsnrDropDb: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly judgeMIoU: number | null;
  /** Judge on the same pictures with nothing erased, less judgeMIoU; and the same of the task classes alone. */
  readonly judgeDrop: number | null;
  readonly judgeTaskDrop: number | null;
}

export interface FaithfulnessReport {
  readonly pictures: number;
  readonly folder: string | null;
  readonly rows: readonly FaithfulnessRow[];
}

/**
 * Faithfulness of the maps that say what matters: the top 20 % of embeddings by each map are erased (set to 0, which is the
 * training mean of the KLT that g_a starts from, with the quality of a lost cell) against 20 % at random, on CamVid test.
 * ROI-PSNR drops (sign, car, pedestrian, bicyclist by ground truth) are computed here; the pictures are written to
 * OUT/faithfulness/NAME for the judge, whose lines are read back from OUT/faithfulness/judge.jsonl. Each is made a second time
 * with the erased cells restored by the corrector: what the loss of these embeddings costs at the product's receiver.
 */
export async function measureFaithfulness(
  models: SemanticModels,
  dir: string,
  options: { readonly quick: boolean; readonly out: string | null; readonly progress: (what: string) => void },
): Promise<{ report: FaithfulnessReport; rows: ModelRow[] }> {
  const folder = options.out === null ? null : join(options.out, 'faithfulness');
  const erasures = [...MAPS, ...Array.from({ length: RANDOM_SEEDS }, (_, s) => `random-${s + 1}`)];
  const names = ['whole', ...erasures, ...erasures.map((kind) => kind + REPAIRED)];
  if (folder) for (const name of names) await mkdir(join(folder, name), { recursive: true });
  const drops = new Map<string, number[]>(names.map((n) => [n, []]));
  let pictures = 0;
  for await (const { name, image, truth } of labelledPictures(dir, 'street', options.quick ? 40 : 3)) {
    options.progress(`faithfulness: picture ${++pictures}`);
    const mask = roiMask(truth, ROI_LABELS);
    const roiOf = async (kind: string, picture: RgbImage): Promise<number | null> => {
      if (folder) await writeIfOther(join(folder, kind, `${name}.png`), await encodePng(picture));
      return roiPsnrDb(image, picture, mask);
    };
    const whole = await Source.of(models, image);
    const wholeDb = await roiOf('whole', await whole.picture());
    for (const kind of erasures) {
      const holed = whole.without(chosenCells(kind, whole.maps, whole.y, name));
      for (const [key, picture] of [
        [kind, await holed.picture()],
        [kind + REPAIRED, await holed.repaired()],
      ] as const) {
        const db = await roiOf(key, picture);
        if (db !== null && wholeDb !== null) drops.get(key)?.push(wholeDb - db);
      }
    }
  }
  return summarise(names, drops, folder, pictures);
}

/** One picture as the modular path without loss has it, perhaps with cells erased. */
class Source {
  private constructor(
    private readonly models: SemanticModels,
    readonly y: FeatureMap,
    private readonly quality: GridPlane,
    private readonly damage: GridPlane,
    private readonly classMap: ClassMap,
    private readonly labelMap: ClassMap,
    readonly maps: Map<MapName, GridPlane>,
  ) {}

  static async of(models: SemanticModels, image: RgbImage): Promise<Source> {
    const y = await models.analyse(image);
    const classMap = chooseClasses(y, models.tables, choiceForBudget(48));
    const { features, quality } = quantisedMap(y, classMap, models.tables);
    const labels = await models.labels(y);
    const { clusterColours } = models.tables.labels;
    const { partition } = adoptPartition(labelCells(labels, y).map, { clusterColours });
    const labelMap = { rows: y.rows, columns: y.columns, data: partition.labels };
    const maps = await mapsOf(models, y, classMap, labels);
    return new Source(models, features, quality, flatPlane(y, 0), classMap, labelMap, maps);
  }

  /** The same without the embeddings of these cells. */
  without(cells: readonly number[]): Source {
    const { models, y, classMap, labelMap, maps } = this;
    const lost = lostCellQuality(models.tables);
    const data = Float32Array.from(y.data);
    const quality = Float32Array.from(this.quality.data);
    const damage = Float32Array.from(this.damage.data);
    for (const cell of cells) {
      damage[cell] = 1;
      quality[cell] = lost[classMap.data[cell]];
      for (let c = 0, at = cell; c < y.channels; c++, at += quality.length) data[at] = 0;
    }
    const plane = (values: Float32Array): GridPlane => ({ rows: y.rows, columns: y.columns, data: values });
    return new Source(models, withData(y, data), plane(quality), plane(damage), classMap, labelMap, maps);
  }

  picture(): Promise<RgbImage> {
    return this.models.synthesise(this.y, this.quality);
  }

  async repaired(): Promise<RgbImage> {
    const { y, quality, damage, classMap, labelMap } = this;
    const strength = flatPlane(y, 1);
    const corrected = await this.models.correct({ yHat: y, quality, damage, strength, classMap, labelMap });
    return this.models.synthesise(corrected.yHat, corrected.quality);
  }
}

/** Quality plane entry of a lost cell of each class: log10 of the class's whole variance, plus 1e-4 inside; [class]. */
export function lostCellQuality(tables: ModelTables): Float32Array {
  return Float32Array.from({ length: tables.classes }, (_, k) => {
    let sum = 0;
    for (let c = 0; c < tables.channels; c++) sum += tables.variance[k * tables.channels + c];
    return Math.log10(sum + 1e-4);
  });
}

/** The feature map as the modular path without loss gives it at LEVEL. */
export function quantisedMap(
  y: FeatureMap,
  classMap: ClassMap,
  tables: ModelTables,
  level = LEVEL,
): { features: FeatureMap; quality: GridPlane } {
  const cells = Array.from({ length: y.rows * y.columns }, (_, i) => i);
  const features = withData(y, new Float32Array(y.data.length));
  dequantise(quantise(y, cells, level, tables), cells, level, tables, features);
  const ofClass = quantisedQuality(tables, level);
  const quality = {
    rows: y.rows,
    columns: y.columns,
    data: Float32Array.from(classMap.data, (c) => ofClass[c]),
  };
  return { features, quality };
}

async function mapsOf(
  models: SemanticModels,
  y: FeatureMap,
  classMap: ClassMap,
  labels: LabelOutput,
): Promise<Map<MapName, GridPlane>> {
  const entropy = entropyMap(classMap, models.tables);
  const saliency = cellSaliency(await models.saliency(y), y.rows, y.columns);
  const { plane: activation } = await gradCam(models, y, labels, ROI_LABELS, 'cell');
  const { plane: byChannel } = await gradCam(models, y, labels, ROI_LABELS, 'channel');
  return new Map<MapName, GridPlane>([
    ['grad-cam', activation],
    ['grad-cam-channel', byChannel],
    ['saliency', saliency],
    ['entropy', entropy],
    ['importance-human', importanceMap(entropy, saliency, DEFAULT_WEIGHTS.human)],
    ['importance-machine', importanceMap(entropy, activation, DEFAULT_WEIGHTS.machine)],
    ['grad-cam-saliency', importanceMap(activation, saliency, 0.5)],
  ]);
}

/** Cells to erase: the top of a map (ties by position), or seeded random ones. */
function chosenCells(kind: string, maps: Map<MapName, GridPlane>, y: FeatureMap, picture: string): number[] {
  const cells = Array.from({ length: y.rows * y.columns }, (_, i) => i);
  const count = Math.round(ERASED * cells.length);
  const map = maps.get(kind as MapName);
  if (map) return cells.sort((a, b) => map.data[b] - map.data[a] || a - b).slice(0, count);
  return new RandomStream('bench-models').fork(`faithfulness/${kind}/${picture}`).shuffle(cells).slice(0, count);
}

function summarise(names: readonly string[], drops: Map<string, number[]>, folder: string | null, pictures: number) {
  const judged = judgeFigures(folder);
  const whole = judged.get('whole') ?? null;
  const lines: FaithfulnessRow[] = names.map((name) => {
    const list = drops.get(name) ?? [];
    const { value, low, high } = meanInterval(list);
    const own = judged.get(name) ?? null;
    const empty = list.length === 0;
    return {
      name,
      roiPsnrDropDb: empty ? null : rounded(value),
      low: empty ? null : rounded(low),
      high: empty ? null : rounded(high),
      judgeMIoU: rounded(own?.mIoU ?? null),
      judgeDrop: own && whole ? rounded(whole.mIoU - own.mIoU) : null,
      judgeTaskDrop: own && whole ? rounded(whole.task - own.task) : null,
    };
  });
  const rows: ModelRow[] = [];
  for (const ending of ['', REPAIRED]) rows.push(...comparisons(lines, ending));
  return { report: { pictures, folder: folder === null ? null : 'faithfulness', rows: lines }, rows };
}

/** Rows of one treatment (erased, or erased and repaired): each map beside the mean of the random erasures. */
function comparisons(lines: readonly FaithfulnessRow[], ending: string): ModelRow[] {
  const part = 'faithfulness' as const;
  const treated = ending === '' ? 'erased' : 'erased and repaired';
  const randoms = Array.from({ length: RANDOM_SEEDS }, (_, s) => `random-${s + 1}${ending}`);
  const average = (f: (line: FaithfulnessRow) => number | null) => {
    const known = lines.filter((l) => randoms.includes(l.name)).map(f);
    return known.length === 0 || known.some((v) => v === null) ? null : mean(known as number[]);
  };
  const random = {
    roi: average((l) => l.roiPsnrDropDb),
    judge: average((l) => l.judgeDrop),
    task: average((l) => l.judgeTaskDrop),
  };
  const ratio = (a: number | null, b: number | null) => (a === null || b === null || b <= 0 ? null : a / b);
  const rows: ModelRow[] = [];
  for (const map of MAPS) {
    const line = lines.find((l) => l.name === map + ending);
    if (!line) continue;
    const what = `top 20 % by ${map} ${treated} against random 20 %`;
    const value = ratio(line.judgeDrop, random.judge);
    const judge = { part, what: `${what}: drop of the judge's mean IoU`, unit: 'times', value, wholeSet: true };
    rows.push(
      map.startsWith('grad-cam') && map !== 'grad-cam-saliency' && ending === ''
        ? atLeast('limit', FAITHFULNESS_RATIO, judge)
        : shown(judge),
    );
    const task = ratio(line.judgeTaskDrop, random.task);
    rows.push(
      shown({ part, what: `${what}: drop of the judge's IoU of the task classes`, unit: 'times', value: task }),
      shown({ part, what: `${what}: drop of ROI-PSNR`, unit: 'times', value: ratio(line.roiPsnrDropDb, random.roi) }),
    );
  }
  rows.push(
    shown({ part, what: `random 20 % ${treated}: drop of ROI-PSNR`, unit: 'dB', value: random.roi }),
    shown({ part, what: `random 20 % ${treated}: drop of the judge's mean IoU`, value: random.judge }),
  );
  return rows;
}
