import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rehearse } from '../../../src/experiment/ota/rehearsal.ts';
import { Transmitter } from '../../../src/link/transmitter.ts';
import { BytesCodec, blank, SMALL } from '../../link/helpers.ts';

test('a rehearsal leaves no trace and is timed by the clock of the session, which may be slower than ours', async () => {
  const codec = new BytesCodec(0.5);
  const transmitter = new Transmitter({ numerology: SMALL, codec });
  const before = { ...transmitter.budget };
  let nowS = 10;
  const step = (): number => {
    nowS += 0.25;
    return nowS;
  };
  assert.equal(await rehearse(transmitter, blank(160, 120), 12_000, step), 0.25);
  assert.equal(await rehearse(transmitter, blank(160, 120), 12_000, () => 3), 0, 'a clock that stands still');
  assert.deepEqual(transmitter.budget, before);
  assert.equal(transmitter.sounding().burst, 0);
});
