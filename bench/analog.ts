/**
 * Analog symbols on the air: spreading or scrambling, limits and converters against EVM and the PSNR of a linear picture code
 * (docs/adr/0010-analog-symbols.md).
 *
 *   node --import tsx bench/analog.ts [--data DIR] [--pictures 6] [--quick] [--out FILE]
 *
 * DIR holds pictures (kodak/ of DIR if there is one), evenly chosen; without it a made-up picture and the demo photo are taken. --quick
 * takes a tenth of the symbols, one numerology and the made-up picture. JSON to FILE (default bench/results/analog.json), a summary on
 * stdout.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../src/common/random.ts';
import { gitFacts, hostFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { numerology, RB_DATA_RE } from '../src/phy/numerology.ts';
import { loadDemoPhoto } from '../src/sct/image/demo.ts';
import { listImages } from '../src/sct/image/list.ts';
import { loadImage } from '../src/sct/image/load.ts';
import type { RgbImage } from '../src/sct/image/rgb-image.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { type Digital, IDEAL } from './analog/air.ts';
import { CANDIDATES, candidate } from './analog/candidates.ts';
import { encodeLinear, lumaPlane, pictureSpectrum } from './analog/linear-code.ts';
import { modelStream } from './analog/model.ts';
import { type Layout, levelledPower, type ModelVariant, sweepModel, variantName } from './analog/model-trials.ts';
import { papr } from './analog/papr.ts';
import { syntheticPicture } from './analog/picture.ts';
import { PsnrTable } from './analog/psnr-table.ts';
import { converterRow, DIGITALS, selectivity } from './analog/sections.ts';
import { GAUSSIAN, LAPLACIAN, QPSK, recordedShape, type Shape, streamFigures } from './analog/shapes.ts';
import { type Subject, slotsFor, sweepPicture } from './analog/trials.ts';

/** An eighth of a complex symbol a pixel: CBR 1/24. */
const SYMBOLS_PER_PIXEL = 1 / 8;
const CBR = SYMBOLS_PER_PIXEL / 3;
const SEED = 1;
/** The transmitter of the PSNR trials: -11 dBFS, 8 bits. */
const PRODUCT: Digital = { ...IDEAL, bits: 8 };
/** What all differences are taken to. */
const REFERENCE = 'dft-rb';
const SNRS_DB = [5, 10, 15, 20, 30];

const option = (name: string) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined;
const quick = process.argv.includes('--quick');
const subbandsList = quick ? [25] : [6, 25, 50];
const note = (text: string) => process.stderr.write(`${text}\n`);

interface Photo {
  readonly name: string;
  readonly image: RgbImage;
}

async function photos(): Promise<Photo[]> {
  if (quick) return [];
  const list: Photo[] = [{ name: 'demo', image: await loadDemoPhoto() }];
  const data = option('--data');
  if (data === undefined) return list;
  const folder = existsSync(join(data, 'kodak')) ? join(data, 'kodak') : data;
  const paths = await listImages(folder);
  const count = Math.min(paths.length, Math.max(1, Number(option('--pictures') ?? 6)));
  for (let i = 0; i < count; i++) {
    const path = paths[Math.floor((i * paths.length) / count)];
    list.push({ name: path.split('/').at(-1) ?? path, image: await loadImage(path) });
  }
  return list;
}

function linearPart(subjects: readonly Subject[]) {
  const table = new PsnrTable();
  subjects.forEach(({ name, spectrum }, picture) => {
    for (const subbands of subbandsList) {
      const n = numerology(subbands);
      const slots = slotsFor(n, spectrum.data.length * SYMBOLS_PER_PIXEL);
      const code = encodeLinear(spectrum, slots * subbands * RB_DATA_RE, new RandomStream(SEED).fork('linear-order'));
      const channels = [
        { name: 'awgn', seeds: 1 },
        { name: 'eva', seeds: 3 },
      ] as const;
      sweepPicture(n, slots, code, CANDIDATES, PRODUCT, { channels, snrsDb: SNRS_DB }, picture, table);
    }
    note(`linear code: ${name}`);
  });
  return table.rows(REFERENCE);
}

/** The same picture code, spread in the RB, over other digital transmitters at high SNR, 25 subbands. */
function transmitterPart(subjects: readonly Subject[]) {
  const n = numerology(25);
  return DIGITALS.map((digital) => {
    const table = new PsnrTable();
    subjects.forEach(({ spectrum }, picture) => {
      const slots = slotsFor(n, spectrum.data.length * SYMBOLS_PER_PIXEL);
      const code = encodeLinear(spectrum, slots * 25 * RB_DATA_RE, new RandomStream(SEED).fork('linear-order'));
      const sweep = { channels: [{ name: 'awgn', seeds: 1 } as const], snrsDb: [20, 30] };
      sweepPicture(n, slots, code, [candidate(REFERENCE)], digital, sweep, picture, table);
    });
    return { digital, rows: table.rows(REFERENCE).map(({ snrDb, psnrDb, pictures }) => ({ snrDb, psnrDb, pictures })) };
  });
}

const MODEL_VARIANTS: readonly ModelVariant[] = [
  ...(['raster', 'raster-level', 'raster-class', 'interleaved'] as const).flatMap((layout) =>
    ['turns', 'dft-rb'].map((name) => ({ layout, candidate: candidate(name), peak: 4 })),
  ),
  { layout: 'raster', candidate: candidate('dft-row'), peak: 4 },
  { layout: 'raster', candidate: candidate('turns'), peak: Number.POSITIVE_INFINITY },
  { layout: 'interleaved', candidate: candidate('dft-stream'), peak: 4 },
];

