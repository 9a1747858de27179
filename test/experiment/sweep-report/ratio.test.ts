import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { clopperPearson } from '../../../src/experiment/metrics/stats.ts';
import { crossed, crossedMean } from '../../../src/experiment/sweep-report/intervals.ts';
import { crossedRatio } from '../../../src/experiment/sweep-report/ratio.ts';

/** Pictures of P photos with S seeds: blocks, and errors among them. */
interface Pictures {
  readonly errors: number[];
  readonly blocks: number[];
  readonly photos: string[];
  readonly seeds: string[];
}

/** A block of a photo with many blocks fails with another probability than one of a photo with few; a seed's fade is common to its photos. */
interface World {
  readonly mu: number;
  readonly fadeSd: number;
  readonly slope: number;
}

const FEW = 6;
const MANY = 40;
const logistic = (x: number) => 1 / (1 + Math.exp(-x));

function draw(random: RandomStream, photos: number, seeds: number, { mu, fadeSd, slope }: World): Pictures {
  const fades = Array.from({ length: seeds }, () => fadeSd * random.normal());
  const out: Pictures = { errors: [], blocks: [], photos: [], seeds: [] };
  for (let p = 0; p < photos; p++) {
    const many = random.uniform() < 0.5;
    fades.forEach((fade, s) => {
      const blocks = many ? MANY : FEW;
      let errors = 0;
      for (let i = 0; i < blocks; i++) errors += Number(random.uniform() < logistic(mu + fade + (many ? slope : 0)));
      out.errors.push(errors);
      out.blocks.push(blocks);
      out.photos.push(`p${p}`);
      out.seeds.push(`s${s}`);
    });
  }
  return out;
}

/** Probability that a block fails, by numeric integration over the fade. */
function truth({ mu, fadeSd, slope }: World): number {
  const average = (at: number) => {
    let [sum, weight] = [0, 0];
    for (let z = -6; z <= 6; z += 0.01) {
      const g = Math.exp((-z * z) / 2);
      sum += g * logistic(at + fadeSd * z);
      weight += g;
    }
    return sum / weight;
  };
  return (MANY * average(mu + slope) + FEW * average(mu)) / (MANY + FEW);
}

const ratioOf = ({ errors, blocks, photos, seeds }: Pictures) => crossedRatio(crossed(errors, photos, seeds), blocks);

test('BLER is all errors over all blocks, with both', () => {
  const r = crossedRatio(crossed([1, 0, 3], ['a', 'b', 'a'], ['1', '1', '2']), [2, 10, 12]);
  assert.equal(r.value, 4 / 24);
  assert.deepEqual([r.errors, r.trials, r.n, r.photos, r.seeds], [4, 24, 3, 2, 2]);
  assert.ok(0 < r.low && r.low < r.value && r.value < r.high && r.high < 1);
});

test('blocks that are independent and many pictures: Clopper-Pearson of the blocks', () => {
  const random = new RandomStream('independent');
  const pictures = draw(random, 40, 40, { mu: -2, fadeSd: 0, slope: 0 });
  const r = ratioOf(pictures);
  const expected = clopperPearson(r.errors, r.trials);
  // Half widths agree to a quarter: the variance of the ratio is itself estimated from 40 photos and 40 seeds.
  const ratio = (r.high - r.low) / (expected.high - expected.low);
  assert.ok(0.75 < ratio && ratio < 1.35, `${ratio}`);
});

test('no error, or nothing but errors: each seed counts once; one picture counts once', () => {
  const seeds = ['1', '2', '3', '4', '1', '2', '3', '4'];
  const photos = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'];
  const none = crossedRatio(crossed(new Array(8).fill(0), photos, seeds), new Array(8).fill(17));
  assert.deepEqual([none.low, none.high], [0, clopperPearson(0, 4).high]);
  const all = crossedRatio(crossed(new Array(8).fill(17), photos, seeds), new Array(8).fill(17));
  assert.deepEqual([all.low, all.high], [clopperPearson(4, 4).low, 1]);
  const one = crossedRatio(crossed([2], ['a'], ['1']), [17]);
  assert.ok(one.low < 0.03 && one.high > 0.97, 'one picture says next to nothing of others');
  assert.ok(Number.isNaN(crossedRatio(crossed([], [], []), []).low));
});

/** Shares of 400 draws in which intervals hold the truth; standard error of 0.95: 0.011. */
function coverage(photos: number, seeds: number, world: World) {
  const random = new RandomStream('bler').fork(`${photos} ${seeds} ${JSON.stringify(world)}`);
  const expected = truth(world);
  const holds = ({ low, high }: { low: number; high: number }) => Number(low <= expected && expected <= high);
  const held = { ratio: 0, meanOfPictures: 0, blocksAlone: 0 };
  const draws = 400;
  let centre = 0;
  for (let i = 0; i < draws; i++) {
    const pictures = draw(random, photos, seeds, world);
    const r = ratioOf(pictures);
    const shares = pictures.errors.map((e, j) => e / pictures.blocks[j]);
    held.ratio += holds(r) / draws;
    held.meanOfPictures += holds(crossedMean(crossed(shares, pictures.photos, pictures.seeds), [0, 1])) / draws;
    held.blocksAlone += holds(clopperPearson(r.errors, r.trials)) / draws;
    centre += r.value / draws;
  }
  return { ...held, bias: centre - expected };
}

test('95 % intervals of BLER hold the truth; a mean of pictures and blocks as if independent do not', () => {
  const fading = { mu: -2, fadeSd: 1, slope: 1 };
  const flat = { mu: -2, fadeSd: 0, slope: 1 };
  const even = { mu: 0, fadeSd: 2, slope: 0 };
  for (const [photos, seeds, world] of [
    [12, 40, fading],
    [12, 10, fading],
    [5, 4, fading],
    [24, 3, even],
    [12, 10, flat],
  ] as const) {
    const found = coverage(photos, seeds, world);
    const where = `${photos} photos, ${seeds} seeds, ${JSON.stringify(world)}: ${JSON.stringify(found)}`;
    assert.ok(found.ratio >= 0.91, where);
    assert.ok(Math.abs(found.bias) < 0.03, where);
    assert.ok(found.blocksAlone < 0.8, where);
  }
  // Where photos of many blocks fail more often, the mean of pictures estimates something else: more data makes it worse.
  const wrong = coverage(12, 40, fading);
  assert.ok(wrong.meanOfPictures < 0.75, JSON.stringify(wrong));
});
