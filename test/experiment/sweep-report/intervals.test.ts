import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { clopperPearson, meanInterval, percentile } from '../../../src/experiment/metrics/stats.ts';
import {
  type Crossed,
  crossed,
  crossedMean,
  crossedPercentile,
  crossedShare,
  meanVariance,
} from '../../../src/experiment/sweep-report/intervals.ts';

/** A table [photo][seed] as crossed values. */
function tableOf(rows: readonly (readonly number[])[]): Crossed {
  const cells = rows.flatMap((row, p) => row.map((v, s) => ({ v, p: `p${p}`, s: `s${s}` })));
  return crossed(
    cells.map((c) => c.v),
    cells.map((c) => c.p),
    cells.map((c) => c.s),
  );
}

function close(actual: number, expected: number, relative = 1e-12): void {
  assert.ok(Math.abs(actual - expected) <= relative * Math.max(1, Math.abs(expected)), `${actual}, not ${expected}`);
}

test('one photo, or one seed: Student t and Clopper-Pearson themselves', () => {
  const values = [30.1, 31.4, 29.2, 30.9, 33.3, 28.7];
  const expected = meanInterval(values);
  for (const c of [tableOf([values]), tableOf(values.map((v) => [v]))]) {
    const found = crossedMean(c);
    for (const key of ['value', 'low', 'high'] as const) close(found[key], expected[key]);
  }
  const outages = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  const proportion = clopperPearson(3, 13);
  const share = crossedShare(tableOf([outages]));
  for (const key of ['value', 'low', 'high'] as const) close(share[key], proportion[key]);
});

test('a 2 x 2 table by hand: MS_photo 9, MS_seed 4, MS_rest 1', () => {
  const { variance, df } = meanVariance(
    tableOf([
      [1, 2],
      [3, 6],
    ]),
  );
  close(variance, (9 + 4 - 1) / 4);
  // Satterthwaite: 12^2 / (9^2/1 + 4^2/1 + 1^2/1)
  close(df, 144 / 98);
});

test('nested draws (every run a seed of its own) are clusters by photo', () => {
  const photos = ['a', 'a', 'b', 'b', 'c', 'c'];
  const seeds = photos.map((_, i) => `run ${i}`);
  const values = [1, 1.2, 2, 2.2, 3, 3.2];
  const { variance, df } = meanVariance(crossed(values, photos, seeds));
  // Means of the photos 1.1, 2.1, 3.1: variance 1, over 3.
  close(variance, 1 / 3);
  assert.equal(df, 2);
});

test('photos and seeds do not depend on the order in which they stand', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
      const random = new RandomStream(seed);
      const cells = Array.from({ length: 12 }, (_, i) => ({ v: random.normal(), p: `p${i % 3}`, s: `s${i >> 2}` }));
      const of = (list: typeof cells) =>
        meanVariance(
          crossed(
            list.map((c) => c.v),
            list.map((c) => c.p),
            list.map((c) => c.s),
          ),
        ).variance;
      const shuffled = Array.from(random.shuffle(Uint8Array.from(cells.keys())), (i) => cells[i]);
      close(of(shuffled), of(cells), 1e-10);
    }),
  );
});

/** Share of 600 draws of photos and seeds in which an interval holds the truth. Standard error of 0.95: 0.009. */
function coverage(name: string, draw: (random: RandomStream) => { low: number; high: number }, truth: number): number {
  const random = new RandomStream('coverage').fork(name);
  const trials = 600;
  let held = 0;
  for (let t = 0; t < trials; t++) {
    const { low, high } = draw(random);
    if (low <= truth && truth <= high) held++;
  }
  return held / trials;
}

function crossedDraw(random: RandomStream, photos: number, seeds: number, sd: readonly [number, number, number]) {
  const byPhoto = Array.from({ length: photos }, () => sd[0] * random.normal());
  const bySeed = Array.from({ length: seeds }, () => sd[1] * random.normal());
  return byPhoto.map((p) => bySeed.map((s) => p + s + sd[2] * random.normal()));
}

