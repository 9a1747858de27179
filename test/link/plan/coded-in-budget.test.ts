import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countedRe } from '../../../src/link/accounting.ts';
import { ChannelTooPoor, unsentOf } from '../../../src/link/plan/coded-in-budget.ts';
import { Transmitter, type TransmitterOptions } from '../../../src/link/transmitter.ts';
import type { Codec } from '../../../src/sct/codec/codec.ts';
import { DoesNotFit } from '../../../src/sct/codec/does-not-fit.ts';
import { BytesCodec, blank, SMALL } from '../helpers.ts';
import { SfvCodec } from '../sfv-codec.ts';

/** A codec of one stream that cannot do with less than so many bytes, and says so only when it codes. */
class LeastBytes extends BytesCodec {
  readonly least: number;
  constructor(least: number) {
    super();
    this.least = least;
  }

  override async analyse(...args: Parameters<BytesCodec['analyse']>) {
    const plan = await super.analyse(...args);
    const encode: typeof plan.encode = (grants) => {
      const { size } = grants[0];
      if (size < this.least) throw new DoesNotFit(`not into ${size} bytes`, `${this.least} would do`, this.least);
      return plan.encode(grants);
    };
    return { ...plan, encode };
  }
}

/** A transmitter that has been told that every subband has this SNR; null: it has been told nothing and assumes -10 dB. */
function told(codec: Codec, snrDb: number | null, options: Partial<TransmitterOptions> = {}) {
  const transmitter = new Transmitter({ numerology: SMALL, codec, assumedSnrDb: -10, ...options });
  if (snrDb === null) return transmitter;
  const codes = new Uint8Array(SMALL.nSubbands).fill(4 * (snrDb + 20));
  transmitter.takeReport({ number: 7, session: 1, burst: 0, codes }, 0);
  return transmitter;
}

const IMAGE = blank(100, 100);

test('a picture that only a better channel would carry has a plan without bursts, and leaves nothing behind', async () => {
  for (const harq of [0, 3]) {
    for (const snrDb of [-10, null]) {
      const transmitter = told(new LeastBytes(600), snrDb, { harq });
      const error = await transmitter.send(IMAGE, 5000, 0.01).catch((e: unknown) => e);
      assert.ok(error instanceof ChannelTooPoor, `${error}`);
      assert.match(`${error.message} ${error.hint}`, /^not into \d+ bytes 600 would do$/);
      assert.equal(error.exitCode, 2, 'whoever wants it on the air is refused');
      const plan = await unsentOf(transmitter.send(IMAGE, 5000, 0.01));
      assert.deepEqual([plan.bursts, plan.grants, plan.dropped, plan.payloadBytes], [[], [], [0], 0]);
      assert.deepEqual(plan.unsent, { reason: 'budget', why: `${error.message} (600 would do)` });
      assert.equal(plan.csiNumber, snrDb === null ? 0 : 7);
      assert.equal(plan.reportedSnrDb?.[0] ?? null, snrDb);
      assert.equal(plan.csiAgeS, snrDb === null ? null : 0.01);
      assert.equal(countedRe(transmitter.budget), 0);
      assert.equal(transmitter.harq.nextDueS, null, 'nothing is waited for');
      // The next picture is sent as if there had been none.
      const codes = new Uint8Array(SMALL.nSubbands).fill(160);
      transmitter.takeReport({ number: 8, session: 1, burst: 0, codes }, 0);
      const sent = await unsentOf(transmitter.send(IMAGE, 5000, 0.01));
      assert.equal(sent.unsent, null);
      assert.equal(sent.bursts.length, 1);
    }
  }
});

test('what the best channel would not carry either is refused, whatever the channel is', async () => {
  for (const snrDb of [-10, 20, 43, null]) {
    for (const [codec, budget] of [
      [new LeastBytes(600), 700],
      [new LeastBytes(100_000), 5000],
      [new SfvCodec({ minSize: 4000 }), 5000],
      [new SfvCodec({ kind: 'bits', minSize: 50_000 }), 5000],
    ] as const) {
      const error = await unsentOf(told(codec, snrDb).send(IMAGE, budget, 0)).catch((e: unknown) => e);
      assert.ok(error instanceof DoesNotFit && !(error instanceof ChannelTooPoor), `${error}`);
    }
  }
});

test('streams of bits whose smallest needs more than the channel carries are kept back, and go over a better one', async () => {
  const codec = new SfvCodec({ kind: 'bits', minSize: 400 });
  const poor = await unsentOf(told(codec, -8).send(IMAGE, 6000, 0));
  assert.equal(poor.unsent?.reason, 'budget');
  assert.match(poor.unsent!.why, /^a budget of 6000 symbols is too small.*\(give at least --symbols-per-pixel/);
  assert.deepEqual(poor.dropped, [0, 1, 2, 3, 4]);
  const good = await unsentOf(told(codec, 30).send(IMAGE, 6000, 0));
  assert.ok(good.unsent === null && good.grants.length > 0);
});

test('a budget that is enough stays enough when it grows: what is kept for repetitions makes way', async () => {
  for (const streams of ['one', 'several'] as const) {
    const took: boolean[] = [];
    for (let budget = 300; budget <= 9000; budget += 150) {
      const codec = streams === 'one' ? new LeastBytes(1) : new SfvCodec({ kind: 'bits', minSize: 20 });
      // An old report that is used all the same: half of the budget is wanted for repetitions.
      const options = { mappingForced: true, dopplerHz: 70 } as const;
      const sending = told(codec, 12, options).send(IMAGE, budget, 0.05);
      const sent = await unsentOf(sending).catch((e: unknown) => e as Error);
      if (sent instanceof Error) assert.ok(sent instanceof DoesNotFit, `${sent}`);
      took.push(!(sent instanceof Error) && sent.unsent === null);
    }
    const first = took.indexOf(true);
    assert.ok(first > 0 && took.slice(first).every(Boolean), `${streams}: ${took.map(Number).join('')}`);
  }
});

test('other errors pass', async () => {
  const broken = new SfvCodec({ spoil: (e) => ({ ...e, streams: [...e.streams, { ...e.streams[0], id: 77 }] }) });
  await assert.rejects(unsentOf(told(broken, 10).send(IMAGE, 6000, 0)), /stream 77/);
});
