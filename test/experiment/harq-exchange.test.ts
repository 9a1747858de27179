import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitCode } from '../../src/common/errors.ts';
import { RandomStream } from '../../src/common/random.ts';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { budgetOf, setupLink } from '../../src/experiment/config/link-setup.ts';
import { type ExchangeTaps, LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { exitCodeOf } from '../../src/experiment/metrics/exit-code.ts';
import { linkMetrics } from '../../src/experiment/metrics/link-metrics.ts';
import { transmitFacts } from '../../src/experiment/metrics/transmit-facts.ts';
import { addBurst, countedRe, emptyBudget } from '../../src/link/accounting.ts';
import { isComplete } from '../../src/link/receiver.ts';
import type { TransmitBurst } from '../../src/link/transmitter.ts';
import { rgbImage } from '../../src/sct/image/rgb-image.ts';

const [WIDTH, HEIGHT] = [320, 240];

/** A smooth picture, the same every time. */
function picture() {
  const data = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) data[i] = 128 + 90 * Math.sin(i / 97) * Math.cos(i / (3 * WIDTH * 20));
  return rgbImage(WIDTH, HEIGHT, data);
}

/** One picture over a loopback with losses; what came of it by the contract. */
async function run(input: LinkInput, taps: ExchangeTaps & { garbage?: number } = {}) {
  const config = resolveLinkConfig({ numerology: 6, snrDb: 18, symbolsPerPixel: 0.5, ...input });
  const setup = setupLink(config);
  const image = picture();
  const sent: string[] = [];
  const onAir = emptyBudget();
  const lose = (burst: TransmitBurst): boolean => {
    const used = burst.extension?.streams.reduce((sum, stream) => sum + stream.re, 0) ?? 0;
    addBurst(onAir, setup.numerology, burst.layout, burst.use, used);
    return taps.lose?.(burst) ?? false;
  };
  const exchange = new LoopbackExchange(config, setup, { ...taps, lose, burst: (use) => sent.push(use) });
  await exchange.open();
  const random = new RandomStream('garbage on the way back');
  for (let i = 0; i < (taps.garbage ?? 0); i++) exchange.feedback.send(random.bytes(random.integer(70)), 0);
  const plan = await exchange.sendPicture(image);
  const endS = exchange.nowS;
  await exchange.close();
  const facts = transmitFacts(plan, exchange.transmitter);
  const received = exchange.chain.receiver.received.at(-1);
  const decoded = received && (await exchange.chain.receiver.picture(received));
  const metrics = linkMetrics({
    config,
    trace: exchange.trace,
    facts,
    source: image,
    decoded,
    samples: exchange.chain.samples,
    lostSamples: 0,
    clippedSamples: 0,
    modelled: true,
  });
  const heard = exchange.trace.bursts.length > 0;
  assert.deepEqual(facts.budget, onAir, 'every burst on the air is counted once');
  assert.ok(countedRe(facts.budget) <= budgetOf(config, WIDTH * HEIGHT), 'repetitions stay inside the budget');
  const repeats = sent.filter((use) => use === 'retransmission').length;
  assert.equal(metrics.harq!.bursts, repeats);
  assert.ok(repeats <= config.harq * plan.bursts.length, 'no more rounds than allowed');
  assert.ok(endS < 5, 'it ends');
  const complete = received !== undefined && isComplete(received);
  return { metrics, harq: metrics.harq!, exitCode: exitCodeOf(metrics, config, heard), complete, exchange, repeats };
}

/** A fading channel with a report so old that the budget keeps half for repetitions. */
const FADING: LinkInput = { channel: 'epa', snrDb: 30, csiDelayMs: 100, maxCsiAgeMs: 200 };

test('without losses nothing is repeated and nothing waited for', async () => {
  const { harq, exitCode, complete } = await run({});
  assert.ok(complete);
  assert.equal(exitCode, ExitCode.ok);
  assert.deepEqual(harq, {
    rounds: 0,
    bursts: 0,
    streams: 0,
    symbols: 0,
    timeouts: 0,
    unacknowledged: 0,
    lateAcks: 0,
    duplicateAcks: 0,
    refusedAcks: 0,
    repetitions: 0,
    recovered: 0,
    duplicates: 0,
    flushes: 0,
    evictions: 0,
  });
});

test('every acknowledgement lost: the sender times out, repeats as far as it may and ends; the picture is there', async () => {
  // The way back is cut after the report: the transmitter knows the channel, but nothing else comes through.
  const { harq, exitCode, complete, repeats, metrics } = await run(FADING, { feedbackLoss: 1 });
  assert.ok(complete);
  assert.equal(exitCode, ExitCode.ok);
  assert.ok(repeats > 0 && harq.timeouts! > 0 && harq.unacknowledged! > 0, JSON.stringify(harq));
  assert.equal(harq.repetitions, repeats);
  assert.equal(harq.recovered, 0);
  assert.equal(metrics.outage, 0);
});

test('some acknowledgements lost: what is heard of later counts, and the receiver takes no block twice', async () => {
  let timeouts = 0;
  for (let seed = 1; seed <= 4; seed++) {
    const { harq, complete, exchange } = await run({ ...FADING, seed }, { feedbackLoss: 0.5 });
    assert.ok(complete, `seed ${seed}`);
    timeouts += harq.timeouts!;
    const blocks = exchange.trace.bursts.filter((b) => b.harq?.outcome === 'new').flatMap((b) => b.blocks);
    assert.equal(exchange.trace.firstBlocks, blocks.length);
  }
  assert.ok(timeouts > 0);
});

test('the first data burst wiped out on the air: no answer, a timeout, and its repetition carries the picture', async () => {
  let first = true;
  const lose = (burst: { use: string }) => burst.use === 'data' && first && !(first = false);
  const { harq, exitCode, complete, metrics, exchange } = await run(FADING, { lose });
  assert.ok(complete, JSON.stringify(harq));
  assert.equal(exitCode, ExitCode.ok);
  assert.ok(metrics.psnrDb! > 25);
  assert.equal(harq.timeouts, 1);
  assert.equal(harq.recovered, 1);
  assert.equal(exchange.trace.dataBursts.length, 0);
  assert.equal(metrics.bler, null, 'no first transmission was heard');
});

test('all data bursts and repetitions lost: it ends with exit 5; nothing at all heard: exit 4', async () => {
  const { harq, exitCode, metrics, repeats } = await run(FADING, { lose: (b) => b.use !== 'sounding' });
  assert.equal(exitCode, ExitCode.quality);
  assert.ok(repeats > 0 && harq.timeouts! >= repeats);
  assert.ok(harq.unacknowledged! > 0);
  assert.equal(metrics.outage, 1);
  const silent = await run(FADING, { lose: () => true });
  assert.equal(silent.exitCode, ExitCode.noSignal);
  assert.equal(silent.harq.repetitions, null, 'a receiver that heard nothing has no counts');
});

test('garbage on the way back is refused and counted, and changes nothing', async () => {
  const { harq, complete } = await run({}, { garbage: 50 });
  assert.ok(complete);
  assert.equal(harq.refusedAcks, 50);
  assert.equal(harq.bursts, 0);
});

test('no way back: one transmission, no waiting', async () => {
  const { harq, repeats } = await run({ feedback: 'none', assumeSnrDb: 10 });
  assert.equal(repeats, 0);
  assert.equal(harq.timeouts, 0);
});
