import type { LinkInput } from '../../config/link-config.ts';
import type { Series as Curve } from '../../report/svg/series.ts';
import { type Air, conditionsOf, linkOf, STREET_CBR } from './air.ts';
import { SEMANTIC_KINDS, type SemanticVariant } from './codec-shelf.ts';
import { check, figureOf, paired } from './figures.ts';
import { bestFixedMcs } from './fixed-mcs.ts';
import { find, type NamedPlot, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { type Series, slug } from './series.ts';

/** Where the rule is meant to win, and where a conventional codec does. */
const AIRS: readonly Air[] = [
  { channel: 'eva', snrDb: 5, dopplerHz: 5, csiDelayMs: 20, cbr: STREET_CBR },
  { channel: 'awgn', snrDb: 10, cbr: STREET_CBR },
];
const FIXED = 'classical, best fixed MCS';
const ADAPTIVE = 'classical, MCS by CSI';
/** Foot of the bars: less is no picture. */
const LEAST_SHOWN_DB = 10;
const REPEATS = ', HARQ 3';
const REPEATED = `${ADAPTIVE}${REPEATS}`;
const UNIFORM = ', interleaved';
const BLIND = ', no way back';
const TASK = ', task machine';

export const front: Part = {
  name: 'front',
  title: 'The front figure: fading, everything estimated',
  about:
    'CamVid test pictures with at least 1 % region of interest, another one for each seed, budget CBR 1/23, no repetitions but where HARQ is named. EVA at 5 dB, 5 Hz, CSI 20 ms old; beside it AWGN at 10 dB. One fixed MCS is the best of a ladder in 1 dB steps (AWGN 0.5 dB), chosen on the same trials. Interleaved: symbols made for the places that the report would give them, spread over the band. No way back: a sender that knows the mean SNR and nothing else. Bursts have whole slots: the budget is such that every scheme gets five of them, and what it used, near 1/24, stands in its row.',
  sets: ['street'],
  conditions: ['channel', 'SNR, dB'],
  measures: ['roiPsnrDb', 'psnrDb', 'outage', 'cbr'],
  units: (scale) => (scale.quick ? AIRS.slice(0, 1) : AIRS).flatMap((air) => unitsOf(air, scale)),
  view: (all) => ({
    checks: AIRS.flatMap((air) => {
      const at = conditionsOf(air);
      const rival = find(all, FIXED, at);
      return SEMANTIC_KINDS.flatMap((kind) =>
        [kind, `${kind}${TASK}`].map((scheme) =>
          check(
            'front',
            `${air.channel.toUpperCase()} ${air.snrDb} dB: ${scheme} - ${FIXED}, ROI-PSNR`,
            'dB',
            paired(find(all, scheme, at), rival, 'roiPsnrDb'),
          ),
        ),
      );
    }),
    plots: all.length > 0 ? [bars(all)] : [],
  }),
};

function unitsOf(air: Air, scale: Scale): Unit[] {
  const count = scale.of(50, 2);
  const id = (scheme: string) => slug('front', air.channel, air.snrDb, scheme);
  const list = async (context: PartContext) => draws(await context.data.pictures('street', count), count);
  const adaptive = (scheme: string, harq: number): Unit => ({
    id: id(scheme),
    cpuSeconds: count * (harq > 0 ? 1.2 : 0.8),
    run: async (context) => {
      const codec = context.codecs.classical();
      const link = (seed: number) => ({ ...linkOf(air, seed, scale), harq });
      const sent = await sendAll(context, await list(context), ({ seed }) => ({ codec, link: link(seed) }), {
        pictures: id(scheme),
      });
      return [{ scheme, conditions: conditionsOf(air), ...sent, facts: { judge: id(scheme) } }];
    },
  });
  const fading = air.channel !== 'awgn';
  const blind = { feedback: 'none', assumeSnrDb: air.snrDb } as const;
  return [
    ...SEMANTIC_KINDS.flatMap((kind) => [
      semanticUnit(air, kind, { kind }, {}, count),
      semanticUnit(air, `${kind}${TASK}`, { kind, words: { task: 'machine' } }, {}, count),
      ...(fading ? [semanticUnit(air, `${kind}${REPEATS}`, { kind }, { harq: 3 }, count)] : []),
      ...(fading ? [semanticUnit(air, `${kind}${UNIFORM}`, { kind }, { mapping: 'uniform' }, count)] : []),
      ...(fading ? [semanticUnit(air, `${kind}${BLIND}`, { kind }, blind, count)] : []),
    ]),
    {
      id: id(FIXED),
      cpuSeconds: count * 6,
      run: async (context) => {
        const codec = context.codecs.classical();
        const options = { pictures: id(FIXED) };
        const series = await bestFixedMcs(context, air, await list(context), codec, FIXED, options);
        return [{ ...series, facts: { ...series.facts, judge: id(FIXED) } }];
      },
    },
    adaptive(ADAPTIVE, 0),
    ...(fading ? [adaptive(REPEATED, 3)] : []),
  ];
}

function semanticUnit(air: Air, scheme: string, variant: SemanticVariant, more: LinkInput, count: number): Unit {
  const id = slug('front', air.channel, air.snrDb, scheme);
  return {
    id,
    cpuSeconds: count * 0.8,
    run: async (context) => {
      const pictures = await context.data.pictures('street', count);
      const codec = context.codecs.semantic(variant);
      const link = (seed: number) => ({ ...linkOf(air, seed, context.scale), ...more });
      const options = { pictures: id };
      const sent = await sendAll(context, draws(pictures, count), ({ seed }) => ({ codec, link: link(seed) }), options);
      return [{ scheme, conditions: conditionsOf(air), trials: sent.trials, facts: { judge: id } }];
    },
  };
}

/** Schemes of the plot; the others are in the table. */
const SHOWN = ['integrated', `integrated${UNIFORM}`, 'modular', FIXED, ADAPTIVE];

/** Mean of each scheme with its interval as a bar, the 10th percentile as a ring; one group a condition. */
function bars(all: readonly Series[]): NamedPlot {
  const schemes = SHOWN.filter((scheme) => all.some((s) => s.scheme === scheme));
  const groups = AIRS.map((air) => conditionsOf(air));
  const places = all.flatMap((s) => {
    const values = s.trials.map((t) => t.values.roiPsnrDb).filter((v): v is number => v !== undefined);
    const group = groups.findIndex((g) => find([s], s.scheme, g) !== undefined);
    const colour = schemes.indexOf(s.scheme);
    const x = group * (schemes.length + 1) + colour;
    return colour < 0 || values.length === 0
      ? []
      : [{ x, colour, scheme: s.scheme, figure: figureOf('roiPsnrDb', values) }];
  });
  const named = new Set<string>();
  const series: Curve[] = places.map(({ x, colour, scheme, figure }) => {
    const label = named.has(scheme) ? {} : { label: scheme };
    named.add(scheme);
    const error = [figure.high === null ? 0 : figure.high - figure.mean];
    return { kind: 'bars', x: [x], y: [figure.mean], error, barWidth: 0.8, colour, baseline: LEAST_SHOWN_DB, ...label };
  });
  const p10 = places.map((p) => Math.max(LEAST_SHOWN_DB, p.figure.p10));
  series.push({
    kind: 'scatter',
    shape: 'ring',
    colour: 7,
    label: '10th percentile',
    x: places.map((p) => p.x),
    y: p10,
  });
  const centre = (schemes.length - 1) / 2;
  return {
    name: 'front',
    spec: {
      title: 'ROI-PSNR at equal R (CBR near 1/24)',
      description: 'Bars: mean with 95 % interval. Rings: 10th percentile.',
      xLabel: 'channel',
      yLabel: 'ROI-PSNR, dB',
      xTicks: AIRS.map((air, i) => ({
        value: i * (schemes.length + 1) + centre,
        label: `${air.channel.toUpperCase()} ${air.snrDb} dB`,
      })),
      series,
    },
  };
}
