import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { rangeOf, spectrogram } from '../../../src/experiment/report/spectrogram.ts';

const RATE_HZ = 16_000;

/** Loudest row of a column, as its frequency and power. */
function loudest({ rows, columns, powerDb, topHz }: ReturnType<typeof spectrogram>, column: number) {
  let best = 0;
  for (let r = 1; r < rows; r++) if (powerDb[r * columns + column] > powerDb[best * columns + column]) best = r;
  return { hz: ((rows - 1 - best) * topHz) / rows, db: powerDb[best * columns + column] };
}

test('a sine of full scale reads 0 dBFS at its frequency and time, and silence nothing', () => {
  // 1 kHz for half a second, then 3 kHz at half the amplitude.
  const sound = Float32Array.from({ length: RATE_HZ }, (_, n) =>
    n < RATE_HZ / 2 ? Math.sin((2 * Math.PI * 1000 * n) / RATE_HZ) : 0.5 * Math.sin((2 * Math.PI * 3000 * n) / RATE_HZ),
  );
  const s = spectrogram(sound, RATE_HZ);
  assert.deepEqual([s.rows, s.columns, s.seconds, s.topHz], [256, 125, 1, 8000]);
  const [early, late] = [loudest(s, 30), loudest(s, 95)];
  assert.equal(early.hz, 1000);
  assert.ok(Math.abs(early.db) < 0.05, `${early.db} dBFS`);
  assert.equal(late.hz, 3000);
  assert.ok(Math.abs(late.db + 6.02) < 0.05, `${late.db} dBFS`);
  assert.deepEqual(rangeOf([{ ...s, powerDb: s.powerDb.map((db) => db - 7) }]), [-65, -5]);
  assert.equal(rangeOf([spectrogram(new Float32Array(4000), RATE_HZ)]), null);
});

test('65 s have as many columns as fit on a page, one sample has one; a column is the mean of what it spans', () => {
  assert.equal(spectrogram(Float32Array.of(1), RATE_HZ).columns, 1);
  const long = new Float32Array(2 ** 20).map((_, n) =>
    n < 2 ** 19 ? Math.sin((2 * Math.PI * 2000 * n) / RATE_HZ) : 0,
  );
  const s = spectrogram(long, RATE_HZ);
  assert.equal(s.columns, 800);
  assert.ok(Math.abs(loudest(s, 100).db) < 0.05);
  assert.ok(loudest(s, 700).db < -150);
  assert.throws(() => spectrogram(long, 0), UsageError);
});
