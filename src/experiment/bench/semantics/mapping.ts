import type { Mapping } from '../../../sct/allocation/allocate.ts';
import { type Air, conditionsOf, linkOf, STREET_CBR } from './air.ts';
import type { Importance, SemanticVariant } from './codec-shelf.ts';
import { type Asked, type Check, check, paired } from './figures.ts';
import type { Sent } from './over-link.ts';
import { find, type NamedPlot, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { type Draw, draws, sendAll } from './send-all.ts';
import { type Conditions, type Series, slug } from './series.ts';

const MAPPED: readonly Mapping[] = ['matched', 'uniform', 'worst'];
const FADING = { dopplerHz: 5, csiDelayMs: 20, cbr: STREET_CBR } as const;
const EVA5: Air = { channel: 'eva', snrDb: 5, ...FADING };
const JAMMED: Air = { channel: 'awgn', snrDb: 10, cbr: STREET_CBR, jammerDb: 10 };

/** What a user can ask for instead of the defaults, task human and order density. */
const OTHER_WORDS = [{ task: 'machine' }, { order: 'sum' }, { task: 'machine', order: 'sum' }] as const;

/** Number of draws whose grants and slots were the same in all mappings. */
const SAME = 'draws with the same grants';

/** One content, placed in several ways. */
interface Experiment {
  readonly air: Air;
  readonly variant: SemanticVariant;
  /** In the table: whose importance, and what else is unusual. */
  readonly importance: string;
  readonly mappings: readonly Mapping[];
  /** One modulation and one code rate a burst. */
  readonly oneMcs?: boolean;
  /** Asked of matched - uniform, ROI-PSNR. */
  readonly asked?: Asked;
}

function experiment(air: Air, importance: Importance, mappings = MAPPED, asked: Asked = {}): Experiment {
  return { air, variant: { kind: 'integrated', importance }, importance, mappings, asked };
}

function plan(scale: Scale): Experiment[] {
  if (scale.quick) return [experiment(EVA5, 'own'), experiment(JAMMED, 'oracle', ['matched', 'uniform'])];
  const both: readonly Importance[] = ['own', 'oracle'];
  const least = (air: Air, importance: Importance): Asked => {
    if (air === EVA5) return { least: importance === 'own' ? 1 : 2 };
    return air === JAMMED ? { least: importance === 'own' ? 3 : 4.5 } : {};
  };
  const airs: Air[] = [
    EVA5,
    JAMMED,
    { ...EVA5, snrDb: 0 },
    { ...EVA5, snrDb: 10 },
    ...[5, 0, 10].map((snrDb): Air => ({ ...EVA5, channel: 'tdl-c', snrDb })),
  ];
  const ages = [5, 50].flatMap((dopplerHz) =>
    [5, 10, 20, 50, 100].map((csiDelayMs): Air => ({ ...EVA5, dopplerHz, csiDelayMs })),
  );
  return [
    ...airs.flatMap((air) => both.map((i) => experiment(air, i, MAPPED, least(air, i)))),
    ...[EVA5, { ...EVA5, channel: 'tdl-c' } as const, JAMMED].flatMap((air) =>
      [true, false].map((oneMcs): Experiment => {
        const importance = oneMcs ? 'own, one MCS' : 'own, MCS by place';
        return { ...experiment(air, 'own'), variant: { kind: 'modular' }, importance, oneMcs };
      }),
    ),
    experiment(EVA5, 'oracle-order'),
    experiment(JAMMED, 'oracle-order'),
    experiment(EVA5, 'entropy'),
    ...OTHER_WORDS.map(
      (words): Experiment => ({
        air: EVA5,
        variant: { kind: 'integrated', importance: 'own', words },
        importance: `own, ${Object.entries(words)
          .map(([key, value]) => `${key} ${value}`)
          .join(', ')}`,
        mappings: ['matched', 'uniform'],
      }),
    ),
    ...ages
      .filter((air) => !(air.dopplerHz === EVA5.dopplerHz && air.csiDelayMs === EVA5.csiDelayMs))
      .flatMap((air) => both.map((i) => experiment(air, i, ['matched', 'uniform']))),
  ];
}

export const mapping: Part = {
  name: 'mapping',
  title: 'Mapping: the same symbols, placed elsewhere',
  about:
    "CamVid test pictures, budget CBR 1/23 (five whole slots, CBR near 1/24), estimated CSI. In each line the same symbols with the same power, rates and resource elements are sent under the same noise; only where SFVs lie differs: the most important on the best subbands (matched), interleaved over all (uniform), or on the worst. Own: importance and objects as the product finds them. Oracle: objects, saliency and order by ground truth, amounts by the product's rule from these (oracle-order: by entropy alone). Modular with one MCS sends the same bytes in the same number of resource elements in every mapping; with MCS by place, as the product does, modulation of each subband and code rate of each SFV follow the resource elements it has, so that a bad place costs rate and nothing is identical. The jammer is noise 10 dB over the signal on 30 % of the subbands.",
  sets: ['street'],
  conditions: ['channel', 'SNR, dB', 'Doppler, Hz', 'CSI, ms', 'jammer, dB', 'importance', 'mapping'],
  measures: ['roiPsnrDb', 'psnrDb', 'outage'],
  units: (scale) => plan(scale).map((e) => unitOf(e, scale)),
  view: (all, scale) => ({ checks: checksOf(all, scale), plots: agePlot(all) }),
};

function unitOf(e: Experiment, scale: Scale): Unit {
  const { air, variant, importance, mappings } = e;
  const count = scale.of(50, 2);
  const { channel, snrDb, dopplerHz = 0, csiDelayMs = 0, jammerDb } = air;
  const words = [variant.kind, importance, channel, snrDb, dopplerHz, csiDelayMs, jammerDb === undefined ? '' : 'jam'];
  return {
    id: slug('mapping', ...words),
    cpuSeconds: count * (0.4 + 0.9 * mappings.length),
    run: (context) => place(e, count, context),
  };
}

async function place(e: Experiment, count: number, context: PartContext): Promise<Series[]> {
  const pictures = await context.data.pictures('street', count);
  context.codecs.know(pictures);
  const codec = context.codecs.semantic(e.variant);
  // Picture by picture through all mappings, so that each is coded once.
  const trials = e.mappings.map((): Series['trials'][number][] => []);
  const same: boolean[] = [];
  let done = 0;
  for (const draw of draws(pictures, count)) {
    const contents = new Set<string>();
    const more = (_: Draw, { plan }: Sent) => {
      contents.add(JSON.stringify([plan.grants, plan.bursts.map((b) => b.slots)]));
      return {};
    };
    for (const [m, name] of e.mappings.entries()) {
      const link = { ...linkOf(e.air, draw.seed, context.scale), mapping: name };
      const alone = { ...context, step: async () => {} };
      const sent = await sendAll(
        alone,
        [draw],
        () => ({ codec, link, ...(e.oneMcs ? { transmitter: { oneMcs: true, protectionDb: 0 } } : {}) }),
        { more },
      );
      trials[m].push(...sent.trials);
      await context.step(++done, count * e.mappings.length);
    }
    same.push(contents.size === 1);
  }
  return e.mappings.map((name, m) => ({
    scheme: e.variant.kind,
    conditions: labels(e, name),
    facts: { [SAME]: same.filter(Boolean).length },
    trials: trials[m],
  }));
}

function labels({ air, importance }: Experiment, mapping: Mapping): Conditions {
  return { ...conditionsOf(air), importance, mapping };
}

function checksOf(all: readonly Series[], scale: Scale): Check[] {
  return plan(scale).flatMap((e) => {
    const of = (name: Mapping) => find(all, e.variant.kind, labels(e, name));
    const matched = of('matched');
    if (!matched) return [];
    const { air, importance, asked = {} } = e;
    const ageing = air.csiDelayMs === undefined ? '' : `, CSI ${air.csiDelayMs} ms at ${air.dopplerHz} Hz`;
    const jam = air.jammerDb === undefined ? '' : ' with a jammer';
    const where = `${e.variant.kind}, ${air.channel.toUpperCase()} ${air.snrDb} dB${jam}${ageing}, importance ${importance}`;
    const line = (what: string, a: Mapping, measure: 'roiPsnrDb' | 'psnrDb', limits: Asked = {}) =>
      check('mapping', `${where}: ${what}`, 'dB', paired(of(a), of('uniform'), measure), limits);
    const same = Number(matched.facts[SAME]);
    const whole = { value: same / matched.trials.length, low: Number.NaN, high: Number.NaN, n: matched.trials.length };
    return [
      // Where MCS goes by place nothing can be the same.
      ...(e.variant.kind === 'integrated' || e.oneMcs
        ? [check('mapping', `${where}: same grants and slots in all mappings`, 'share', whole, { least: 1 })]
        : []),
      line('matched - uniform, ROI-PSNR', 'matched', 'roiPsnrDb', asked),
      line('matched - uniform, whole picture', 'matched', 'psnrDb'),
      ...(e.mappings.includes('worst') ? [line('worst - uniform, ROI-PSNR', 'worst', 'roiPsnrDb')] : []),
    ];
  });
}

/** Gain of matching against the age of the CSI, one line for each Doppler and importance. */
function agePlot(all: readonly Series[]): NamedPlot[] {
  const lines = [5, 50].flatMap((dopplerHz) =>
    (['own', 'oracle'] as const).flatMap((importance) => {
      const points = [5, 10, 20, 50, 100].flatMap((csiDelayMs) => {
        const of = (name: Mapping) =>
          find(all, 'integrated', labels({ ...experiment({ ...EVA5, dopplerHz, csiDelayMs }, importance) }, name));
        const gain = paired(of('matched'), of('uniform'), 'roiPsnrDb');
        return gain ? [{ csiDelayMs, ...gain }] : [];
      });
      if (points.length < 2) return [];
      return [
        {
          kind: 'line' as const,
          label: `${dopplerHz} Hz, ${importance} importance`,
          x: points.map((p) => p.csiDelayMs),
          y: points.map((p) => p.value),
          low: points.map((p) => p.low),
          high: points.map((p) => p.high),
          bars: true,
          markers: true,
        },
      ];
    }),
  );
  if (lines.length === 0) return [];
  return [
    {
      name: 'mapping-age',
      spec: {
        title: 'Gain of matching as the CSI report ages',
        description: 'Integrated, EVA 5 dB, reports predicted from four soundings. 95 % intervals.',
        xLabel: 'delay of the CSI report, ms',
        yLabel: 'matched - uniform, ROI-PSNR, dB',
        xScale: 'log',
        series: [...lines, { kind: 'threshold', axis: 'y', value: 0 }],
      },
    },
  ];
}
