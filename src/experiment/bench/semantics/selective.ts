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
}

/** What is sent: everything, or the most important SFVs that hold 80 % of the importance; importance for people or for the task. */
const SETTINGS: readonly Setting[] = [
  { name: 'overall', variant: {} },
  { name: 'selective', variant: { mode: 'selective' } },
  { name: 'overall, task machine', variant: { analysis: { task: 'machine' } } },
  { name: 'selective, task machine', variant: { mode: 'selective', analysis: { task: 'machine' } } },
];

interface Place {
  readonly set: PictureSet;
  readonly title: string;
  readonly air: Air;
  readonly full: number;
  readonly settings: readonly Setting[];
}

function places(scale: Scale): Place[] {
  const street = { set: 'street', title: 'CamVid', full: 50, settings: SETTINGS } as const;
  const eva: Place = { ...street, air: { channel: 'eva', snrDb: 5, dopplerHz: 5, csiDelayMs: 20, cbr: CBR } };
  if (scale.quick) return [{ ...eva, settings: SETTINGS.slice(0, 2), air: { ...eva.air, cbr: 1 / 16 } }];
  const awgn: Air = { channel: 'awgn', snrDb: 5, cbr: CBR };
  return [
    eva,
    { ...street, air: awgn },
    { set: 'kodak', title: 'Kodak', full: 24, settings: SETTINGS.slice(0, 2), air: awgn },
  ];
}

export const selective: Part = {
  name: 'selective',
  title: 'Selective against overall',
  about:
    'CBR 1/48. Overall sends every SFV; selective sends the most important ones that together hold 80 % of the importance, the rest only as labels, made up at the receiver. Bytes of side information and of the label map in it are held against the limits for 512x768 on the Kodak pictures.',
  sets: ['street', 'kodak'],
  conditions: ['pictures', 'channel', 'SNR, dB', 'mode'],
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
  const gains = place.settings.flatMap(({ name }) => {
    if (!name.startsWith('selective')) return [];
    const rival = name.replace('selective', 'overall');
    const measure = place.set === 'street' ? 'roiPsnrDb' : 'psnrDb';
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
