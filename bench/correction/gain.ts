import { RandomStream } from '../../src/common/random.ts';
import { sideInformationSymbols } from '../../src/experiment/bench/models/models-awgn.ts';
import { mean, pairedDifference } from '../../src/experiment/metrics/stats.ts';
import type { EncodedStream, ReceivedStream, SourcePlan } from '../../src/sct/codec/codec.ts';
import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { ModularCodec } from '../../src/sct/codec/modular.ts';
import { psnrDb, roiPsnrDb } from '../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../src/sct/quality/regions.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { overAir } from '../integrated/air.ts';
import { type Air, type Condition, drawAir } from './channel.ts';
import type { Picture } from './pictures.ts';

const CBRS = [1 / 24, 1 / 16, 1 / 36];
/** A cell with at least so much of the error mask is damaged. */
const DAMAGED = 0.5;
/** PSNR of a region without any error, so that means stay finite. */
const CEILING_DB = 60;
/** Bytes of a code block, and the share of the channel's capacity that the code reaches and that a sender counts on. */
const BLOCK_BYTES = 477;
const CODE_EFFICIENCY = 0.85;
const SENDER_MARGIN = 0.75;

export const CONDITIONS: readonly Condition[] = [
  ...['eva', 'tdl-c'].flatMap((profile) =>
    [0, 3, 5].map((snrDb): Condition => ({ name: `${profile} ${snrDb} dB`, profile, snrDb, mapping: 'matched' })),
  ),
  { name: 'eva 3 dB, uniform', profile: 'eva', snrDb: 3, mapping: 'uniform' },
  { name: '1 dB, 10 % of RBs lost', snrDb: 1, mapping: 'matched', lostBlocks: 0.1 },
  { name: '5 dB, 30 % of RBs lost, uniform', snrDb: 5, mapping: 'uniform', lostBlocks: 0.3 },
  { name: 'eva 3 dB, 10 % of RBs lost', profile: 'eva', snrDb: 3, mapping: 'matched', lostBlocks: 0.1 },
  { name: '1 dB, 20 % of SFVs lost', snrDb: 1, mapping: 'matched', lostSfvs: 0.2 },
  { name: '5 dB, 20 % of SFVs lost', snrDb: 5, mapping: 'matched', lostSfvs: 0.2 },
];

const bitsPerSymbol = (snrDb: number) => Math.log2(1 + 10 ** (snrDb / 10));

/**
 * A packet in code blocks of a rate that fits the report: a block arrives when the capacity of its own symbols carries it.
 * Not the link's LDPC, but the same losses: the report was better than the channel, or resource blocks are gone.
 */
function overCode(stream: EncodedStream, snrDb: Float32Array): ReceivedStream {
  if (stream.kind !== 'bits') throw new Error('the stream is analog');
  const { id, payload } = stream;
  const missing: { from: number; to: number }[] = [];
  const blocks = Math.ceil(payload.length / BLOCK_BYTES);
  for (let b = 0; b < blocks; b++) {
    const [from, to] = [b, b + 1].map((i) => Math.floor((i * payload.length) / blocks));
    const own = snrDb.subarray(
      Math.floor((b * snrDb.length) / blocks),
      Math.max(1, Math.floor(((b + 1) * snrDb.length) / blocks)),
    );
    const carried = CODE_EFFICIENCY * own.reduce((sum, s) => sum + bitsPerSymbol(s), 0);
    if (carried < 8 * (to - from)) missing.push({ from, to });
  }
  return { id, kind: 'bits', payload, missing };
}

function received(plan: SourcePlan, streams: readonly EncodedStream[], air: Air, random: RandomStream) {
  return streams.map((s): ReceivedStream => {
    const snrDb = air.snrDb.get(s.id)!;
    const out = s.kind === 'analog' ? overAir(s, (place) => snrDb[place], random) : overCode(s, snrDb);
    return { ...out, score: plan.streams[s.id].score };
  });
}

/** PSNR without and with correction, over the picture and where it is damaged; a line for each condition. */
export async function measureGain(
  models: SemanticModels,
  kind: 'integrated' | 'modular',
  list: readonly Picture[],
  print: (text: string) => void,
): Promise<void> {
  const codec = kind === 'integrated' ? new IntegratedCodec(models) : new ModularCodec(models);
  const rows = CONDITIONS.map(() => ({
    damaged: [] as number[],
    whole: [[], []] as number[][],
    region: [[], []] as number[][],
    some: [[], []] as number[][],
  }));
  for (const [i, { name, image }] of list.entries()) {
    const budget = Math.floor(3 * image.width * image.height * CBRS[i % CBRS.length]);
    const plan = await codec.analyse(image, { symbols: budget });
    const left = budget - sideInformationSymbols(plan.parts.split.total);
    for (const [c, condition] of CONDITIONS.entries()) {
      const random = new RandomStream('correction').fork(`${name}/${condition.name}`);
      const air = drawAir(plan, left, condition, random);
      const bytes = (size: number, snrDb: number) => Math.floor((SENDER_MARGIN * size * bitsPerSymbol(snrDb)) / 8);
      const grants =
        kind === 'integrated'
          ? air.grants
          : air.grants
              .map((g) => ({ ...g, size: bytes(g.size, g.snrDb!) }))
              .filter((g) => g.size >= plan.streams[g.id].minSize);
      const { sideInfo, streams } = await plan.encode(grants);
      const source = { sideInfo, streams: received(plan, streams, air, random) };
      const got = await codec.decode(source, { uncorrected: true });
      const shown = [got.uncorrected ?? got.image!, got.image!];
      const damage = got.mask!.damage;
      const row = rows[c];
      row.damaged.push(damage.filter((d) => d >= DAMAGED).length / damage.length);
      for (const [j, picture] of shown.entries()) {
        row.whole[j].push(psnrDb(image, picture));
        for (const [into, on] of [
          [row.region, (d: number) => d >= DAMAGED],
          [row.some, (d: number) => d > 0],
        ] as const) {
          const cells = Uint8Array.from(damage, (d) => (on(d) ? 1 : 0));
          const db = roiPsnrDb(image, picture, cellsToPixels(cells, image.width, image.height, got.mask!.cellPx));
          if (db !== null) into[j].push(Math.min(CEILING_DB, db));
        }
      }
    }
  }
  for (const [c, { damaged, whole, region, some }] of rows.entries()) {
    print(
      `${kind}, ${CONDITIONS[c].name}: ${(100 * mean(damaged)).toFixed(1)} % of the cells damaged; ` +
        `picture ${difference(whole)}; damaged cells ${difference(region)}; damaged at all ${difference(some)}`,
    );
  }
}

function difference([plain, corrected]: readonly number[][]): string {
  if (plain.length < 2) return `${plain.length} trials`;
  const d = pairedDifference(corrected, plain);
  return `${mean(plain).toFixed(2)} dB, ${d.value >= 0 ? '+' : ''}${d.value.toFixed(2)} (${d.low.toFixed(2)} to ${d.high.toFixed(2)}, ${plain.length})`;
}
