import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BudgetTooSmall,
  reserveRe,
  splitBudget,
  tooSmall,
  withTriedHint,
} from '../../../src/link/plan/budget-split.ts';

test('a budget that is too small names one that would do, and none that no flag takes', () => {
  // 3850 RE of payload and 1100 of control: of 768 x 512 pixels 4950 / 393216 = 0.0126 (rounded up), of 17 x 33 8.83 symbols a pixel.
  const hint = (pixels: number) => tooSmall(10, pixels, 'what takes it', 3850, () => 1100).hint;
  assert.match(hint(768 * 512)!, /--symbols-per-pixel 0\.012[67] \(--cbr 0\.0042/);
  assert.match(hint(17 * 33)!, /--symbols-per-pixel 8\.83 /);
  const none = hint(1)!;
  assert.doesNotMatch(none, /--symbols-per-pixel|--cbr/);
  assert.match(none, /1 pixels need more than the 64 symbols per pixel that are allowed: send a larger picture/);
});

test('a budget that is given in symbols is named in symbols', () => {
  const error = tooSmall(10, null, 'what takes it', 3850, (budget) => 1000 + budget / 10);
  // 3850 + 1000 + n / 10 = n: 5389 (rounded up at each step).
  assert.match(error.hint!, /^give at least --symbols 5389, or a numerology with fewer subbands$/);
  assert.equal(error.wouldDoRe, 5389);
});

test('the budget that a hint names was tried', async () => {
  // A budget from 6000 RE on allows one SFV more, which takes 2000 more.
  const tried: number[] = [];
  const plan = async (budgetRe: number) => {
    tried.push(budgetRe);
    const overhead = (budget: number) => (budget >= 6000 && budgetRe >= 6000 ? 4000 : 2000);
    if (budgetRe < 4000 + overhead(budgetRe)) throw tooSmall(budgetRe, 768 * 512, 'what takes it', 4000, overhead);
    return budgetRe;
  };
  const failed: unknown = await plan(10).catch((e: unknown) => e);
  assert.ok(failed instanceof BudgetTooSmall);
  tried.length = 0;
  const error = await withTriedHint(failed, plan);
  assert.match(error.message, /^a budget of 10 symbols is too small/);
  const named = Number(/--symbols-per-pixel ([\d.]+)/.exec(error.hint!)![1]) * 768 * 512;
  assert.equal(await plan(named), named);
  assert.ok(tried.length > 2, 'the first hint was not enough');
});

test('a budget that has room for a burst is split, whatever share of it is wanted for repetitions', () => {
  // 25 subbands: 3850 RE a slot, 1650 of control.
  const [perSlotRe, controlRe] = [3850, 1650];
  for (const share of [0.08, 0.12, 0.3, 0.52]) {
    const kept: number[] = [];
    for (let budgetRe = perSlotRe + controlRe; budgetRe < 120_000; budgetRe += 250) {
      const reserve = reserveRe(budgetRe, share, perSlotRe + controlRe);
      const slots = splitBudget({ budgetRe, pixels: null, perSlotRe, controlRe, reserve, coded: null });
      assert.ok(slots.length >= 1 && slots.every((s) => s >= 1), `${budgetRe}, ${share}`);
      if (reserve > 0) kept.push(reserve / budgetRe);
    }
    // The share is kept where there is room for it, and never less than a burst.
    assert.ok(Math.min(...kept) >= share && Math.max(...kept) <= Math.max(0.1, 1.2 * share), `${share}`);
  }
});
