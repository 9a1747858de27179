import assert from 'node:assert/strict';
import { test } from 'node:test';
import { burstSamples, IDEAL, receive, transmit } from '../../../bench/analog/air.ts';
import { applyCandidate, CANDIDATES, candidate, clipRe, undoCandidate } from '../../../bench/analog/candidates.ts';
import { channelOf, stillEva, unitNoise } from '../../../bench/analog/channels.ts';
import { dct2, encodeLinear, linearPsnrDb, lumaPlane, pictureSpectrum } from '../../../bench/analog/linear-code.ts';
import { papr } from '../../../bench/analog/papr.ts';
import { syntheticPicture } from '../../../bench/analog/picture.ts';
import { GAUSSIAN, LAPLACIAN, streamFigures } from '../../../bench/analog/shapes.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { numerology, RB_DATA_RE, SLOT_SYMBOLS } from '../../../src/phy/numerology.ts';
import { OfdmDemodulator } from '../../../src/phy/ofdm/demodulate.ts';
import { payloadIndex, resourceGrid, turn } from '../../../src/phy/resource-grid.ts';
import { flatImage } from '../../../src/sct/image/rgb-image.ts';

const PLANE = syntheticPicture(96, 64, 2);

test('the transform is the DCT-II of its definition and keeps energy', () => {
  const plane = { rows: 3, columns: 4, data: Float64Array.from({ length: 12 }, (_, i) => Math.sin(3 * i) * 50) };
  const got = dct2(plane);
  for (let u = 0; u < 3; u++) {
    for (let v = 0; v < 4; v++) {
      let sum = 0;
      for (let r = 0; r < 3; r++) {
        for (let c = 0; c < 4; c++) {
          const basis = Math.cos((Math.PI * (2 * r + 1) * u) / 6) * Math.cos((Math.PI * (2 * c + 1) * v) / 8);
          sum += plane.data[4 * r + c] * basis;
        }
      }
      const scale = Math.sqrt((u ? 2 : 1) / 3) * Math.sqrt((v ? 2 : 1) / 4);
      assert.ok(Math.abs(got[4 * u + v] - scale * sum) < 1e-9);
    }
  }
});

test('the linear code has unit power, is exact without noise, and meets its closed form on AWGN', () => {
  const spectrum = pictureSpectrum(PLANE);
  const random = () => new RandomStream(4);
  const whole = encodeLinear(spectrum, (64 * 96) / 2, random());
  assert.ok(Math.abs(streamPower(whole.symbols) - 1) < 1e-4);
  // float32 symbols: 2^-24 of each value.
  assert.ok(linearPsnrDb(whole, whole.symbols, new Float64Array(3072).fill(Number.POSITIVE_INFINITY)) > 110);

  const code = encodeLinear(spectrum, 768, random());
  const snr = 10;
  const noise = unitNoise(768, 5);
  const received = code.symbols.map((x, i) => (snr / (1 + snr)) * (x + noise[i] / Math.sqrt(snr)));
  let expected = code.droppedEnergy;
  for (let i = 0; i < code.powers.length; i++) {
    expected += code.powers[i] / code.gains[i] ** 2 / (1 + 2 * code.powers[i] * snr);
  }
  const psnr = 10 * Math.log10((255 ** 2 * code.pixels) / expected);
  const got = linearPsnrDb(code, received, new Float64Array(768).fill(snr));
  assert.ok(Math.abs(got - psnr) < 0.3, `${got} dB, closed form ${psnr}`);
});

function streamPower(symbols: Float32Array): number {
  return (2 * symbols.reduce((s, v) => s + v * v, 0)) / symbols.length;
}

test('a picture whose sides are no multiples of 32 is cropped', () => {
  const plane = lumaPlane(flatImage(70, 40, 10, 20, 30));
  assert.deepEqual([plane.rows, plane.columns], [32, 64]);
  assert.ok(Math.abs(plane.data[5] - (0.299 * 10 + 0.587 * 20 + 0.114 * 30)) < 1e-9);
});

test('every candidate is unitary and undone', () => {
  const n = numerology(6);
  const symbols = LAPLACIAN.draw(2 * 6 * RB_DATA_RE, new RandomStream(1));
  const clean = new Float64Array(symbols.length / 2).fill(Number.POSITIVE_INFINITY);
  for (const c of CANDIDATES) {
    const sent = applyCandidate(c, n, 2, symbols);
    assert.ok(Math.abs(streamPower(sent) / streamPower(symbols) - 1) < 1e-5, c.name);
    const back = undoCandidate(c, n, 2, sent, clean).symbols;
    assert.ok(
      back.every((v, i) => Math.abs(v - symbols[i]) < 1e-5),
      c.name,
    );
  }
});

