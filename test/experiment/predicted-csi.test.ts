import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink, simulatedChannel } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { type BurstEvent, type LinkEvent, Receiver } from '../../src/link/receiver.ts';
import { SUBCARRIER_SPACING_HZ } from '../../src/phy/numerology.ts';
import { decodeCsi } from '../../src/sct/allocation/csi-code.ts';
import { ClassicalCodec } from '../../src/sct/codec/classical.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';

const GREY = rgbImage(64, 64, new Uint8Array(3 * 64 ** 2).fill(90));

/** Sends a picture and returns what was heard, the report that it was placed by, and the channel meanwhile. */
async function sent(input: LinkInput) {
  const config = resolveLinkConfig({ codec: 'classical', channel: 'eva', snrDb: 5, dopplerHz: 5, cbr: 1, ...input });
  const setup = { ...setupLink(config), codec: new ClassicalCodec({ format: 'webp' }) };
  const heard: BurstEvent[] = [];
  let dataAtS = 0;
  const exchange: LoopbackExchange = new LoopbackExchange(config, setup, {
    burst: (use) => {
      if (use === 'data' && dataAtS === 0) dataAtS = exchange.nowS;
    },
    round: () => true,
  });
  const { chain } = exchange;
  const push = chain.push.bind(chain);
  chain.push = (block): LinkEvent[] => {
    const events = push(block);
    for (const event of events) if (event.type === 'burst') heard.push(event);
    return events;
  };
  await exchange.open();
  const plan = await exchange.sendPicture(GREY);
  await exchange.close();
  const soundings = heard.filter((e) => e.use === 'sounding');
  const { numerology: n, frontend } = setup;
  const frequencies = Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
  const { channel } = simulatedChannel(config, setup);
  const slotS = n.slotLength / n.sampleRateHz;
  const middleS = dataAtS - (plan.bursts[0].slots / 2) * slotS;
  const h = channel.frequencyResponse(Math.round(middleS * frontend.deviceRateHz), frequencies);
  const power = Array.from({ length: n.nSubbands }, (_, s) => {
    let sum = 0;
    for (let c = 24 * s; c < 24 * (s + 1); c++) sum += h[c] ** 2;
    return sum;
  });
  return { config, plan, soundings, power, budget: exchange.transmitter.budget, codes: plan.reportedSnrDb! };
}

/** Of a report in dB, about the SNR that the channel gave; deep fades, which nobody uses, count as -5 dB. */
function squareError({ codes, power, config }: Awaited<ReturnType<typeof sent>>): number {
  const db = power.map((p) => Math.max(-5, 10 * Math.log10(p / 12) + config.snrDb!));
  return codes.reduce((sum, code, s) => sum + (Math.max(-5, code) - db[s]) ** 2 / codes.length, 0);
}

/** What a report says of the band as a whole, dB over the channel's mean at that SNR. */
function meanError({ codes, config }: Awaited<ReturnType<typeof sent>>): number {
  return codes.reduce((sum, code) => sum + code / codes.length, -config.snrDb!);
}

/** Spearman's rank correlation. */
function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (v: readonly number[]) => {
    const order = [...v.keys()].sort((i, j) => v[i] - v[j]);
    return v.map((_, i) => order.indexOf(i));
  };
  const [x, y] = [ranks(a), ranks(b)];
  const d2 = x.reduce((sum, r, i) => sum + (r - y[i]) ** 2, 0);
  return 1 - (6 * d2) / (a.length * (a.length ** 2 - 1));
}

test('of four soundings a report says which subbands will be the best 25 ms later, with every offset and with noisy oscillators', async () => {
  for (const phaseNoise of ['none', 'hackrf']) {
    let [one, four, rank] = [0, 0, 0];
    for (let seed = 1; seed <= 6; seed++) {
      const before = await sent({ seed, phaseNoise, soundings: 1 });
      const after = await sent({ seed, phaseNoise });
      assert.equal(after.soundings.length, 4);
      one += squareError(before) / 6;
      four += squareError(after) / 6;
      rank += rankCorrelation(after.codes, after.power) / 6;
      // They count beside R, one as much as the next.
      assert.equal(after.budget.sounding, 4 * before.budget.sounding);
    }
    assert.ok(four < 0.4 * one && rank > 0.8, `${phaseNoise}: ${four} against ${one} dB^2, rank ${rank}`);
  }
});

