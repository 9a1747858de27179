import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkTrace, traceWarnings } from '../../src/experiment/metrics/link-trace.ts';
import type { RxChain } from '../../src/link/chains.ts';
import { Receiver } from '../../src/link/receiver.ts';
import type { MissRecord } from '../../src/phy/burst/record.ts';
import { AIR_INTERFACE_VERSION } from '../../src/phy/frame/header.ts';
import { numerology } from '../../src/phy/numerology.ts';

test('headers of another version of the air interface are told with their number', () => {
  const receiver = new Receiver({ numerology: numerology(6), codecs: [] });
  const miss: MissRecord = { type: 'miss', startSample: 0, detectionRho: 1, reason: 'other version', version: 1 };
  receiver.phy.push = () => [miss, { ...miss, reason: 'no header', version: null }, miss];
  const trace = new LinkTrace();
  for (const event of receiver.push(new Float32Array(0)))
    trace.add(event, { receiver, losses: [] } as unknown as RxChain);
  assert.deepEqual([...trace.otherVersions], [[1, 2]]);
  const warning = `2 headers are of air interface version 1; this program speaks ${AIR_INTERFACE_VERSION}`;
  assert.ok(traceWarnings(trace, 0).includes(warning), traceWarnings(trace, 0).join('; '));
});
