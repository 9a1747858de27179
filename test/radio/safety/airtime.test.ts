import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/common/errors.ts';
import { AirtimeBudget } from '../../../src/radio/safety/airtime.ts';
import '../../fixed-seed.js';

test('1 % is 36 s of any hour', () => {
  const budget = new AirtimeBudget(0.01);
  budget.book(0, 20);
  budget.book(1000, 16);
  assert.equal(budget.usedS(1016), 36);
  assert.equal(budget.allows(2000, 0.1), false);
  assert.throws(() => budget.book(2000, 1), /duty cycle of 1 % is used up: 36\.00 s/);
  // The hour that ends with the transmission must have lost as much of the first one as it adds.
  assert.ok(Math.abs(budget.waitS(2000, 1) - (3601 + 0 - 2001)) < 1e-9);
  assert.equal(budget.allows(2000 + budget.waitS(2000, 1), 1), true);
  assert.equal(budget.usedS(3610), 26);
});

test('without a limit, transmitting all the time is allowed', () => {
  const budget = new AirtimeBudget(null);
  for (let t = 0; t < 7200; t += 100) budget.book(t, 100);
  assert.equal(budget.usedS(7200), 3600);
});

test('what can never be sent is refused at once, and so is the past', () => {
  const budget = new AirtimeBudget(0.001);
  assert.throws(() => budget.waitS(0, 4), /4 s in the air is more than an hour allows: 3\.6 s/);
  budget.book(10, 1);
  assert.throws(() => budget.book(10.5, 0.1), /overlaps/);
  assert.throws(() => budget.book(20, -1), UsageError);
  assert.throws(() => new AirtimeBudget(0), UsageError);
});

test('whoever waits as told never exceeds the limit over any hour', () => {
  const step = fc.record({
    pauseS: fc.double({ min: 0, max: 900, noNaN: true }),
    lengthS: fc.double({ min: 0.01, max: 30, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(0.01, 0.1), (steps, duty) => {
      const budget = new AirtimeBudget(duty);
      const sent: [number, number][] = [];
      let nowS = 0;
      for (const { pauseS, lengthS } of steps) {
        nowS += pauseS;
        nowS += budget.waitS(nowS, lengthS) + 1e-7;
        budget.book(nowS, lengthS);
        sent.push([nowS, nowS + lengthS]);
        nowS += lengthS;
      }
      // Checked by hand over the hours that end with each transmission; no other hour holds more.
      for (const [, endS] of sent) {
        const used = sent.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, endS) - Math.max(a, endS - 3600)), 0);
        assert.ok(used <= duty * 3600 + 1e-6, `${used} s`);
      }
    }),
    { numRuns: 60 },
  );
});

test('after many short transmissions memory is bounded and nothing is forgotten too early', () => {
  const budget = new AirtimeBudget(1);
  let sentS = 0;
  for (let i = 0; i < 6000; i++) {
    budget.book(i * 0.5, 0.01);
    sentS += 0.01;
  }
  assert.ok(Math.abs(budget.usedS(3000) - sentS) < 1e-6);
  // An hour after the first half, at least what was sent since is still counted.
  assert.ok(budget.usedS(3600 + 1500) >= sentS / 2 - 1e-6);
});
