import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import type { ReceivedPart } from '../../../src/link/harq/received-part.ts';
import { HarqReceiver } from '../../../src/link/harq/receiver-entity.ts';
import { HarqSender } from '../../../src/link/harq/sender-entity.ts';
import { smallPart, transmission } from './helpers.ts';

/** SNR (linear) that is said of noiseless symbols: rate 1/3 decodes surely. */
const GOOD = 10;
const NAMES = { burst: 0, original: 0, image: 1, part: 0, parts: 1 };

/** A transmission whose symbols are pure noise: its blocks do not decode and its soft bits say little. */
function spoilt(t: ReturnType<typeof transmission>, random: RandomStream) {
  for (const piece of t.pieces) {
    piece.symbols.fill(0);
    random.addComplexNoise(piece.symbols, 0.05, 0, piece.symbols.length);
    piece.snr.fill(0.05);
  }
  return t;
}

test('random losses of bursts and answers: every block comes exactly once or is reported, in bounded time', () => {
  // Three blocks of base graph 2, so that a part of them can be missing.
  const part = smallPart('random losses', 16_500);
  assert.ok(part.layout.blocks >= 2);
  let delivered = 0;
  let reported = 0;
  let doubted = 0;
  const trial = fc.record({
    seed: fc.integer(),
    burstLoss: fc.constantFrom(0, 0.3, 0.7, 1),
    damage: fc.constantFrom(0, 0.4),
    ackLoss: fc.constantFrom(0, 0.3, 1),
    rounds: fc.integer({ min: 0, max: 4 }),
    parts: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(trial, ({ seed, burstLoss, damage, ackLoss, rounds, parts }) => {
      const random = new RandomStream(`losses ${seed}`);
      const sender = new HarqSender(rounds, 0.05);
      const receiver = new HarqReceiver();
      const held = new Map<number, ReceivedPart>();
      const arrivals = new Map<string, number>();
      const originals = new Map<object, { original: number; part: number }>();
      let nowS = 0;
      let burst = seed & 1023;
      let sent = 0;
      const onAir = (process: ReturnType<HarqSender['begin']>, index: number): void => {
        const blocks = [...process.pending];
        const number = burst++ & 1023;
        const about = originals.get(process) ?? { original: number, part: index };
        originals.set(process, about);
        const names = { burst: number, original: about.original, image: 9, part: about.part, parts };
        const t = transmission(part, process, names, blocks, GOOD);
        sender.made(process, number, blocks);
        sender.onAir(number, (nowS += 0.01));
        sent++;
        if (random.uniform() < burstLoss) return;
        if (random.uniform() < damage) spoilt(t, random);
        const before = held.get(about.part);
        const known = before?.decoder?.acknowledged ?? [];
        const use = number === about.original ? 'data' : 'retransmission';
        const { part: now } = receiver.take(use, number, t.e, t.pieces, before ?? null);
        held.set(about.part, now);
        now.decoder!.acknowledged.forEach((ok, b) => {
          const key = `${about.part}/${b}`;
          if (ok && !known[b]) arrivals.set(key, (arrivals.get(key) ?? 0) + 1);
          if (known[b]) assert.ok(ok, 'what has come never goes');
        });
        if (random.uniform() < ackLoss) return;
        const acknowledged = blocks.map((b) => now.decoder!.states[b].ok);
        const answer = { session: 1, burst: number, extensionOk: true, process: process.id, newData: process.newData };
        assert.notEqual(sender.takeAck({ ...answer, blocks: acknowledged }), 'contradictory');
      };
      const processes = Array.from({ length: parts }, () => sender.begin(part.layout.blocks));
      // Windows of as many parts as there are processes, each settled before the next.
      for (let first = 0; first < parts; first += 16) {
        for (let p = first; p < Math.min(parts, first + 16); p++) onAir(processes[p], p);
        for (;;) {
          const due = sender.due(nowS);
          for (const process of due) onAir(process, -1);
          if (due.length > 0) continue;
          const next = sender.nextDueS;
          if (next === null) break;
          nowS = Math.max(nowS, next);
        }
      }
      assert.ok(sent <= parts * (rounds + 1), 'bounded rounds');
      processes.forEach((process, p) => {
        assert.ok(process.state === 'done' || process.state === 'lost', process.state);
        for (let b = 0; b < part.layout.blocks; b++) {
          const times = arrivals.get(`${p}/${b}`) ?? 0;
          assert.ok(times <= 1, 'no block arrives twice');
          if (!process.pending.has(b)) assert.equal(times, 1, 'acknowledged means arrived');
          if (times === 0) assert.equal(process.state, 'lost');
          delivered += times;
          reported += 1 - times;
          if (times === 1 && process.pending.has(b)) doubted++;
        }
        const file = held.get(p)?.decoder?.file();
        if (file?.ok) assert.deepEqual(file.file, part.file);
      });
      const lost = processes.reduce((n, p) => n + p.pending.size, 0);
      assert.equal(sender.counters.unacknowledged, lost, 'every block not acknowledged is reported');
    }),
    { numRuns: 60 },
  );
  assert.ok(delivered > 300 && reported > 300 && doubted > 50, `${delivered}, ${reported}, ${doubted}`);
});

test('new data flushes the soft buffers of its process and keeps what came', () => {
  const random = new RandomStream('flush');
  const part = smallPart('flush', 6000);
  const receiver = new HarqReceiver();
  const process = { id: 3, newData: 0, understood: 0 };
  const all = [...part.payloads.keys()];
  const first = spoilt(transmission(part, process, NAMES, all, GOOD), random);
  const { part: held, outcome } = receiver.take('data', 0, first.e, first.pieces, null);
  assert.equal(outcome, 'new');
  assert.ok(receiver.softBytes > 0 && receiver.softBytes === held.softBytes);
  // The same data burst heard twice continues; its blocks are not counted anew.
  assert.equal(receiver.take('data', 0, first.e, first.pieces, held).outcome, 'duplicate');
  const other = { ...process, newData: 1 };
  const next = transmission(part, other, { ...NAMES, burst: 1, original: 1, image: 2 }, all, GOOD);
  const { part: fresh } = receiver.take('data', 1, next.e, next.pieces, null);
  assert.notEqual(fresh, held);
  assert.equal(held.softBytes, 0);
  assert.equal(receiver.counters.flushes, 1);
  assert.ok(fresh.complete);
  // A late repetition of the first: its soft bits are gone, it stands alone and is taken.
  const again = transmission(part, { ...process, understood: 1 }, { ...NAMES, burst: 2 }, all, GOOD);
  assert.equal(receiver.take('retransmission', 2, again.e, again.pieces, held).outcome, 'repetition');
  assert.ok(held.complete && fresh.complete);
});

test('numbers that have come round are not the same process: 512 bursts later it is new data', () => {
  const part = smallPart('wrap', 3000);
  const all = [...part.payloads.keys()];
  const process = { id: 0, newData: 1, understood: 0 };
  for (const [gap, expected] of [
    [400, 'duplicate'],
    [1024, 'new'],
  ] as const) {
    const receiver = new HarqReceiver();
    const t = transmission(part, process, NAMES, all, GOOD);
    const { part: held } = receiver.take('data', 0, t.e, t.pieces, null);
    // Other processes go on; burst numbers advance by less than 512 at a time.
    for (let b = 200; b <= gap; b += 200) {
      const names = { ...NAMES, burst: b & 1023, original: b & 1023, image: 2 };
      const other = transmission(part, { ...process, id: 5 }, names, all, GOOD);
      receiver.take('data', b & 1023, other.e, other.pieces, null);
    }
    const { outcome, part: now } = receiver.take('data', 0, t.e, t.pieces, held);
    assert.equal(outcome, expected, `after ${gap} bursts`);
    assert.equal(now === held, expected === 'duplicate');
  }
});

test('soft buffers stay within their bound: the process heard of longest ago gives up its own, counted', () => {
  const random = new RandomStream('evict');
  const part = smallPart('evict', 6000);
  const all = [...part.payloads.keys()];
  const one = (receiver: HarqReceiver, id: number) => {
    const names = { ...NAMES, burst: id, original: id, part: id, parts: 16 };
    const t = spoilt(transmission(part, { id, newData: 0, understood: 0 }, names, all, GOOD), random);
    return receiver.take('data', id, t.e, t.pieces, null).part;
  };
  const each = one(new HarqReceiver(), 0).softBytes;
  assert.ok(each > 0);
  const receiver = new HarqReceiver(3 * each);
  const held = Array.from({ length: 5 }, (_, id) => one(receiver, id));
  assert.deepEqual(
    held.map((p) => p.softBytes > 0),
    [false, false, true, true, true],
  );
  assert.equal(receiver.counters.evictions, 2);
  assert.equal(receiver.counters.evictedBytes, 2 * each);
  assert.ok(receiver.softBytes <= 3 * each);
  const none = new HarqReceiver(0);
  one(none, 0);
  assert.equal(none.softBytes, 0, 'even the latest, where the bound is lower than it');
});

test('a burst that contradicts its process is refused whole, by name', () => {
  const part = smallPart('contradiction', 3000);
  const all = [...part.payloads.keys()];
  const receiver = new HarqReceiver();
  const process = { id: 0, newData: 1, understood: 0 };
  const t = transmission(part, process, NAMES, all, GOOD);
  const { part: held } = receiver.take('data', 0, t.e, t.pieces, null);
  const again = transmission(part, { ...process, understood: 1 }, { ...NAMES, burst: 1 }, all, GOOD);
  const [piece] = again.pieces;
  const before = { ...receiver.counters };
  for (const [entry, blocks, field] of [
    [{ ...piece.entry, bytes: piece.entry.bytes + 1 }, all, 'streams'],
    [{ ...piece.entry, baseGraph: piece.entry.baseGraph ? 0 : 1 }, all, 'streams'],
    [{ ...piece.entry, analog: 1, bytes: 0 }, null, 'streams'],
    [piece.entry, [part.layout.blocks], 'blocks'],
  ] as const) {
    assert.throws(
      () => receiver.take('retransmission', 1, again.e, [{ ...piece, entry, blocks }], held),
      (e: unknown) => e instanceof FormatError && e.field === field,
    );
  }
  assert.deepEqual(receiver.counters, before);
  assert.equal(held.streams.size, 1);
});
