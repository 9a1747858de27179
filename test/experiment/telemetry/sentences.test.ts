import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossText } from '../../../src/experiment/telemetry/sentences.ts';

const LOSS = { topic: 'loss', fromS: 0.605, toS: 0.75, min: 120, max: 500, exact: false } as const;

test('a loss that is known by a range is said with its range, inside the recording', () => {
  assert.equal(lossText(LOSS, [0, 1]), '120 to 500 samples lost between 0.605 and 0.750 s');
  assert.equal(lossText(LOSS, [0.61, 0.7]), '120 to 500 samples lost between 0.610 and 0.700 s');
  assert.equal(lossText(LOSS, [0.8, 1]), '120 to 500 samples lost at 0.800 s');
  const exact = { ...LOSS, min: 1, max: 1, exact: true };
  assert.equal(lossText(exact, [0, 1]), '1 sample lost at 0.605 s');
});
