import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomStream } from '../../../common/random.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { adoptPartition, type Partition } from '../../../sct/partition/partition.ts';
import { borderGradientRatio, gradientEnergyRatio } from '../../../sct/quality/gradient.ts';
import { roiPsnrDb } from '../../../sct/quality/psnr.ts';
import { cellsToPixels } from '../../../sct/quality/regions.ts';
import { choiceForBudget, chooseClasses } from '../../../sct/rate/class-choice.ts';
import {
  type ClassMap,
  type FeatureMap,
  flatPlane,
  type GridPlane,
  withData,
} from '../../../sct/semantics/feature-map.ts';
import { labelCells } from '../../../sct/semantics/label-map.ts';
import { GENERATED_QUALITY, type SemanticModels } from '../../../sct/semantics/models.ts';
import { mean, meanInterval, median, pairedDifference } from '../../metrics/stats.ts';
import { kodakPictures, labelledPictures, type TestPicture } from './models-data.ts';
import { lostCellQuality, quantisedMap } from './models-faithfulness.ts';
import { fillLaplace } from './models-fill.ts';
import { erase, flatRegion, pixelFill, wholeSfvs } from './models-holes.ts';
import { atLeast, atMost, between, type ModelRow, rounded, shown } from './models-row.ts';
import { saveSheet, withHoles } from './models-sheet.ts';

const METHODS = ['mean embedding', 'Laplace in features', 'Laplace in pixels', 'corrector'] as const;
type Method = (typeof METHODS)[number];
const DAMAGES = ['whole SFVs', 'random 20 % of the cells'] as const;
type Damage = (typeof DAMAGES)[number];

/** Whole SFVs are taken until this share of the cells is gone, and never more than MOST_LOST. */
const ENOUGH_LOST = 0.1;
const MOST_LOST = 0.4;
const RANDOM_LOST = 0.2;
/** The generator is judged on one region of at least this share. */
const ENOUGH_MISSING = 0.04;
const SHEET_ROWS = 4;

/** PSNR of the damaged region by method, dB, with 95 % intervals; and the corrector over the best baseline, paired. */
export interface RepairLine {
  readonly set: string;
  readonly data: string;
  readonly damage: Damage;
  readonly pictures: number;
  readonly psnrDb: Readonly<Record<Method, readonly [value: number | null, low: number | null, high: number | null]>>;
  readonly bestBaseline: Method;
}

interface RepairOptions {
  readonly quick: boolean;
  readonly out: string | null;
  readonly progress: (what: string) => void;
}

/** One picture as the receiver of the modular path without loss has it. */
interface Prepared {
  readonly image: RgbImage;
  readonly y: FeatureMap;
  readonly quality: GridPlane;
  readonly classMap: ClassMap;
  readonly partition: Partition;
}

/** Corrector (every set) and generator (where there is one) against baselines and limits, Kodak and CamVid test. */
export async function measureRepair(
  sets: ReadonlyMap<string, SemanticModels>,
  dir: string,
  options: RepairOptions,
): Promise<{ report: RepairLine[]; rows: ModelRow[] }> {
  const report: RepairLine[] = [];
  const rows: ModelRow[] = [];
  const sheets = options.out === null ? null : join(options.out, 'sheets');
  if (sheets) await mkdir(sheets, { recursive: true });
  for (const [set, models] of sets) {
    if (!models.set.files.some((f) => f.role === 'corrector')) continue;
    const hasGenerator = models.set.files.some((f) => f.role === 'generator');
    let changed = 0;
    for (const data of ['Kodak', 'CamVid'] as const) {
      const run = new RepairRun(models);
      let n = 0;
      for await (const picture of pictures(data, dir, options.quick)) {
        options.progress(`repair ${set}, ${data}: picture ${++n}`);
        await run.picture(picture, hasGenerator);
      }
      changed += run.changedOutside;
      for (const damage of DAMAGES) {
        const line = run.line(set, data, damage);
        if (!line) continue;
        report.push(line.report);
        rows.push(...line.rows);
      }
      if (hasGenerator) rows.push(...run.generatorRows(set, data));
      if (sheets) {
        const name = `${set}-${data.toLowerCase()}.png`;
        await saveSheet(join(sheets, `corrector-sfv-${name}`), run.correctorSheets['whole SFVs']);
        await saveSheet(join(sheets, `corrector-random-${name}`), run.correctorSheets['random 20 % of the cells']);
        await saveSheet(join(sheets, `generator-${name}`), run.generatorSheet);
      }
    }
    const what = `${set}: undamaged embeddings that corrector or generator changed in any bit`;
    rows.push(atMost('limit', 0, { part: 'repair', what, value: changed }));
  }
  return { report, rows };
}

