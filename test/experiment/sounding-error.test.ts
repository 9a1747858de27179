import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink, simulatedChannel } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { soundingError } from '../../src/link/plan/channel-knowledge.ts';
import type { LinkEvent } from '../../src/link/receiver.ts';
import type { BurstRecord } from '../../src/phy/burst/record.ts';
import { turn } from '../../src/phy/channel-est/snapshot-alignment.ts';
import { type Numerology, SUBCARRIER_SPACING_HZ } from '../../src/phy/numerology.ts';

/** Mean of a burst's estimates, each against the same clock, [nCarriers][re, im]. */
function averaged(n: Numerology, { slots, channel, slotTurn }: BurstRecord): Float64Array {
  const out = new Float64Array(2 * n.nCarriers);
  for (let s = 0; s < slots; s++) {
    const one = Float64Array.from(channel.subarray(2 * n.nCarriers * s, 2 * n.nCarriers * (s + 1)));
    turn(n, one, 0, -slotTurn[2 * s + 1]);
    for (let i = 0; i < one.length; i++) out[i] += one[i] / slots;
  }
  return out;
}

/** Mean square error of an estimate of h, but for gain, phase and delay, which the air interface does not know. */
function errorOf(n: Numerology, estimate: Float64Array, h: Float64Array): number {
  const at = (delay: number): number => {
    const x = Float64Array.from(h);
    turn(n, x, 0, delay);
    let [re, im, truth, power] = [0, 0, 0, 0];
    for (let c = 0; c < x.length; c += 2) {
      re += x[c] * estimate[c] + x[c + 1] * estimate[c + 1];
      im += x[c] * estimate[c + 1] - x[c + 1] * estimate[c];
      truth += x[c] ** 2 + x[c + 1] ** 2;
      power += estimate[c] ** 2 + estimate[c + 1] ** 2;
    }
    return (power - (re ** 2 + im ** 2) / truth) / n.nCarriers;
  };
  let best = { delay: 0, error: at(0) };
  const take = (delay: number) => {
    const error = at(delay);
    if (error < best.error) best = { delay, error };
  };
  for (let delay = -100; delay <= 100; delay++) take(delay);
  for (let step = 0.5; step > 1e-3; step /= 2) for (const delay of [best.delay - step, best.delay + step]) take(delay);
  return best.error;
}

/** Error variance of four soundings' estimates over the noise variance. */
async function measured(channel: string, nSubbands: number, seed: number): Promise<number[]> {
  const config = resolveLinkConfig({
    codec: 'classical',
    channel,
    snrDb: 15,
    dopplerHz: 0.2,
    numerology: nSubbands,
    seed,
  });
  const setup = setupLink(config);
  const { numerology: n, frontend } = setup;
  const ends = new Map<number, number>();
  const exchange = new LoopbackExchange(config, setup, {
    burst: () => ends.set(ends.size, exchange.nowS),
  });
  const records: BurstRecord[] = [];
  const { chain } = exchange;
  const push = chain.push.bind(chain);
  chain.push = (block): LinkEvent[] => {
    const events = push(block);
    for (const event of events) if (event.type === 'burst') records.push(event.record);
    return events;
  };
  await exchange.open();
  await exchange.measure();
  await exchange.close();
  const frequencies = Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
  const { channel: model } = simulatedChannel(config, setup);
  return records.map((record) => {
    const middleS = ends.get(record.header.burst)! - (record.slots / 2) * (n.slotLength / n.sampleRateHz);
    const h = model.frequencyResponse(Math.round(middleS * frontend.deviceRateHz), frequencies);
    return errorOf(n, averaged(n, record), h) / record.noiseVariance;
  });
}

test('the error of a sounding that the sender reckons with is what is measured, whatever the number of subbands', async () => {
  // 16 soundings of two channels, whose delays differ: 0.87 to 0.96 and 1.1 to 1.4 times the formula over 120 (EPA, EVA).
  for (const nSubbands of [6, 15, 25, 50]) {
    const errors: number[] = [];
    for (const channel of ['epa', 'eva']) {
      for (let seed = 1; seed <= 2; seed++) errors.push(...(await measured(channel, nSubbands, seed)));
    }
    assert.equal(errors.length, 16);
    const ratio = errors.reduce((a, b) => a + b) / errors.length / soundingError(nSubbands);
    assert.ok(ratio > 0.7 && ratio < 1.4, `${nSubbands} subbands: ${ratio} times what is reckoned with`);
  }
  // At 25 subbands the figure that everything was set with.
  assert.equal(soundingError(25), 0.01);
});
