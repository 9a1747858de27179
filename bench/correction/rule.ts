import { RandomStream } from '../../src/common/random.ts';
import { sideInformationSymbols } from '../../src/experiment/bench/models/models-awgn.ts';
import { pairedDifference } from '../../src/experiment/metrics/stats.ts';
import { IntegratedCodec } from '../../src/sct/codec/integrated.ts';
import { blankLost, LOST_DAMAGE, repair } from '../../src/sct/correction/repair.ts';
import { roiPsnrDb } from '../../src/sct/quality/psnr.ts';
import { cellsToPixels } from '../../src/sct/quality/regions.ts';
import {
  CELL_PX,
  type ClassMap,
  type FeatureMap,
  flatPlane,
  type GridPlane,
} from '../../src/sct/semantics/feature-map.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';
import { grantsByImportance, overAir } from '../integrated/air.ts';
import type { Picture } from './pictures.ts';

const CBRS = [1 / 24, 1 / 16, 1 / 36];
const GOOD_DB = 5;
const PART_DB = 3;
const LEVELS_DB = [-4, -8, -12, -15, -18, -21, -25, Number.NEGATIVE_INFINITY];
const SHARES = [0.1, 0.3, 0.5, 0.7, 0.9];
const STRENGTHS = [0.25, 0.5, 1];

interface Case {
  readonly name: string;
  readonly share: number;
  readonly snrDb: number;
}
const CASES: readonly Case[] = [
  ...LEVELS_DB.map((snrDb) => ({ name: `all symbols at ${snrDb} dB`, share: 0, snrDb })),
  ...SHARES.map((share) => ({ name: `${100 * share} % lost, the rest at ${PART_DB} dB`, share, snrDb: PART_DB })),
];

/**
 * What the rule of correction rests on: one SFV of a picture at 5 dB is worse, all its symbols at one SNR or a share of them lost. PSNR over
 * its pixels against what f_d made of it: taken for lost and not restored (`mean`), restored by the corrector, invented by the
 * generator; and for what came in part restored with several strengths.
 */
export async function measureRule(
  models: SemanticModels,
  list: readonly Picture[],
  print: (text: string) => void,
): Promise<void> {
  const generator = models.set.files.some((file) => file.role === 'generator');
  const gains = CASES.map(() => new Map<string, number[]>());
  for (const [i, { name, image }] of list.entries()) {
    const budget = Math.floor(3 * image.width * image.height * CBRS[i % CBRS.length]);
    const plan = await new IntegratedCodec(models).analyse(image, { symbols: budget });
    const { scores, partition, split } = plan.parts;
    const left = budget - sideInformationSymbols(split.total);
    const coded = await plan.encode(grantsByImportance(scores, left, GOOD_DB));
    const some = coded.streams.filter((s) => {
      const { cells } = partition.sfvs[s.id];
      return cells >= 6 && cells <= 0.45 * partition.sfvOf.length;
    });
    if (some.length === 0) continue;
    const { id } = some[new RandomStream('correction-rule').fork(name).integer(some.length)];
    const own = Uint8Array.from(partition.sfvOf as ArrayLike<number>, (sfv) => (sfv === id ? 1 : 0));
    const pixels = cellsToPixels(own, image.width, image.height, CELL_PX);
    const psnr = async (v: { yHat: FeatureMap; quality: GridPlane }) =>
      roiPsnrDb(image, await models.synthesise(v.yHat, v.quality), pixels)!;
    for (const [c, { share, snrDb }] of CASES.entries()) {
      const random = new RandomStream('correction-rule').fork(`${name}/air`);
      const hurt = () => (random.uniform() < share ? Number.NEGATIVE_INFINITY : snrDb);
      const streams = coded.streams.map((s) => overAir(s, () => (s.id === id ? hurt() : GOOD_DB), random));
      const { made, classMap, mask } = await untouched(models, { sideInfo: coded.sideInfo, streams });
      const damage = share > 0 ? mask : Float32Array.from(own);
      const grid = { rows: partition.rows, columns: partition.columns };
      const labelMap = { ...grid, data: partition.labels };
      const missing = new Uint8Array(own.length);
      const blank = blankLost(made, damage, classMap, models.tables);
      const input = { ...blank, classMap, labelMap, damage };
      const raw = await psnr(made);
      const note = (what: string, db: number) => {
        const to = gains[c].get(what) ?? [];
        gains[c].set(what, [...to, db - raw]);
      };
      if (share === 0) {
        const strength = flatPlane(grid, 1).data;
        note('mean', await psnr(blank));
        note('corrector', await psnr(await repair(models, { ...input, strength, missing })));
        if (generator) note('generator', await psnr(await repair(models, { ...input, strength, missing: own })));
        continue;
      }
      for (const s of STRENGTHS) {
        const strength = flatPlane(grid, s).data;
        note(`strength ${s}`, await psnr(await repair(models, { ...input, strength, missing })));
      }
      const strength = damage.map((d) => (d >= LOST_DAMAGE ? 1 : 0.5 * d));
      note('half the share', await psnr(await repair(models, { ...input, strength, missing })));
    }
  }
  for (const [c, { name }] of CASES.entries()) {
    const parts = [...gains[c]].map(([what, db]) => {
      const d = pairedDifference(
        db,
        db.map(() => 0),
      );
      return `${what} ${d.value.toFixed(2)} (${d.low.toFixed(2)} to ${d.high.toFixed(2)})`;
    });
    print(`${name}, ${[...gains[c].values()][0]?.length ?? 0} SFVs: ${parts.join('; ')}`);
  }
}

/** What f_d made of a picture, before anything is blanked or restored. */
async function untouched(
  models: SemanticModels,
  source: Parameters<IntegratedCodec['decode']>[0],
): Promise<{ made: { yHat: FeatureMap; quality: GridPlane }; classMap: ClassMap; mask: Float32Array }> {
  const seen: { made?: { yHat: FeatureMap; quality: GridPlane }; classMap?: ClassMap } = {};
  const watch: SemanticModels = Object.create(models);
  watch.decodeSymbols = async (received, scale, classMap, ...rest) => {
    const made = await models.decodeSymbols(received, scale, classMap, ...rest);
    Object.assign(seen, { made, classMap });
    return made;
  };
  const got = await new IntegratedCodec(watch).decode(source, { correction: false });
  return { made: seen.made!, classMap: seen.classMap!, mask: got.mask!.damage };
}
