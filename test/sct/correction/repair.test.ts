import assert from 'node:assert/strict';
import test from 'node:test';
import { trustLastFrame } from '../../../src/sct/correction/last-frame.ts';
import { blankLost, correctionStrength, lostQuality, repair } from '../../../src/sct/correction/repair.ts';
import type { FeatureMap, GridPlane } from '../../../src/sct/semantics/feature-map.ts';
import { parseModelTables } from '../../../src/sct/semantics/model-tables.ts';
import type { CorrectorInput, GeneratorInput, SemanticModels } from '../../../src/sct/semantics/models.ts';
import { TINY_CHANNELS, tinyTables } from '../semantics/tiny-models.ts';

const tables = parseModelTables(tinyTables(), { file: 'tables.json' });
const GRID = { rows: 1, columns: 3 };
const plane = (...data: number[]): GridPlane => ({ ...GRID, data: Float32Array.from(data) });
const map = (...data: number[]) => ({ ...GRID, data: Uint8Array.from(data) });
const features = (value: (i: number) => number): FeatureMap => {
  const data = Float32Array.from({ length: 3 * TINY_CHANNELS }, (_, i) => value(i));
  return { ...GRID, channels: TINY_CHANNELS, widthPx: 48, heightPx: 16, data };
};

/** Networks that add 100 (corrector) or 1000 (generator) where they may, and what they were given. */
function stub(roles: readonly string[]) {
  const calls: { correct: CorrectorInput[]; generate: GeneratorInput[] } = { correct: [], generate: [] };
  const added = (y: FeatureMap, where: GridPlane, by: number) =>
    features((i) => y.data[i] + (where.data[i % 3] > 0 ? by : 0));
  const models = {
    tables,
    set: { files: roles.map((role) => ({ role })) },
    correct: async (input: CorrectorInput) => {
      calls.correct.push(input);
      const data = input.quality.data.map((q, i) => (input.damage.data[i] > 0 ? -1 : q));
      return { yHat: added(input.yHat, input.damage, 100), quality: { ...GRID, data } };
    },
    generate: async (input: GeneratorInput) => {
      calls.generate.push(input);
      return added(input.yHat, input.missing, 1000);
    },
  } as unknown as Pick<SemanticModels, 'set' | 'tables' | 'correct' | 'generate'>;
  return { models, calls };
}

const input = (damage: number[], missing: number[]) => ({
  yHat: features((i) => i),
  quality: plane(-3, -2, -1),
  classMap: map(0, 2, 4),
  labelMap: map(11, 12, 13),
  damage: Float32Array.from(damage),
  strength: Float32Array.of(1, 0.5, 0.75),
  missing: Uint8Array.from(missing),
});

test('strength: with the share that was lost, a half for the least important and the unknown, a quarter for the most important', () => {
  const whole = Float32Array.of(1, 1, 1, 1);
  assert.deepEqual([...correctionStrength([255, 155, 205, undefined], [0, 1, 2, 3], whole)], [0.25, 0.5, 0.375, 0.5]);
  const parts = Float32Array.of(0, 0.25, 0.5, 1);
  assert.deepEqual([...correctionStrength([255, 155], [0, 0, 1, 1], parts)], [0, 0.0625, 0.25, 0.5]);
  assert.deepEqual([...correctionStrength([200, 200], [0, 1], whole.subarray(2))], [0.5, 0.5]);
  assert.deepEqual([...correctionStrength([undefined], [0], whole.subarray(3))], [0.5]);
});

test('lost cells become the mean embedding of their class; damaged in part they stay', () => {
  const classMap = map(0, 2, 4);
  const blank = blankLost(
    { yHat: features((i) => i + 1), quality: plane(-3, -2, -1) },
    Float32Array.of(0, 0.9, 1),
    classMap,
    tables,
  );
  assert.deepEqual([...blank.yHat.data], [1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0]);
  const variance = [0, 1, 2, 3].reduce((sum, c) => sum + 5 / (c + 1), 0); // of class 4 in the tiny tables
  assert.ok(Math.abs(blank.quality.data[2] - Math.log10(variance + 1e-4)) < 1e-5);
  assert.deepEqual([...blank.quality.data.slice(0, 2)], [-3, -2]);
  assert.equal(lostQuality(tables).length, 16);
});

test('the generator makes whole missing SFVs, the corrector the rest', async () => {
  const { models, calls } = stub(['corrector', 'generator']);
  const out = await repair(models, input([0, 0.5, 1], [0, 0, 1]));
  assert.equal(calls.correct.length, 1);
  assert.deepEqual([...calls.correct[0].strength.data], [1, 0.5, 0.75]);
  assert.deepEqual([...out.yHat.data.slice(0, 3)], [0, 101, 1102]);
  assert.deepEqual([...out.quality.data], [-3, -1, 0.5]);
  const again = await repair(models, input([0, 0.5, 1], [0, 0, 1]));
  assert.deepEqual(again, out);
  assert.deepEqual(calls.generate[0].noise, calls.generate[1].noise);
});

test('networks run only where there is work for them', async () => {
  const missing = stub(['corrector', 'generator']);
  await repair(missing.models, input([0, 0, 1], [0, 0, 1]));
  assert.deepEqual([missing.calls.correct.length, missing.calls.generate.length], [0, 1]);
  const partial = stub(['corrector', 'generator']);
  await repair(partial.models, input([0, 0.5, 0], [0, 0, 0]));
  assert.deepEqual([partial.calls.correct.length, partial.calls.generate.length], [1, 0]);
  const small = stub(['corrector']);
  const out = await repair(small.models, input([0, 0.5, 1], [0, 0, 1]));
  assert.deepEqual([small.calls.correct.length, small.calls.generate.length], [1, 0]);
  assert.deepEqual([...out.yHat.data.slice(0, 3)], [0, 101, 102]);
});

test('a last frame takes the place of the reference and of the generator, and lost cells move towards it', async () => {
  const { models, calls } = stub(['corrector', 'generator']);
  const frame = { yHat: features((i) => i), age: new Uint8Array(3) };
  const given = input([0, 0.5, 1], [0, 0, 1]);
  const trust = trustLastFrame(given.yHat, given.damage, frame);
  assert.ok(trust);
  const out = await repair(models, { ...given, last: { frame, trust } });
  assert.equal(calls.generate.length, 0);
  assert.equal(calls.correct[0].reference, frame.yHat);
  assert.deepEqual([...calls.correct[0].hasReference!.data], [1, 1, 1]);
  // Intact: as it came; in part: the corrector's; lost: the last frame's, which was right wherever it can be told.
  assert.deepEqual([...out.yHat.data.slice(0, 3)], [0, 101, 2]);
});
