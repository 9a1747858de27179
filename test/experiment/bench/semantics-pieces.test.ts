import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { jammerOf } from '../../../src/experiment/bench/semantics/air.ts';
import { scaleOf } from '../../../src/experiment/bench/semantics/bench.ts';
import { threeNorm } from '../../../src/experiment/bench/semantics/butteraugli.ts';
import { montage, quickData, spread } from '../../../src/experiment/bench/semantics/data.ts';
import { crossover } from '../../../src/experiment/bench/semantics/fig6.ts';
import { check, figureOf, paired, rowOf, seedsText } from '../../../src/experiment/bench/semantics/figures.ts';
import { boxOf, labelsOf, roiShares, saliencyOf } from '../../../src/experiment/bench/semantics/ground-truth.ts';
import { judged, meanIou } from '../../../src/experiment/bench/semantics/judge.ts';
import { lessImportantHalf, measured } from '../../../src/experiment/bench/semantics/measure.ts';
import { PARTS, parseSemanticsParts } from '../../../src/experiment/bench/semantics/parts.ts';
import { cbrText, type Series, slug, type Trial } from '../../../src/experiment/bench/semantics/series.ts';
import type { SideParts } from '../../../src/sct/codec/side-budget.ts';
import { flatImage, rgbImage } from '../../../src/sct/image/rgb-image.ts';

function series(scheme: string, values: readonly number[], seeds = values.map((_, i) => i + 1)): Series {
  const trials = values.map((psnrDb, i): Trial => ({ picture: `p${i}`, seed: seeds[i], values: { psnrDb } }));
  return { scheme, conditions: {}, facts: {}, trials };
}

test('pairs are of the same picture and seed; their interval is that of the differences', () => {
  const a = series('a', [30, 32, 34, 40]);
  const b = series('b', [29, 30.5, 33, 10], [1, 2, 3, 9]); // the last has no partner
  const d = paired(a, b, 'psnrDb')!;
  assert.equal(d.n, 3);
  assert.ok(Math.abs(d.value - 3.5 / 3) < 1e-12);
  // t(0.975, 2) = 4.3027, sd of 1, 1.5, 1 = 0.288675
  assert.ok(Math.abs(d.high - d.value - (4.302653 * 0.2886751) / Math.sqrt(3)) < 1e-5);
  assert.equal(paired(a, undefined, 'psnrDb'), null);
  assert.equal(paired(a, b, 'roiPsnrDb'), null);
});

test('a check is missed only when the whole interval is beyond what is asked', () => {
  const at = (value: number, low: number, high: number) => ({ value, low, high, n: 9 });
  assert.equal(check('front', 'x', 'dB', at(1.2, 0.8, 1.6), { least: 1 }).state, 'met');
  assert.equal(check('front', 'x', 'dB', at(0.9, 0.7, 1.1), { least: 1 }).state, 'open');
  assert.equal(check('front', 'x', 'dB', at(0.5, 0.2, 0.8), { least: 1 }).state, 'missed');
  assert.equal(check('front', 'x', 'dB', at(2, 1.5, 2.5), { most: 1 }).state, 'missed');
  assert.equal(check('front', 'x', 'dB', at(2, 1.5, 2.5)).state, 'shown');
  assert.equal(check('front', 'x', 'dB', null, { least: 1 }).state, 'open');
});

