/**
 * What the frame before is worth to the receiver of a stream of frames: PSNR of the damaged region without and with it, over the whole
 * integrated codec on AWGN at 10 dB, R = 0.5, 256x256. Frames follow one another by a pan over Kodak pictures, or are CamVid's at 15
 * and at 1 a second; of each frame a fifth of the cells at random, or whole SFVs, are lost.
 *
 *   node --import tsx bench/last-frame.ts --data DIR [--size live] [--quick] [--out FILE]
 *
 * DIR as docs/models.md has it. JSON on stdout or to FILE: a row for each sequence and damage; with
 * --quick two pictures or drives of each.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../src/common/errors.ts';
import { RandomStream } from '../src/common/random.ts';
import { wholeSfvs } from '../src/experiment/bench/models/models-holes.ts';
import { mean, pairedDifference } from '../src/experiment/metrics/stats.ts';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import type { ReceivedSource } from '../src/sct/codec/codec.ts';
import { IntegratedCodec } from '../src/sct/codec/integrated.ts';
import { decodeSideInfo, type IntegratedSide } from '../src/sct/codec/side-info.ts';
import { cellsOfSfvs, symbolOrder } from '../src/sct/codec/symbol-order.ts';
import { FrameMemory } from '../src/sct/correction/frame-memory.ts';
import { loadImage } from '../src/sct/image/load.ts';
import type { RgbImage } from '../src/sct/image/rgb-image.ts';
import { cropImage } from '../src/sct/image/save.ts';
import { roiPsnrDb } from '../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../src/sct/quality/regions.ts';
import { symbolRate } from '../src/sct/rate/symbol-rate.ts';
import { loadModels } from '../src/sct/semantics/models.ts';
import { grantsByImportance, overAir } from './integrated/air.ts';
import { benchWords } from './words.ts';

const PX = 256;
const SYMBOLS = 0.5 * PX * PX;
const SNR_DB = 10;
/** Pixels to the right a frame; half as many down. */
const PANS = [0, 1, 2, 4, 8, 16] as const;
/** Frames of a sequence (2 at one a second); the first arrives whole, each of the others is damaged and follows what was shown. */
const FRAMES = 4;
const DAMAGES = ['random 20 % of the cells', 'whole SFVs'] as const;

const options = {
  data: { type: 'string' },
  size: { type: 'string', default: 'live' },
  quick: { type: 'boolean', default: false },
  out: { type: 'string' },
} as const;
const { data, size, quick, out } = benchWords(import.meta.filename, { options }).values;
if (data === undefined) throw new UsageError('--data DIR is missing', 'docs/models.md says what it holds');
if (size !== 'live' && size !== 'base') throw new UsageError(`--size ${size} is not one of base, live`);
const models = await loadModels({ size });
const codec = new IntegratedCodec(models);

type Sequence = () => AsyncGenerator<{ name: string; frames: RgbImage[] }>;
const sequences: [string, Sequence][] = [
  ...PANS.map((px): [string, Sequence] => [`Kodak, pan of ${px} px a frame`, () => pans(px)]),
  ['CamVid, 15 frames a second', () => drives(2)],
  ['CamVid, 1 frame a second', () => drives(30)],
];

const rows = [];
for (const [sequence, read] of sequences) {
  for (const damage of DAMAGES) {
    const [without, withLast, shares]: [number[], number[], number[]] = [[], [], []];
    let taken = 0;
    for await (const { name, frames } of read()) {
      if (quick && taken++ === 2) break;
      const memory = new FrameMemory();
      for (const [i, frame] of frames.entries()) {
        const random = new RandomStream('bench/last-frame').fork(`${name}/${damage}/${i}`);
        const received = await sent(frame, i === 0 ? null : damage, random);
        const helped = await codec.decode(received, { memory });
        const { damage: mask } = helped.mask!;
        if (i === 0 || !mask.includes(1)) continue;
        const plain = await codec.decode(received);
        const hurt = cellsToPixels(
          Uint8Array.from(mask, (d) => (d > 0 ? 1 : 0)),
          PX,
          PX,
        );
        without.push(roiPsnrDb(frame, plain.image!, hurt)!);
        withLast.push(roiPsnrDb(frame, helped.image!, hurt)!);
        shares.push(helped.fromMemory!);
      }
    }
    const gain = pairedDifference(withLast, without);
    const gains = withLast.map((db, i) => db - without[i]);
    const range = { leastDb: Math.min(...gains), mostDb: Math.max(...gains) };
    const levels = { withoutDb: mean(without), withDb: mean(withLast), usedShare: mean(shares) };
    rows.push({
      sequence,
      damage,
      frames: gain.n,
      ...levels,
      gainDb: gain.value,
      lowDb: gain.low,
      highDb: gain.high,
      ...range,
    });
    process.stderr.write(
      `${sequence}, ${damage}: ${gain.value.toFixed(2)} dB (${range.leastDb.toFixed(2)} at least)\n`,
    );
  }
}
await models.close();
const report = {
  ...(await gitFacts(await packageRoot())),
  modelSet: models.set.id,
  size,
  snrDb: SNR_DB,
  symbolsPerPixel: 0.5,
  rows,
};
const text = `${JSON.stringify(report, null, 1)}\n`;
if (out) writeFileSync(out, text);
else process.stdout.write(text);

