import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream } from '../../../src/common/random.ts';
import { countedRe } from '../../../src/link/accounting.ts';
import type { HarqRule } from '../../../src/link/harq/asking.ts';
import { type BurstEvent, Receiver } from '../../../src/link/receiver.ts';
import { mapOfExtension, sideReOf } from '../../../src/link/resource-map.ts';
import { itemsOf } from '../../../src/link/sent-part.ts';
import { type TransmitBurst, Transmitter } from '../../../src/link/transmitter.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { type Extension, encodeExtension, MAX_SIDE_INFO_BYTES } from '../../../src/phy/frame/extension.ts';
import { RB_DATA_RE } from '../../../src/phy/numerology.ts';
import { rbMapCrc16 } from '../../../src/sct/allocation/rb-map.ts';
import { air, blank, burstsOf, SMALL, unanswered } from '../helpers.ts';
import { SfvCodec, type SfvCodecOptions } from '../sfv-codec.ts';

const BUDGET = 30_000;

/** Both ends by hand, without a CSI report: room is kept for a repetition of the side information. */
async function link(options: SfvCodecOptions = {}, harq = 3, harqBy: HarqRule = 'importance') {
  const codec = new SfvCodec(options);
  const transmitter = new Transmitter({ numerology: SMALL, codec, harq, harqBy, assumedSnrDb: 10 });
  const receiver = new Receiver({ numerology: SMALL, codecs: [codec], asking: { by: harqBy } });
  const plan = await transmitter.send(blank(300, 300), BUDGET, 0);
  let count = 0;
  /** `jammed`: share of the slots from which on, up to which, noise covers everything. */
  const transmit = (burst: TransmitBurst, jammed?: [number, number], power = 30): BurstEvent => {
    const { samples, starts } = air(SMALL, [burst], { snrDb: 12, seed: `side ${count++}` });
    if (jammed) {
      const slots = burst.slots * 14 * SMALL.symbolLength;
      const first = starts[0] + burst.layout.samples - slots;
      const at = (share: number) => 2 * (first + Math.round(share * slots));
      new RandomStream(`jammer ${count}`).addComplexNoise(
        samples,
        power * TRANSMIT_RMS ** 2,
        at(jammed[0]),
        at(jammed[1]),
      );
    }
    const events = burstsOf([...receiver.push(samples), ...receiver.flush()]);
    assert.equal(events.length, 1);
    return events[0] as BurstEvent;
  };
  return { codec, transmitter, receiver, plan, transmit };
}

test('side information that is lost is asked for again and comes; the room beside it repeats the most important streams', async () => {
  const { codec, transmitter, receiver, plan, transmit } = await link();
  const [burst] = plan.bursts;
  // The side information takes the first part of the first slots, streams the rest.
  const sideShare = 60 / (burst.slots * RB_DATA_RE);
  const first = transmit(burst, [0, Math.max(0.12, 2 * sideShare)]);
  assert.deepEqual(first.ack!.blocks, [false]);
  assert.equal(first.ack!.extensionOk, true);
  await receiver.picture(receiver.received[0]);
  assert.equal(codec.received!.sideInfo, undefined, 'an outage so far');
  const before = codec.received!.streams.map((s) => s.kind === 'analog' && s.snrDb.slice());
  transmitter.takeAck(first.ack!);
  assert.equal(transmitter.pendingBlocks, 1);
  const repeats = transmitter.repeat(0);
  assert.equal(repeats.length, 1);
  const { extension } = repeats[0];
  assert.equal(extension!.sideBytes, 60);
  assert.deepEqual(
    extension!.streams.map((s) => s.id),
    [0, 1, 2, 3, 4].slice(0, extension!.streams.length),
  );
  const again = transmit(repeats[0]);
  assert.equal(again.outcome, 'repetition');
  assert.deepEqual(again.ack!.blocks, [true]);
  transmitter.takeAck(again.ack!);
  assert.equal(transmitter.pendingBlocks, 0);
  assert.deepEqual(transmitter.repeat(0), []);
  await receiver.picture(receiver.received[0]);
  assert.deepEqual(codec.received!.sideInfo, codec.sideInfo);
  const stream = codec.received!.streams[0];
  assert.ok(stream.kind === 'analog' && before[0]);
  const gained = stream.snrDb.filter((db, i) => db > (before[0] as Float32Array)[i] + 1).length;
  assert.ok(gained > 100, `${gained} symbols gained by being sent twice`);
  const { weighed } = codec.excess(0);
  assert.ok(weighed > 0.7 && weighed < 1.5, `${weighed}`);
  assert.ok(countedRe(transmitter.budget) <= BUDGET);
});