async function* pictures(data: 'Kodak' | 'CamVid', dir: string, quick: boolean): AsyncGenerator<TestPicture> {
  if (data === 'Kodak') yield* await kodakPictures(dir, quick ? 12 : 1);
  else yield* labelledPictures(dir, 'street', quick ? 60 : 8);
}

/** Figures of one set on one data set. */
class RepairRun {
  changedOutside = 0;
  readonly correctorSheets: Record<Damage, RgbImage[][]> = { 'whole SFVs': [], 'random 20 % of the cells': [] };
  readonly generatorSheet: RgbImage[][] = [];
  private readonly models: SemanticModels;
  private readonly psnr: Record<Damage, Record<Method, number[]>>;
  private readonly energy: number[] = [];
  private readonly border: number[] = [];
  private readonly sourceBorder: number[] = [];
  private readonly flatEnergy: number[] = [];

  constructor(models: SemanticModels) {
    this.models = models;
    const empty = () => Object.fromEntries(METHODS.map((m) => [m, []])) as unknown as Record<Method, number[]>;
    this.psnr = { 'whole SFVs': empty(), 'random 20 % of the cells': empty() };
  }

  async picture({ name, image }: TestPicture, hasGenerator: boolean): Promise<void> {
    const p = await this.prepare(image);
    const random = new RandomStream('bench-models').fork(`repair/${name}`);
    for (const damage of DAMAGES) {
      const lost =
        damage === 'whole SFVs'
          ? wholeSfvs(p.partition, random.fork('sfv'), ENOUGH_LOST, MOST_LOST, 255)
          : Uint8Array.from(p.partition.sfvOf, () => (random.uniform() < RANDOM_LOST ? 1 : 0));
      if (lost === null || !lost.includes(1)) continue;
      const results = await this.repaired(p, lost);
      const mask = cellsToPixels(lost, image.width, image.height);
      for (const m of METHODS) this.psnr[damage][m].push(roiPsnrDb(image, results[m], mask) ?? Number.NaN);
      const sheet = this.correctorSheets[damage];
      if (sheet.length < SHEET_ROWS) {
        const holes = withHoles(results.corrector, lost, p.y.columns);
        sheet.push([image, holes, results['Laplace in pixels'], results.corrector]);
      }
    }
    if (hasGenerator) await this.generated(p, random.fork('generator'));
  }

  line(set: string, data: string, damage: Damage): { report: RepairLine; rows: ModelRow[] } | null {
    const values = this.psnr[damage];
    const n = values.corrector.length;
    if (n === 0) return null;
    const baselines = METHODS.slice(0, 3);
    const bestBaseline = baselines.reduce((a, b) => (mean(values[b]) > mean(values[a]) ? b : a));
    const gain = pairedDifference(values.corrector, values[bestBaseline]);
    const intervals = METHODS.map((m) => {
      const { value, low, high } = meanInterval(values[m]);
      return [m, [rounded(value), rounded(low), rounded(high)]] as const;
    });
    const where = `${set}, ${data}, ${damage}, ${n} pictures`;
    return {
      report: {
        set,
        data,
        damage,
        pictures: n,
        psnrDb: Object.fromEntries(intervals) as RepairLine['psnrDb'],
        bestBaseline,
      },
      rows: [
        ...METHODS.map((m) => {
          const [value, low, high] = Object.fromEntries(intervals)[m];
          return shown({ part: 'repair', what: `${where}: ${m}`, unit: 'dB', value, low, high });
        }),
        atLeast('limit', 0, {
          part: 'repair',
          what: `${where}: corrector over ${bestBaseline}, the best baseline`,
          unit: 'dB',
          value: gain.value,
          wholeSet: true,
          low: rounded(gain.low),
          high: rounded(gain.high),
        }),
      ],
    };
  }

  generatorRows(set: string, data: string): ModelRow[] {
    const n = this.energy.length;
    const where = `${set}, ${data}, generator, ${n} regions`;
    const part = 'repair' as const;
    const within = (list: number[], ok: (v: number) => boolean) => list.filter(ok).length / list.length;
    return [
      between('limit', 0.5, 2, {
        part,
        what: `${where}: gradient energy against the source, median`,
        unit: 'times',
        value: median(this.energy),
        wholeSet: true,
      }),
      shown({
        part,
        what: `${where}: share with gradient energy 0.5 to 2`,
        value: within(this.energy, (v) => v >= 0.5 && v <= 2),
      }),
      atMost('limit', 1.2, {
        part,
        what: `${where}: border gradient against the interior, median`,
        unit: 'times',
        value: median(this.border),
        wholeSet: true,
      }),
      shown({
        part,
        what: `${where}: share with border gradient at most 1.2`,
        value: within(this.border, (v) => v <= 1.2),
      }),
      shown({
        part,
        what: `${where}: border gradient of the source, median`,
        unit: 'times',
        value: median(this.sourceBorder),
      }),
      shown({
        part,
        what: `${where}: gradient energy of a flat colour, median`,
        unit: 'times',
        value: median(this.flatEnergy),
      }),
    ];
  }

