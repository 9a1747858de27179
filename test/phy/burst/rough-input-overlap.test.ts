import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numerology } from '../../../src/phy/numerology.ts';
import { errorDb, receiveAll } from './rough.ts';
import { burstSamples, onAir } from './stream.ts';

/** Burst 1 (4 slots), burst 2 (2 slots) on top of it, burst 3 alone behind both. */
function overlap(subbands: number, offset: (n: ReturnType<typeof numerology>) => number, db: number) {
  const n = numerology(subbands);
  const first = burstSamples(n, 1, 4);
  const second = burstSamples(n, 2, 2).map((v) => v * 10 ** (db / 20));
  const third = burstSamples(n, 3, 1);
  const at = 1000 + Math.round(offset(n));
  const behind = Math.max(1000 + first.length / 2, at + second.length / 2) + 2000;
  const air = onAir(
    n,
    behind + third.length / 2 + 2000,
    [
      [1000, first],
      [at, second],
      [behind, third],
    ],
    15,
  );
  return { n, ...receiveAll(n, air) };
}

type Offset = (n: ReturnType<typeof numerology>) => number;
const header: Offset = (n) => n.preambleLength + 0.5 * n.headerSymbols * n.symbolLength;
const slot =
  (s: number): Offset =>
  (n) =>
    n.preambleLength + n.headerSymbols * n.symbolLength + s * n.slotLength;
const PLACES: readonly (readonly [string, Offset])[] = [
  ['a third of the preamble', (n) => 0.3 * n.preambleLength],
  ['its end', (n) => 0.9 * n.preambleLength],
  ['the header', header],
  ['slot 1', slot(1.5)],
  ['slot 3', slot(3.5)],
];

for (const subbands of [6, 25]) {
  test(`${subbands} subbands: a burst alone behind two that overlap is always received, and nothing that was not sent`, () => {
    for (const [name, offset] of PLACES) {
      for (const db of [-20, -10, -3, 0, 3, 10, 20]) {
        const { n, found, misses, burst } = overlap(subbands, offset, db);
        const label = `${name}, ${db} dB`;
        assert.ok(errorDb(n, burst(3)) < -13, label);
        const numbers = found.map((r) => r.header.burst);
        assert.deepEqual(numbers, [...new Set(numbers)], `${label}: each once`);
        assert.ok(numbers.includes(1) || numbers.includes(2), `${label}: one of the two`);
        assert.ok(misses <= 3, `${label}: ${misses} misses`);
      }
    }
  });

  test(`${subbands} subbands: a burst 10 dB stronger that begins inside another is captured, the other one reported`, () => {
    for (const [name, offset] of PLACES) {
      for (const db of [10, 20]) {
        const { n, burst } = overlap(subbands, offset, db);
        assert.ok(errorDb(n, burst(2)) < -8, `${name}, ${db} dB: the stronger`);
        const weaker = burst(1);
        // Where its header was hit it is a miss; else it is named, with its first slots intact.
        if (weaker) assert.match(weaker.suspect ?? '', /slots? \d.* disturbed/, name);
      }
    }
    const { n, burst } = overlap(subbands, slot(3.5), 10);
    assert.ok(errorDb(n, burst(1), 0, 2) < -13, 'what came before is good');
  });

  test(`${subbands} subbands: a burst 10 dB weaker on top leaves the other one readable`, () => {
    for (const [name, offset] of PLACES) {
      const { n, burst } = overlap(subbands, offset, -10);
      assert.ok(errorDb(n, burst(1)) < -8, name);
    }
  });

  test(`${subbands} subbands: of two equal ones that meet in slot 3, both give what was alone on the air`, () => {
    const { n, burst } = overlap(subbands, slot(3.5), 0);
    assert.ok(errorDb(n, burst(1), 0, 3) < -13);
    assert.equal(burst(1)!.suspect, 'slot 3 disturbed');
    // Its preamble and header lay on slot 3 of the other, its slots behind it.
    assert.ok(errorDb(n, burst(2)) < -13);
  });
}