/** A frame over AWGN; of the cells that are lost no symbol arrives. */
async function sent(
  frame: RgbImage,
  damage: (typeof DAMAGES)[number] | null,
  random: RandomStream,
): Promise<ReceivedSource> {
  const plan = await codec.analyse(frame, { symbols: SYMBOLS });
  const scores = Uint8Array.from(plan.streams, (s) => s.score);
  const coded = await plan.encode(grantsByImportance(scores, Math.floor(0.95 * SYMBOLS), SNR_DB));
  const side = decodeSideInfo(coded.sideInfo, models.tables) as IntegratedSide;
  const { partition, classMap, thetaLevel } = side;
  const lost =
    damage === 'whole SFVs'
      ? wholeSfvs(partition, random.fork('sfv'), 0.1, 0.4, 255)
      : Uint8Array.from(partition.sfvOf, () => (damage !== null && random.uniform() < 0.2 ? 1 : 0));
  const cells = cellsOfSfvs(partition.sfvOf, partition.sfvs.length);
  const streams = coded.streams.map((stream) => {
    if (stream.kind !== 'analog') throw new Error('the integrated codec has analog streams');
    const own = cells[stream.id];
    const classes = Uint8Array.from(own, (at) => classMap.data[at]);
    const budget = stream.symbolsReIm.length / 2;
    const order = symbolOrder(symbolRate({ classes, thetaLevel, budget }, models.tables), classes, budget);
    const isLost = (place: number) => damage !== null && lost?.[own[order.cell[place]]] === 1;
    const snrDb = (place: number) => (isLost(place) ? Number.NEGATIVE_INFINITY : SNR_DB);
    return { ...overAir(stream, snrDb, random.fork(`${stream.id}`)), score: scores[stream.id] };
  });
  return { sideInfo: coded.sideInfo, streams };
}

async function* pans(px: number): ReturnType<Sequence> {
  for (const file of readdirSync(join(data!, 'kodak'))
    .filter((f) => f.endsWith('.png'))
    .sort()) {
    const picture = await loadImage(join(data!, 'kodak', file));
    const [left, top] = [(picture.width - PX) >> 1, (picture.height - PX) >> 1];
    const frames = Array.from({ length: FRAMES }, (_, i) =>
      cropImage(picture, left + i * px, top + ((i * px) >> 1), PX, PX),
    );
    yield { name: `${file}/${px}`, frames };
  }
}

/** Of the drive that CamVid has at 15 labelled frames a second (validation), or of those at 1 a second (test, where every third is missing): every fourth start. */
async function* drives(step: number): ReturnType<Sequence> {
  const folder = join(data!, 'camvid', step === 2 ? 'val' : 'test');
  const named = readdirSync(folder).flatMap((f) => /^(.+)_f?(\d+)\.jpg$/.exec(f) ?? []);
  const known = new Map<string, string>();
  for (let i = 0; i < named.length; i += 3) known.set(`${named[i + 1]}/${Number(named[i + 2])}`, named[i]);
  let taken = 0;
  for (const key of [...known.keys()].sort()) {
    const [drive, at] = [key.split('/')[0], Number(key.split('/')[1])];
    const files = Array.from({ length: step === 2 ? FRAMES : 2 }, (_, i) => known.get(`${drive}/${at + i * step}`));
    if (files.includes(undefined) || taken++ % 4 !== 0) continue;
    const frames = [];
    for (const file of files) {
      const picture = await loadImage(join(folder, file!));
      frames.push(cropImage(picture, (picture.width - PX) >> 1, (picture.height - PX) >> 1, PX, PX));
    }
    yield { name: key, frames };
  }
}
