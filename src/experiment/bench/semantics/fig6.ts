import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { type Air, conditionsOf, linkOf } from './air.ts';
import { type Butteraugli, findButteraugli } from './butteraugli.ts';
import { SEMANTIC_KINDS } from './codec-shelf.ts';
import type { BenchPicture, PictureSet } from './data.ts';
import { type Check, check, meanOf } from './figures.ts';
import { measured, shownImage } from './measure.ts';
import { find, type NamedPlot, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { cbrText, type Measure, type Series, slug } from './series.ts';

const SNR_DB = 1;
const BOUND = 'AVIF + capacity';
const CBRS = [1 / 96, 1 / 64, 1 / 48, 1 / 32, 1 / 24, 1 / 16, 1 / 12, 1 / 8, 1 / 6, 1 / 4] as const;
/** Subbands by size: small budgets want short slots. */
const PICTURES: Readonly<Record<string, { title: string; full: number; pixels: number; subbands: number }>> = {
  saliency: { title: 'ECSSD', full: 20, pixels: 0.12e6, subbands: 6 },
  kodak: { title: 'Kodak', full: 12, pixels: 0.39e6, subbands: 6 },
  large: { title: '1.6 megapixels', full: 3, pixels: 1.57e6, subbands: 25 },
};

function sets(scale: Scale): PictureSet[] {
  return scale.quick ? ['saliency'] : ['saliency', 'kodak', 'large'];
}

/** Small pictures have no room for control and side information at the smallest ratios. */
function cbrs(set: PictureSet, scale: Scale): readonly number[] {
  if (scale.quick) return [1 / 16, 1 / 6];
  return set === 'saliency' ? CBRS.slice(2) : CBRS;
}

export const fig6: Part = {
  name: 'fig6',
  title: "The paper's Fig. 6: distortion against R at 1 dB",
  about:
    "AWGN at 1 dB. Three sizes: ECSSD test, Kodak, and pictures of 1.6 megapixels (four Kodak pictures side by side unless --data has a folder `large`). The bound is an AVIF file of as many bits as capacity allows in R, no radio at all; LPIPS, which the paper shows, needs a network that this project does not have: MS-SSIM and, where Debian's butteraugli_main is installed, Butteraugli stand for it.",
  sets: ['saliency', 'kodak'],
  conditions: ['pictures', 'CBR', 'R'],
  measures: ['psnrDb', 'msSsimDb', 'butteraugli', 'outage'],
  units: (scale) =>
    sets(scale).flatMap((set) =>
      cbrs(set, scale).flatMap((cbr) => [...SEMANTIC_KINDS, BOUND].map((scheme) => unitOf(set, cbr, scheme, scale))),
    ),
  view: (all, scale) => ({
    checks: sets(scale).flatMap((set) => crossings(all, set, scale)),
    plots: scale.quick ? [] : sets(scale).flatMap((set) => plotsOf(all, set, scale)),
  }),
};

function unitOf(set: PictureSet, cbr: number, scheme: string, scale: Scale): Unit {
  const { full, pixels } = PICTURES[set];
  const count = scale.of(full, 1);
  return {
    id: slug('fig6', set, Math.round(1 / cbr), scheme),
    cpuSeconds: count * (pixels / 1e6) * (scheme === BOUND ? 3 : 5 + 40 * cbr),
    run: async (context) => [await series(set, cbr, scheme, count, context)],
  };
}

async function series(
  set: PictureSet,
  cbr: number,
  scheme: string,
  count: number,
  context: PartContext,
): Promise<Series> {
  const pictures = await context.data.pictures(set, count);
  const air: Air = { channel: 'awgn', snrDb: SNR_DB, cbr, subbands: PICTURES[set].subbands };
  const conditions = labels(set, cbr);
  const seen = await findButteraugli();
  const kind = SEMANTIC_KINDS.find((k) => k === scheme);
  if (!kind) return { scheme, conditions, facts: {}, trials: await bound(pictures, cbr, context, seen) };
  const codec = context.codecs.semantic({ kind });
  const { trials } = await sendAll(
    context,
    draws(pictures, count),
    ({ seed }) => ({ codec, link: linkOf(air, seed, context.scale) }),
    {
      wanted: () => ({ msSsim: true }),
      more: ({ picture }, sent) => distance(seen, picture.image, shownImage(sent.decoded, picture.image)),
    },
  );
  return { scheme, conditions, facts: {}, trials };
}

function labels(set: PictureSet, cbr: number) {
  const { channel, 'SNR, dB': snr } = conditionsOf({ channel: 'awgn', snrDb: SNR_DB, cbr });
  return {
    pictures: PICTURES[set].title,
    channel,
    'SNR, dB': snr,
    CBR: cbrText(cbr),
    R: Number((3 * cbr).toPrecision(4)),
  };
}

/** The conventional bound: a file of floor(C R pixels / 8) bytes, C = log2(1 + snr), that always arrives. */
async function bound(pictures: readonly BenchPicture[], cbr: number, context: PartContext, seen: Butteraugli | null) {
  const codec = context.codecs.classical();
  const trials = [];
  for (const [i, picture] of pictures.entries()) {
    const { image } = picture;
    const symbols = 3 * cbr * image.width * image.height;
    const bytes = Math.floor((symbols * Math.log2(1 + 10 ** (SNR_DB / 10))) / 8);
    const { bytes: payload } = await codec.encodeToBudget(image, bytes);
    const streams = [{ id: 0, kind: 'bits' as const, payload, missing: [] }];
    const decoded = await codec.decode({ sideInfo: new Uint8Array(0), streams });
    const trial = measured(picture, i + 1, { decoded, countedSymbols: symbols }, { msSsim: true });
    const more = await distance(seen, image, shownImage(decoded, image));
    trials.push({ ...trial, values: { ...trial.values, ...more } });
    await context.step(i + 1, pictures.length);
  }
  return trials;
}

async function distance(seen: Butteraugli | null, a: RgbImage, b: RgbImage): Promise<Partial<Record<Measure, number>>> {
  const butteraugli = seen && (await seen.distance(a, b));
  return butteraugli === null ? {} : { butteraugli };
}

/** Where a curve falls under the bound as R grows, by straight lines between the measured points on log R. */
function crossings(all: readonly Series[], set: PictureSet, scale: Scale): Check[] {
  return SEMANTIC_KINDS.flatMap((kind) =>
    (['psnrDb', 'msSsimDb', 'butteraugli'] as const).flatMap((measure) => {
      const points = cbrs(set, scale).flatMap((cbr) => {
        const at = labels(set, cbr);
        const [own, other] = [kind, BOUND].map((scheme) => meanOf(find(all, scheme, at), measure)?.value);
        if (own === undefined || other === undefined) return [];
        return [{ r: 3 * cbr, ahead: measure === 'butteraugli' ? other - own : own - other }];
      });
      if (points.length < 2) return [];
      const { r, words } = crossover(points);
      const what = `${PICTURES[set].title}, ${measure}: R up to which ${kind} is ahead of ${BOUND}${words}`;
      const value = { value: r ?? Number.NaN, low: Number.NaN, high: Number.NaN, n: points.length };
      return [check('fig6', what, 'symbols a pixel', r === null ? null : value)];
    }),
  );
}

/** @param points ascending in r; ahead > 0 where the scheme is better than the bound */
export function crossover(points: readonly { r: number; ahead: number }[]): { r: number | null; words: string } {
  const last = points.findLastIndex((p) => p.ahead >= 0);
  if (last < 0) return { r: null, words: ' (behind at every R measured)' };
  if (last === points.length - 1) return { r: points[last].r, words: ' (ahead at the largest R measured)' };
  const [a, b] = [points[last], points[last + 1]];
  const share = a.ahead / (a.ahead - b.ahead);
  return { r: a.r * (b.r / a.r) ** share, words: '' };
}

function plotsOf(all: readonly Series[], set: PictureSet, scale: Scale): NamedPlot[] {
  return (['psnrDb', 'msSsimDb', 'butteraugli'] as const).flatMap((measure): NamedPlot[] => {
    const lines = [...SEMANTIC_KINDS, BOUND].map((scheme) => {
      const y = cbrs(set, scale).map(
        (cbr) => meanOf(find(all, scheme, labels(set, cbr)), measure)?.value ?? Number.NaN,
      );
      const x = cbrs(set, scale).map((cbr) => 3 * cbr);
      return { kind: 'line' as const, markers: true, label: scheme, dash: scheme === BOUND, x, y };
    });
    if (!lines.some((l) => l.y.some(Number.isFinite))) return [];
    const title = { psnrDb: 'PSNR, dB', msSsimDb: 'MS-SSIM, dB', butteraugli: 'Butteraugli 3-norm' }[measure];
    return [
      {
        name: slug('fig6', set, measure),
        spec: {
          title: `${PICTURES[set].title}, AWGN ${SNR_DB} dB`,
          xLabel: 'R, symbols a pixel',
          yLabel: title,
          xScale: 'log',
          series: lines,
        },
      },
    ];
  });
}