test('two receptions of side information that each fail are added up', async () => {
  const { codec, receiver, plan, transmit } = await link({ sideBytes: 300 });
  const [burst] = plan.bursts;
  const share = (1.05 * sideReOf(SMALL, burst.extension!)) / (burst.slots * RB_DATA_RE);
  // -6.5 dB where the side information lies; it takes two receptions to come to -3.5.
  const results = [1, 2].map(() => transmit(burst, [0, share], 8).ack!.blocks[0]);
  assert.deepEqual(results, [false, true]);
  const side = receiver.received[0].parts[0]!.side!;
  assert.equal(side.receptions, 2);
  assert.equal(side.softBytes, 0, 'what has come needs no soft bits');
  await receiver.picture(receiver.received[0]);
  assert.deepEqual(codec.received!.sideInfo, codec.sideInfo);
});

test('a burst that nobody heard is repeated with all that fits, and stands alone', async () => {
  const { codec, transmitter, receiver, plan, transmit } = await link();
  const [repeat] = unanswered(transmitter, plan.bursts);
  assert.ok(repeat, 'it is due');
  const event = transmit(repeat);
  assert.equal(event.outcome, 'recovered');
  assert.deepEqual(event.ack!.blocks, [true]);
  await receiver.picture(receiver.received[0]);
  assert.deepEqual(codec.received!.sideInfo, codec.sideInfo);
  const [first] = codec.received!.streams;
  assert.ok(first.kind === 'analog');
  const sent = codec.grants.find((g) => g.id === first.id)!;
  assert.equal(first.snrDb.length, sent.size, 'cut off as it is, its length is known');
  const { weighed, came } = codec.excess(first.id);
  assert.ok(came > 0 && weighed > 0.7 && weighed < 1.5, `${came}, ${weighed}`);
  transmitter.takeAck(event.ack!);
  assert.equal(transmitter.pendingBlocks, 0);
});

test('without --harq nothing is kept back and nothing repeated', async () => {
  const { transmitter, plan, transmit } = await link({}, 0);
  const first = transmit(plan.bursts[0], [0, 0.15]);
  assert.deepEqual(first.ack!.blocks, [false]);
  transmitter.takeAck(first.ack!);
  assert.deepEqual(transmitter.repeat(0), []);
  const { slots } = plan.bursts[0];
  assert.ok((slots + 1) * 924 + transmitter.budget.control > BUDGET, 'not a slot more would have fitted');
});

test('coded streams and side information of one burst are acknowledged and repeated together', async () => {
  const { codec, transmitter, receiver, plan, transmit } = await link({ kind: 'bits', minSize: 8 }, 3, 'uniform');
  const first = transmit(plan.bursts[0], [0, 0.17]);
  const lost = first.ack!.blocks.filter((ok) => !ok).length;
  assert.equal(first.ack!.blocks[0], false, 'the side information');
  assert.ok(lost > 1, `${lost} lost`);
  transmitter.takeAck(first.ack!);
  assert.equal(transmitter.pendingBlocks, lost);
  for (let repeats = transmitter.repeat(0); repeats.length > 0; repeats = transmitter.repeat(0)) {
    for (const burst of repeats) transmitter.takeAck(transmit(burst).ack!);
  }
  assert.equal(transmitter.pendingBlocks, 0);
  await receiver.picture(receiver.received[0]);
  assert.deepEqual(codec.received!.sideInfo, codec.sideInfo);
  for (const s of codec.received!.streams) assert.ok(s.kind === 'bits' && s.missing.length === 0, `stream ${s.id}`);
  assert.ok(countedRe(transmitter.budget) <= BUDGET);
});

/** Has a receiver take a burst of one slot with this extension, all of it silence. */
function take(receiver: Receiver, e: Extension, kind: 1 | 2, subbandSnrDb = new Float32Array(6)) {
  const sealed = { ...e, mapCrc: rbMapCrc16(mapOfExtension(SMALL, e)) };
  const re = SMALL.nSubbands * RB_DATA_RE;
  const record = {
    type: 'burst',
    startSample: 0,
    lengthSamples: 1,
    header: { session: 1, burst: 17, kind, slots: 1, csiNumber: 0, modelSet: 0, numerology: SMALL.id },
    extension: encodeExtension(SMALL, sealed),
    extensionOk: true,
    slots: 1,
    truncated: false,
    payload: new Float32Array(2 * re),
    payloadSnr: new Float32Array(re),
    subbandSnrDb,
  };
  receiver.phy.push = () => [record as never];
  const [event] = receiver.push(new Float32Array(0));
  assert.ok(event.type === 'burst');
  return event;
}

const GOOD: Extension = {
  codec: 4,
  image: 3,
  part: 0,
  partsLess1: 0,
  process: 0,
  redundancyVersion: 0,
  newData: 1,
  time: null,
  repeats: 0,
  original: 17,
  sideBytes: 20,
  sideRate: 0,
  interleaved: 1,
  modulation: new Array(6).fill(5),
  order: null,
  power: null,
  earlier: 0,
  later: 0,
  streams: [{ id: 0, analog: 1, baseGraph: 0, score: 255, re: 200, bytes: 0 }],
  blocks: [],
  mapCrc: 0,
};

