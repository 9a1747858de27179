import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../src/common/random.ts';
import { PieceReader } from '../../src/link/burst-pieces.ts';
import { mapOfExtension } from '../../src/link/resource-map.ts';
import type { BurstRecord } from '../../src/phy/burst/record.ts';
import type { Extension } from '../../src/phy/frame/extension.ts';
import { NUMEROLOGIES, RB_DATA_RE } from '../../src/phy/numerology.ts';
import { rbMapCrc16 } from '../../src/sct/allocation/rb-map.ts';

test('each RE of each stream is the one of its place, whole bursts and cut ones, with side information and without', () => {
  const random = new RandomStream('pieces');
  for (const n of NUMEROLOGIES) {
    for (const [slots, there, sideBytes, interleaved] of [
      [3, 3, 0, 1],
      [5, 5, 60, 1],
      [5, 3, 0, 1],
      [4, 4, 0, 0],
      [6, 2, 40, 1],
    ]) {
      const room = slots * RB_DATA_RE * n.nSubbands;
      const streams = [0.31, 0.4, 0.17].map((share, id) => {
        const re = Math.floor(share * room * 0.4);
        return { id, re, analog: 0, bytes: 40, baseGraph: 1, score: 1 };
      });
      const e = {
        interleaved,
        order: null,
        streams,
        sideBytes,
        sideRate: 0,
        power: null,
        repeats: 0,
        blocks: [],
        earlier: 0,
        later: 0,
        modulation: new Array(n.nSubbands).fill(2),
      };
      const mapCrc = rbMapCrc16(mapOfExtension(n, e as unknown as Extension));
      const payloadSnr = Float32Array.from({ length: there * RB_DATA_RE * n.nSubbands }, () => random.uniform() + 1);
      const payload = Float32Array.from({ length: 2 * payloadSnr.length }, () => random.uniform() + 1);
      const record = { header: { slots }, payload, payloadSnr } as unknown as BurstRecord;
      const pieces = new PieceReader(n).read(record, { ...e, mapCrc } as unknown as Extension, false);
      for (const { positions, symbols, snr } of pieces.streams) {
        positions.forEach((p, i) => {
          const heard = p < payloadSnr.length;
          assert.equal(snr[i], heard ? payloadSnr[p] : 0);
          assert.equal(symbols[2 * i], heard ? payload[2 * p] : 0);
          assert.equal(symbols[2 * i + 1], heard ? payload[2 * p + 1] : 0);
        });
      }
    }
  }
});
