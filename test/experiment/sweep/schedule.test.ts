import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import type { SweepPoint } from '../../../src/experiment/sweep/point.ts';
import { type Finished, SweepSchedule } from '../../../src/experiment/sweep/schedule.ts';
import { GroupStop, type StopRule } from '../../../src/experiment/sweep/stop-rule.ts';
import { failed, idOf, measured, pointsOf } from './sweep-helpers.ts';

const RULE: StopRule = { metric: 'psnrDb', halfWidth: 1, confidence: 0.95, min: 3 };

/** Runs a schedule with `width` points under way; `pick` chooses which of them ends next. Stops after `most` outcomes. */
function runAll(
  points: readonly SweepPoint[],
  rule: StopRule | null,
  value: (point: SweepPoint) => number | null,
  width: number,
  pick: (n: number) => number,
  finished: Finished = new Map(),
  most = Number.POSITIVE_INFINITY,
): { kept: string[]; ran: number; schedule: SweepSchedule } {
  const schedule = new SweepSchedule(points, rule, finished);
  const underWay: SweepPoint[] = [];
  const kept: string[] = [];
  let ran = 0;
  for (;;) {
    while (underWay.length < width) {
      const point = schedule.next();
      if (!point) break;
      underWay.push(point);
    }
    if (underWay.length === 0 || ran >= most) return { kept, ran, schedule };
    const [point] = underWay.splice(pick(underWay.length), 1);
    ran++;
    kept.push(...schedule.take(point, measured(point, value(point))).map(({ id }) => id));
  }
}

/** What the rule says, seed by seed, with nothing at the same time. */
function reference(points: readonly SweepPoint[], rule: StopRule | null, value: (p: SweepPoint) => number | null) {
  const stops = new Map<string, GroupStop>();
  return points.filter((point) => {
    if (!rule) return true;
    const stop = stops.get(point.group) ?? new GroupStop(rule);
    stops.set(point.group, stop);
    if (stop.stopped) return false;
    stop.add(value(point));
    return true;
  });
}

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
const rules = fc.option(
  fc.record({
    metric: fc.constant('psnrDb' as const),
    halfWidth: fc.double({ min: 0.01, max: 8, noNaN: true }),
    confidence: fc.constant(0.9),
    min: fc.integer({ min: 3, max: 6 }),
  }),
  { nil: null },
);

/** Figures that depend on nothing but the point. */
function figureOf(salt: number) {
  return ({ id }: SweepPoint) => {
    const n = (Number.parseInt(id.slice(10, 16), 16) * 31 + Number.parseInt(id.slice(24), 16) * 17 + salt) % 23;
    return n === 22 ? null : n / 4;
  };
}

test('whatever the order in which points end, the same results are kept, each once', () => {
  fc.assert(
    fc.property(
      sizes,
      rules,
      fc.nat(1000),
      fc.integer({ min: 1, max: 9 }),
      fc.infiniteStream(fc.nat()),
      (groups, rule, salt, width, choices) => {
        const points = pointsOf(groups);
        const value = figureOf(salt);
        const { kept, schedule } = runAll(points, rule, value, width, (n) => choices.next().value! % n);
        const expected = reference(points, rule, value).map(({ id }) => id);
        assert.deepEqual([...kept].sort(), expected.sort());
        assert.equal(schedule.kept, expected.length);
        assert.equal(schedule.needless, points.length - expected.length);
      },
    ),
  );
});

test('stopped anywhere and gone on with, it keeps what it would have kept at once', () => {
  fc.assert(
    fc.property(
      sizes,
      rules,
      fc.nat(1000),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(40),
      fc.infiniteStream(fc.nat()),
      (groups, rule, salt, width, most, choices) => {
        const points = pointsOf(groups);
        const value = figureOf(salt);
        const pick = (n: number) => choices.next().value! % n;
        const first = runAll(points, rule, value, width, pick, new Map(), most);
        const byId = new Map(points.map((p) => [p.id, p]));
        const finished = new Map(first.kept.map((id) => [id, value(byId.get(id)!)]));
        const second = runAll(points, rule, value, width, pick, finished);
        const expected = reference(points, rule, value).map(({ id }) => id);
        assert.deepEqual([...first.kept, ...second.kept].sort(), expected.sort());
      },
    ),
  );
});

test('a group is kept in the order of its seeds', () => {
  const points = pointsOf([8]);
  // The last of those under way always ends first.
  const { kept } = runAll(points, { ...RULE, halfWidth: 0.001 }, figureOf(0), 4, (n) => n - 1);
  assert.deepEqual(
    kept,
    points.map(({ id }) => id),
  );
});

test('seeds that are needed in any case come before those that may not be', () => {
  const points = pointsOf([10, 10]);
  const schedule = new SweepSchedule(points, RULE);
  const order = Array.from({ length: 8 }, () => schedule.next()!);
  assert.deepEqual(
    order.map(({ group, seedIndex }) => [group === idOf(0, 0) ? 0 : 1, seedIndex]),
    [
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
      [0, 3],
      [0, 4],
    ],
  );
});

test('one point at a time: no point is measured that the rule does not need', () => {
  const points = pointsOf([9, 9, 9]);
  const { kept, ran } = runAll(
    points,
    RULE,
    () => 30,
    1,
    () => 0,
  );
  assert.equal(ran, 9);
  assert.equal(kept.length, 9);
});

test('a failed seed keeps its group from going on; other groups go on', () => {
  const points = pointsOf([5, 4]);
  const schedule = new SweepSchedule(points, { ...RULE, halfWidth: 0.001 });
  const kept: string[] = [];
  for (let point = schedule.next(); point; point = schedule.next()) {
    const outcome =
      point.seedIndex === 1 && point.group === idOf(0, 0) ? failed(point) : measured(point, point.seedIndex);
    kept.push(...schedule.take(point, outcome).map(({ id }) => id));
  }
  assert.deepEqual(kept, [idOf(0, 1), ...[1, 2, 3, 4].map((n) => idOf(1, n))]);
  assert.equal(schedule.needless, 0);
});

test('without a rule a failed point is left out and nothing else', () => {
  const points = pointsOf([3]);
  const schedule = new SweepSchedule(points, null);
  const kept: string[] = [];
  for (let point = schedule.next(); point; point = schedule.next()) {
    kept.push(...schedule.take(point, point.seedIndex === 1 ? failed(point) : measured(point, 1)).map(({ id }) => id));
  }
  assert.deepEqual(kept, [idOf(0, 1), idOf(0, 3)]);
});

test('results that no run of this plan leaves behind are refused', () => {
  const points = pointsOf([6]);
  const gap = new Map([[idOf(0, 2), 1]]);
  assert.throws(() => new SweepSchedule(points, RULE, gap), FormatError);
  const behind = new Map([1, 2, 3, 4].map((n) => [idOf(0, n), 30]));
  assert.throws(() => new SweepSchedule(points, RULE, behind), /behind the seed at which its group stops/);
});
