import { KODAK_CBR, KODAK_SNR_DB, PUBLISHED_OVER_CBR, PUBLISHED_OVER_SNR } from '../models/models-published.ts';
import { type Air, conditionsOf, linkOf } from './air.ts';
import { SEMANTIC_KINDS } from './codec-shelf.ts';
import { type Asked, check, meanOf, paired } from './figures.ts';
import { bestFixedMcs } from './fixed-mcs.ts';
import { find, type NamedPlot, type Part, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { type Measure, type Series, slug } from './series.ts';

/** Schemes with one MCS for all pictures of a condition. */
const FIXED = {
  avif: 'AVIF, best fixed MCS',
  jpeg: 'JPEG, best fixed MCS',
  modular: 'modular, best fixed MCS',
} as const;
type Fixed = keyof typeof FIXED;
const FIXED_NAMES = Object.keys(FIXED) as Fixed[];

/** BPG 4:4:4 at the bits that capacity allows, over KODAK_SNR_DB for each of KODAK_CBR, PSNR in dB [CompressAI]. */
export const BPG_CAPACITY_DB: readonly (readonly number[])[] = [
  [26.43, 27.67, 28.7, 29.78, 30.67],
  [28.42, 29.96, 31.28, 32.61, 33.77],
  [29.85, 31.47, 33.17, 34.59, 35.97],
  [30.93, 32.84, 34.58, 36.27, 37.72],
];

/** A slot is 924 resource elements: nearly all of every budget is used. */
const SUBBANDS = 6;

function airs(scale: Scale): Air[] {
  if (scale.quick) return [{ channel: 'awgn', snrDb: 7, cbr: 1 / 12 }];
  // The anchor first: the ratio that published rows are for.
  const order = [1 / 16, 1 / 24, 1 / 48, 1 / 12];
  return order.flatMap((cbr) =>
    KODAK_SNR_DB.map((snrDb): Air => ({ channel: 'awgn', snrDb, cbr, subbands: SUBBANDS })),
  );
}

export const kodak: Part = {
  name: 'kodak',
  title: 'Kodak through the whole modem, AWGN',
  about:
    'The 24 Kodak pictures, one seed each, 6 subbands, estimated channel and synchronisation, no repetitions; R counts control, side information and padding, the budget holds for every picture. A best fixed MCS is the best of a ladder in 0.5 dB steps chosen on the same 24 pictures. Means of per-image PSNR. Published rows are drawn in the plots: BPG + capacity is what no separate code can pass.',
  sets: ['kodak'],
  conditions: ['CBR', 'SNR, dB'],
  measures: ['psnrDb', 'msSsimDb', 'outage', 'payloadGapShare', 'sideInfoBytes', 'cbr'],
  units: (scale) => airs(scale).flatMap((air) => unitsOf(air, scale)),
  view: (all, scale) => ({
    checks: airs(scale).flatMap((air) => checksAt(air, all)),
    plots: scale.quick ? [] : [overSnr(all), overCbr(all)],
  }),
};

function unitsOf(air: Air, scale: Scale): Unit[] {
  const count = scale.of(24, 1);
  const id = (scheme: string) => slug('kodak', Math.round(1 / air.cbr), air.snrDb, scheme);
  const seconds = count * (0.6 + 14 * air.cbr);
  const wanted = () => ({ msSsim: true });
  return [
    ...SEMANTIC_KINDS.map(
      (kind): Unit => ({
        id: id(kind),
        cpuSeconds: seconds + count * 1.2,
        run: async (context) => {
          const list = draws(await context.data.pictures('kodak', count), count);
          const codec = context.codecs.semantic({ kind });
          const link = (seed: number) => linkOf(air, seed, scale);
          const sent = await sendAll(context, list, ({ seed }) => ({ codec, link: link(seed) }), {
            wanted: ({ picture }) => ({ ...wanted(), parts: codec.partsOf(picture.image) }),
            more: ({ picture }) => ({ payloadGapShare: codec.gapOf(picture.image) ?? 1 }),
          });
          return [{ scheme: kind, conditions: conditionsOf(air), facts: {}, trials: sent.trials }];
        },
      }),
    ),
    ...FIXED_NAMES.map(
      (name): Unit => ({
        id: id(`${name}-fixed`),
        cpuSeconds: (name === 'modular' ? 4.5 : 3) * seconds,
        run: async (context) => {
          const list = draws(await context.data.pictures('kodak', count), count);
          const { codecs } = context;
          const codec = name === 'modular' ? codecs.semantic({ kind: name }) : codecs.classical(name);
          return [await bestFixedMcs(context, air, list, codec, FIXED[name], { wanted })];
        },
      }),
    ),
  ];
}

function checksAt(air: Air, all: readonly Series[]) {
  const at = conditionsOf(air);
  const where = `CBR ${at.CBR}, ${air.snrDb} dB`;
  const i = KODAK_CBR.findIndex((cbr) => Math.abs(cbr - air.cbr) < 1e-9);
  const bound = BPG_CAPACITY_DB[i]?.[KODAK_SNR_DB.indexOf(air.snrDb as (typeof KODAK_SNR_DB)[number])];
  const of = (scheme: string) => find(all, scheme, at);
  const gain = (a: string, b: string, asked: Asked = {}) =>
    check('kodak', `${where}: ${a} - ${b}, PSNR`, 'dB', paired(of(a), of(b), 'psnrDb'), asked);
  return [
    gain(FIXED.modular, FIXED.jpeg, { least: 0 }),
    ...SEMANTIC_KINDS.flatMap((kind) => {
      const own = of(kind);
      if (!own) return [];
      const what = `${where}: ${kind}, largest gap between payload and grant`;
      return [
        gain(kind, FIXED.avif),
        check('kodak', what, 'share', largest(own, 'payloadGapShare'), { most: 0.02 }),
        // Above it is an accounting error.
        ...(bound === undefined
          ? []
          : [check('kodak', `${where}: ${kind} below BPG + capacity`, 'dB', meanOf(own, 'psnrDb'), { most: bound })]),
      ];
    }),
  ];
}

/** The largest of a measure over the trials, as a figure without spread. */
function largest(series: Series, measure: Measure) {
  const values = series.trials.map((t) => t.values[measure]).filter((v): v is number => v !== undefined);
  const value = Math.max(...values);
  return values.length === 0 ? null : { value, low: value, high: value, n: values.length };
}

function overSnr(all: readonly Series[]): NamedPlot {
  const at = (scheme: string) =>
    curve(scheme, KODAK_SNR_DB, (snrDb) => find(all, scheme, conditionsOf({ channel: 'awgn', snrDb, cbr: 1 / 16 })));
  return {
    name: 'kodak-snr',
    spec: {
      title: 'Kodak, AWGN, CBR 1/16',
      xLabel: 'SNR, dB',
      yLabel: 'PSNR, dB',
      series: [
        ...schemes().map(at),
        ...PUBLISHED_OVER_SNR.map((p) => ({ kind: 'line' as const, dash: true, label: p.name, x: p.at, y: p.psnrDb })),
      ],
    },
  };
}

function overCbr(all: readonly Series[]): NamedPlot {
  const at = (scheme: string) =>
    curve(scheme, KODAK_CBR, (cbr) => find(all, scheme, conditionsOf({ channel: 'awgn', snrDb: 10, cbr })));
  return {
    name: 'kodak-cbr',
    spec: {
      title: 'Kodak, AWGN, 10 dB',
      xLabel: 'CBR = R / 3',
      yLabel: 'PSNR, dB',
      series: [
        ...schemes().map(at),
        ...PUBLISHED_OVER_CBR.map((p) => ({ kind: 'line' as const, dash: true, label: p.name, x: p.at, y: p.psnrDb })),
      ],
    },
  };
}

function schemes(): string[] {
  return [...SEMANTIC_KINDS, ...Object.values(FIXED)];
}

/** A line of the scheme's means where they are measured. */
export function curve(scheme: string, at: readonly number[], of: (x: number) => Series | undefined) {
  const points = at.map((x) => meanOf(of(x), 'psnrDb')?.value ?? Number.NaN);
  return { kind: 'line' as const, markers: true, label: scheme, x: at, y: points };
}
