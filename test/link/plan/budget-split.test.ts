import assert from 'node:assert/strict';
import test from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { BudgetTooSmall, planWithin, tooSmall } from '../../../src/link/plan/budget-split.ts';

test('a budget that is too small names one that would do, and none that no flag takes', () => {
  // 3850 RE of payload and 1100 of control: of 768 x 512 pixels 4950 / 393216 = 0.0126 (rounded up), of 17 x 33 8.83 symbols a pixel.
  const hint = (pixels: number) => tooSmall(10, pixels, 'what takes it', 3850, () => 1100).hint;
  assert.match(hint(768 * 512)!, /--symbols-per-pixel 0\.012[67] \(--cbr 0\.0042/);
  assert.match(hint(17 * 33)!, /--symbols-per-pixel 8\.83 /);
  const none = hint(1)!;
  assert.doesNotMatch(none, /--symbols-per-pixel|--cbr/);
  assert.match(none, /1 pixels need more than the 64 symbols per pixel that are allowed: send a larger picture/);
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
  assert.equal(await planWithin(9000, plan), 9000);
  tried.length = 0;
  const error: unknown = await planWithin(10, plan).catch((e: unknown) => e);
  assert.ok(error instanceof BudgetTooSmall);
  assert.match(error.message, /^a budget of 10 symbols is too small/);
  const named = Number(/--symbols-per-pixel ([\d.]+)/.exec(error.hint!)![1]) * 768 * 512;
  assert.equal(await plan(named), named);
  assert.ok(tried.length > 2, 'the first hint was not enough');

  const other = new UsageError('no picture');
  await assert.rejects(
    planWithin(10, () => Promise.reject(other)),
    other,
  );
});
