import assert from 'node:assert/strict';
import test from 'node:test';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink, simulatedChannel } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { SUBCARRIER_SPACING_HZ } from '../../src/phy/numerology.ts';
import { flatImage } from '../../src/sct/image/rgb-image.ts';

/** Mean |H|^2 over carriers and 17 instants of [fromS, toS] of a configuration's channel. */
function meanPower(input: LinkInput, fromS: number, toS: number): number {
  const config = resolveLinkConfig(input);
  const setup = setupLink(config);
  const { channel } = simulatedChannel(config, setup);
  const hz = Float64Array.from(setup.numerology.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
  let sum = 0;
  for (let i = 0; i < 17; i++) {
    const at = Math.round((fromS + (i / 16) * (toS - fromS)) * setup.frontend.deviceRateHz);
    sum += channel.frequencyResponse(at, hz).reduce((total, v) => total + v * v, 0) / (17 * hz.length);
  }
  return sum;
}

test('--snr-norm burst: mean |H|^2 is 1 over the first 20 ms of the picture; without it the ensemble spreads', () => {
  const spread: number[] = [];
  for (let seed = 1; seed <= 8; seed++) {
    for (const csiDelayMs of [20, 60]) {
      const input: LinkInput = { channel: 'epa', seed, csiDelayMs };
      // Four soundings, 20 ms apart, then the report's time.
      const from = 10e-3 + (3 * 20 + csiDelayMs) / 1e3;
      const to = from + 20e-3;
      const db = 10 * Math.log10(meanPower({ ...input, snrNorm: 'burst' }, from, to));
      assert.ok(Math.abs(db) < 0.15, `seed ${seed}: ${db} dB`);
      spread.push(10 * Math.log10(meanPower(input, from, to)));
    }
  }
  assert.ok(Math.max(...spread) - Math.min(...spread) > 4, 'realisations really have more or less SNR');
});

test('--csi-delay: the picture comes that long after the last sounding, through the same channel as it has moved on', async () => {
  const moves: number[] = [];
  for (const csiDelayMs of [2, 80]) {
    const config = resolveLinkConfig({
      numerology: 25,
      channel: 'eva',
      dopplerHz: 10,
      snrDb: 25,
      csiDelayMs,
      seed: 6,
      symbolsPerPixel: 2,
    });
    const setup = setupLink(config);
    const exchange = new LoopbackExchange(config, setup);
    await exchange.open();
    await exchange.sendPicture(flatImage(96, 96));
    await exchange.close();
    const sounding = exchange.trace.bursts.findLast((b) => b.use === 'sounding')!;
    const data = exchange.trace.bursts.find((b) => b.use === 'data')!;
    const rate = setup.frontend.deviceRateHz;
    const gapMs = (1e3 * (data.startSample - sounding.startSample - sounding.lengthSamples)) / rate;
    assert.ok(gapMs > csiDelayMs && gapMs < csiDelayMs + 1, `${gapMs} ms`);

    // The truth at both times: the channel of the same seed, asked at the absolute sample.
    const { channel } = simulatedChannel(config, setup);
    const hz = Float64Array.from(setup.numerology.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
    const trueSnrDb = (sample: number) => {
      const h = channel.frequencyResponse(Math.round(sample), hz);
      return Array.from({ length: 25 }, (_, s) => {
        let efficiency = 0;
        for (let c = 12 * s; c < 12 * s + 12; c++) {
          efficiency += Math.log2(1 + (h[2 * c] ** 2 + h[2 * c + 1] ** 2) * 10 ** 2.5) / 12;
        }
        return 10 * Math.log10(2 ** efficiency - 1);
      });
    };
    const middles = [sounding, data].map((b) =>
      trueSnrDb(b.startSample + b.lengthSamples - (b.slots / 2) * rate * 1e-3),
    );
    const apart = (a: ArrayLike<number>, b: readonly number[]) =>
      Math.sqrt(b.reduce((sum, v, s) => sum + (v - a[s]) ** 2, 0) / b.length);
    // 4 ms bursts at 10 Hz: the middle stands for the burst but for subbands with a notch that moves.
    assert.ok(apart(sounding.subbandSnrDb, middles[0]) < 1.2, `${apart(sounding.subbandSnrDb, middles[0])} dB`);
    assert.ok(apart(data.subbandSnrDb, middles[1]) < 1.2, `${apart(data.subbandSnrDb, middles[1])} dB`);
    const moved = apart(data.subbandSnrDb, Array.from(sounding.subbandSnrDb));
    const truth = apart(middles[1], middles[0]);
    assert.ok(Math.abs(moved - truth) < 1, `moved by ${moved} dB, the channel by ${truth} dB`);
    moves.push(moved);
  }
  // 2 pi 10 Hz 80 ms = 5 rad: another channel.
  assert.ok(moves[1] > 3 && moves[1] > moves[0], `${moves}`);
});
