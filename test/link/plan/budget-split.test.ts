import assert from 'node:assert/strict';
import test from 'node:test';
import { tooSmall } from '../../../src/link/plan/budget-split.ts';

test('a budget that is too small names one that would do, and none that no flag takes', () => {
  // 3850 RE of payload and 1100 of control: of 768 x 512 pixels 4950 / 393216 = 0.0126 (rounded up), of 17 x 33 8.83 symbols a pixel.
  const hint = (pixels: number) => tooSmall(10, pixels, 'what takes it', 3850, () => 1100).hint;
  assert.match(hint(768 * 512)!, /--symbols-per-pixel 0\.012[67] \(--cbr 0\.0042/);
  assert.match(hint(17 * 33)!, /--symbols-per-pixel 8\.83 /);
  const none = hint(1)!;
  assert.doesNotMatch(none, /--symbols-per-pixel|--cbr/);
  assert.match(none, /1 pixels need more than the 64 symbols per pixel that are allowed: send a larger picture/);
});
