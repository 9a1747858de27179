import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, UsageError } from '../../../src/common/errors.ts';
import { RxChain } from '../../../src/link/chains.ts';
import { Receiver } from '../../../src/link/receiver.ts';
import {
  MAX_REVERSE_SLOTS,
  packMessages,
  ReverseTransmitter,
  unpackMessages,
} from '../../../src/link/reverse/reverse-burst.ts';
import { MAX_REVERSE_BYTES } from '../../../src/link/reverse/reverse-messages.ts';
import { answersTo } from '../../../src/link/session/listener.ts';
import { LiveAir } from '../../../src/link/session/live-air.ts';
import { SenderSession } from '../../../src/link/session/sender.ts';
import { TurningReceiver } from '../../../src/link/session/turning-receiver.ts';
import { TurningSender } from '../../../src/link/session/turning-sender.ts';
import { Transmitter } from '../../../src/link/transmitter.ts';
import { NUMEROLOGIES, SLOT_SYMBOLS } from '../../../src/phy/numerology.ts';
import { air, BytesCodec, blank, block, burstsOf, SMALL } from '../helpers.ts';
import { FRONTEND, liveLink } from './helpers.ts';
import '../../fixed-seed.js';

const message = fc.uint8Array({ minLength: 1, maxLength: MAX_REVERSE_BYTES });

test('messages of a reverse burst come out as they went in; anything else is a FormatError or messages within bounds', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.nat({ max: 16 }), (messages, zeros) => {
      const packed = packMessages(messages);
      const padded = new Uint8Array(packed.length + zeros);
      padded.set(packed);
      assert.deepEqual(unpackMessages(padded), messages);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 504 }), (bytes) => {
      try {
        for (const m of unpackMessages(bytes)) assert.ok(m.length >= 1 && m.length <= MAX_REVERSE_BYTES);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
  );
  assert.throws(() => packMessages([new Uint8Array(MAX_REVERSE_BYTES + 1)]), UsageError);
});

test('at every numerology the largest message fits into a reverse burst of four slots', () => {
  for (const n of NUMEROLOGIES) {
    const reverse = new ReverseTransmitter(n);
    const [burst, ...more] = reverse.bursts(7, [new Uint8Array(MAX_REVERSE_BYTES).fill(1)]);
    assert.deepEqual(more, []);
    assert.ok(
      burst.length / 2 <= n.preambleLength + MAX_REVERSE_SLOTS * SLOT_SYMBOLS * n.symbolLength,
      n.id.toString(),
    );
  }
});

test('a receiver understands reverse bursts at 0 dB, and many messages make several bursts', () => {
  const messages = Array.from({ length: 6 }, (_, i) => new Uint8Array(60).fill(i + 1));
  const bursts = new ReverseTransmitter(SMALL).bursts(9, messages);
  assert.ok(bursts.length > 1);
  const layout = (samples: Float32Array) => ({ samples, layout: { samples: samples.length / 2 } });
  const { samples } = air(SMALL, bursts.map(layout) as never, { snrDb: 0 });
  const chain = new RxChain(FRONTEND, new Receiver({ numerology: SMALL, codecs: [] }));
  const heard = burstsOf([...chain.push(block(samples, 0, samples.length / 2)), ...chain.flush()]);
  assert.ok(heard.every((b) => b.use === 'reverse' && b.record.header.session === 9));
  assert.deepEqual(
    heard.flatMap((b) => unpackMessages(b.record.extension!)),
    messages,
  );
});

test('two half-duplex radios: they turn around for the report and the acknowledgement, and the picture goes by it', async () => {
  const link = await liveLink({ snrDb: 20, duplex: 'half' });
  const codec = new BytesCodec(0.9);
  const transmitter = new Transmitter({ numerology: SMALL, codec, ackTimeoutS: 2, maxCsiAgeS: 5 });
  const listening = new BytesCodec(0.9);
  const receiver = new Receiver({ numerology: SMALL, codecs: [listening] });
  const chain = new RxChain(FRONTEND, receiver);
  const common = { rx: {}, tx: {}, numerology: SMALL, frontend: FRONTEND };
  const answering = await TurningReceiver.open({ radio: link.far, ...common });
  let deaf = 0;
  const hearing = (async () => {
    for await (const b of answering) {
      if (b.lostBefore?.deaf) deaf++;
      for (const event of chain.push(b)) {
        if (event.type === 'burst' && event.use !== 'reverse')
          answering.answer(event.record.header.session, answersTo(event, null));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const turning = new TurningSender({ radio: link.near, ...common, session: transmitter.options.session });
  const live = new LiveAir({
    port: turning,
    time: turning,
    modemRateHz: SMALL.sampleRateHz,
    deviceRateHz: SMALL.sampleRateHz,
  });
  const sender = new SenderSession({
    transmitter,
    air: live,
    feedback: turning,
    knowledge: null,
    answers: true,
    soundings: { count: 2, everyS: 0.02 },
    waitS: { report: 2, answers: 2 },
  });
  const plan = await sender.sendPicture(blank(160, 120), 12_000);
  await turning.close();
  await answering.close();
  await hearing;
  await link.close();
  assert.ok(plan.csiNumber > 0 && plan.map === 'matched', plan.mapReason);
  assert.equal(transmitter.pendingBlocks, 0, 'all was acknowledged over the air');
  assert.ok(turning.counters.heard >= 2 && turning.counters.refused === 0);
  assert.ok(turning.reverseRe >= 2 * SMALL.nCarriers && Number.isInteger(turning.reverseRe), `${turning.reverseRe} RE`);
  assert.ok(deaf >= 2, 'gaps are marked as such');
  assert.equal(chain.lostSamples, 0, 'and are no losses');
  await receiver.picture(receiver.received[0]);
  assert.deepEqual(listening.arrived, codec.sent);
});