test('95 % intervals of a mean hold the truth where photos and seeds both matter; independent ones would not', () => {
  for (const sd of [
    [1, 1, 1],
    [2, 0.3, 1],
    [0, 2, 1],
    [0, 0, 1],
  ] as const) {
    const ours = coverage(`ours ${sd}`, (r) => crossedMean(tableOf(crossedDraw(r, 6, 10, sd))), 0);
    // Where a component is nothing the interval is wider than it needs to be, never narrower.
    assert.ok(ours >= 0.92, `standard deviations ${sd}: ${ours}`);
  }
  const naive = coverage('naive', (r) => meanInterval(crossedDraw(r, 6, 10, [1, 1, 1]).flat()), 0);
  assert.ok(naive < 0.75, `independent pictures: ${naive}`);
});

test('95 % intervals of a share hold the truth where a fade takes all photos of a seed', () => {
  const draw = (r: RandomStream) => {
    const faded = Array.from({ length: 40 }, () => Number(r.uniform() < 0.2));
    return Array.from({ length: 8 }, () => faded.map((f) => (f === 1 && r.uniform() < 0.9 ? 1 : 0)));
  };
  const ours = coverage('share', (r) => crossedShare(tableOf(draw(r))), 0.18);
  assert.ok(ours >= 0.92, `${ours}`);
  const naive = coverage(
    'share naive',
    (r) => {
      const all = draw(r).flat();
      return clopperPearson(all.filter((v) => v === 1).length, all.length);
    },
    0.18,
  );
  assert.ok(naive < 0.75, `independent pictures: ${naive}`);
});

test('a share of 0 or 1 counts seeds, not pictures', () => {
  const rows = Array.from({ length: 4 }, () => new Array<number>(50).fill(0));
  const none = crossedShare(tableOf(rows));
  assert.equal(none.low, 0);
  close(none.high, clopperPearson(0, 50).high, 1e-9);
  // Without fades the photo decides; of one photo its seeds still count.
  close(crossedShare({ ...tableOf(rows), flat: true }).high, clopperPearson(0, 4).high, 1e-9);
  close(crossedShare({ ...tableOf([rows[0]]), flat: true }).high, clopperPearson(0, 50).high, 1e-9);
  // One that differs is no catastrophe: 32 photos, 2 seeds, 63 of 64.
  const odd = { ...tableOf(Array.from({ length: 32 }, (_, p) => [1, p === 5 ? 0 : 1])), flat: true };
  const { low } = crossedShare(odd);
  assert.ok(low > 0.85 && low < clopperPearson(63, 64).low + 1e-9, `${low}`);
  // A mean of figures within 0 to 1 that are all 0 is no more certain.
  assert.deepEqual(crossedMean(tableOf(rows), [0, 1]), none);
  const all = crossedShare(tableOf([[1, 1, 1]]));
  assert.equal(all.high, 1);
  close(all.low, clopperPearson(3, 3).low, 1e-9);
});

test('percentile: the usual value; its bootstrap interval is repeatable and holds the truth; none of few pictures', () => {
  const random = new RandomStream(7);
  const c = tableOf([Array.from({ length: 100 }, () => random.normal())]);
  const one = crossedPercentile(c, 10, 'x');
  assert.deepEqual(crossedPercentile(c, 10, 'x'), one);
  assert.equal(one.value, percentile(c.values, 10));
  assert.ok(one.low <= one.value && one.value <= one.high);
  assert.ok(Number.isNaN(crossedPercentile(tableOf([[1, 2, 3]]), 10, 'x').low));
  // -1.2816 is the 10th percentile of a standard normal; 150 draws of 60: standard error of 0.95 is 0.018.
  let held = 0;
  for (let t = 0; t < 150; t++) {
    const drawn = tableOf([Array.from({ length: 60 }, () => random.normal())]);
    const { low, high } = crossedPercentile(drawn, 10, `t${t}`);
    if (low <= -1.2816 && -1.2816 <= high) held++;
  }
  assert.ok(held / 150 >= 0.86, `${held} of 150`);
});
