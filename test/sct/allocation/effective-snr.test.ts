import assert from 'node:assert/strict';
import test from 'node:test';
import { allocate } from '../../../src/sct/allocation/allocate.ts';
import { decodeCsi } from '../../../src/sct/allocation/csi-code.ts';
import { effectiveSnrDb, reportedChannels } from '../../../src/sct/allocation/effective-snr.ts';
import { placeSymbols } from '../../../src/sct/allocation/rb-map.ts';
import { evenShape } from './vectors.ts';

test('a flat channel keeps its SNR: 0.2 dB at -20 dB, 0.03 dB from -10 dB up (the rounding of the table)', () => {
  const shape = evenShape(4, 1);
  for (let code = 0; code < 256; code++) {
    const csi = new Uint8Array(4).fill(code);
    const { map } = allocate({ shape, csi, scores: Uint8Array.of(255, 250), mapping: 'uniform' });
    for (const { snrDb } of reportedChannels(placeSymbols(map, shape), csi, 4)) {
      assert.ok(Math.abs(snrDb - decodeCsi(code)) <= (code < 40 ? 0.2 : 0.03), `code ${code}: ${snrDb}`);
    }
  }
});

test('half of the RE at 0 dB, half at 10 dB: 10 log10(sqrt(2 x 11) - 1)', () => {
  const shape = evenShape(2, 3);
  const csi = Uint8Array.of(80, 120);
  const { map, totalCapacity } = allocate({ shape, csi, scores: Uint8Array.of(255), mapping: 'uniform' });
  const [channel] = reportedChannels(placeSymbols(map, shape), csi, 2);
  assert.ok(Math.abs(channel.snrDb - 10 * Math.log10(Math.sqrt(22) - 1)) < 0.005);
  assert.deepEqual([channel.re, channel.share, channel.capacity], [924, 1, totalCapacity]);
});

test('matched gives the first SFV the best, uniform all the same, worst the worst; shares are the scores', () => {
  const shape = evenShape(25, 6);
  const csi = Uint8Array.from({ length: 25 }, (_, s) => 60 + ((7 * s) % 60));
  const scores = Uint8Array.of(200, 216, 232, 248);
  const of = (mapping: 'matched' | 'uniform' | 'worst') => {
    const { map, capacities } = allocate({ shape, csi, scores, mapping });
    const channels = reportedChannels(placeSymbols(map, shape), csi, 25);
    return { capacities, channels, snr: channels.map((c) => c.snrDb) };
  };
  const [matched, uniform, worst] = [of('matched'), of('uniform'), of('worst')];
  assert.deepEqual(
    matched.channels.map((c) => c.capacity),
    matched.capacities,
  );
  for (const [i, share] of [8, 4, 2, 1].entries()) assert.ok(Math.abs(matched.channels[i].share - share / 15) < 1e-3);
  for (let i = 1; i < 4; i++) {
    assert.ok(matched.snr[i] < matched.snr[i - 1]);
    assert.ok(worst.snr[i] > worst.snr[i - 1]);
    assert.ok(Math.abs(uniform.snr[i] - uniform.snr[0]) < 0.2);
  }
  assert.ok(matched.snr[0] > uniform.snr[0] + 1 && worst.snr[0] < uniform.snr[0] - 1);
});

test('no RE, no SNR; a report of another width is refused', () => {
  assert.equal(effectiveSnrDb(0, 0), Number.NEGATIVE_INFINITY);
  const shape = evenShape(4, 1);
  const map = { layout: 'ordered', subbandOrder: Uint8Array.of(0, 1, 2, 3), sfvOrder: Uint8Array.of(7, 2) } as const;
  const placement = placeSymbols({ ...map, reCounts: Uint32Array.of(0, 5) }, shape);
  const [none, five] = reportedChannels(placement, new Uint8Array(4).fill(80), 4);
  assert.deepEqual([none.re, none.share, none.snrDb], [0, 0, Number.NEGATIVE_INFINITY]);
  assert.deepEqual([five.re, five.share], [5, 1]);
  assert.throws(() => reportedChannels(placement, new Uint8Array(5), 4), /5 subbands, the burst 4/);
});
