import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BurstRecord } from '../../../src/phy/burst/record.ts';
import { NUMEROLOGIES, type Numerology, numerology } from '../../../src/phy/numerology.ts';
import { burstSamples, bursts, onAir, receive } from './stream.ts';

/** Samples lost inside a burst, which the source replaces with zeros: exact ones, without noise. */
function zeroed(n: Numerology, slots: number, spans: readonly (readonly [from: number, to: number])[], snrDb: number) {
  const lead = 3 * n.symbolLength;
  const burst = burstSamples(n, 1, slots);
  const samples = onAir(n, lead + burst.length / 2 + lead, [[lead, burst]], snrDb);
  for (const [from, to] of spans) samples.fill(0, 2 * Math.max(0, lead + from), 2 * Math.max(0, lead + to));
  return bursts(receive(n, samples));
}

function checkFinite(record: BurstRecord): void {
  for (const [name, values] of Object.entries(record)) {
    if (!(values instanceof Float32Array) && !(values instanceof Float64Array)) continue;
    assert.ok(
      values.every((v) => Number.isFinite(v)),
      name,
    );
  }
  assert.ok(record.payloadSnr.every((v) => v >= 0));
  for (const value of [record.noiseVariance, record.snrDb, record.cfoHz, record.sfoPpm, record.channelError])
    assert.ok(Number.isFinite(value));
}

const start = (n: Numerology, slot: number) =>
  n.preambleLength + n.headerSymbols * n.symbolLength + Math.round(slot * n.slotLength);

for (const subbands of [4, 6, 15]) {
  test(`${subbands} subbands: all slots of a long burst but one are zero: it is told of`, () => {
    const n = numerology(subbands);
    // The clock is looked for on the slots' centroids from the twelfth on: they have no power to say anything.
    const slots = 16;
    for (const there of [0, 15]) {
      const spans = [[start(n, 0), start(n, there)] as const, [start(n, there + 1), start(n, slots) + 50] as const];
      const [record] = zeroed(n, slots, spans, 30);
      assert.equal(record.slots, slots);
      checkFinite(record);
      assert.notEqual(record.suspect, null);
    }
  });

  test(`${subbands} subbands: a burst of which the header is left and nothing else`, () => {
    const n = numerology(subbands);
    for (const snrDb of [0, 20, 60]) {
      const [record] = zeroed(n, 14, [[start(n, 0), start(n, 14) + 50]], snrDb);
      if (record) checkFinite(record);
    }
  });
}

test('any stretches of zeros anywhere: nothing throws, and every number is one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NUMEROLOGIES.slice(0, 3)),
      fc.integer({ min: 1, max: 18 }),
      fc.array(fc.tuple(fc.double({ min: -0.1, max: 1, noNaN: true }), fc.double({ min: 0, max: 4.2, noNaN: true })), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.constantFrom(0, 10, 20, 40, 100),
      (n, slots, stretches, snrDb) => {
        const length = start(n, slots);
        const spans = stretches.map(([at, log]) => {
          const from = Math.round(at * length);
          return [from, from + Math.round(10 ** log)] as const;
        });
        for (const record of zeroed(n, slots, spans, snrDb)) checkFinite(record);
      },
    ),
    { numRuns: 120 },
  );
});