test('without limit or converter the air gives back what was sent, with turns on or off', () => {
  const n = numerology(6);
  const payload = GAUSSIAN.draw(2 * 6 * RB_DATA_RE, new RandomStream(2));
  for (const turns of [true, false]) {
    const air = transmit(n, 2, payload, turns, IDEAL);
    assert.ok(Math.abs(air.gain - 1) < 1e-5 && air.distortion < 1e-10);
    assert.ok(air.payload.every((v, i) => Math.abs(v - payload[i]) < 1e-4));
  }
});

test('an 8-bit converter leaves the noise of its step, and limiting the envelope the gain of the limiter’s closed form', () => {
  const n = numerology(25);
  const payload = GAUSSIAN.draw(2 * 25 * RB_DATA_RE, new RandomStream(3));
  const eight = transmit(n, 2, payload, true, { ...IDEAL, bits: 8 });
  // Step 2^-7, variance step^2/12 a component, spread over all bins; the carriers hold 512/300 of the mean power.
  const expected = ((2 * (2 ** -14 / 12)) / 10 ** -1.1) * (300 / 512);
  assert.ok(Math.abs(10 * Math.log10(eight.distortion / expected)) < 0.2);
  // Bussgang gain of a limiter on a complex Gaussian: 1 - e^-a^2 + sqrt(pi)/2 a erfc(a), a = amplitude limit / RMS (6 dB: 1.995).
  const limited = transmit(n, 2, payload, true, { ...IDEAL, envelopeDb: 6 });
  assert.ok(Math.abs(limited.gain - 0.9898) < 0.002, `${limited.gain}`);
});

test('the channel applied RE by RE is what the tapped delay line does in time', () => {
  const n = numerology(25);
  const payload = GAUSSIAN.draw(25 * RB_DATA_RE, new RandomStream(6));
  const line = stillEva(n, 3);
  const wave = line.process(burstSamples(n, 1, payload, true)).slice();
  const h = channelOf('eva', n, 3);
  const grid = resourceGrid(n);
  const demodulator = new OfdmDemodulator(n);
  const row = new Float32Array(2 * n.nCarriers);
  const scale = Math.sqrt(n.nCarriers / n.fftSize) / 10 ** (-11 / 20);
  const start = n.preambleLength + n.headerSymbols * n.symbolLength + line.delaySamples;
  let [error, power] = [0, 0];
  for (let t = 0; t < SLOT_SYMBOLS - 1; t++) {
    // A window a little early keeps the sinc's tails inside the prefix on both sides.
    const early = 8;
    demodulator.demodulate(wave, start + t * n.symbolLength + n.cpLength - early, 0, 0, early, row, 0);
    const quarter = grid.turnsOf(n.headerSymbols + t);
    grid.dataCarriersOf(t).forEach((c, i) => {
      const x = payload.slice(2 * payloadIndex(t, i), 2 * payloadIndex(t, i) + 2);
      turn(x, 0, quarter[i]);
      const re = h[2 * c] * x[0] - h[2 * c + 1] * x[1];
      const im = h[2 * c] * x[1] + h[2 * c + 1] * x[0];
      error += (scale * row[2 * c] - re) ** 2 + (scale * row[2 * c + 1] - im) ** 2;
      power += re * re + im * im;
    });
  }
  const db = 10 * Math.log10(error / power);
  assert.ok(db < -45, `${db} dB apart`);
});

test('receiving without noise is zero forcing, and limits are counted', () => {
  const n = numerology(6);
  const payload = LAPLACIAN.draw(6 * RB_DATA_RE, new RandomStream(8)).map((v) => 2 * v);
  const over = streamFigures(payload).shareOver4Sigma;
  assert.equal(clipRe(payload, 4), Math.round(over * 6 * RB_DATA_RE));
  assert.ok(over > 0);
  const air = transmit(n, 1, payload, true, IDEAL);
  const { payload: got, snr } = receive(n, 1, air, channelOf('eva', n, 2), 300, unitNoise(payload.length / 2, 1));
  assert.ok(got.every((v, i) => Math.abs(v - payload[i]) < 1e-2));
  assert.ok(snr.every((v) => v > 1e5));
});

test('peaks of a Gaussian signal follow the exponential law of its power', () => {
  const f = papr(numerology(25), 40, GAUSSIAN, candidate('turns'), 1);
  // P(power > x) = e^-x: 10 log10(ln 1000) = 8.39 dB. A twelfth of the RE are pilots, which changes nothing at 300 carriers.
  assert.ok(Math.abs(f.sampleDb.p1e3 - 8.39) < 0.15, `${f.sampleDb.p1e3}`);
  assert.equal(f.symbolDb.p1e3, null);
});