test('the first report says what was measured; so do all where nothing fades', async () => {
  const measured = (e: BurstEvent) => [...e.record.subbandSnrDb].map((db) => Math.round((db + 20) * 4) / 4 - 20);
  const reported = (e: BurstEvent) => Array.from(e.csi.codes, decodeCsi);
  const fading = await sent({ seed: 2 });
  assert.deepEqual(reported(fading.soundings[0]), measured(fading.soundings[0]));
  assert.notDeepEqual(reported(fading.soundings[3]), measured(fading.soundings[3]));
  const awgn = { channel: 'awgn', dopplerHz: undefined, seed: 3 } as const;
  assert.equal((await sent(awgn)).soundings.length, 1);
  for (const input of [{ ...awgn, soundings: 3 }, { dopplerHz: 0 }]) {
    const { soundings } = await sent({ seed: 3, ...input });
    for (const e of soundings) assert.deepEqual(reported(e), measured(e), JSON.stringify(input));
  }
});

test('clocks far apart are not taken for a channel that changes: of a flat one that stands still the report is flat', async () => {
  const awgn = { channel: 'awgn', dopplerHz: undefined, snrDb: 15, soundings: 4, cfoHz: 20e3 } as const;
  for (const sfoPpm of [-90, -30, 45]) {
    const { codes } = await sent({ ...awgn, seed: 7, sfoPpm });
    assert.ok(
      codes.every((code) => Math.abs(code - 15) <= 1),
      `${sfoPpm} ppm: ${codes}`,
    );
  }
});

test('a jammer stays where it is in a predicted report', async () => {
  const jammer = { kind: 'subband', powerDb: 8, centreHz: 900e3, widthHz: 900e3 } as const;
  const { codes } = await sent({ seed: 4, jammer });
  const clear = await sent({ seed: 4 });
  // 900 kHz about 900 kHz: subbands 15 to 19.
  for (let s = 15; s < 20; s++) assert.ok(codes[s] < clear.codes[s] - 8, `${s}: ${codes[s]}, ${clear.codes[s]}`);
  for (const s of [2, 5, 8, 23])
    assert.ok(Math.abs(codes[s] - clear.codes[s]) < 4, `${s}: ${codes[s]}, ${clear.codes[s]}`);
});

test('damaged, cut and foreign soundings are not predicted from, and never throw', async () => {
  const { soundings, config } = await sent({ seed: 5 });
  const { numerology: n } = setupLink(config);
  const receiver = new Receiver({ numerology: n, codecs: [], prediction: { dopplerHz: 5, latencyS: 0.02 } });
  const take = (receiver as unknown as { take(record: unknown): BurstEvent }).take.bind(receiver);
  const [first, second] = soundings.map((e) => e.record);
  const reported = (event: BurstEvent) => Array.from(event.csi.codes, decodeCsi);
  const measured = Array.from(second.subbandSnrDb, (db) => Math.round((db + 20) * 4) / 4 - 20);
  const same = (event: BurstEvent) => assert.deepEqual(reported(event), measured);
  take(first);
  same(take({ ...second, truncated: true }));
  same(take({ ...second, suspect: 'another signal' }));
  same(take({ ...second, slots: 0 }));
  same(take({ ...second, channel: second.channel.map(() => Number.NaN) }));
  same(take({ ...second, channel: second.channel.map(() => Number.POSITIVE_INFINITY) }));
  same(take({ ...second, noiseVariance: Number.NaN }));
  same(take({ ...second, slotTurn: second.slotTurn.map(() => Number.NaN) }));
  same(take({ ...second, cfoHz: Number.NaN }));
  // Another session's, and one off the grid, begin anew.
  same(take({ ...second, header: { ...second.header, session: 77 } }));
  take(first);
  same(take({ ...second, startSample: second.startSample + 400 }));
  same(take({ ...second, startSample: first.startSample }));
  // A sound pair is predicted from again.
  take(first);
  assert.notDeepEqual(reported(take(second)), measured);
});

test('where the channel has changed wholly in 25 ms a report is about the mean of the soundings, not one lucky moment', async () => {
  let [one, four] = [0, 0];
  for (let seed = 1; seed <= 12; seed++) {
    const before = await sent({ seed, dopplerHz: 70, soundings: 1 });
    const after = await sent({ seed, dopplerHz: 70 });
    one += meanError(before) ** 2 / 12;
    four += meanError(after) ** 2 / 12;
    // J0(2 pi 70 Hz x 27 ms) is nearly 0: one subband is as good as another.
    const { codes } = after;
    assert.ok(Math.max(...codes) - Math.min(...codes) < 4, `${codes}`);
  }
  assert.ok(four < 0.75 * one, `${four} dB2 of four soundings, ${one} of one`);
});
