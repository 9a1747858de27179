import assert from 'node:assert/strict';
import test from 'node:test';
import { analyseSemantics } from '../../../src/sct/semantics/analysis.ts';
import { NAMES, sampleAnalysis, samplePhoto, stubModels } from '../../experiment/analyze/sample.ts';

test('analysis of a picture: importance of the SFVs adds up to 1, the salient car is dense', async () => {
  const a = await sampleAnalysis();
  assert.equal(a.rawLabels.space, 'street');
  assert.ok(Math.abs(a.sfvs.reduce((sum, s) => sum + s.importance, 0) - 1) < 1e-5);
  assert.deepEqual(
    a.sfvs.map((s) => NAMES[s.label]),
    ['sky', 'car', 'road'],
  );
  const car = a.sfvs[1];
  assert.ok(car.density > 2 && car.meanSaliency! > 0.9, JSON.stringify(car));
  assert.equal(
    a.sfvs.reduce((sum, s) => sum + s.cells, 0),
    a.y.rows * a.y.columns,
  );
  assert.deepEqual(
    [...a.scores],
    a.sfvs.map((s) => s.score),
  );
  assert.deepEqual([...a.ranking].sort(), [0, 1, 2]);
  const byDensity = await sampleAnalysis(240, 150, { order: 'density' });
  assert.equal(byDensity.ranking[0], 1);
});

test('a codec gets only the attention map that its task asks for', async () => {
  const human = await analyseSemantics(stubModels(), samplePhoto(64, 64));
  assert.ok(human.saliency !== null && human.activation === null && human.weight === 0.5);
  const machine = await analyseSemantics(stubModels(), samplePhoto(64, 64), { task: 'machine' });
  assert.ok(machine.saliency === null && machine.activation !== null && machine.weight === 0.7);
  assert.deepEqual(machine.taskClasses, [6, 8, 9, 10]);
});

test('any size, and settings out of range', async () => {
  for (const [width, height] of [
    [1, 1],
    [17, 3],
    [800, 5],
  ]) {
    for (const street of [2, -2]) {
      const a = await sampleAnalysis(width, height, {}, street);
      assert.ok(a.importance.data.every((v) => Number.isFinite(v)));
      assert.equal(a.partition.labels.length, Math.ceil(width / 16) * Math.ceil(height / 16));
    }
  }
  await assert.rejects(sampleAnalysis(32, 32, { weight: 1.1 }), /weight 1.1 is out of range: allowed 0 to 1/);
  await assert.rejects(sampleAnalysis(32, 32, { taskClasses: ['cow'] }), /"cow" is not known/);
  await assert.rejects(sampleAnalysis(32, 32, { partition: { maxSfvs: 0 } }), /1 to 255/);
});
