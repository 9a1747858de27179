import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { LinkTrace, traceWarnings } from '../../src/experiment/metrics/link-trace.ts';
import { IQ_WINDOW, RxChain } from '../../src/link/chains.ts';
import { isComplete } from '../../src/link/received-picture.ts';
import { Receiver } from '../../src/link/receiver.ts';
import { type TransmitBurst, Transmitter } from '../../src/link/transmitter.ts';
import { TRANSMIT_RMS } from '../../src/phy/burst/transmit.ts';
import { frontendFor } from '../../src/phy/frontend/frontend.ts';
import { countAtLimit } from '../../src/radio/format/convert.ts';
import type { SampleBlock } from '../../src/radio/radio.ts';
import { air, BytesCodec, blank, block, SMALL } from './helpers.ts';

/** Sounding, one data burst, sounding: the middle one is hit. */
let bursts: TransmitBurst[];
let good: Float32Array;
let starts: number[];
let length: number;

before(async () => {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec(), assumedSnrDb: 8, harq: 0 });
  const plan = await transmitter.send(blank(100, 100), 10_000, 0);
  bursts = [transmitter.sounding(), ...plan.bursts, transmitter.sounding()];
  const made = air(SMALL, bursts, { snrDb: 15 });
  good = made.samples;
  starts = made.starts;
  length = good.length / 2;
});

/** Sample at a share of the data burst. */
const inside = (share: number) => starts[1] + Math.round(share * bursts[1].layout.samples);

function receive(blocks: Iterable<SampleBlock>) {
  const frontend = frontendFor(SMALL.sampleRateHz, (SMALL.nCarriers + 1) * 15e3, SMALL.sampleRateHz);
  const chain = new RxChain(frontend, new Receiver({ numerology: SMALL, codecs: [new BytesCodec()] }));
  const trace = new LinkTrace();
  for (const b of blocks) for (const event of chain.push(b)) trace.add(event, chain);
  for (const event of chain.flush()) trace.add(event, chain);
  trace.markLosses(chain);
  return { chain, trace, warnings: traceWarnings(trace, 0) };
}

/** The burst behind the one that was hit is in order, and so is the one before. */
function neighboursWhole(trace: LinkTrace, label: string): void {
  const sounding = trace.bursts.filter((b) => b.use === 'sounding');
  assert.equal(sounding.length, 2, `${label}: both neighbours`);
  for (const b of sounding) {
    assert.equal(b.suspect, null, label);
    assert.ok(Math.abs(b.snrDb - 15) < 2, `${label}: ${b.snrDb} dB`);
  }
}

function suspectOf(trace: LinkTrace): string {
  return trace.bursts.find((b) => b.use === 'data')?.suspect ?? '';
}

test('1 ms lost that the source knows of: counted, the burst marked, what follows in its place', () => {
  const count = SMALL.sampleRateHz / 1000;
  for (const share of [0.02, 0.1, 0.2, 0.5, 0.9]) {
    const from = inside(share);
    const lostBefore = { min: count, max: count, exact: true, from, to: from + count };
    const { chain, trace, warnings } = receive([
      block(good, 0, from),
      block(good, from + count, length, { lostBefore }),
    ]);
    const label = `at ${share}`;
    assert.equal(chain.lostSamples, count, label);
    neighboursWhole(trace, label);
    assert.ok(Math.abs(trace.bursts.at(-1)!.startSample - starts[2]) < 3, label);
    // A burst whose header is lost is a miss; one that is not is marked with what is known, nothing guessed beside it.
    if (trace.bursts.length === 3) assert.match(suspectOf(trace), new RegExp(`^${count} samples lost inside`), label);
    else assert.ok(trace.misses > 0 && warnings.some((w) => w.includes('preambles were seen')), label);
  }
});

test('the same lost without a word: found by the receiver, in the report, and nothing wrong is delivered', () => {
  const count = SMALL.sampleRateHz / 1000;
  const from = inside(0.7);
  const cut = new Float32Array(good.length - 2 * count);
  cut.set(good.subarray(0, 2 * from));
  cut.set(good.subarray(2 * (from + count)), 2 * from);
  const { chain, trace, warnings } = receive([block(cut, 0, length - count)]);
  assert.equal(chain.lostSamples, 0);
  neighboursWhole(trace, 'unknown gap');
  assert.match(suspectOf(trace), new RegExp(`^${count} samples missing in slot \\d+, unknown to the source`));
  assert.ok(warnings.some((w) => w.includes(`${count} samples missing`)));
  assert.ok(chain.receiver.received.every((p) => !isComplete(p)));
});

