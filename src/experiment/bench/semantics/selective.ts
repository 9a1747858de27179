import { type Air, conditionsOf, linkOf } from './air.ts';
import { SEMANTIC_KINDS, type SemanticKind, type SemanticVariant } from './codec-shelf.ts';
import type { PictureSet } from './data.ts';
import { check, meanOf, paired } from './figures.ts';
import { find, type Part, type PartContext, type Scale, type Unit } from './part.ts';
import { draws, sendAll } from './send-all.ts';
import { type Conditions, type Series, slug } from './series.ts';

const CBR = 1 / 48;
/** Most bytes of side information at 512x768, and with the label map that selective mode needs. */
const MOST_BYTES = { overall: 350, selective: 450 } as const;

interface Setting {
  readonly name: string;
  readonly variant: Omit<SemanticVariant, 'kind'>;
  readonly rival?: string;
}

/** What is sent, and what it is compared with. */
const OVERALL: Setting = { name: 'overall', variant: {} };
const SELECTIVE: Setting = { name: 'selective', variant: { words: { mode: 'selective' } }, rival: 'overall' };
const BOX: Setting = { name: 'selective, rectangle around the ROI', variant: { box: true }, rival: 'overall' };
const MACHINE: Setting = { name: 'overall, task machine', variant: { words: { task: 'machine' } } };
const MACHINE_SELECTIVE: Setting = {
  name: 'selective, task machine',
  variant: { words: { task: 'machine', mode: 'selective' } },
  rival: 'overall, task machine',
};

interface Place {
  readonly set: PictureSet;
  readonly title: string;
  readonly air: Air;
  readonly full: number;
  readonly settings: readonly Setting[];
}

function places(scale: Scale): Place[] {
  const street = {
    set: 'street',
    title: 'CamVid',
    full: 50,
    settings: [OVERALL, SELECTIVE, BOX, MACHINE, MACHINE_SELECTIVE],
  } as const;
  const eva: Place = { ...street, air: { channel: 'eva', snrDb: 5, dopplerHz: 5, csiDelayMs: 20, cbr: CBR } };
  if (scale.quick) return [{ ...eva, settings: [OVERALL, SELECTIVE, BOX], air: { ...eva.air, cbr: 1 / 16 } }];
  const awgn: Air = { channel: 'awgn', snrDb: 5, cbr: CBR };
  return [
    eva,
    { ...street, air: awgn },
    {
      set: 'saliency',
      title: 'ECSSD',
      full: 50,
      settings: [OVERALL, SELECTIVE, BOX],
      air: { ...awgn, cbr: 1 / 24, subbands: 6 },
    },
    { set: 'kodak', title: 'Kodak', full: 24, settings: [OVERALL, SELECTIVE], air: { ...awgn, subbands: 6 } },
  ];
}

export const selective: Part = {
  name: 'selective',
  title: 'Selective against overall',
  about:
    'CBR 1/48 (ECSSD, whose pictures are small: 1/24). Overall sends every SFV; selective sends the densest ones that together hold 90 % of the importance, or a rectangle; the rest only as labels, made up at the receiver. The rectangle is the one around the region of interest by ground truth: what a user who points at something would say. Bytes of side information and of the label map in it are held against the limits for 512x768 on the Kodak pictures.',
  sets: ['street', 'saliency', 'kodak'],
  conditions: ['pictures', 'CBR', 'channel', 'SNR, dB', 'mode'],
  measures: ['roiPsnrDb', 'psnrDb', 'outage', 'sideInfoBytes', 'labelMapBytes'],
  units: (scale) =>
    places(scale).flatMap((place) =>
      SEMANTIC_KINDS.flatMap((kind) => place.settings.map((setting) => unitOf(place, kind, setting, scale))),
    ),
  view: (all, scale) => ({
    checks: places(scale).flatMap((place) => SEMANTIC_KINDS.flatMap((kind) => checksAt(place, kind, all))),
    plots: [],
  }),
};

function unitOf(place: Place, kind: SemanticKind, setting: Setting, scale: Scale): Unit {
  const count = scale.of(place.full, 2);
  return {
    id: slug('selective', place.set, place.air.channel, kind, setting.name),
    cpuSeconds: count * (place.set === 'kodak' ? 2.2 : 1.2),
    run: async (context) => [await series(place, kind, setting, count, context)],
  };
}

async function series(
  place: Place,
  kind: SemanticKind,
  setting: Setting,
  count: number,
  context: PartContext,
): Promise<Series> {
  const pictures = await context.data.pictures(place.set, count);
  context.codecs.know(pictures);
  const codec = context.codecs.semantic({ ...setting.variant, kind });
  const { trials } = await sendAll(
    context,
    draws(pictures, count),
    ({ seed }) => ({ codec, link: linkOf(place.air, seed, context.scale) }),
    { wanted: ({ picture }) => ({ parts: codec.partsOf(picture.image) }) },
  );
  return { scheme: kind, conditions: labels(place, setting.name), facts: {}, trials };
}

function labels({ title, air }: Place, mode: string): Conditions {
  return { pictures: title, ...conditionsOf(air), mode };
}

function checksAt(place: Place, kind: SemanticKind, all: readonly Series[]) {
  const of = (mode: string) => find(all, kind, labels(place, mode));
  const where = `${kind}, ${place.title}, ${place.air.channel.toUpperCase()} ${place.air.snrDb} dB`;
  const gains = place.settings.flatMap(({ name, rival }) => {
    if (rival === undefined) return [];
    const measure = place.set === 'kodak' ? 'psnrDb' : 'roiPsnrDb';
    const gain = paired(of(name), of(rival), measure);
    return gain === null ? [] : [check('selective', `${where}: ${name} - ${rival}, ${measure}`, 'dB', gain)];
  });
  if (place.set !== 'kodak') return gains;
  const bytes = (['overall', 'selective'] as const).map((mode) => {
    const mean = meanOf(of(mode), 'sideInfoBytes');
    const largest = Math.max(...(of(mode)?.trials.map((t) => t.values.sideInfoBytes ?? 0) ?? [Number.NaN]));
    const value = mean && { value: largest, low: largest, high: largest, n: mean.n };
    return check('selective', `${where}: largest side information, ${mode}`, 'bytes', value, {
      most: MOST_BYTES[mode],
    });
  });
  return [...gains, ...bytes];
}
