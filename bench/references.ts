/**
 * What a reference picture is worth to the corrector, by how near its features are to the picture's: crops of the demo photo,
 * references moved by 1 to 100 pixels or made darker, selective mode with a small rectangle kept, so that nearly all of the
 * picture is restored from the reference or from labels and surroundings. No channel: what is sent arrives.
 *
 *   node --import tsx bench/references.ts [--size live] [--out FILE]
 *
 * A row: crop, reference, distance = sum (y' - y)^2 / sum y^2, PSNR with and without the reference. JSON on stdout or to FILE.
 */
import { writeFileSync } from 'node:fs';
import { UsageError } from '../src/common/errors.ts';
import { meanInterval } from '../src/experiment/metrics/stats.ts';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { ModularCodec } from '../src/sct/codec/modular.ts';
import { loadDemoPhoto } from '../src/sct/image/demo.ts';
import type { RgbImage } from '../src/sct/image/rgb-image.ts';
import { cropImage } from '../src/sct/image/save.ts';
import { psnrDb } from '../src/sct/quality/psnr.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { benchWords } from './words.ts';

const PX = 192;
/** Left edges of the crops, 120 pixels from the top. */
const CROPS = [20, 100, 180, 240, 300, 380, 450, 520] as const;
const TOP = 120;
const ROI = { x: 64, y: 64, width: 32, height: 32 } as const;
/** Pixels to the right, and what the samples are multiplied by. */
const REFERENCES = [
  ...[0, 1, 2, 3, 6, 10, 16, 24, 40, 100].map((right) => ({ right, gain: 1 })),
  ...[0.9, 0.8, 0.6, 0.4].map((gain) => ({ right: 0, gain })),
] as const;
/** Bytes of every SFV that is kept. */
const BYTES = 200;

interface Row {
  readonly crop: number;
  readonly right: number;
  readonly gain: number;
  readonly distance: number;
  readonly withoutDb: number;
  readonly withDb: number;
}

const { values } = benchWords(import.meta.filename, {
  options: { size: { type: 'string', default: 'live' }, out: { type: 'string' } },
});
const size = values.size;
if (size !== 'live' && size !== 'base') throw new UsageError(`--size ${size} is not one of base, live`);
const models = await loadModels({ size });
const demo = await loadDemoPhoto();

/** PSNR of the picture as a receiver shows it that holds this reference, or none. */
async function shownDb(image: RgbImage, reference: RgbImage | null): Promise<number> {
  const features = reference ? await models.analyse(reference) : undefined;
  const named = reference ? { referenceId: 1, references: async () => features } : {};
  const codec = new ModularCodec(models, { ...named, mode: { roi: ROI } });
  const plan = await codec.analyse(image);
  const coded = await plan.encode(plan.streams.map(({ id, minSize }) => ({ id, size: minSize + BYTES })));
  const streams = coded.streams.map((s) => {
    if (s.kind !== 'bits') throw new Error('the modular codec sends bits');
    return { ...s, missing: [] };
  });
  const decoded = await codec.decode({ sideInfo: coded.sideInfo, streams });
  return psnrDb(image, decoded.image!)!;
}

const rows: Row[] = [];
for (const crop of CROPS) {
  const image = cropImage(demo, crop, TOP, PX, PX);
  const y = (await models.analyse(image)).data;
  const power = y.reduce((sum, v) => sum + v * v, 0);
  const withoutDb = await shownDb(image, null);
  for (const { right, gain } of REFERENCES) {
    if (crop + right + PX > demo.width) continue;
    const moved = cropImage(demo, crop + right, TOP, PX, PX);
    const reference = { ...moved, data: moved.data.map((v) => gain * v) };
    const other = (await models.analyse(reference)).data;
    const distance = other.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0) / power;
    rows.push({ crop, right, gain, distance, withoutDb, withDb: await shownDb(image, reference) });
  }
}
const BANDS = [0, 0.25, 0.5, 0.75, 1, 1.5, 10] as const;
const bands = BANDS.slice(1).map((to, i) => {
  const gains = rows.filter((r) => r.distance >= BANDS[i] && r.distance < to).map((r) => r.withDb - r.withoutDb);
  return {
    from: BANDS[i],
    to,
    n: gains.length,
    least: Math.min(...gains),
    most: Math.max(...gains),
    gainDb: meanInterval(gains),
  };
});
const text = `${JSON.stringify({ schema: 'sct.bench-references/1', ...(await gitFacts(await packageRoot())), size, bands, rows }, null, 1)}\n`;
if (values.out) writeFileSync(values.out, text);
else process.stdout.write(text);
