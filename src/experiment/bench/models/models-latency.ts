import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomStream } from '../../../common/random.ts';
import { type RgbImage, rgbImage } from '../../../sct/image/rgb-image.ts';
import { type FeatureMap, flatPlane } from '../../../sct/semantics/feature-map.ts';
import { shippedModelsDir } from '../../../sct/semantics/model-files.ts';
import type { ModelFileInfo } from '../../../sct/semantics/model-set.ts';
import { loadModels, type SemanticModels } from '../../../sct/semantics/models.ts';
import { median, percentile } from '../../metrics/stats.ts';
import { codePicture, receivedSymbols } from './models-awgn.ts';
import { codecRows, timed } from './models-latency-codec.ts';
import { ANCHOR_CBR, BASE_SIDE_MS, KFLOP_PER_PIXEL, LIVE_BOTH_MS, LOAD_MS, SET_BYTES } from './models-published.ts';
import { atMost, type ModelRow, shown } from './models-row.ts';

const RUNS = 9;

interface Timing {
  readonly wallMs: number;
  /** CPU time of all threads of this process. */
  readonly cpuMs: number;
}

/**
 * Time of both sides, load time, memory and sizes. A side: `base` at 512x768 with 2 threads, encoder = g_a, label head, class
 * map, symbols, f_e; decoder = f_d, g_s. `live` at 256x256 with one thread: both sides together with label and saliency
 * heads and corrector, and the whole codec (codecRows). Medians of 9 after a warm-up; CPU time beside wall time, since other work on the machine changes
 * the latter. Runs first, while the peak of the process's memory is still that of the networks.
 */
export async function measureLatency(
  names: readonly string[],
  dir: string | undefined,
  { quick, progress }: { readonly quick: boolean; readonly progress: (what: string) => void },
): Promise<{ rows: ModelRow[] }> {
  const part = 'latency' as const;
  const rows: ModelRow[] = [];
  let bytes = 0;
  for (const name of names) {
    progress(`latency ${name}`);
    const threads = name === 'live' ? 1 : 2;
    const { value: models, timing: load } = await timed(async () => {
      const loaded = await loadModels({ dir, size: name as 'base' | 'live', threads });
      await loaded.warm();
      return loaded;
    });
    bytes += models.set.files.reduce((sum, f) => sum + f.bytes + (f.int8?.bytes ?? 0), 0);
    const what = `${name}: load, check and warm all networks`;
    rows.push(
      atMost('limit', LOAD_MS, { part, what: `${what}, wall time`, unit: 'ms', value: load.wallMs }),
      shown({ part, what: `${what}, CPU time`, unit: 'ms', value: load.cpuMs }),
    );
    const runs = quick ? 3 : RUNS;
    if (name === 'live') {
      rows.push(...(await liveRows(models, runs)));
      rows.push(...(await codecRows(dir, testPicture(256, 256), 3 * runs)));
    } else rows.push(...(await baseRows(name, models, runs)));
    rows.push(...(await complexityRows(name, models, dir ?? shippedModelsDir())));
    await models.close();
    const peak = process.resourceUsage().maxRSS / 1024;
    rows.push(shown({ part, what: `peak memory of the process after ${name}`, unit: 'MiB', value: peak }));
  }
  rows.push(
    atMost('limit', SET_BYTES / 1e6, { part, what: 'all files of the model sets', unit: 'MB', value: bytes / 1e6 }),
  );
  return { rows };
}

async function baseRows(name: string, models: SemanticModels, runs: number): Promise<ModelRow[]> {
  const image = testPicture(768, 512);
  const sides = await bothSides(models, image, runs, false);
  const rows: ModelRow[] = [];
  for (const side of ['encoder', 'decoder'] as const) {
    const what = `${name}, 512x768, ${side}, ${runs} runs, 2 threads`;
    rows.push(...timingRows(what, sides[side], BASE_SIDE_MS, 'wall'));
  }
  return rows;
}

async function liveRows(models: SemanticModels, runs: number): Promise<ModelRow[]> {
  const sides = await bothSides(models, testPicture(256, 256), 3 * runs, true);
  const both = sides.encoder.map((e, i) => ({
    wallMs: e.wallMs + sides.decoder[i].wallMs,
    cpuMs: e.cpuMs + sides.decoder[i].cpuMs,
  }));
  const what = `live, 256x256, networks alone of both sides with heads and corrector, ${both.length} runs, 1 thread`;
  return timingRows(what, both, LIVE_BOTH_MS, 'cpu');
}

