/**
 * The partition into SFVs: bytes and agreement, and where its start counts come from.
 *
 *   node --import tsx bench/partition.ts figures --data DIR [--every N] [--models DIR]
 *     Kodak and CamVid test, as they are and at twice the size
 *   node --import tsx bench/partition.ts counts --data DIR [--every N] [--models DIR]
 *     CamVid train and train/photos: text of start-counts.ts
 *
 * DIR holds kodak/, camvid/{train,test}/ and train/photos/. Polygons are counted as an alternative (partition/polygons.ts).
 */
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import { resizeImage } from '../src/sct/image/save.ts';
import type { LabelSpace } from '../src/sct/partition/label-map-code.ts';
import { FLAG_CONTEXTS, flagContext, lookAround, newNeighbourhood } from '../src/sct/partition/label-model.ts';
import { type AdoptedPartition, adoptPartition } from '../src/sct/partition/partition.ts';
import type { ClassMap } from '../src/sct/semantics/feature-map.ts';
import { labelCells } from '../src/sct/semantics/label-map.ts';
import { loadModels, type SemanticModels } from '../src/sct/semantics/models.ts';
import { polygonFigures } from './partition/polygons.ts';

async function rawLabels(models: SemanticModels, path: string, space: LabelSpace, factor: number): Promise<ClassMap> {
  const photo = await loadImage(path);
  const image = await resizeImage(photo, Math.round(photo.width * factor), Math.round(photo.height * factor));
  const y = await models.analyse(image);
  return labelCells(await models.labels(y), y, space).map;
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** The cheapest polygons of at least the same agreement, over several pre-simplifications and tolerances; null = none. */
function bestPolygons(raw: ClassMap, space: LabelSpace, agreement: number): number | null {
  let best: number | null = null;
  for (const start of [0.96, 0.97, 0.98, 0.99, 1]) {
    const { partition } = adoptPartition(raw, { agreement: start, bitsPerCell: 3, maxSfvs: 255 });
    const map = { rows: raw.rows, columns: raw.columns, data: partition.labels };
    for (const tolerance of [0, 0.4, 0.5, 0.71, 0.8, 1, 1.3]) {
      const p = polygonFigures(map, raw, tolerance, space === 'street' ? 3.5 : 5);
      if (p.agreement >= agreement && (best === null || p.bytes < best)) best = p.bytes;
    }
  }
  return best;
}

async function figures(models: SemanticModels, data: string, every: number): Promise<void> {
  for (const [set, folder, space] of [
    ['Kodak', 'kodak', 'codebook'],
    ['CamVid test', 'camvid/test', 'street'],
  ] as const) {
    const paths = (await listImages(`${data}/${folder}`)).filter((p) => set === 'Kodak' || p.endsWith('.jpg'));
    const once: AdoptedPartition[] = [];
    const twice: AdoptedPartition[] = [];
    const polygons: number[] = [];
    for (const path of paths.filter((_, i) => i % every === 0)) {
      const raw = await rawLabels(models, path, space, 1);
      const { clusterColours } = models.tables.labels;
      once.push(adoptPartition(raw, { clusterColours }));
      twice.push(adoptPartition(await rawLabels(models, path, space, 2), { clusterColours }));
      polygons.push(bestPolygons(raw, space, 0.95) ?? Number.NaN);
    }
    const row = (name: string, all: readonly AdoptedPartition[]) => {
      const bytes = all.map((a) => a.partition.bytes.length);
      const kept = all.map((a) => 100 * a.agreement);
      console.log(
        `${name}: ${mean(bytes).toFixed(1)} bytes (largest ${Math.max(...bytes)}), ${mean(kept).toFixed(1)} % of the labels kept ` +
          `(least ${Math.min(...kept).toFixed(1)}), ${mean(all.map((a) => a.partition.sfvs.length)).toFixed(1)} SFVs`,
      );
    };
    row(`${set} x ${once.length}`, once);
    row(`${set}, twice the size`, twice);
    const ratio = mean(twice.map((t) => t.partition.bytes.length)) / mean(once.map((t) => t.partition.bytes.length));
    const reached = polygons.filter((p) => !Number.isNaN(p));
    console.log(`${set}: ${ratio.toFixed(2)} times the bytes at twice the size`);
    console.log(
      `${set}: polygons of at least 95 %: ${mean(reached).toFixed(1)} bytes (on ${reached.length} of ${polygons.length})`,
    );
  }
}

/** Weight of the start counts: questions asked in training count up to this often, one question = 6. */
const MOST = 120;
const UNIT = 6;

async function counts(models: SemanticModels, data: string, every: number): Promise<void> {
  for (const [space, folder] of [
    ['street', 'camvid/train'],
    ['codebook', 'train/photos'],
  ] as const) {
    const paths = (await listImages(`${data}/${folder}`)).filter((p) => p.endsWith('.jpg'));
    const asked = new Float64Array(2 * FLAG_CONTEXTS); // [context][no, yes]
    const named = new Float64Array(space === 'street' ? 11 : 32);
    for (const path of paths.filter((_, i) => i % every === 0)) {
      const raw = await rawLabels(models, path, space, space === 'street' ? 1 : 1.5);
      const { partition } = adoptPartition(raw, { clusterColours: models.tables.labels.clusterColours });
      count(partition.labels, partition.columns, space === 'street' ? 0 : 11, asked, named);
    }
    const flags: number[] = [];
    for (let c = 0; c < FLAG_CONTEXTS; c++) {
      const [no, yes] = [asked[2 * c] + 0.4, asked[2 * c + 1] + 0.6];
      const weight = Math.min(UNIT * MOST, UNIT * (no + yes)) / (no + yes);
      flags.push(Math.max(1, Math.round(no * weight)), Math.max(1, Math.round(yes * weight)));
    }
    const total = named.reduce((a, b) => a + b, 0);
    const first = Array.from(named, (n) =>
      space === 'street' ? Math.max(4, Math.round((400 * (n + 2)) / (total + 22))) : 4,
    );
    console.log(`${space} flags\n${flags.join(', ')}\n${space} named\n${first.join(', ')}`);
  }
}

function count(labels: Uint8Array, columns: number, first: number, asked: Float64Array, named: Float64Array): void {
  const around = newNeighbourhood();
  labels.forEach((label, at) => {
    lookAround(labels, columns, Math.floor(at / columns), at % columns, around);
    for (let i = 0; i < around.count; i++) {
      const yes = around.candidates[i] === label;
      asked[2 * flagContext(around, i) + (yes ? 1 : 0)]++;
      if (yes) return;
    }
    named[label - first]++;
  });
}

const [mode, ...rest] = process.argv.slice(2);
const option = (name: string) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
const data = option('--data');
if ((mode !== 'figures' && mode !== 'counts') || data === undefined) {
  console.error('usage: bench/partition.ts figures|counts --data DIR [--every N] [--models DIR]');
  process.exitCode = 2;
} else {
  const models = await loadModels({ dir: option('--models') });
  await (mode === 'figures' ? figures : counts)(models, data, Math.max(1, Number(option('--every') ?? 1)));
  await models.close();
}
