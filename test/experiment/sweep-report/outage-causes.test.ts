import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeSweepReport, type ReportRequest } from '../../../src/experiment/sweep-report/document.ts';
import { figuresOf } from '../../../src/experiment/sweep-report/measures.ts';
import { groupsCsv, groupTable } from '../../../src/experiment/sweep-report/tables.ts';
import { type FakePoint, fakePoints, writeSweep } from './sweep-folder.ts';

async function report(t: TestContext, points: readonly FakePoint[], more: Partial<ReportRequest> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sct-causes-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = await writeSweep(join(folder, 'night'), points);
  return makeSweepReport({ paths: [path], where: [], gains: [], figures: null, limits: null, ...more }, () =>
    Promise.resolve(),
  );
}

/** At 0 dB the pictures of seed 2 were never sent; `fakePoints` loses those of seed 1 and the classical codec. */
function withUnsent(): FakePoint[] {
  return fakePoints().map((p) => {
    const metrics = p.result.metrics as { snrDb: number; seed: number; outage: number };
    if (metrics.snrDb !== 0 || metrics.seed !== 2) return p;
    return { ...p, result: { ...p.result, metrics: { ...metrics, outage: 1, unsent: 'budget', symbolsPerPixel: 0 } } };
  });
}

test('an outage has one cause: lost on the air, or kept back for its budget', async (t) => {
  const r = await report(t, withUnsent());
  for (const { group, figures } of r.statistics) {
    const { outage, outageAir, outageBudget } = figures;
    assert.equal(outage.value, outageAir.value + outageBudget.value);
    const [air, budget] = group.settings.snrDb === 0 ? [group.settings.codec === 'classical' ? 1 : 0, 1] : [0, 0];
    assert.equal(outageAir.value, air / 4);
    assert.equal(outageBudget.value, budget / 4);
  }
  const names = r.figures.map((f) => f.name);
  for (const word of ['outage', 'outage-air', 'outage-budget']) assert.ok(names.includes(`${word}-snr`), word);
  assert.equal(r.figures.find((f) => f.name === 'outage-budget-snr')?.yLabel, 'P{did not fit its budget}');
  const { head } = groupTable(r);
  for (const word of ['outage', 'lost on the air', 'did not fit its budget']) assert.ok(head.includes(word), word);
});

test('where every picture was sent, tables and figures for people name no causes; CSV always does', async (t) => {
  const r = await report(t, fakePoints());
  assert.ok(!groupTable(r).head.includes('lost on the air'));
  assert.deepEqual(
    r.figures.map((f) => f.name).filter((name) => name.startsWith('outage')),
    ['outage-snr'],
  );
  assert.match(groupsCsv(r).split('\n')[0], /,outageAir,outageAir_low,.*,outageBudget,/);
  const asked = await report(t, fakePoints(), { figures: ['outage-budget-snr'] });
  assert.equal(asked.figures.length, 1);
});

test('causes of a result that someone else wrote', () => {
  const of = (metrics: Record<string, unknown>) => {
    const { outageAir, outageBudget } = figuresOf('here', metrics);
    return [outageAir, outageBudget];
  };
  assert.deepEqual(of({ outage: 1, unsent: 'budget' }), [0, 1]);
  assert.deepEqual(of({ outage: 1, unsent: null }), [1, 0]);
  // A version before it did not say; what did not fit had no result there.
  assert.deepEqual(of({ outage: 1 }), [1, 0]);
  assert.deepEqual(of({ outage: 0 }), [0, 0]);
  assert.deepEqual(of({ outage: null, unsent: null }), [null, null]);
  assert.throws(() => of({ outage: 1, unsent: 'weather' }), /here: unsent.*must be budget or null/);
  assert.throws(() => of({ outage: 0, unsent: 'budget' }), /here: unsent.*an outage/);
});