function timingRows(what: string, runs: readonly Timing[], limitMs: number, held: 'wall' | 'cpu'): ModelRow[] {
  const part = 'latency' as const;
  const wall = runs.map((r) => r.wallMs);
  const cpu = runs.map((r) => r.cpuMs);
  const of = (list: number[]) => ({
    unit: 'ms',
    value: median(list),
    low: percentile(list, 10),
    high: percentile(list, 90),
  });
  const rows = [
    { part, what: `${what}: wall time, median`, ...of(wall) },
    { part, what: `${what}: CPU time, median`, ...of(cpu) },
  ] as const;
  return rows.map((row, i) => ((i === 0) === (held === 'wall') ? atMost('limit', limitMs, row) : shown(row)));
}

async function bothSides(
  models: SemanticModels,
  image: RgbImage,
  runs: number,
  everything: boolean,
): Promise<{ encoder: Timing[]; decoder: Timing[] }> {
  const encoder: Timing[] = [];
  const decoder: Timing[] = [];
  const flatLabels = (y: FeatureMap) => ({ ...flatPlane(y, 0), data: new Uint8Array(y.rows * y.columns) });
  for (let run = -2; run < runs; run++) {
    const sent = await timed(async () => {
      const y = await models.analyse(image);
      await models.labels(y);
      if (everything) await models.saliency(y);
      const coded = codePicture(models, y, ANCHOR_CBR, 10);
      return { y, coded, z: await models.encodeSymbols(y, coded.classMap, coded.symbols, flatPlane(y, 10)) };
    });
    const { y, coded } = sent.value;
    const { received, scale } = receivedSymbols(sent.value.z, coded, 10, new RandomStream(`latency/${run}`));
    const shownSide = await timed(async () => {
      const { symbols, classMap } = coded;
      const decoded = await models.decodeSymbols(received, scale, classMap, symbols, flatPlane(y, 10), y);
      const corrects = everything && models.set.files.some((f) => f.role === 'corrector');
      if (!corrects) return models.synthesise(decoded.yHat, decoded.quality);
      const damage = flatPlane(y, 0);
      for (let i = 0; i < damage.data.length; i += 5) damage.data[i] = 1;
      const strength = flatPlane(y, 1);
      const fixed = await models.correct({ ...decoded, damage, strength, classMap, labelMap: flatLabels(y) });
      return models.synthesise(fixed.yHat, fixed.quality);
    });
    if (run < 0) continue;
    encoder.push(sent.timing);
    decoder.push(shownSide.timing);
  }
  return { encoder, decoder };
}

/** kFLOP a pixel and side (two operations a multiplication with addition) as models.json or the cards say them. */
async function complexityRows(name: string, models: SemanticModels, dir: string): Promise<ModelRow[]> {
  const rows: ModelRow[] = [];
  for (const [side, roles] of [
    ['encoder (g_a, f_e)', ['analysis', 'symbol-encoder']],
    ['decoder (f_d, g_s)', ['symbol-decoder', 'synthesis']],
  ] as const) {
    let value: number | null = 0;
    for (const role of roles) {
      const own: number | null = await kflopOf(models.set.files.find((f) => f.role === role) ?? null, dir);
      value = value === null || own === null ? null : value + own;
    }
    const input = { part: 'latency' as const, what: `${name}: ${side}`, unit: 'kFLOP/pixel', value };
    rows.push(atMost('limit', KFLOP_PER_PIXEL[name as 'base' | 'live'], input));
  }
  return rows;
}

async function kflopOf(file: ModelFileInfo | null, dir: string): Promise<number | null> {
  const said = file?.quality.kflopPerPixel;
  if (typeof said === 'number') return said;
  if (!file?.card) return null;
  const card = await readFile(join(dir, file.card), 'utf8').catch(() => '');
  const found = /([\d.]+) kFLOP a pixel/.exec(card);
  return found ? Number(found[1]) : null;
}

/** Something between a photograph and noise: every class of embedding occurs. */
function testPicture(width: number, height: number): RgbImage {
  const random = new RandomStream('latency');
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const busy = (60 * x) / width;
      for (let c = 0; c < 3; c++, i++) {
        data[i] = 128 + 60 * Math.sin(x / 37 + c) * Math.cos(y / (19 + c)) + random.between(-busy, busy);
      }
    }
  }
  return rgbImage(width, height, data);
}