test('extensions that contradict themselves, the burst or what came before are refused by name and change nothing', () => {
  const receiver = new Receiver({ numerology: SMALL, codecs: [new SfvCodec()] });
  const refused = (change: Partial<Extension>, problem: RegExp, kind: 1 | 2 = 1) => {
    const event = take(receiver, { ...GOOD, ...change }, kind);
    assert.match(event.problem ?? 'taken', problem, JSON.stringify(change));
    assert.equal(event.ack!.extensionOk, false);
  };
  // 154 RE a subband, one slot: 56 bytes would fit.
  refused({ sideBytes: MAX_SIDE_INFO_BYTES }, /sideBytes.*take \d+ RE of each subband/);
  refused({ sideBytes: 110 }, /sideBytes/);
  refused({ streams: [{ ...GOOD.streams[0], re: 900 }] }, /place 900 RE in a burst of/);
  refused({ sideBytes: 0, streams: [] }, /streams.*none/);
  refused({ partsLess1: 1, later: 2 ** 28 - 1 }, /MiB/);
  refused({}, /repeats/, 2);
  assert.equal(receiver.received.length, 0);
  assert.equal(take(receiver, GOOD, 1).problem, null);
  refused({ repeats: 1, sideBytes: 21 }, /sideBytes.*differ/, 2);
  refused({ repeats: 1, sideRate: 1 }, /sideBytes.*differ/, 2);
  const side = receiver.received[0].parts[0]!.side!;
  assert.equal(side.receptions, 1);
  assert.equal(take(receiver, { ...GOOD, repeats: 1, streams: [] }, 2).problem, null, 'side information alone');
  assert.equal(side.receptions, 2);
});

test('a subband whose SNR could not be measured is reported as the worst there is, and reports of another band are ignored', () => {
  const receiver = new Receiver({ numerology: SMALL, codecs: [new SfvCodec()] });
  const event = take(receiver, GOOD, 1, Float32Array.of(3, Number.NaN, -70, Number.POSITIVE_INFINITY, 0, 1));
  assert.deepEqual([...event.csi.codes], [92, 0, 0, 255, 80, 84]);
  const transmitter = new Transmitter({ numerology: SMALL, codec: new SfvCodec() });
  transmitter.takeReport({ ...event.csi, codes: new Uint8Array(7) }, 0);
  transmitter.takeReport({ ...event.csi, session: 2 }, 0);
  assert.equal(transmitter.harq.read(new Uint8Array(9)), null);
  assert.equal(transmitter.harq.counters.corrupt, 1);
});

test('whatever an extension says of side information and parts, a receiver takes it or refuses it by name', async () => {
  const codec = new SfvCodec();
  const receiver = new Receiver({ numerology: SMALL, codecs: [codec] });
  const whole = (min: number, max: number) => fc.integer({ min, max });
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        sideBytes: fc.oneof(fc.constant(0), whole(1, 60), whole(1, MAX_SIDE_INFO_BYTES)),
        sideRate: whole(0, 3),
        part: whole(0, 3),
        partsLess1: whole(3, 4),
        earlier: fc.oneof(fc.constant(0), whole(0, 3000), whole(0, 2 ** 24)),
        later: fc.oneof(fc.constant(0), whole(0, 3000), whole(0, 2 ** 24)),
        re: whole(1, 700),
        id: whole(0, 1),
        repeats: fc.constantFrom(0 as const, 1 as const),
      }),
      async ({ re, id, part, earlier, sideBytes, ...rest }) => {
        const streams = [{ ...GOOD.streams[0], id, re }];
        const e = { ...GOOD, ...rest, part, sideBytes, earlier: part > 0 ? earlier : 0, streams };
        if (sideBytes === 0) e.sideRate = 0;
        const event = take(receiver, e, rest.repeats ? 2 : 1);
        outcomes.add(event.problem === null ? 'taken' : 'refused');
        for (const picture of receiver.received) await receiver.picture(picture);
        for (const s of codec.received?.streams ?? []) {
          if (s.kind === 'analog') assert.equal(s.symbolsReIm.length, 2 * s.snrDb.length);
        }
      },
    ),
    { numRuns: 150 },
  );
  assert.deepEqual([...outcomes].sort(), ['refused', 'taken']);
});

test('side information is the first item of a part, and counts as one', async () => {
  const { transmitter } = await link({ kind: 'bits', minSize: 8 });
  const [sent] = (transmitter as unknown as { parts: { part: Parameters<typeof itemsOf>[0] }[] }).parts;
  const items = itemsOf(sent.part);
  assert.equal(items[0].kind, 'side');
  assert.ok(items.slice(1).every((item) => item.kind === 'block'));
  assert.equal(transmitter.pendingBlocks, items.length);
});
