import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../../src/common/errors.ts';
import { parseJson } from '../../../src/common/json-input.ts';
import { RandomStream } from '../../../src/common/random.ts';
import {
  parseSemanticFacts,
  type SemanticFacts,
  semanticFactsJson,
} from '../../../src/experiment/metrics/semantic-facts.ts';
import { allocate } from '../../../src/sct/allocation/allocate.ts';
import { cutPartition, keptFirst } from '../../../src/sct/partition/select.ts';
import { sampleAnalysis } from '../analyze/sample.ts';

/** What a sender would store: an analysis of a stand-in for the networks, one burst of five slots. */
async function sample(width: number, height: number): Promise<SemanticFacts> {
  const a = await sampleAnalysis(width, height);
  const [subbands, slots] = [6, 5];
  const shape = { nSubbands: subbands, nSlots: slots, rePerRb: new Uint16Array(subbands * slots).fill(100) };
  const { map } = allocate({ shape, csi: new RandomStream(1).bytes(subbands), scores: a.scores, mapping: 'matched' });
  return {
    partition: a.partition,
    scores: a.scores,
    ranking: a.ranking,
    importance: a.importance.data,
    bursts: [{ burst: 3, subbands, slots, reservedRe: 20, map }],
    sideSplit: { header: 8, sfvTable: 3, partition: 20, classMap: 50, total: 81 },
    settings: { mode: 'overall', thetaLevel: 20, csiDb: 5.25, sent: true },
    timingsMs: { features: 12.5 },
  };
}

const stored = (facts: SemanticFacts) => JSON.stringify(semanticFactsJson(facts));

test('what is stored is what is read, to the last bit', async () => {
  const facts = await sample(240, 150);
  assert.deepEqual(parseSemanticFacts(parseJson('x', stored(facts))), facts);
  const bare: SemanticFacts = {
    ...facts,
    scores: undefined,
    ranking: undefined,
    importance: undefined,
    sideSplit: undefined,
    bursts: [],
  };
  assert.deepEqual(parseSemanticFacts(parseJson('x', stored(bare))), bare);
});

test('what selective mode cut and renumbered is read as it was', async () => {
  const facts = await sample(240, 150);
  const cut = cutPartition(facts.partition, { column: 3, row: 2, columns: 6, rows: 4 });
  const kept = Uint8Array.from(cut.sfvs, ({ id }) => (id >= facts.partition.sfvs.length ? 1 : 0));
  const { partition } = keptFirst(cut, kept);
  assert.ok(partition.sfvs.length > facts.partition.sfvs.length);
  const scores = Uint8Array.from(partition.sfvs, (_, i) => 200 - i);
  const selective: SemanticFacts = { ...facts, partition, scores, ranking: undefined };
  const text = stored(selective);
  assert.deepEqual(parseSemanticFacts(parseJson('x', text)), selective);
  const broken = (cells: (sfvOf: Uint8Array) => Uint8Array) => () => {
    const sfvOf = Buffer.from(cells(partition.sfvOf.slice())).toString('base64');
    return parseSemanticFacts({ ...JSON.parse(text), sfvOf });
  };
  const refused = (why: RegExp) => (e: unknown) => e instanceof FormatError && why.test(e.message);
  assert.throws(
    broken((c) => c.subarray(1)),
    refused(/sfvOf.*cells/),
  );
  assert.throws(
    broken((c) => c.fill(0)),
    refused(/several labels/),
  );
  assert.throws(
    broken((c) => c.fill(254, 0, 1)),
    refused(/no cell/),
  );
  assert.throws(
    broken((c) => c.fill(255, 0, 1)),
    refused(/at most 255/),
  );
});

test('a picture of 512 x 768 stores some kilobytes', async () => {
  const size = stored(await sample(768, 512)).length;
  assert.ok(size < 16_000, `${size}`);
});

test('each wrong field is refused by its name', async () => {
  const facts = await sample(240, 150);
  const json = () => JSON.parse(stored(facts)) as Record<string, unknown> & { bursts: Record<string, unknown>[] };
  const cases: [string, (o: ReturnType<typeof json>) => void][] = [
    ['schema', (o) => (o.schema = 'sct.semantics/9')],
    ['rows', (o) => (o.rows = 513)],
    ['columns', (o) => (o.columns = 1.5)],
    ['partition', (o) => (o.partition = '!!')],
    ['scores', (o) => (o.scores = 'AA==')],
    ['ranking', (o) => (o.ranking = [0, 0])],
    ['importance', (o) => (o.importance = 'AAAA')],
    ['importance', (o) => (o.importance = Buffer.alloc(4 * 150, 0xff).toString('base64'))],
    ['bursts[0].slots', (o) => (o.bursts[0].slots = 97)],
    ['bursts[0].layout', (o) => (o.bursts[0].layout = 'diagonal')],
    ['bursts[0].sfvOrder[0]', (o) => (o.bursts[0].sfvOrder = [250])],
    ['bursts[0]', (o) => (o.bursts[0].subbandOrder = [0, 1, 2, 3, 4])],
    ['bursts[0]', (o) => (o.bursts[0].reservedRe = 5 * 6 * 154)],
    ['sideSplit.total', (o) => (o.sideSplit = { header: 1, sfvTable: 1, partition: 1, classMap: 1, total: -1 })],
    ['settings.x', (o) => (o.settings = { x: [] })],
    ['timingsMs.x', (o) => (o.timingsMs = { x: 'long' })],
  ];
  for (const [field, change] of cases) {
    const o = json();
    change(o);
    assert.throws(
      () => parseSemanticFacts(o),
      (e: unknown) => e instanceof FormatError && e.field === field,
      field,
    );
  }
});

test('any JSON is taken or refused with a FormatError', async () => {
  const text = stored(await sample(100, 60));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 })), { minLength: 1, maxLength: 6 }),
      (changes) => {
        const bytes = Buffer.from(text);
        for (const [at, to] of changes) bytes[at] = to;
        try {
          parseSemanticFacts(parseJson('x', bytes.toString()));
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.throws(() => parseSemanticFacts(value), FormatError);
    }),
  );
});
