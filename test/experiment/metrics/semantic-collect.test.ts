import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { setupLink } from '../../../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../../../src/experiment/loopback/exchange.ts';
import { heardSemantics, sentSemantics } from '../../../src/experiment/metrics/semantic-collect.ts';
import { parseSemanticFacts, semanticFactsJson } from '../../../src/experiment/metrics/semantic-facts.ts';
import type { TransmissionPlan } from '../../../src/link/transmission.ts';
import type { DecodedImage } from '../../../src/sct/codec/codec.ts';
import { IntegratedCodec } from '../../../src/sct/codec/integrated.ts';
import { loadDemoPhoto } from '../../../src/sct/image/demo.ts';
import { cropImage } from '../../../src/sct/image/save.ts';
import { loadModels, type SemanticModels } from '../../../src/sct/semantics/models.ts';

/** A picture through the whole modem, once; both ends' view of it. */
let models: SemanticModels;
let exchange: LoopbackExchange;
let plan: TransmissionPlan;
let decoded: DecodedImage;

before(async () => {
  models = await loadModels({ size: 'live' });
  const config = resolveLinkConfig({ channel: 'eva', snrDb: 12, dopplerHz: 5, cbr: 1 / 8, numerology: 6 });
  const setup = { ...setupLink(config), codec: new IntegratedCodec(models) };
  exchange = new LoopbackExchange(config, setup);
  await exchange.open();
  plan = await exchange.sendPicture(cropImage(await loadDemoPhoto(), 300, 120, 192, 160));
  await exchange.close();
  const { receiver } = exchange.chain;
  decoded = await receiver.picture(receiver.received.at(-1)!);
});
after(() => models.close());

const numerology = () => exchange.chain.receiver.numerology;
const sent = () => sentSemantics(numerology(), models.tables.labels, plan.source, plan, decoded)!;
const heard = () => heardSemantics(numerology(), models.tables.labels, exchange.trace.dataBursts, decoded);

test('what a receiver hears of the SFVs is what the sender placed', () => {
  const [a, b] = [sent(), heard()];
  assert.deepEqual(b.bursts, a.bursts);
  assert.deepEqual(b.partition, a.partition);
  const placed = new Set(a.bursts.flatMap((burst) => [...burst.map.sfvOrder]));
  assert.ok(placed.size >= 2);
  for (const id of placed) assert.equal(b.scores![id], a.scores![id]);
  assert.deepEqual(
    b.ranking,
    a.ranking!.filter((id) => placed.has(id)),
  );
  assert.equal(b.importance, undefined);
});

test('grants are what the map places; a stored sender reads back', () => {
  const a = sent();
  const symbols = new Map<number, number>();
  for (const { map } of a.bursts) {
    map.sfvOrder.forEach((id, i) => {
      symbols.set(id, (symbols.get(id) ?? 0) + map.reCounts[i]);
    });
  }
  assert.deepEqual([...symbols].sort(), plan.grants.map((g) => [g.id, g.size] as const).sort());
  const { labels, ...facts } = a;
  const stored = JSON.parse(JSON.stringify(semanticFactsJson({ ...facts, partition: a.partition! })));
  assert.deepEqual({ labels, ...parseSemanticFacts(stored) }, a);
});
