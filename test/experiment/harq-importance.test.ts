import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LinkInput, resolveLinkConfig } from '../../src/experiment/config/link-config.ts';
import { setupLink } from '../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../src/experiment/loopback/exchange.ts';
import { countedRe } from '../../src/link/accounting.ts';
import type { Extension } from '../../src/phy/frame/extension.ts';
import { blank } from '../link/helpers.ts';
import { SfvCodec, type SfvCodecOptions } from '../link/sfv-codec.ts';

const SCORES = [252, 240, 236, 228, 220, 212];

/** SFVs over 6 subbands, where an interferer that the report knows nothing of comes up behind the sounding burst. */
async function faded(
  codecOptions: SfvCodecOptions,
  input: LinkInput,
  centreHz: number | null,
  { powerDb = 6, stop }: { powerDb?: number; stop?: number } = {},
) {
  const codec = new SfvCodec({ scores: SCORES, ...codecOptions });
  const jammer = {
    kind: 'subband',
    powerDb,
    centreHz: centreHz ?? 0,
    widthHz: 300e3,
    startS: centreHz === null ? 1e3 : 0.02,
  } as const;
  const config = resolveLinkConfig({
    numerology: 6,
    snrDb: 14,
    symbolsPerPixel: 0.5,
    maxCsiAgeMs: 1000,
    jammer,
    ideal: true,
    ...input,
  });
  const repeated: Extension[] = [];
  let rounds = 0;
  const exchange = new LoopbackExchange(
    config,
    { ...setupLink(config), codec },
    {
      lose: (burst) => {
        if (burst.use === 'retransmission') repeated.push(burst.extension!);
        return false;
      },
      round: () => ++rounds === stop,
    },
  );
  await exchange.open();
  const plan = await exchange.sendPicture(blank(256, 256));
  await exchange.close();
  const { receiver } = exchange.chain;
  await receiver.picture(receiver.received[0]);
  const [part] = receiver.received[0].parts;
  return { codec, config, exchange, plan, repeated, part: part!, rounds };
}

/** The best subbands are those of the lowest indices where all are alike: the first SFV lies at the lower edge. */
const LOWER_EDGE_HZ = -450e3;

test('analog SFVs that came far below what they were granted are asked for again, and only those; MRC adds to them', async () => {
  const once = await faded({}, { harq: 0 }, LOWER_EDGE_HZ);
  const damaged = once.part.standing().filter((s) => s.snrDb! < s.grantedDb! - 3);
  assert.ok(damaged.length > 0 && damaged.length < SCORES.length, `${damaged.length} damaged`);
  assert.ok(
    damaged.some((s) => s.id === 0),
    'the most important among them',
  );
  assert.equal(once.repeated.length, 0);

  const { repeated, part, exchange, config } = await faded({}, { repeatBudget: 3, harq: 1 }, LOWER_EDGE_HZ);
  assert.equal(repeated.length, 1);
  assert.equal(repeated[0].streams[0].id, 0, 'most important first');
  const asked = new Set(damaged.map((s) => s.id));
  assert.ok([...asked].some((id) => repeated[0].streams.some((s) => s.id === id)));
  const before = damaged.find((s) => s.id === 0)!.snrDb!;
  const after = part.standing().find((s) => s.id === 0)!.snrDb!;
  assert.ok(after > before + 2, `${before.toFixed(1)} dB, then ${after.toFixed(1)} dB`);
  assert.ok(countedRe(exchange.transmitter.budget) <= 3 * config.symbolsPerPixel * 256 * 256);
  assert.equal(exchange.transmitter.retransmittedRe, exchange.transmitter.budget.retransmission);
});

test('without room beyond the budget nothing analog is repeated, and a picture whose SFVs came as granted asks for nothing', async () => {
  const inside = await faded({}, { harq: 3 }, LOWER_EDGE_HZ);
  assert.equal(inside.repeated.length, 0);
  assert.ok(countedRe(inside.exchange.transmitter.budget) <= 0.5 * 256 * 256);
  const clean = await faded({}, { harq: 3, repeatBudget: 4 }, null);
  assert.equal(clean.repeated.length, 0, 'no interferer');
});

test('failed packets: importance repeats whole SFVs from the top as far as the room goes, uniform divides it among all', async () => {
  const bits = { kind: 'bits', minSize: 8, scores: [222, 219, 216, 213, 210, 207, 204, 201] } as const;
  const input = { harq: 1, repeatBudget: 1.6 } as const;
  const own = await faded(bits, input, 0, { powerDb: -4 });
  const even = await faded(bits, { ...input, harqBy: 'uniform' }, 0, { powerDb: -4 });
  const missing = (run: typeof own) =>
    run.part
      .standing()
      .filter((s) => s.missing)
      .map((s) => s.id);
  const named = (run: typeof own) => run.repeated.flatMap((e) => e.streams.map((s) => s.id));
  assert.ok(named(own).length > 0 && named(even).length > named(own).length, `${named(own)} against ${named(even)}`);
  const full = new Map(own.part.extension.streams.map((s) => [s.id, s.re]));
  const first = own.repeated[0].streams[0];
  assert.ok(first.re >= full.get(first.id)! / 2, `${first.re} of ${full.get(first.id)} RE`);
  assert.ok(
    Math.min(...named(own)) === Math.min(...named(even)),
    'both repeat the most important of those that failed',
  );
  assert.ok(missing(own).length > 0 && missing(even).length > 0, 'there was no room for all');
  const repaired = named(even).filter((id) => !missing(own).includes(id));
  assert.ok(repaired.includes(Math.min(...named(even))), 'the most important one arrives');
  assert.ok(missing(own).length <= missing(even).length, `${missing(own)} against ${missing(even)}`);
});

test('the tap behind every round stops the repetitions', async () => {
  const stopped = await faded({}, { repeatBudget: 4 }, LOWER_EDGE_HZ, { stop: 2 });
  assert.equal(stopped.rounds, 2);
  assert.equal(stopped.repeated.length, 1);
});

test('without a way back nothing is kept for repetitions, and the plan says so', async () => {
  const bits = { kind: 'bits', minSize: 8 } as const;
  const none = await faded(bits, { feedback: 'none', assumeSnrDb: 10 }, null);
  assert.match(none.plan.warnings.join(), /no feedback: nothing can be asked for again/);
  const off = await faded(bits, { feedback: 'none', assumeSnrDb: 10, harq: 0 }, null);
  assert.doesNotMatch(off.plan.warnings.join(), /asked for again/);
  assert.equal(none.plan.bursts[0].slots, off.plan.bursts[0].slots);
});