test('figures: Student for means, exact for yes and no, a percentile; nothing infinite in JSON', () => {
  const f = figureOf('psnrDb', [30, 31, 32, 33]);
  assert.equal(f.mean, 31.5);
  assert.ok(Math.abs(f.high! - 31.5 - 3.182446 * 0.6454972) < 1e-4);
  assert.ok(Math.abs(f.p10 - 30.3) < 1e-9);
  const rate = figureOf('outage', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.ok(Math.abs(rate.high! - 0.308497) < 1e-5); // 1 - 0.025^(1/10)
  assert.deepEqual([figureOf('psnrDb', [30]).low, figureOf('psnrDb', [30]).high], [null, null]);
  const row = rowOf('front', series('a', [30, 32]));
  assert.deepEqual([row.trials, row.seeds, Object.keys(row.figures)], [2, '1 to 2', ['psnrDb']]);
  assert.equal(seedsText([3, 1, 7]), '1, 3, 7');
});

test('what is undecodable is scored as mid-grey, with everything damaged', () => {
  const image = rgbImage(16, 16, new RandomStream(1).bytes(16 * 16 * 3));
  const picture = { name: 'noise', image, roi: new Uint8Array(256).fill(1), labels: null };
  const lost = measured(picture, 4, { decoded: undefined, countedSymbols: 96 });
  const grey = { decodable: true, complete: true, image: flatImage(16, 16), mask: undefined, note: undefined };
  const flat = measured(picture, 4, { decoded: grey, countedSymbols: 96 });
  assert.equal(lost.values.psnrDb, flat.values.psnrDb);
  assert.deepEqual([lost.values.outage, flat.values.outage], [1, 0]);
  assert.deepEqual([lost.values.damagedShare, flat.values.damagedShare], [1, 0]);
  assert.equal(lost.values.cbr, 96 / (3 * 256));
  assert.equal(lost.values.roiPsnrDb, lost.values.psnrDb);
});

test('the less important half: whole SFVs from the last of the ranking, the boundary in part', () => {
  const sfvOf = Uint8Array.of(0, 0, 0, 0, 0, 1, 1, 1, 2, 2);
  const sfvs = [5, 3, 2].map((cells, id) => ({ id, label: 0, cells }));
  const parts = { partition: { sfvOf, sfvs }, ranking: [1, 0, 2] } as unknown as SideParts;
  // 5 of 10 cells: both of SFV 2, then three of the five of SFV 0.
  assert.deepEqual([...lessImportantHalf(parts)], [0.6, 0.6, 0.6, 0.6, 0.6, 0, 0, 0, 1, 1]);
  const one = { ...parts, ranking: [1] }; // those that are not named come last, in order of id
  assert.deepEqual([...lessImportantHalf(one)], [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
});

test('ground truth: a cell is of the region of interest from 15 % on, else of its most frequent class', () => {
  const [width, height] = [32, 16];
  const labels = new Uint8Array(width * height).fill(3);
  for (let y = 0; y < 16; y++) labels.fill(8, y * width, y * width + 3); // 3 of 16 columns: 19 % of the first cell
  labels.fill(11, 20, 30); // void
  const roi = labels.map((v) => (v === 8 ? 1 : 0));
  const y = { rows: 1, columns: 2, widthPx: width, heightPx: height } as Parameters<typeof labelsOf>[2];
  const { maps, street, presence } = labelsOf(labels, roi, y);
  const first = [...Array(11).keys()].filter((c) => maps[c * 32] > 0);
  const second = [...Array(11).keys()].filter((c) => maps[c * 32 + 4] > 0);
  assert.deepEqual([first, second], [[8], [3]]);
  assert.ok(street > 0 && presence[8] > 0 && presence[0] < 0);
  const salient = saliencyOf(roi, y);
  assert.ok(Math.abs(1 / (1 + Math.exp(-salient[0])) - 0.75) < 1e-6); // 3 of 4 columns
  assert.ok(salient[1] < -9 && salient.length === 32);
  assert.deepEqual(boxOf(roi, width), { x: 0, y: 0, width: 3, height: 16 });
  assert.equal(boxOf(new Uint8Array(8), 4), undefined);
  assert.deepEqual(roiShares(Uint8Array.of(0, 0, 1, 1), Uint8Array.of(1, 0, 1, 1), 3), [0.5, 1, 0]);
});

test('the jammer covers whole subbands inside the band, with its share of the power', () => {
  for (let seed = 1; seed < 40; seed++) {
    const { centreHz, widthHz, powerDb } = jammerOf(25, 10, seed);
    assert.ok(Math.abs(widthHz! - 8 * 180e3) < 1e-6);
    const first = (centreHz! - widthHz! / 2 + 25 * 90e3) / 180e3;
    assert.ok(Math.abs(first - Math.round(first)) < 1e-9 && first > -1e-9 && first < 17.001, `${first}`);
    assert.ok(Math.abs(powerDb - (10 + 10 * Math.log10(8 / 25))) < 1e-12);
  }
  assert.equal(new Set([1, 2, 3, 4, 5, 6].map((s) => jammerOf(25, 10, s).centreHz)).size > 2, true);
});

test('where two curves cross, on a logarithmic axis', () => {
  assert.equal(crossover([{ r: 0.1, ahead: -1 }]).r, null);
  const { r } = crossover([
    { r: 0.1, ahead: 2 },
    { r: 0.4, ahead: -2 },
  ]);
  assert.ok(Math.abs(r! - 0.2) < 1e-12);
  assert.match(crossover([{ r: 0.3, ahead: 1 }]).words, /largest R/);
});

test('judge: mean IoU of summed matrices as score.py counts it; stale folders are left out', () => {
  const perfect = Array.from({ length: 121 }, (_, i) => (i % 12 === 0 ? 5 : 0));
  assert.equal(meanIou([perfect, perfect]), 1);
  const oneClass = perfect.map((v, i) => (i < 12 ? v : 0));
  assert.ok(Math.abs(meanIou([oneClass]) - 1 / 11) < 1e-12);
  const dir = mkdtempSync(join(tmpdir(), 'sct-judge-'));
  try {
    assert.equal(judged(dir).size, 0);
    for (const name of ['old', 'new']) mkdirSync(join(dir, name));
    const classes = [
      'sky',
      'building',
      'pole',
      'road',
      'pavement',
      'tree',
      'sign',
      'fence',
      'car',
      'pedestrian',
      'bike',
    ];
    const iou = Object.fromEntries(classes.map((c) => [c, 0.5]));
    const line = (folder: string, each: unknown) =>
      JSON.stringify({ folder, pictures: 2, mIoU: 0.5, mIoUClean: 0.7, iou, each });
    writeFileSync(join(dir, 'judge.jsonl'), `${line('old', { a: perfect, b: oneClass })}\n${line('new', undefined)}\n`);
    writeFileSync(join(dir, 'new', 'a.png'), 'made later');
    utimesSync(join(dir, 'new', 'a.png'), new Date(), new Date(Date.now() + 60_000));
    const scores = judged(dir);
    assert.deepEqual([...scores.keys()], ['old']);
    const { low, high, clean } = scores.get('old')!;
    assert.equal(clean, 0.7);
    assert.ok(low! >= 1 / 11 - 1e-9 && high! <= 1 && low! < high!);
    writeFileSync(join(dir, 'judge.jsonl'), `${line('old', { a: [1, 2] })}\n`);
    assert.throws(() => judged(dir), /no matrices/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('pictures: quick crops have a region of interest, montages are two by two, choices are even', async () => {
  const data = quickData();
  const [a, b] = await data.pictures('street', 2);
  assert.equal((await data.pictures('kodak', 2))[0], a);
  assert.ok(a.roi!.some((v) => v === 1) && a.image.width >= 161 && b.name !== a.name);
  const four = [10, 20, 30, 40].map((v) => ({ name: `${v}`, image: flatImage(2, 1, v), roi: null, labels: null }));
  const { image } = montage(four);
  assert.deepEqual([image.width, image.height], [4, 2]);
  assert.deepEqual([image.data[0], image.data[6], image.data[12], image.data[18]], [10, 20, 30, 40]);
  assert.deepEqual(spread([1, 2, 3, 4, 5, 6], 3), [1, 3, 5]);
});

test('every unit of every part has a name of its own', () => {
  for (const quick of [true, false]) {
    const ids = PARTS.flatMap((p) => p.units(scaleOf(quick)).map((u) => u.id));
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[a-z0-9-]{3,120}$/);
  }
  assert.equal(slug('eva', -2.5, 'MCS by CSI'), 'eva-m2p5-mcs-by-csi');
  assert.equal(cbrText(1 / 24), '1/24');
  assert.deepEqual(parseSemanticsParts('kodak,front'), ['front', 'kodak']);
  assert.throws(() => parseSemanticsParts('front,back'), /"back" is no part/);
  assert.equal(threeNorm('0.5\n3-norm: 1.25\n'), 1.25);
  assert.throws(() => threeNorm('no'), /3-norm/);
});