test('zeros in place of samples are silence, and said so', () => {
  const broken = good.slice();
  broken.fill(0, 2 * inside(0.7), 2 * (inside(0.7) + 1920));
  const { trace } = receive([block(broken, 0, length)]);
  neighboursWhole(trace, 'zeros');
  assert.match(suspectOf(trace), /^about 1(79|85|92)\d samples of silence inside/);
});

test('values that are no numbers, whole blocks of them included, are counted and reported', () => {
  for (const [value, from, count] of [
    [Number.NaN, inside(0.5), 1],
    [Number.POSITIVE_INFINITY, inside(0.1), 3000],
    [Number.NaN, starts[1] - 200, bursts[1].layout.samples + 400],
    [1e30, inside(0.5), 50],
  ]) {
    const broken = good.slice();
    broken.fill(value, 2 * from, 2 * (from + count));
    const blocks = [block(broken, 0, from), block(broken, from, from + count), block(broken, from + count, length)];
    const { trace, warnings } = receive(blocks);
    neighboursWhole(trace, `${value}`);
    // Both components of a sample, or, where only their square is absurd, the sample.
    assert.ok([count, 2 * count].includes(trace.notNumbers), `${trace.notNumbers} counted for ${count}`);
    assert.ok(warnings.some((w) => w.startsWith(`${trace.notNumbers} values were no numbers`)));
  }
});

test('8-bit samples 20 dB into the limiter: counted at the source; a burst of rails costs itself', () => {
  const native = new Int8Array(good.length);
  for (let i = 0; i < good.length; i++) {
    const hit = i >= 2 * inside(0.2) && i < 2 * inside(1.01);
    native[i] = Math.max(-128, Math.min(127, Math.round(128 * (hit ? 35 : 1) * good[i])));
  }
  const limited = countAtLimit(native, 128);
  const sample = {
    data: native,
    format: 'ci8',
    fullScale: 128,
    index: 0,
    lostBefore: null,
    timestampNs: null,
  } as const;
  const { trace } = receive([sample]);
  neighboursWhole(trace, 'limiter');
  assert.ok(limited > 0.5 * bursts[1].layout.samples, `${limited} at the limit`);
  native.fill(127, 2 * inside(-0.01), 2 * inside(1.01));
  const { trace: rails } = receive([{ ...sample, data: native }]);
  neighboursWhole(rails, 'rails');
  assert.equal(rails.bursts.length, 2);
});

test('full scale for longer than imbalance is estimated over is not taken for imbalance', () => {
  // On two of the windows over which the receiver estimates IQ imbalance I and Q step together.
  const rails = new Float32Array(2 * 2.5 * IQ_WINDOW).fill(1);
  const lead = rails.length / 2;
  const { chain, trace } = receive([block(rails, 0, lead), block(good, 0, length, { index: lead })]);
  neighboursWhole(trace, 'rails before');
  assert.ok(isComplete(chain.receiver.received[0]));
});

test('a carrier 30 dB above the signal, in the band or beside it, is taken out and reported; the picture arrives', () => {
  for (const cycles of [0.13, -0.33]) {
    const broken = good.slice();
    // The receiver has listened for a while before the first burst.
    const lead = new Float32Array(2 * 8192);
    const all = new Float32Array(lead.length + broken.length);
    all.set(lead);
    all.set(broken, lead.length);
    const amplitude = TRANSMIT_RMS * 10 ** 1.5;
    for (let i = 0; i < all.length / 2; i++) {
      all[2 * i] += amplitude * Math.cos(2 * Math.PI * cycles * i);
      all[2 * i + 1] += amplitude * Math.sin(2 * Math.PI * cycles * i);
    }
    const { chain, trace, warnings } = receive([block(all, 0, all.length / 2)]);
    neighboursWhole(trace, `${cycles}`);
    assert.ok(isComplete(chain.receiver.received[0]), `${cycles}`);
    assert.ok(warnings.some((w) => w === 'carriers taken out of what was received: 1'));
  }
});

test('twelve seconds of zeros before the first burst change nothing', { timeout: 60_000 }, () => {
  // In the blocks of a device. A minute at 7.68 Msps is timed by hand: no test depends on the clock.
  const zeros = new Float32Array(2 * 65_536);
  const blocks = 350;
  const silence = Array.from({ length: blocks }, (_, k) => block(zeros, 0, 65_536, { index: 65_536 * k }));
  const { chain, trace } = receive([...silence, block(good, 0, length, { index: 65_536 * blocks })]);
  assert.deepEqual(
    trace.bursts.map((b) => [b.use, b.suspect]),
    [
      ['sounding', null],
      ['data', null],
      ['sounding', null],
    ],
  );
  assert.ok(isComplete(chain.receiver.received[0]));
  assert.ok(Math.abs(trace.bursts[0].startSample - starts[0] - 65_536 * blocks) < 3);
  assert.equal(trace.misses, 0);
});
