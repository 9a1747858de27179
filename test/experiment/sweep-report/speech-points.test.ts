import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSweepReport } from '../../../src/experiment/sweep-report/document.ts';
import { figuresOf } from '../../../src/experiment/sweep-report/measures.ts';
import { groupTable } from '../../../src/experiment/sweep-report/tables.ts';
import { type FakePoint, fakePoints, writeSweep } from './sweep-folder.ts';

const KINDS = ['analog', 'coded'];

/** STOI 0.5 + SNR / 100, coded speech 0.1 better; the picture of the other half of the points is the one of `fakePoints`. */
function spoken(): FakePoint[] {
  return fakePoints().map(({ point, result }, i) => {
    const metrics = result.metrics as Record<string, unknown> & { snrDb: number; mapping: string };
    const kind = KINDS[metrics.mapping === 'matched' ? 1 : 0];
    const alone = metrics.codec === 'classical';
    const heard = { kind, seconds: 3, segmentalSnrDb: 5, outage: 0, note: null, priority: 1, symbols: 9 };
    const stoi = 0.5 + metrics.snrDb / 100 + (kind === 'coded' ? 0.1 : 0);
    const speech = { ...heard, stoi, speechSnrDb: null, pictureSnrDb: null, sfvs: [] };
    const voice = { use: 'speech', path: `/there/${i % 2}.wav`, sha256: String(8 + (i % 2)).repeat(64) };
    const photos = point.inputs as object[];
    return {
      point: {
        ...point,
        photo: alone ? null : point.photo,
        inputs: alone ? [voice] : [...photos, voice],
        speech: { name: `${i % 2}.wav`, alone, kind, maxSfvs: 12 },
      },
      result: {
        ...result,
        metrics: { ...metrics, ...(alone ? { psnrDb: null, outage: null } : {}), speech },
      },
    };
  });
}

test('speech in a sweep: STOI with intervals and gains, pictures with and without it apart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-spoken-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = await writeSweep(join(folder, 'voices'), spoken());
  const request = { paths: [path], where: [], gains: [{ key: 'speechKind', baseline: 'analog' }] };
  const r = await makeSweepReport({ ...request, figures: null, limits: null }, () => Promise.resolve());
  assert.deepEqual(r.design.axes.find((a) => a.key === 'speech')?.values, ['alone', 'beside a photo']);
  assert.deepEqual(r.design.axes.find((a) => a.key === 'speechKind')?.values, ['analog', 'coded']);
  for (const { group, figures, photos } of r.statistics) {
    const { snrDb, speechKind, speech } = group.settings;
    assert.ok(Math.abs(figures.stoi.value - (0.5 + Number(snrDb) / 100 + (speechKind === 'coded' ? 0.1 : 0))) < 1e-12);
    assert.equal(figures.psnrDb === undefined, speech === 'alone');
    assert.equal(photos, speech === 'alone' ? 2 : 6);
  }
  assert.ok(r.figures.some((f) => f.name === 'stoi-snr' && f.yLabel === 'STOI of speech'));
  assert.ok(groupTable(r).head.includes('STOI of speech'));
  // Where there is a picture: the other half has no PSNR, so what is drawn has one codec.
  const psnr = r.figures.find((f) => f.name === 'psnr-snr')!;
  assert.match(psnr.caption, /pictures, 6 photos, .*Everywhere: R 0\.\d+, integrated, /);
});

test('a figure of speech alone says nothing of pictures, their codec and symbols per pixel', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-spoken-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = await writeSweep(join(folder, 'voices'), spoken());
  const where = [{ key: 'speech', values: ['alone'] }];
  const request = { paths: [path], where, gains: [], figures: ['stoi-snr'], limits: null };
  const [figure] = (await makeSweepReport(request, () => Promise.resolve())).figures;
  assert.match(
    figure.caption,
    /^Bars: 95 % intervals by recordings and seeds\. Each point: \d+ transmissions, 2 recordings, /,
  );
  assert.match(figure.caption, /Everywhere: speech alone, /);
  assert.doesNotMatch(figure.caption, /picture|photo|\bR 0|classical|symbols/);
});

test('speech of a result that someone else wrote', () => {
  const { stoi, segmentalSnrDb, speechOutage } = figuresOf('here', { speech: { stoi: 0.7, outage: 1 } });
  assert.deepEqual([stoi, segmentalSnrDb, speechOutage], [0.7, null, 1]);
  assert.equal(figuresOf('here', {}).stoi, null);
  assert.throws(() => figuresOf('here', { speech: { stoi: 2 } }), /here: stoi.*out of range/);
  assert.throws(() => figuresOf('here', { speech: { outage: 0.5 } }), /here: speechOutage.*neither/);
  assert.throws(() => figuresOf('here', { speech: 'loud' }), /here: speech/);
});
