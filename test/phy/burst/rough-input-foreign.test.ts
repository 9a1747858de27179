import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { fftKernel } from '../../../src/phy/kernels/fft/fft.ts';
import { NUMEROLOGIES, type Numerology, numerology } from '../../../src/phy/numerology.ts';
import { preamble } from '../../../src/phy/sync/preamble.ts';
import { atLevel, noise, receiveAll, repeated } from './rough.ts';
import { burstSamples, onAir } from './stream.ts';

const LENGTH = 30_000;

function joined(...parts: Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** One OFDM symbol body of `size` points with these carriers, [size][re, im]. */
function body(size: number, carriers: readonly (readonly [number, number, number])[]): Float32Array {
  const spectrum = new Float32Array(2 * size);
  for (const [k, re, im] of carriers) {
    spectrum[2 * ((k + size) % size)] = re;
    spectrum[2 * ((k + size) % size) + 1] = im;
  }
  fftKernel(size).inverse(spectrum, 0, spectrum, 0);
  return spectrum;
}

/** OFDM symbols of random QPSK: `size` points, `prefix`, carriers -half .. half without 0. */
function ofdm(size: number, prefix: number, half: number, symbols: number): Float32Array {
  const random = new RandomStream(`ofdm ${size} ${prefix}`);
  const sign = () => (random.uniform() < 0.5 ? 1 : -1);
  const parts: Float32Array[] = [];
  for (let s = 0; s < symbols; s++) {
    const carriers: [number, number, number][] = [];
    for (let k = -half; k <= half; k++) if (k !== 0) carriers.push([k, sign(), sign()]);
    const symbol = body(size, carriers);
    parts.push(symbol.slice(2 * (size - prefix)), symbol);
  }
  return joined(...parts);
}

// IEEE 802.11 (OFDM PHY): carriers -26 .. 26 of the short (every 4th) and long training sequence.
const SHORT = [1, -1, 1, -1, -1, 1, -1, -1, 1, 1, 1, 1];
const LONG =
  '1 1 -1 -1 1 1 -1 1 -1 1 1 1 1 1 1 -1 -1 1 1 -1 1 -1 1 1 1 1 0 1 -1 -1 1 1 -1 1 -1 1 -1 -1 -1 -1 -1 1 1 -1 -1 1 -1 1 -1 1 1 1 1';

/** Packets as in 802.11: ten short, two and a half long training symbols, data of 64 points and 52 carriers. */
function wifi(): Float32Array {
  const short = body(
    64,
    [-24, -20, -16, -12, -8, -4, 4, 8, 12, 16, 20, 24].map((k, i) => [k, SHORT[i], SHORT[i]]),
  );
  const long = body(
    64,
    LONG.split(' ').map((v, i) => [i - 26, Number(v), 0]),
  );
  const parts = [repeated(short, 160), long.slice(64), long, long, ofdm(64, 16, 26, 12)];
  return joined(...parts.map((p) => atLevel(p, 0)), new Float32Array(600));
}

function liquid(file: string): Float32Array {
  const bytes = readFileSync(new URL(`../../vectors/foreign/${file}.ci8`, import.meta.url));
  return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** Signals that are none of the numerology's bursts; the last ones imitate its preamble for ever. */
function foreign(n: Numerology): (readonly [string, Float32Array])[] {
  const { samples } = preamble(n);
  const detection = samples.slice(0, 2 * n.nSegments * n.segmentLength);
  const training = noise(n.preambleLength - detection.length / 2, 'training');
  const pulses = new Float32Array(2 * 1000);
  pulses.set(noise(400, 'pulse'));
  return [
    ...NUMEROLOGIES.filter((m) => m !== n).map(
      (m) => [`${m.nSubbands} subbands`, joined(burstSamples(m, 7, 1), new Float32Array(800))] as const,
    ),
    ['802.11', wifi()],
    ['LTE-like, 128 points', ofdm(128, 9, 36, 40)],
    ['64 points, prefix 16', ofdm(64, 16, 24, 60)],
    ['liquid-dsp 64', liquid('liquid-64')],
    ['liquid-dsp 128', liquid('liquid-128')],
    ['pulses of noise', pulses],
    ['noise', noise(LENGTH, 'foreign')],
    ['the detection part', detection],
    ['one segment', detection.slice(0, 2 * n.segmentLength)],
    ['preambles with another training', joined(detection, atLevel(training, 11))],
    ['preambles', samples],
  ];
}

for (const subbands of [6, 25]) {
  test(`${subbands} subbands: no header in foreign signals; bursts behind them and 10 dB above them are received`, () => {
    const n = numerology(subbands);
    const sent = burstSamples(n, 3, 1);
    const behind = 1000 + LENGTH;
    const inside = 1000 + LENGTH / 2;
    for (const [name, signal] of foreign(n)) {
      for (const db of [0, 20]) {
        const there = atLevel(repeated(signal, LENGTH), db);
        const above = sent.map((v) => v * 10 ** ((db + 10) / 20));
        const air = onAir(
          n,
          behind + sent.length / 2 + 3000,
          [
            [1000, there],
            [inside, above],
            [behind, sent],
          ],
          15,
        );
        const { found, misses } = receiveAll(n, air);
        const label = `${name}, ${db} dB`;
        assert.deepEqual(
          found.map((r) => r.header.burst),
          [3, 3],
          label,
        );
        assert.ok(Math.abs(found[0].startSample - inside) <= 2 && Math.abs(found[1].startSample - behind) <= 2, label);
        // At worst two preambles are tried in the time of one detection part: what that costs is bounded.
        const worst = 2 + (2 * LENGTH) / (n.nSegments * n.segmentLength);
        assert.ok(misses <= worst, `${label}: ${misses} misses, at most ${worst.toFixed(0)}`);
      }
    }
  });
}