async function modelPart(list: readonly Photo[]) {
  if (list.length === 0) return null;
  const models = await loadModels();
  const table = new PsnrTable();
  const streams: object[] = [];
  let recorded: Float32Array | null = null;
  const sweep = {
    channels: [
      { name: 'awgn', seeds: 1 },
      { name: 'eva', seeds: 2 },
    ] as const,
    snrsDb: [5, 10, 20],
  };
  for (const [i, { name, image }] of list.entries()) {
    const stream = await modelStream(models, image, CBR, 10, null);
    const powers = (['raster', 'raster-class'] as const).map((layout: Layout) => ({
      layout,
      ...levelledPower(stream, layout),
    }));
    streams.push({ picture: name, ...streamFigures(stream.symbols), rbPower: powers });
    recorded ??= stream.symbols;
    await sweepModel(models, numerology(25), image, CBR, MODEL_VARIANTS, PRODUCT, sweep, i, table);
    note(`model ${models.set.id}: ${name}`);
  }
  await models.close();
  const set = models.set.id;
  return { set, cbr: CBR, streams, recorded, rows: table.rows(variantName(MODEL_VARIANTS[1])) };
}

async function main(): Promise<void> {
  const list = await photos();
  const planes = [
    { name: 'synthetic', plane: syntheticPicture() },
    ...list.map((p) => ({ name: p.name, plane: lumaPlane(p.image) })),
  ];
  const subjects = planes.map(({ name, plane }) => ({ name, spectrum: pictureSpectrum(plane) }));
  const re = Math.floor(768 * 512 * SYMBOLS_PER_PIXEL);
  const streams = subjects.map(({ name, spectrum }) => {
    const symbols = Math.floor(spectrum.data.length * SYMBOLS_PER_PIXEL);
    return { name, code: encodeLinear(spectrum, symbols, new RandomStream(SEED).fork('linear-order')) };
  });
  const result: Record<string, unknown> = {
    schema: 'sct.bench.analog/1',
    command: `node --import tsx bench/analog.ts${quick ? ' --quick' : ''}${option('--data') ? ' --data DIR' : ''}`,
    machine: hostFacts(),
    git: await gitFacts(await packageRoot()),
    seed: SEED,
    symbolsPerPixel: SYMBOLS_PER_PIXEL,
    reference: REFERENCE,
    pictures: subjects.map((s) => s.name),
    streams: streams.map(({ name, code }) => ({ picture: name, ...streamFigures(code.symbols) })),
  };
  const out = option('--out') ?? join(await packageRoot(), 'bench', 'results', 'analog.json');
  const save = (part: object, what: string) => {
    Object.assign(result, part, {
      cpuSeconds: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1e6),
    });
    writeFileSync(out, `${JSON.stringify(result, (_, v) => (typeof v === 'number' ? rounded(v) : v), 1)}\n`);
    note(`${what} done, ${result.cpuSeconds} s of CPU`);
  };

  const linear = linearPart(subjects);
  save({ linear, transmitter: transmitterPart(subjects) }, 'linear code');
  const model = await modelPart(list);
  save({ model: model && { set: model.set, cbr: model.cbr, streams: model.streams, rows: model.rows } }, 'model');
  const shapes: Shape[] = [QPSK, GAUSSIAN, LAPLACIAN, recordedShape('linear', streams[0].code.symbols)];
  if (model?.recorded) shapes.push(recordedShape('model', model.recorded));
  save({ selectivity: subbandsList.flatMap((k) => selectivity(k, SNRS_DB, quick ? 20 : 200)) }, 'selectivity');
  const converters = subbandsList.flatMap((subbands) =>
    shapes.flatMap((shape) =>
      ['turns', 'dft-rb'].flatMap((name) =>
        DIGITALS.map((digital) => converterRow(subbands, shape, name, digital, (quick ? 0.1 : 0.4) * re, SEED)),
      ),
    ),
  );
  save({ converters }, 'converters');
  const slotsOf: Record<number, number> = { 6: 900, 25: 225, 50: 110 };
  const peaks = subbandsList.flatMap((subbands) =>
    shapes.flatMap((shape) =>
      CANDIDATES.filter((c) => c.group !== 'stream' && c.peak === undefined).map((c) =>
        papr(numerology(subbands), Math.ceil((quick ? 0.4 : 1) * slotsOf[subbands]), shape, c, SEED),
      ),
    ),
  );
  save({ papr: peaks }, 'peaks');
  for (const [what, rows] of [
    ['linear, 25 subbands', linear.filter((row) => row.subbands === 25)],
    ['model', model?.rows ?? []],
  ] as const) {
    for (const r of rows) {
      const { psnrDb, differenceDb } = r;
      console.log(
        `${what} ${r.channel} ${r.snrDb} dB ${r.candidate}: ${psnrDb.toFixed(2)} dB, ${differenceDb.value.toFixed(2)}`,
      );
    }
  }
}

/** Six significant digits: what is behind them is noise. */
function rounded(v: number): number | null {
  return Number.isFinite(v) ? Number(v.toPrecision(6)) : null;
}

await main();