  private async prepare(image: RgbImage): Promise<Prepared> {
    const { models } = this;
    const clean = await models.analyse(image);
    const classMap = chooseClasses(clean, models.tables, choiceForBudget(48));
    const { features, quality } = quantisedMap(clean, classMap, models.tables);
    const { clusterColours } = models.tables.labels;
    const { partition } = adoptPartition(labelCells(await models.labels(clean), clean).map, { clusterColours });
    return { image, y: features, quality, classMap, partition };
  }

  private async repaired(p: Prepared, lost: Uint8Array): Promise<Record<Method, RgbImage>> {
    const { models } = this;
    const { rows, columns } = p.y;
    const ofClass = lostCellQuality(models.tables);
    const quality = { rows, columns, data: p.quality.data.map((q, i) => (lost[i] ? ofClass[p.classMap.data[i]] : q)) };
    const erased = withData(p.y, erase(p.y, lost));
    const smooth = withData(p.y, fillLaplace(erased.data, lost, columns, rows));
    const mask = cellsToPixels(lost, p.image.width, p.image.height);
    // g_s tints cells that it is told are lost, so each baseline is shown at its better quality plane.
    const better = async (y: FeatureMap, finish: (picture: RgbImage) => RgbImage): Promise<RgbImage> => {
      const told = finish(await models.synthesise(y, quality));
      const untold = finish(await models.synthesise(y, p.quality));
      const db = (picture: RgbImage) => roiPsnrDb(p.image, picture, mask) ?? 0;
      return db(untold) > db(told) ? untold : told;
    };
    const corrected = await models.correct({
      yHat: erased,
      quality,
      damage: { rows, columns, data: Float32Array.from(lost) },
      strength: flatPlane(p.y, 1),
      classMap: p.classMap,
      labelMap: { rows, columns, data: p.partition.labels },
    });
    this.countChanges(p.y, corrected.yHat, lost);
    return {
      'mean embedding': await better(erased, (picture) => picture),
      'Laplace in features': await better(smooth, (picture) => picture),
      'Laplace in pixels': await better(smooth, (picture) => pixelFill(picture, lost)),
      corrector: await models.synthesise(corrected.yHat, corrected.quality),
    };
  }

  private async generated(p: Prepared, random: RandomStream): Promise<void> {
    const missing = wholeSfvs(p.partition, random, ENOUGH_MISSING, MOST_LOST, 1);
    if (missing === null) return;
    const { rows, columns } = p.y;
    const quality = { rows, columns, data: p.quality.data.map((q, i) => (missing[i] ? GENERATED_QUALITY : q)) };
    const y = await this.models.generate({
      yHat: withData(p.y, erase(p.y, missing)),
      missing: { rows, columns, data: Float32Array.from(missing) },
      labelMap: { rows, columns, data: p.partition.labels },
      noise: Float32Array.from({ length: 16 * rows * columns }, () => random.normal()),
    });
    this.countChanges(p.y, y, missing);
    const made = await this.models.synthesise(y, quality);
    const mask = cellsToPixels(missing, p.image.width, p.image.height);
    const flat = flatRegion(p.image, mask);
    const border = borderGradientRatio(made, mask);
    const energy = gradientEnergyRatio(p.image, made, mask);
    const sourceBorder = borderGradientRatio(p.image, mask);
    if (energy === null || border === null || sourceBorder === null) return;
    this.energy.push(energy);
    this.border.push(border);
    this.sourceBorder.push(sourceBorder);
    this.flatEnergy.push(gradientEnergyRatio(p.image, flat, mask) ?? 0);
    if (this.generatorSheet.length < SHEET_ROWS) this.generatorSheet.push([p.image, flat, made]);
  }

  /** Embeddings outside the hole that are not, bit for bit, what went in. */
  private countChanges(before: FeatureMap, after: FeatureMap, hole: Uint8Array): void {
    const cells = hole.length;
    const touched = new Uint8Array(cells);
    for (let i = 0; i < before.data.length; i++) {
      if (!Object.is(before.data[i], after.data[i])) touched[i % cells] = 1;
    }
    for (let i = 0; i < cells; i++) if (touched[i] && !hole[i]) this.changedOutside++;
  }
}
