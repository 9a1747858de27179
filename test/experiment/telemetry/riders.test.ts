import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { runLoopback } from '../../../src/experiment/loopback/loopback-run.ts';
import type { RunResult } from '../../../src/experiment/run/run-io.ts';
import type { TelemetryEvent } from '../../../src/link/telemetry.ts';
import { io, photo, scratch } from '../link-helpers.ts';

test('every SFV of a shared RB is told, as often and as important as the metrics say', async (t) => {
  const at = await scratch(t);
  const source = await photo(join(at, 'photo.png'), 192, 128);
  const events: TelemetryEvent[] = [];
  const link = resolveLinkConfig({
    codec: 'integrated',
    mapping: 'uniform',
    numerology: 15,
    channel: 'awgn',
    snrDb: 15,
  });
  const config = { ...link, photo: { kind: 'file', path: source } } as const;
  const telemetry = { tell: (event: TelemetryEvent) => void events.push(event) };
  const { metrics } = (await runLoopback(config, io(join(at, 'run'), { telemetry }))) as RunResult;
  const sfvs = metrics.sfvs!;
  assert.ok(sfvs.length > 1, 'more than one SFV');

  const rbs = new Map<number, number>();
  let most = 0;
  for (const event of events) {
    if (event.topic !== 'burst' || event.owner.length === 0) continue;
    const { owner, riderCount, riders, riderShares } = event;
    assert.equal(riderCount.length, owner.length);
    assert.equal(riders.length, riderShares.length);
    let entry = 0;
    riderCount.forEach((count, rb) => {
      const shares = [...riderShares.subarray(entry, entry + count)];
      assert.equal(count > 0 ? riders[entry] : 255, owner[rb], 'first the one with most symbols');
      assert.deepEqual(
        shares,
        [...shares].sort((a, b) => b - a),
      );
      const whole = shares.reduce((sum, share) => sum + share, 0);
      assert.ok(whole <= 255 + count, `${whole} of 255 in RB ${rb}`);
      for (const id of riders.subarray(entry, entry + count)) rbs.set(id, (rbs.get(id) ?? 0) + 1);
      most = Math.max(most, count);
      entry += count;
    });
    assert.equal(entry, riders.length);
  }
  assert.ok(most > 1, 'RBs are shared');
  for (const sfv of sfvs) assert.equal(rbs.get(sfv.id) ?? 0, sfv.rbs.length, `SFV ${sfv.id}`);
  const told = events.findLast((event) => event.topic === 'source')!;
  for (const { id, importance } of told.sfvs) assert.equal(importance, sfvs[id].importance);
});
