import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { countedRe } from '../../src/link/accounting.ts';
import { MAX_DATA_SLOTS } from '../../src/link/plan/budget-split.ts';
import { type BurstEvent, Receiver } from '../../src/link/receiver.ts';
import { sideReOf } from '../../src/link/resource-map.ts';
import { type TransmitBurst, Transmitter, type TransmitterOptions } from '../../src/link/transmitter.ts';
import { NUMEROLOGIES, type Numerology, numerology, RB_DATA_RE } from '../../src/phy/numerology.ts';
import type { EncodedSource, EncodedStream } from '../../src/sct/codec/codec.ts';
import { air, blank, burstsOf, SMALL, unanswered } from './helpers.ts';
import { SfvCodec, unitPower } from './sfv-codec.ts';

const SNR_DB = 12;

/** A transmitter that knows the band: subbands between 6 and 18 dB. */
function informed(codec: SfvCodec, n: Numerology = SMALL, more: Partial<TransmitterOptions> = {}) {
  const transmitter = new Transmitter({ numerology: n, codec, mappingForced: true, ...more });
  const codes = Uint8Array.from({ length: n.nSubbands }, (_, s) => 4 * (SNR_DB + 20) + 8 * ((s * 7) % 5) - 16);
  transmitter.takeReport({ number: 9, session: 1, burst: 0, codes }, 0);
  return transmitter;
}

/** Takes bursts off the air. */
function hear(receiver: Receiver, bursts: readonly TransmitBurst[], snrDb = SNR_DB, seed = 'many'): BurstEvent[] {
  const { samples } = air(receiver.numerology, bursts, { snrDb, seed });
  return burstsOf([...receiver.push(samples), ...receiver.flush()]) as BurstEvent[];
}

const receiverOf = (codec: SfvCodec, n: Numerology = SMALL) => new Receiver({ numerology: n, codecs: [codec] });

test('in every mapping the same symbols are sent, on other RE, and all of them arrive with the SNR that is said', async () => {
  const places: string[] = [];
  const coded: string[] = [];
  for (const mapping of ['matched', 'uniform', 'random', 'worst'] as const) {
    const codec = new SfvCodec();
    const transmitter = informed(codec, SMALL, { mapping, seed: 3 });
    const plan = await transmitter.send(blank(100, 100), 12_000, 0);
    assert.equal(plan.map, mapping);
    assert.equal(plan.bursts.length, 1);
    const { extension } = plan.bursts[0];
    places.push(JSON.stringify([extension!.order, extension!.interleaved]));
    coded.push(JSON.stringify([codec.grants, extension!.streams, plan.bursts[0].slots]));
    const receiver = receiverOf(codec);
    const [event] = hear(receiver, plan.bursts);
    assert.equal(event.problem, null, mapping);
    assert.deepEqual(event.ack!.blocks, [true], 'the side information');
    await receiver.picture(receiver.received[0]);
    assert.deepEqual(codec.received!.sideInfo, codec.sideInfo);
    assert.deepEqual(
      codec.received!.streams.map((s) => s.id),
      [0, 1, 2, 3, 4],
    );
    for (const { id, size } of codec.grants) {
      const { weighed, came, count } = codec.excess(id);
      assert.equal(count, size);
      assert.equal(came, size);
      // 300 symbols at least: standard error 6 %; the channel estimate adds a little.
      assert.ok(weighed > 0.75 && weighed < 1.35, `${mapping}, stream ${id}: ${weighed}`);
    }
    assert.deepEqual(
      codec.received!.streams.map((s) => s.score),
      [250, 245, 240, 225, 190],
    );
    const { payload, sideInfo, padding } = transmitter.budget;
    assert.equal(sideInfo, sideReOf(SMALL, extension!) * SMALL.nSubbands);
    assert.equal(payload + sideInfo + padding, plan.bursts[0].layout.payloadRe);
    assert.equal(padding, 0, 'every RE is granted');
  }
  assert.equal(new Set(places).size, 4, 'four placements');
  assert.equal(new Set(coded).size, 1, 'of the same symbols');
});

