import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import '../../fixed-seed.js';
import { UsageError } from '../../../src/common/errors.ts';
import { averagePrecision, averagePrecisionInterval } from '../../../src/sct/quality/average-precision.ts';
import { ConfusionMatrix } from '../../../src/sct/quality/confusion.ts';
import { centrePrior, SaliencyScore } from '../../../src/sct/quality/saliency.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/quality/task-metrics.json', import.meta.url), 'utf8'),
) as {
  averagePrecision: { n: number; seed: number; levels: number; positives: number; averagePrecision: number }[];
  iou: { width: number; height: number; classes: number; values: (number | null)[] };
  saliency: { maxF: number; mae: number };
};

/** The generator of make_task_metrics.py. */
function stream(n: number, seed: number): number[] {
  const out: number[] = [];
  let s = BigInt(seed);
  for (let i = 0; i < n; i++) {
    s = (s * 1103515245n + 12345n) % 2147483648n;
    out.push(Number(s));
  }
  return out;
}

const near = (a: number | null, b: number | null, tolerance: number) =>
  assert.ok(a !== null && b !== null && Math.abs(a - b) <= tolerance, `${a}, expected ${b}`);

test('average precision equals the independent one, ties included', () => {
  for (const c of vectors.averagePrecision) {
    const score = stream(c.n, c.seed).map((v) => (v >> 8) % c.levels);
    const truth = stream(c.n, c.seed + 100).map((v) => ((v >> 12) % 4 === 0 ? 1 : 0));
    assert.equal(
      truth.reduce((s: number, v) => s + v, 0),
      c.positives,
    );
    near(averagePrecision(score, truth), c.averagePrecision, 1e-12);
  }
});

test('average precision: closed forms, order of the input, bad input', () => {
  assert.equal(averagePrecision([3, 2, 1], [1, 1, 0]), 1);
  near(averagePrecision([3, 2, 1], [0, 0, 1]), 1 / 3, 1e-15);
  near(averagePrecision([5, 5, 5, 5], [1, 0, 0, 1]), 0.5, 1e-15); // all tied: the share of positives
  assert.equal(averagePrecision([1, 2], [1, 1]), null);
  assert.equal(averagePrecision([], []), null);
  assert.throws(() => averagePrecision([1], []), UsageError);
  assert.throws(() => averagePrecision([Number.NaN], [1]), /finite/);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { minLength: 2 }), (examples) => {
      const ap = (list: typeof examples) =>
        averagePrecision(
          list.map((e) => e[0]),
          list.map((e) => Number(e[1])),
        );
      const [a, b] = [ap(examples), ap([...examples].reverse())];
      if (a === null) assert.equal(b, null);
      else near(a, b, 1e-12);
    }),
  );
});

test('bootstrap interval: seeded, holds the value, narrows with more examples', () => {
  const make = (n: number) => {
    const score = stream(n, 5).map((v) => (v >> 8) % 100);
    const truth = score.map((s, i) => (s + ((stream(n, 6)[i] >> 8) % 60) > 90 ? 1 : 0));
    return averagePrecisionInterval(score, truth, { resamples: 400 });
  };
  const few = make(40);
  const many = make(300);
  assert.deepEqual(make(40), few);
  for (const e of [few, many]) assert.ok(e.low! <= e.value! && e.value! <= e.high!, JSON.stringify(e));
  assert.ok(many.high! - many.low! < few.high! - few.low!);
  assert.deepEqual(averagePrecisionInterval([1, 2], [0, 0]), {
    value: null,
    low: null,
    high: null,
    positives: 0,
    n: 2,
  });
  assert.throws(() => averagePrecisionInterval([1], [1], { resamples: 5 }), /allowed 100/);
});

test('mean IoU equals the independent one; one matrix over a set; void is left out', () => {
  const { width, height, classes, values } = vectors.iou;
  const predicted = Uint8Array.from(stream(width * height, 11), (v) => (v >> 9) % classes);
  const truth = Uint8Array.from(stream(width * height, 12), (v) => (v >> 9) % (classes + 1)).map((v) =>
    v === 3 ? 2 : v,
  );
  const whole = new ConfusionMatrix(classes);
  whole.add(predicted, truth);
  const report = whole.report();
  report.iou.forEach((v, c) => {
    near(v, values[c], 1e-12);
  });
  near(report.mIoU, (values as number[]).reduce((s, v) => s + v, 0) / classes, 1e-12);
  const parts = new ConfusionMatrix(classes);
  for (const [from, to] of [
    [0, 100],
    [100, truth.length],
  ]) {
    parts.add(predicted.subarray(from, to), truth.subarray(from, to));
  }
  assert.deepEqual(parts.report(), report);
  const onlyVoid = new ConfusionMatrix(2);
  onlyVoid.add(Uint8Array.of(9, 9), Uint8Array.of(2, 11));
  assert.deepEqual(onlyVoid.report(), { mIoU: null, iou: [null, null], pixelAccuracy: null, pixels: 0 });
});

test('mean IoU: closed form and bad input', () => {
  const m = new ConfusionMatrix(3);
  m.add(Uint8Array.of(0, 0, 1, 1), Uint8Array.of(0, 1, 1, 1)); // IoU 1/2 and 2/3, class 2 absent
  const { mIoU, iou, pixelAccuracy } = m.report();
  near(mIoU, (1 / 2 + 2 / 3) / 2, 1e-15);
  assert.equal(iou[2], null);
  assert.equal(pixelAccuracy, 0.75);
  assert.throws(() => m.add(Uint8Array.of(3), Uint8Array.of(0)), /label 3 .* allowed 0 to 2/);
  assert.throws(() => m.add(Uint8Array.of(0), Uint8Array.of(0, 0)), /differ in size/);
  assert.throws(() => new ConfusionMatrix(0), /allowed 1 to 255/);
});

test('saliency: max F and MAE equal the independent ones', () => {
  const score = new SaliencyScore();
  for (const k of [1, 2, 3]) {
    const map = Float32Array.from(stream(37 * 23, 20 + k), (v) => ((v >> 10) % 997) / 31);
    const mask = Uint8Array.from(stream(37 * 23, 30 + k), (v) => ((v >> 7) % 3 === 0 ? 1 : 0));
    score.add(map, mask);
  }
  const { maxF, mae, pictures } = score.report();
  near(maxF, vectors.saliency.maxF, 1e-6); // a level may round differently in Float64 division
  near(mae, vectors.saliency.mae, 1e-6);
  assert.equal(pictures, 3);
});

test('saliency: closed forms and bad input', () => {
  const perfect = new SaliencyScore();
  perfect.add(Float32Array.of(0, 0, 7, 7), Uint8Array.of(0, 0, 1, 255));
  assert.deepEqual([perfect.report().maxF, perfect.report().mae], [1, 0]);
  const flat = new SaliencyScore();
  flat.add(Float32Array.of(3, 3, 3, 3), Uint8Array.of(1, 0, 0, 0));
  near(flat.report().maxF, (1.3 * 0.25) / (0.3 * 0.25 + 1), 1e-12); // everything chosen: P = 1/4, R = 1
  near(flat.report().mae, 0.25, 1e-12);
  assert.equal(new SaliencyScore().report().maxF, null);
  assert.throws(() => flat.add(Float32Array.of(1), Uint8Array.of(1, 1)), UsageError);
  assert.throws(() => flat.add(Float32Array.of(Number.NaN), Uint8Array.of(1)), /finite/);
  const prior = centrePrior(5, 3);
  assert.equal(prior[7], 1);
  near(prior[0], Math.exp(-4), 1e-7);
});
