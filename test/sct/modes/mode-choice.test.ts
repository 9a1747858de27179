import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { encodeScore, sfvSums } from '../../../src/sct/importance/scores.ts';
import { AUTO_SHARE, AUTO_TAU, decideMode, mostImportant, variation } from '../../../src/sct/modes/mode-choice.ts';
import { semanticSettings } from '../../../src/sct/modes/semantic-options.ts';
import { adoptPartition } from '../../../src/sct/partition/partition.ts';
import type { SemanticAnalysis } from '../../../src/sct/semantics/analysis.ts';
import { NAMES } from '../../experiment/analyze/sample.ts';

const GRID = { rows: 4, columns: 8 };
const labels = Uint8Array.from({ length: 32 }, (_, at) => (at % 8 < 4 ? 0 : at % 8 < 6 ? 3 : 8));
const { partition } = adoptPartition({ ...GRID, data: labels }, { agreement: 1, bitsPerCell: 50 });

/** An analysis with importance of so much a cell in sky (16 cells), road (8) and car (8). */
function analysis(sky: number, road: number, car: number, task: 'human' | 'machine' = 'human'): SemanticAnalysis {
  const data = Float32Array.from(labels, (l) => ({ 0: sky, 3: road, 8: car })[l]!);
  const y = { ...GRID, channels: 1, data: new Float32Array(32), widthPx: 128, heightPx: 64 };
  return { task, y, importance: { ...GRID, data }, partition } as unknown as SemanticAnalysis;
}

test('variation: standard deviation over mean, whatever the scale', () => {
  assert.equal(variation({ ...GRID, data: new Float32Array(32).fill(7) }), 0);
  assert.equal(variation({ ...GRID, data: new Float32Array(32) }), 0);
  // One cell of n holds everything: sqrt(n - 1).
  assert.ok(Math.abs(variation({ ...GRID, data: new Float32Array(32).fill(3, 0, 1) }) - Math.sqrt(31)) < 1e-6);
});

test('auto: selective above tau of its task, overall below', () => {
  const flat = decideMode(analysis(1, 1, 1), { mode: 'auto' }, NAMES);
  assert.deepEqual([flat.mode, flat.asked, flat.importanceCv, flat.tau], ['overall', 'auto', 0, AUTO_TAU.human]);
  const peaked = analysis(1, 0.1, 7);
  const cv = variation(peaked.importance);
  assert.ok(cv > AUTO_TAU.human && cv < AUTO_TAU.machine);
  assert.equal(decideMode(peaked, { mode: 'auto' }, NAMES).mode, 'selective');
  assert.equal(decideMode({ ...peaked, task: 'machine' }, { mode: 'auto' }, NAMES).mode, 'overall');
  assert.equal(decideMode(analysis(Number.NaN, 1, 1), { mode: 'auto' }, NAMES).mode, 'overall');
});

test('without a rule the densest SFVs that hold the share are kept', () => {
  // Sky has most in sum (16), the car is denser: 8 x 1.9 = 15.2 of 33.6, then sky.
  const uneven = analysis(1, 0.3, 1.9);
  const { choose, mode } = decideMode(uneven, { mode: 'selective' }, NAMES);
  assert.equal(mode, 'selective');
  const scores = Uint8Array.from(sfvSums(uneven.importance, partition), (v) => encodeScore(v / 33.6));
  const { kept, rectangle } = choose!(partition, scores);
  assert.equal(rectangle, undefined);
  assert.deepEqual(
    partition.sfvs.map((s) => [s.label, kept[s.id]]).sort((a, b) => a[0] - b[0]),
    [
      [0, 1],
      [3, 0],
      [8, 1],
    ],
  );
});

test('the most important: no shorter beginning of the ranking holds the share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (sums, share) => {
        const ranking = [...sums.keys()].sort((a, b) => sums[b] - sums[a] || a - b);
        const kept = mostImportant(sums, ranking, share);
        const total = sums.reduce((a, b) => a + b, 0);
        const ids = ranking.filter((id) => kept[id]);
        assert.deepEqual(ids, ranking.slice(0, ids.length));
        const held = ids.reduce((sum, id) => sum + sums[id], 0);
        if (total === 0) assert.equal(ids.length, sums.length);
        else {
          assert.ok(held >= share * total * (1 - 1e-6));
          assert.ok(held - sums[ids[ids.length - 1]] < share * total);
        }
      },
    ),
  );
});

test('settings: what follows from what was said', () => {
  const plain = semanticSettings({}, NAMES);
  assert.deepEqual(plain.printed, { mode: 'overall', task: 'human', order: 'density', distortion: 'both' });
  assert.equal(plain.view, 'picture');
  const keep = semanticSettings({ keep: 'car', roi: '1,2,3,4' }, NAMES);
  assert.deepEqual(keep.mode, {
    mode: 'selective',
    keep: { kind: 'classes', names: ['car'] },
    roi: { x: 1, y: 2, width: 3, height: 4 },
  });
  assert.deepEqual(keep.analysis.favour, ['car']);
  const auto = semanticSettings({ mode: 'auto', task: 'machine' }, NAMES);
  assert.deepEqual([auto.printed.autoTau, auto.printed.autoShare, auto.view], [AUTO_TAU.machine, AUTO_SHARE, 'task']);
  assert.deepEqual(auto.analysis.favour, ['car', 'pedestrian', 'bicyclist', 'sign']);
  assert.equal(semanticSettings({ task: 'machine' }, NAMES).analysis.favour, undefined);
  const task = semanticSettings({ distortion: 'task' }, NAMES);
  assert.deepEqual([task.analysis.task, task.view, task.analysis.weight], ['machine', 'task', undefined]);
  assert.deepEqual(semanticSettings({ task: 'machine' }, NAMES).printed, task.printed);
  for (const options of [{ distortion: 'both' }, { distortion: 'both', task: 'machine' }]) {
    const both = semanticSettings(options, NAMES);
    assert.deepEqual([both.analysis, both.view, both.printed.distortion], [task.analysis, 'both', 'both']);
  }
  assert.equal(semanticSettings({ distortion: 'both', task: 'human' }, NAMES).view, 'picture');
  const pixel = semanticSettings({ distortion: 'pixel' }, NAMES);
  assert.deepEqual([pixel.analysis.task, pixel.view, pixel.analysis.weight], ['human', 'picture', 0]);
});

test('settings: wrong words and contradictions are named', () => {
  for (const [options, message] of [
    [{ mode: 'both' }, /--mode "both" is not known: allowed overall, selective, auto/],
    [{ task: 'robot' }, /--task "robot".*human, machine/],
    [{ order: 'x' }, /--order "x".*sum, density/],
    [{ distortion: 'none' }, /--distortion "none".*task, pixel, both/],
    [{ mode: 'auto', keep: 'car' }, /--keep chooses what selective mode keeps: not allowed with --mode auto/],
    [{ mode: 'overall', roi: '0,0,9,9' }, /--roi chooses/],
    [{ keep: 'cat' }, /"cat" is no class/],
    [{ distortion: 'task', task: 'human' }, /--distortion task is for machines/],
    [{ distortion: 'pixel', task: 'machine' }, /--distortion pixel knows no task/],
  ] as const) {
    assert.throws(
      () => semanticSettings(options, NAMES),
      (error: unknown) => error instanceof UsageError && message.test(error.message),
      JSON.stringify(options),
    );
  }
});
