import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkTrace } from '../../src/experiment/metrics/link-trace.ts';
import { addBurst, countedRe, emptyBudget } from '../../src/link/accounting.ts';
import { RxChain } from '../../src/link/chains.ts';
import { Receiver } from '../../src/link/receiver.ts';
import { Transmitter } from '../../src/link/transmitter.ts';
import { type Frontend, frontendFor } from '../../src/phy/frontend/frontend.ts';
import { numerology } from '../../src/phy/numerology.ts';
import { burstLayout } from '../../src/phy/resource-grid.ts';
import { air, BytesCodec, blank, block, SMALL, unanswered } from './helpers.ts';

test('each RE of a burst stands in exactly one row', () => {
  const n = numerology(25);
  const layout = burstLayout(n, 10, 3);
  const all = layout.symbols * n.nCarriers;
  for (const use of ['data', 'retransmission', 'sounding', 'reverse'] as const) {
    const b = emptyBudget();
    addBurst(b, n, layout, use, 1234);
    const preamble = Math.round((n.preambleLength / n.symbolLength) * n.nCarriers);
    const total = Object.values(b).reduce((sum, v) => sum + v, 0);
    assert.equal(total, all + preamble, use);
    assert.equal(
      countedRe(b),
      use === 'data' || use === 'retransmission' ? all - layout.symbols * n.nSubbands : 0,
      use,
    );
  }
  const b = emptyBudget();
  addBurst(b, n, layout, 'data', 1234);
  assert.equal(b.payload, 1234);
  assert.equal(b.padding, 10 * 25 * 154 - 1234);
});

test('the receiver counts what the transmitter spent, repetitions included', async () => {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec(), assumedSnrDb: 10 });
  const plan = await transmitter.send(blank(100, 100), 30_000, 0);
  const bursts = [transmitter.sounding(), ...plan.bursts, ...unanswered(transmitter, plan.bursts)];
  assert.equal(bursts.at(-1)!.use, 'retransmission');
  const { samples } = air(SMALL, bursts);
  const frontend = plain();
  const chain = new RxChain(frontend, new Receiver({ numerology: SMALL, codecs: [new BytesCodec()] }));
  const trace = new LinkTrace();
  for (const event of [...chain.push(block(samples, 0, samples.length / 2)), ...chain.flush()]) trace.add(event, chain);
  assert.equal(trace.bursts.length, bursts.length);
  assert.deepEqual(trace.budget, transmitter.budget);
  assert.ok(countedRe(trace.budget) <= 30_000);
});

/** Device rate = modem rate. */
function plain(): Frontend {
  return frontendFor(SMALL.sampleRateHz, (SMALL.nCarriers + 1) * 15e3, SMALL.sampleRateHz);
}
