import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { askedStreams, askingOf, type StreamStanding } from '../../../src/link/harq/asking.ts';
import { grantedSnrDb } from '../../../src/link/harq/granted.ts';
import { HarqSender } from '../../../src/link/harq/sender-entity.ts';
import type { Extension } from '../../../src/phy/frame/extension.ts';
import { RB_DATA_RE } from '../../../src/phy/numerology.ts';
import { encodeCsiReport } from '../../../src/sct/allocation/csi-code.ts';
import { SMALL } from '../helpers.ts';

const STREAMS: StreamStanding[] = [
  { id: 4, weight: 50, snrDb: 1, grantedDb: 10 },
  { id: 1, weight: 30, missing: true },
  { id: 7, weight: 15, snrDb: 8, grantedDb: 10 },
  { id: 0, weight: 5, snrDb: Number.NEGATIVE_INFINITY, grantedDb: 4 },
];

test('what is damaged is asked for, most important first, up to the share; uniform asks for all by id', () => {
  const ask = (options = {}, most = 63) => askedStreams(STREAMS, 0, 100, askingOf(options), most);
  assert.deepEqual(ask(), [4, 1], 'the last begins at 95 % of the importance');
  assert.deepEqual(ask({ share: 0.96 }), [4, 1, 0]);
  assert.deepEqual(ask({ share: 0.5 }), [4]);
  assert.deepEqual(ask({ share: 0 }), [4], 'the first is always asked for');
  assert.deepEqual(ask({ shortDb: 1 }), [4, 1, 7], '2 dB short');
  assert.deepEqual(ask({ belowDb: 9 }), [4, 1, 7], 'below what is wanted');
  assert.deepEqual(ask({ by: 'uniform' }), [0, 1, 4]);
  assert.deepEqual(ask({}, 1), [4]);
  assert.deepEqual(askedStreams(STREAMS, 900, 1000, askingOf({}), 63), [], 'a part of little importance');
  assert.throws(() => askingOf({ share: 1.1 }), /allowed 0 to 1/);
});

test('whatever the streams, each is asked for at most once, and only damaged ones', () => {
  const stream = fc.record({ weight: fc.nat(2 ** 30), missing: fc.boolean() });
  fc.assert(
    fc.property(fc.array(stream, { maxLength: 80 }), fc.constantFrom('importance', 'uniform'), (list, by) => {
      const streams = list.map((s, id) => ({ ...s, id }));
      const total = streams.reduce((sum, s) => sum + s.weight, 0);
      const asked = askedStreams(streams, 0, total, askingOf({ by: by as 'uniform' }), 63);
      assert.equal(new Set(asked).size, asked.length);
      assert.ok(asked.length <= 63 && asked.every((id) => streams[id].missing));
      if (by === 'uniform') assert.equal(asked.length, Math.min(63, streams.filter((s) => s.missing).length));
    }),
  );
});

test('what was granted is what the best subbands of the report hold for the first stream, wherever it was placed', () => {
  const codes = encodeCsiReport([10, 0, 20, 0, 0, 5]);
  const re = 4 * RB_DATA_RE;
  const streams = [3, 5].map((id) => ({ id, analog: 1 as const, baseGraph: 0 as const, score: 200, re, bytes: 0 }));
  const e = { sideBytes: 0, sideRate: 0, interleaved: 1, order: null, power: null, streams } as unknown as Extension;
  const granted = grantedSnrDb(SMALL, 4, e, [], codes);
  assert.ok(Math.abs(granted.get(3)! - 20) < 0.2, `${granted.get(3)}`);
  assert.ok(Math.abs(granted.get(5)! - 10) < 0.2, `${granted.get(5)}`);
  const piece = (id: number, snr: number) => {
    const entry = { ...streams[0], id };
    return { entry, qm: new Uint8Array(2), symbols: new Float32Array(4), snr: Float32Array.of(snr, 0), blocks: null };
  };
  // No report: the mean capacity of what came, log2(4) and log2(2).
  const flat = grantedSnrDb(SMALL, 4, e, [piece(3, 3), piece(5, 1)], null);
  assert.ok(Math.abs(flat.get(5)! - 10 * Math.log10(2 ** 1.5 - 1)) < 1e-6);
});

test('an answer decides what is repeated: asked for, side information, or nothing', () => {
  const sender = new HarqSender(3, 0.1);
  const names = { side: true, ids: new Set([2, 6]) };
  const answer = (process: number, burst: number, blocks: boolean[], asked?: number[]) => {
    const { newData } = processes[process];
    return sender.takeAck({
      session: 1,
      burst,
      extensionOk: true,
      process,
      newData,
      blocks,
      ...(asked ? { asked } : {}),
    });
  };
  const processes = [0, 1, 2, 3].map((burst) => {
    const process = sender.begin(3, names);
    sender.made(process, burst, [0, 1, 2]);
    sender.onAir(burst, 0);
    return process;
  });
  assert.equal(answer(0, 0, [true, false, true], [9]), 'contradictory', 'no stream of this part');
  assert.equal(answer(0, 0, [true, false, true], []), 'taken');
  assert.equal(processes[0].state, 'lost', 'what is missing is not worth a repetition');
  assert.equal(sender.counters.unacknowledged, 1);
  answer(1, 1, [false, true, true], []);
  assert.equal(processes[1].state, 'due', 'nothing can be shown without the side information');
  answer(2, 2, [true, true, true], [6]);
  assert.equal(processes[2].state, 'due', 'an analog stream has no blocks');
  assert.deepEqual([...processes[2].asked!], [6]);
  assert.equal(answer(2, 2, [true, true, true], [6]), 'duplicate');
  assert.equal(processes[2].state, 'due');
  answer(3, 3, [true, true, true], []);
  assert.equal(processes[3].state, 'done');
});

test('a receiver that never had the data burst cannot know what else there is: all that is missing goes again', () => {
  const sender = new HarqSender(3, 0.1);
  const process = sender.begin(2, { side: false, ids: new Set([0, 1]) });
  sender.made(process, 0, [0, 1]);
  sender.onAir(0, 0);
  assert.deepEqual(sender.due(1), [process]);
  sender.made(process, 1, [0]);
  sender.onAir(1, 1);
  const { id, newData } = process;
  sender.takeAck({ session: 1, burst: 1, extensionOk: true, process: id, newData, blocks: [true], asked: [] });
  assert.equal(process.state, 'due');
  assert.equal(process.asked, null);
});
