import { mean } from '../../metrics/stats.ts';
import { type Air, blindLinkOf, conditionsOf, linkOf, STREET_CBR } from './air.ts';
import { SEMANTIC_KINDS } from './codec-shelf.ts';
import { type Check, check, meanOf } from './figures.ts';
import { find, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { type Series, slug } from './series.ts';

/** What the sender of the fixed MCS was planned for, dB. */
const DESIGN_DB = 10;
const FIXED = `classical, fixed MCS for ${DESIGN_DB} dB`;
const ADAPTIVE = 'classical, MCS by CSI, HARQ 3';
/** SNRs of one unit. */
const CHUNK = 9;

function snrs(scale: Scale): number[] {
  if (scale.quick) return [16, 4];
  return Array.from({ length: 45 }, (_, i) => 20 - i / 2);
}

function airAt(snrDb: number): Air {
  return { channel: 'epa', snrDb, dopplerHz: 5, csiDelayMs: 20, cbr: STREET_CBR };
}

export const cliff: Part = {
  name: 'cliff',
  title: 'From 20 to -2 dB: where is the cliff',
  about: `EPA, 5 Hz, CSI 20 ms old, CBR 1/23, SNR in steps of 0.5 dB, the same CamVid test pictures and seeds at every SNR. Up to three repetitions inside the budget; classical twice: with them and the MCS of each report, and one MCS for ${DESIGN_DB} dB without feedback.`,
  sets: ['street'],
  conditions: ['SNR, dB'],
  measures: ['psnrDb', 'roiPsnrDb', 'outage'],
  units: (scale) =>
    [...SEMANTIC_KINDS, FIXED, ADAPTIVE].flatMap((scheme) => {
      const all = snrs(scale);
      const chunks = Array.from({ length: Math.ceil(all.length / CHUNK) }, (_, i) =>
        all.slice(i * CHUNK, (i + 1) * CHUNK),
      );
      return chunks.map((chunk) => unitOf(scheme, chunk, scale));
    }),
  view: (all, scale) => {
    const schemes = [...SEMANTIC_KINDS, FIXED, ADAPTIVE];
    return {
      checks: schemes.flatMap((scheme) => stepsOf(all, scheme, scale)),
      plots: [
        {
          name: 'cliff',
          spec: {
            title: 'Quality against SNR (EPA, CBR 1/23)',
            description: 'Mean with 95 % interval of the mean.',
            xLabel: 'SNR, dB',
            yLabel: 'PSNR, dB',
            series: schemes.flatMap((scheme) => lineOf(all, scheme, scale)),
          },
        },
      ],
    };
  },
};

function unitOf(scheme: string, chunk: readonly number[], scale: Scale): Unit {
  const count = scale.of(12, 1);
  return {
    id: slug('cliff', scheme, chunk[0]),
    cpuSeconds: chunk.length * count * 1,
    run: async (context) => {
      const out: Series[] = [];
      for (const snrDb of chunk) out.push(await at(scheme, snrDb, count, context));
      return out;
    },
  };
}

async function at(scheme: string, snrDb: number, count: number, context: PartContext): Promise<Series> {
  const pictures = await context.data.pictures('street', count);
  const kind = SEMANTIC_KINDS.find((k) => k === scheme);
  const codec = kind ? context.codecs.semantic({ kind }) : context.codecs.classical();
  const air = airAt(snrDb);
  const linkTo = (seed: number) => {
    if (scheme === FIXED) return blindLinkOf(air, seed, context.scale, DESIGN_DB);
    return { ...linkOf(air, seed, context.scale), harq: 3 };
  };
  const { trials, facts } = await sendAll(context, draws(pictures, count), ({ seed }) => ({
    codec,
    link: linkTo(seed),
  }));
  return { scheme, conditions: conditionsOf(air), facts: scheme === FIXED ? { MCS: facts.MCS } : {}, trials };
}

/** The largest loss between neighbouring SNRs, and the loss over the whole range. */
function stepsOf(all: readonly Series[], scheme: string, scale: Scale): Check[] {
  const points = snrs(scale)
    .map((snrDb) => ({ snrDb, series: find(all, scheme, conditionsOf(airAt(snrDb))) }))
    .filter((p): p is { snrDb: number; series: Series } => p.series !== undefined);
  if (points.length < 2) return [];
  const means = points.map(({ series }) => mean(series.trials.map((t) => t.values.psnrDb!)));
  const losses = means.slice(1).map((m, i) => means[i] - m);
  const worst = losses.indexOf(Math.max(...losses));
  const [from, to] = [points[worst].snrDb, points[worst + 1].snrDb];
  const single = { value: losses[worst], low: Number.NaN, high: Number.NaN, n: losses.length };
  return [
    check('cliff', `${scheme}: largest loss of the mean from one SNR to the next (${from} to ${to} dB)`, 'dB', single),
  ];
}

function lineOf(all: readonly Series[], scheme: string, scale: Scale) {
  const points = snrs(scale).flatMap((snrDb) => {
    const m = meanOf(find(all, scheme, conditionsOf(airAt(snrDb))), 'psnrDb');
    return m ? [{ snrDb, ...m }] : [];
  });
  if (points.length === 0) return [];
  const x = points.map((p) => p.snrDb);
  const [y, low, high] = [points.map((p) => p.value), points.map((p) => p.low), points.map((p) => p.high)];
  return [{ kind: 'line' as const, label: scheme, x, y, low, high }];
}