test('many streams of bits: each has the code rate of its own RE, and every byte arrives', async () => {
  for (const mapping of ['matched', 'uniform'] as const) {
    const codec = new SfvCodec({ kind: 'bits', minSize: 8 });
    const plan = await informed(codec, SMALL, { mapping }).send(blank(100, 100), 20_000, 0);
    const { extension } = plan.bursts[0];
    const rates = extension!.streams.map((s) => (8 * s.bytes) / s.re);
    if (mapping === 'matched') {
      // The best RE go to the first stream: more bits on each of them.
      assert.ok(rates[0] > 1.2 * rates.at(-1)!, `${rates}`);
      assert.ok(new Set(extension!.modulation).size > 1, 'modulation by subband');
    }
    const receiver = receiverOf(codec);
    // The air is flat at 20 dB here, better than any subband was reported.
    const [event] = hear(receiver, plan.bursts, 20);
    assert.ok(event.ack!.blocks.length > 5 && event.ack!.blocks.every((ok) => ok), `${event.ack!.blocks}`);
    await receiver.picture(receiver.received[0]);
    for (const s of codec.received!.streams) {
      assert.ok(s.kind === 'bits' && s.missing.length === 0);
      const sent = codec.sent.get(s.id) as Extract<EncodedStream, { kind: 'bits' }>;
      assert.deepEqual(s.payload, sent.payload, `stream ${s.id}`);
    }
  }
});

test('streams below their minimum are dropped, and said to be', async () => {
  const codec = new SfvCodec({ scores: [250, 245, 240, 60, 20], minSize: 200 });
  const plan = await informed(codec).send(blank(100, 100), 9_000, 0);
  assert.deepEqual(plan.dropped, [3, 4]);
  assert.deepEqual(codec.grants.map((g) => g.id).sort(), [0, 1, 2]);
  assert.equal(plan.bursts[0].extension!.streams.length, 3);
});

test('without a report the robust map is used: everything over the whole band, at the lowest extension rate', async () => {
  const codec = new SfvCodec();
  const transmitter = new Transmitter({ numerology: SMALL, codec, assumedSnrDb: 3 });
  const plan = await transmitter.send(blank(100, 100), 12_000, 0);
  assert.equal(plan.map, 'robust');
  assert.equal(plan.csiNumber, 0);
  const { extension } = plan.bursts[0];
  assert.equal(extension!.interleaved, 1);
  assert.equal(extension!.order, null);
  for (const { snrDb } of codec.grants) assert.ok(Math.abs(snrDb! - 3) < 0.05, `${snrDb}`);
});

test('a picture of several bursts: whole streams in each, side information in the first; a lost burst leaves the rest in place', async () => {
  const n = numerology(4);
  // One stream of nearly everything: it must be divided.
  const codec = new SfvCodec({ scores: [254, 200, 199, 198] });
  const transmitter = informed(codec, n, { harq: 0 });
  const budget = 2.5 * MAX_DATA_SLOTS * n.nSubbands * RB_DATA_RE;
  const plan = await transmitter.send(blank(400, 400), budget, 0);
  assert.equal(plan.bursts.length, 3);
  const extensions = plan.bursts.map((b) => b.extension!);
  assert.deepEqual(
    extensions.map((e) => e.sideBytes),
    [60, 0, 0],
  );
  const total = codec.grants.find((g) => g.id === 0)!.size;
  const parts = extensions.flatMap((e) => e.streams.filter((s) => s.id === 0).map((s) => s.re));
  assert.ok(parts.length >= 2, 'it is divided');
  assert.equal(
    parts.reduce((a, b) => a + b, 0),
    total,
  );
  assert.ok(countedRe(transmitter.budget) <= budget);
  for (const lost of [null, 0, 1, 2]) {
    const receiver = receiverOf(codec, n);
    const heard = plan.bursts.filter((_, i) => i !== lost);
    hear(receiver, heard, SNR_DB, `lost ${lost}`);
    await receiver.picture(receiver.received[0]);
    const { sideInfo, streams } = codec.received!;
    assert.deepEqual(sideInfo, lost === 0 ? undefined : codec.sideInfo);
    const gone = lost === null ? 0 : (extensions[lost].streams.find((s) => s.id === 0)?.re ?? 0);
    const { weighed, came, count } = codec.excess(0);
    assert.equal(count, total, 'its length is known');
    assert.equal(came, total - gone);
    assert.ok(weighed > 0.8 && weighed < 1.3, `lost ${lost}: ${weighed}`);
    const whole = new Set(heard.flatMap((b) => b.extension!.streams.map((s) => s.id)));
    assert.deepEqual(new Set(streams.map((s) => s.id)), whole);
  }
});

test('bytes of a stream over several bursts keep their places when one of them is lost', async () => {
  const n = numerology(4);
  const codec = new SfvCodec({ kind: 'bits', scores: [255], sideBytes: 0 });
  const plan = await informed(codec, n, { harq: 0 }).send(blank(400, 400), 2.5 * MAX_DATA_SLOTS * 616, 0);
  assert.equal(plan.bursts.length, 3);
  const sizes = plan.bursts.map((b) => b.extension!.streams[0].bytes);
  const receiver = receiverOf(codec, n);
  hear(receiver, [plan.bursts[0], plan.bursts[2]], 20);
  await receiver.picture(receiver.received[0]);
  const [stream] = codec.received!.streams;
  assert.ok(stream.kind === 'bits');
  assert.deepEqual(stream.missing, [{ from: sizes[0], to: sizes[0] + sizes[1] }]);
  const { payload } = codec.sent.get(0) as Extract<EncodedStream, { kind: 'bits' }>;
  assert.equal(stream.payload.length, payload.length);
  assert.deepEqual(stream.payload.subarray(0, sizes[0]), payload.subarray(0, sizes[0]));
  assert.deepEqual(stream.payload.subarray(sizes[0] + sizes[1]), payload.subarray(sizes[0] + sizes[1]));
});

