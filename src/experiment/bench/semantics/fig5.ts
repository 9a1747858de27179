import { type Air, conditionsOf, linkOf, STREET_CBR } from './air.ts';
import { SEMANTIC_KINDS } from './codec-shelf.ts';
import { check, meanOf, paired } from './figures.ts';
import { find, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { type Series, slug } from './series.ts';

const AIR: Air = { channel: 'awgn', snrDb: 1, cbr: STREET_CBR };
/** What the sender believes, dB: the truth, and a report from better times. */
const REPORTS_DB = [1, 3] as const;
const CLASSICAL = 'classical';
/** Without the extra margin of the more important half, as an ablation. */
const EQUAL = 'modular, --protection 0';
const SCHEMES = [CLASSICAL, ...SEMANTIC_KINDS, EQUAL];

export const fig5: Part = {
  name: 'fig5',
  title: "The paper's Fig. 5: a street at 1 dB",
  about:
    'CamVid test pictures over AWGN at 1 dB, CBR 1/23, another noise seed for each. The sender goes by a CSI report of 1 dB, or by a stale one of 3 dB, and gets no other; without answers the modular codec gives the more important half 2.5 dB of margin in its code rates. Damage is where the error mask is at least 1/2; the less important half is the half of the cells that comes last in the order of placement.',
  sets: ['street'],
  conditions: ['CBR', 'report, dB'],
  measures: ['roiPsnrDb', 'psnrDb', 'outage', 'damagedShare', 'damagedLowShare', 'correctionGainDb'],
  units: (scale) => REPORTS_DB.flatMap((report) => SCHEMES.map((scheme) => unitOf(scheme, report, scale))),
  view: (all) => ({
    checks: SCHEMES.slice(1).flatMap((kind) =>
      REPORTS_DB.flatMap((report) => {
        const own = find(all, kind, { 'report, dB': report });
        if (!own) return [];
        const rival = find(all, CLASSICAL, { 'report, dB': report });
        return [
          check('fig5', `${kind} - classical, report ${report} dB, ROI-PSNR`, 'dB', paired(own, rival, 'roiPsnrDb')),
          check(
            'fig5',
            `${kind}, report ${report} dB: damage in the less important half`,
            'share',
            meanOf(own, 'damagedLowShare'),
            kind === 'modular' ? { least: 0.9 } : {},
          ),
          check(
            'fig5',
            `${kind}, report ${report} dB: gain of correction where damaged`,
            'dB',
            meanOf(own, 'correctionGainDb'),
            kind === 'modular' ? { least: 1.5 } : {},
          ),
        ];
      }),
    ),
    plots: [],
  }),
};

function unitOf(scheme: string, reportDb: number, scale: Scale): Unit {
  const count = scale.of(50, 2);
  const id = slug('fig5', scheme, 'report', reportDb);
  return {
    id,
    cpuSeconds: count * 1.1,
    run: async (context) => [await street(scheme, reportDb, count, id, context)],
  };
}

async function street(
  scheme: string,
  reportDb: number,
  count: number,
  id: string,
  context: PartContext,
): Promise<Series> {
  const pictures = await context.data.pictures('street', count);
  const kind = scheme === EQUAL ? 'modular' : SEMANTIC_KINDS.find((k) => k === scheme);
  const memo = kind && context.codecs.semantic({ kind });
  const codec = memo ?? context.codecs.classical();
  const sent = await sendAll(
    context,
    draws(pictures, count),
    ({ seed }) => ({
      codec,
      reportDb,
      decode: { uncorrected: true },
      ...(scheme === EQUAL ? { transmitter: { protectionDb: 0 } } : {}),
      link: { ...linkOf(AIR, seed, context.scale), feedback: 'none' },
    }),
    { pictures: id, wanted: ({ picture }) => ({ parts: memo?.partsOf(picture.image) }) },
  );
  const facts = { ...(kind ? {} : { MCS: sent.facts.MCS }), judge: id };
  return { scheme, conditions: { ...conditionsOf(AIR), 'report, dB': reportDb }, facts, trials: sent.trials };
}
