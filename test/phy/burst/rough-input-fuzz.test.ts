import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { errorDb, receiveAll } from './rough.ts';
import { burstSamples, onAir } from './stream.ts';

/** A good recording, cut up: pieces of it, scaled by up to 40 dB, reversed, zeroed, limited, laid over others, no numbers. */
function pasted(source: Float32Array, random: RandomStream): Float32Array[] {
  const total = source.length / 2;
  return Array.from({ length: 2 + random.integer(6) }, () => {
    const from = random.integer(total - 2000);
    const piece = source.slice(2 * from, 2 * Math.min(total, from + 50 + random.integer(6000)));
    const gain = 10 ** (random.between(-40, 40) / 20);
    const shift = 2 * random.integer(total);
    const kind = random.integer(8);
    for (let i = 0; i < piece.length; i++) {
      piece[i] *= gain;
      if (kind === 1) piece[i] = 0;
      else if (kind === 2) piece[i] = Number.NaN;
      else if (kind === 3) piece[i] = Math.max(-1, Math.min(1, 30 * piece[i]));
      else if (kind === 4) piece[i] += source[(i + shift) % source.length];
    }
    return kind === 0 ? piece.reverse() : piece;
  });
}

for (const [subbands, rounds] of [
  [4, 25],
  [6, 120],
  [25, 25],
]) {
  test(`${subbands} subbands: ${rounds} recordings cut up and pasted, then a clean burst 3000 samples behind: always received`, () => {
    const n = numerology(subbands);
    const clean = burstSamples(n, 99, 1);
    const pieces: [number, Float32Array][] = [];
    let at = 1000;
    for (const k of [1, 2, 3]) {
      const samples = burstSamples(n, k, 1 + k);
      pieces.push([at, samples]);
      at += samples.length / 2 + 1000;
    }
    const source = onAir(n, at, pieces, 15);
    let misses = 0;
    let taken = 0;
    for (let round = 0; round < rounds; round++) {
      const parts = pasted(source, new RandomStream(`fuzz ${round}`));
      parts.push(onAir(n, 4500 + clean.length / 2, [[3000, clean]], 15, round));
      const samples = new Float32Array(parts.reduce((sum, p) => sum + p.length, 0));
      let end = 0;
      for (const part of parts) {
        samples.set(part, end);
        end += part.length;
      }
      const got = receiveAll(n, samples);
      assert.ok(errorDb(n, got.burst(99)) < -12, `round ${round}`);
      for (const record of got.found) {
        assert.ok([1, 2, 3, 99].includes(record.header.burst), `round ${round}: burst ${record.header.burst}`);
      }
      misses += got.misses;
      taken += samples.length / 2;
    }
    const worst = (2 * taken) / (n.nSegments * n.segmentLength);
    assert.ok(misses < 0.2 * worst, `${misses} misses in ${taken} samples`);
  });
}