test('whatever the codec, control, side information and repetitions stay within the budget; what is too small says what would do', async () => {
  const random = new RandomStream('many budgets');
  let sent = 0;
  let refused = 0;
  for (let i = 0; i < 150; i++) {
    const n = NUMEROLOGIES[random.integer(NUMEROLOGIES.length)];
    const kind = random.integer(2) ? 'analog' : 'bits';
    const scores = Array.from({ length: 1 + random.integer(32) }, () => 120 + random.integer(136));
    const options = { kind, scores, sideBytes: random.integer(350), minSize: 1 + random.integer(60) } as const;
    const codec = new SfvCodec(options);
    const harq = random.integer(4);
    const make = () =>
      random.integer(2) ? informed(codec, n, { harq }) : new Transmitter({ numerology: n, codec, harq });
    const transmitter = make();
    const [width, height] = [64 + random.integer(400), 64 + random.integer(400)];
    const budget = Math.floor(width * height * random.between(0.02, 0.5));
    try {
      let last = (await transmitter.send(blank(width, height), budget, 0)).bursts;
      for (let round = 0; round < 5; round++) last = unanswered(transmitter, last);
      assert.ok(countedRe(transmitter.budget) <= budget, `${countedRe(transmitter.budget)} of ${budget}`);
      sent++;
    } catch (error) {
      assert.ok(error instanceof UsageError && /too small|takes \d+ slots/.test(error.message), `${error}`);
      assert.equal(countedRe(transmitter.budget), 0, 'nothing is counted');
      const hint = /--symbols-per-pixel ([\d.e+-]+)/.exec(error.hint ?? '');
      if (hint) await transmitter.send(blank(width, height), Number(hint[1]) * width * height, 0);
      refused++;
    }
  }
  assert.ok(sent > 60 && refused > 20, `${sent} sent, ${refused} refused`);
});

test('a codec that breaks its contract is refused by name', async () => {
  const spoilt: [RegExp, (e: EncodedSource) => EncodedSource][] = [
    [/mean power of 3\.\d+ dB/, (e) => ({ ...e, streams: e.streams.map(scaled(Math.SQRT2)) })],
    [/mean power of NaN dB/, (e) => ({ ...e, streams: e.streams.map(scaled(Number.NaN)) })],
    [/granted exactly/, (e) => ({ ...e, streams: e.streams.map(shortened) })],
    [/stream 77, which was granted nothing/, (e) => ({ ...e, streams: [...e.streams, { ...e.streams[0], id: 77 }] })],
    [/stream 0 twice/, (e) => ({ ...e, streams: [...e.streams, e.streams[0]] })],
    [/as bits, not as/, (e) => ({ ...e, streams: [{ id: 0, kind: 'bits', payload: new Uint8Array(3) }] })],
    [/more than it announced/, (e) => ({ ...e, sideInfo: new Uint8Array(900) })],
  ];
  for (const [message, spoil] of spoilt) {
    const transmitter = informed(new SfvCodec({ spoil }));
    await assert.rejects(transmitter.send(blank(100, 100), 12_000, 0), (error: unknown) => {
      assert.ok(error instanceof UsageError && message.test(error.message), `${message}: ${error}`);
      return true;
    });
    assert.equal(countedRe(transmitter.budget), 0);
  }
  const bits = new SfvCodec({ kind: 'bits', spoil: (e) => ({ ...e, streams: e.streams.map(lengthened) }) });
  await assert.rejects(informed(bits).send(blank(100, 100), 20_000, 0), /granted \d+/);
});

function scaled(gain: number) {
  return (s: EncodedStream): EncodedStream =>
    s.kind === 'analog' ? { ...s, symbolsReIm: s.symbolsReIm.map((v) => gain * v) } : s;
}

function shortened(s: EncodedStream): EncodedStream {
  return s.kind === 'analog'
    ? { ...s, symbolsReIm: unitPower(new RandomStream('x'), s.symbolsReIm.length / 2 - 1) }
    : s;
}

function lengthened(s: EncodedStream): EncodedStream {
  return s.kind === 'bits' ? { ...s, payload: new Uint8Array(s.payload.length + 1) } : s;
}
