import type { HarqRule } from '../../../link/harq/asking.ts';
import { roiPsnrDb } from '../../../sct/quality/psnr.ts';
import { type Air, conditionsOf, linkOf } from './air.ts';
import { SEMANTIC_KINDS, type SemanticKind } from './codec-shelf.ts';
import { type Check, check, meanOf, paired } from './figures.ts';
import { shownImage } from './measure.ts';
import { find, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { type Conditions, type Series, slug } from './series.ts';

/** What the receiver wants to see of the region of interest, dB. */
const AIM_DB = 28;
const CBR = 1 / 8;
const MOST_REPEATS = 12;
/** Symbols that a picture may take with all its repetitions, as a multiple of its budget. */
const REPEAT_BUDGET = 8;
/** Analog SFVs below this SNR are asked for again though they came as promised: what was promised need not reach the aim. */
const BELOW_DB = 20;
const RULES: readonly HarqRule[] = ['importance', 'uniform'];

interface Setting {
  readonly air: Air;
  readonly kind: SemanticKind;
  readonly rule: HarqRule;
  readonly correction: boolean;
}

function plan(scale: Scale): Setting[] {
  const airs = (scale.quick ? [5] : [5, 0]).map(
    (snrDb): Air => ({ channel: 'eva', snrDb, dopplerHz: 5, csiDelayMs: 20, cbr: CBR }),
  );
  return airs.flatMap((air) =>
    SEMANTIC_KINDS.flatMap((kind) =>
      RULES.flatMap((rule) => [true, false].map((correction) => ({ air, kind, rule, correction }))),
    ),
  );
}

export const harq: Part = {
  name: 'harq',
  title: `HARQ by importance: until the region of interest has ${AIM_DB} dB`,
  about: `CamVid test pictures, EVA, 5 Hz, CSI 20 ms old, first transmission at CBR 1/8, then repetitions until ROI-PSNR is ${AIM_DB} dB, at most ${MOST_REPEATS} and at most ${REPEAT_BUDGET} times the budget. By importance the receiver asks for what is damaged of the most important 90 %; uniform: for all that is damaged alike. Symbols are all that counts in R, of all transmissions; where the aim was not reached they are what was spent on trying.`,
  sets: ['street'],
  conditions: ['SNR, dB', 'HARQ', 'correction'],
  measures: ['reached', 'transmissions', 'symbols', 'roiPsnrDb', 'psnrDb', 'outage'],
  units: (scale) => plan(scale).map((s) => unitOf(s, scale)),
  view: (all, scale) => ({ checks: checksOf(all, scale), plots: [] }),
};

function unitOf(setting: Setting, scale: Scale): Unit {
  const { air, kind, rule, correction } = setting;
  const count = scale.of(40, 1);
  return {
    id: slug('harq', air.snrDb, kind, rule, correction ? 'corrected' : 'plain'),
    cpuSeconds: count * 4,
    run: async (context) => [await series(setting, count, context)],
  };
}

async function series(setting: Setting, count: number, context: PartContext): Promise<Series> {
  const { air, kind, rule, correction } = setting;
  const pictures = await context.data.pictures('street', count);
  const codec = context.codecs.semantic({ kind });
  const decode = { correction };
  const { trials } = await sendAll(
    context,
    draws(pictures, count),
    ({ picture, seed }) => ({
      codec,
      decode,
      asking: { by: rule, belowDb: BELOW_DB },
      link: { ...linkOf(air, seed, context.scale), harq: MOST_REPEATS, harqBy: rule, repeatBudget: REPEAT_BUDGET },
      round: (decoded) => roiPsnrDb(picture.image, shownImage(decoded, picture.image), picture.roi!)! >= AIM_DB,
    }),
    {
      more: ({ picture }, sent) => ({
        transmissions: sent.transmissions,
        symbols: sent.countedSymbols,
        reached: roiPsnrDb(picture.image, shownImage(sent.decoded, picture.image), picture.roi!)! >= AIM_DB ? 1 : 0,
      }),
    },
  );
  return { scheme: kind, conditions: labels(setting), facts: {}, trials };
}

function labels({ air, rule, correction }: Omit<Setting, 'kind'>): Conditions {
  return { ...conditionsOf(air), HARQ: rule, correction: correction ? 'on' : 'off' };
}

function checksOf(all: readonly Series[], scale: Scale): Check[] {
  return plan(scale).flatMap((setting) => {
    const { air, kind, rule, correction } = setting;
    const own = find(all, kind, labels(setting));
    if (!own || rule !== 'importance') return [];
    const uniform = find(all, kind, labels({ ...setting, rule: 'uniform' }));
    const where = `${kind}, EVA ${air.snrDb} dB, correction ${correction ? 'on' : 'off'}`;
    const lines = (['symbols', 'transmissions'] as const).map((measure) =>
      check('harq', `${where}: importance - uniform, ${measure}`, measure, paired(own, uniform, measure)),
    );
    if (!correction) return lines;
    const plain = find(all, kind, labels({ ...setting, correction: false }));
    const gain = paired(own, plain, 'symbols');
    return [
      ...lines,
      check('harq', `${kind}, EVA ${air.snrDb} dB: correction on - off, symbols`, 'symbols', gain),
      check('harq', `${where}: share that reached the aim`, 'share', meanOf(own, 'reached')),
    ];
  });
}
