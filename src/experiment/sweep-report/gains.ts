import { UsageError } from '../../common/errors.ts';
import { type Design, type Group, SOURCE } from './design.ts';
import { type CrossedEstimate, crossed, crossedMean } from './intervals.ts';
import { MEASURES } from './measures.ts';
import { compareSettings, type Observation, type Setting } from './observation.ts';

/** What is compared, and with what. */
export interface GainAxis {
  readonly key: string;
  /** null: by `baselineOf`. */
  readonly baseline: string | null;
}

/** One setting against another, all else equal, pair by pair. */
export interface Gain {
  readonly key: string;
  readonly of: Setting;
  readonly over: Setting;
  /** The group of `of`; its other settings are those of both. */
  readonly group: Group;
  /** Settings that differ beside the compared one, because they go with it. */
  readonly alsoDiffers: readonly string[];
  readonly pairs: number;
  /** Pairs whose measures are all the same to the last digit. */
  readonly identical: number;
  /** Mean R of both arms; null where not measured. */
  readonly symbolsPerPixel: number | null;
  readonly figures: Readonly<Record<string, CrossedEstimate>>;
}

/** Compared without being asked: mappings, codecs, and sources with the first of them. */
const ALWAYS: readonly GainAxis[] = [
  { key: 'mapping', baseline: 'uniform' },
  { key: 'codec', baseline: 'classical' },
  { key: SOURCE, baseline: null },
];

/**
 * Axes of which gains are told: those that vary, the wishes first.
 *
 * @throws UsageError for a wish of a setting that does not vary, or of a value that it has not
 */
export function gainAxes(design: Design, wishes: readonly GainAxis[]): GainAxis[] {
  for (const wish of wishes) checkWish(design, wish);
  const asked = new Set(wishes.map((w) => w.key));
  const varied = new Set(design.axes.map((a) => a.key));
  return [...wishes, ...ALWAYS.filter(({ key }) => !asked.has(key))].filter(({ key }) => varied.has(key));
}

function checkWish({ axes }: Design, { key, baseline }: GainAxis): void {
  const axis = axes.find((a) => a.key === key);
  if (!axis) {
    const varied = axes.map((a) => a.key);
    throw new UsageError(
      `--gain: "${key.slice(0, 40)}" does not vary`,
      varied.length > 0 ? `varied: ${varied.join(', ')}` : 'nothing varied but photo and seed',
    );
  }
  if (baseline === null || axis.values.some((v) => String(v) === baseline)) return;
  const there = axis.values.slice(0, MOST_VALUES).join(', ');
  throw new UsageError(`--gain: ${key} is nowhere "${baseline.slice(0, 60)}"`, `${key}: ${there}`);
}

const MOST_VALUES = 20;

/** The value the others are compared with: what was asked for if it is there, else the first (of sources: as given). */
export function baselineOf(design: Design, axis: GainAxis, sourceOrder: readonly string[]): Setting {
  const { values } = design.axes.find((a) => a.key === axis.key)!;
  const asked = values.find((v) => String(v) === axis.baseline);
  if (asked !== undefined) return asked;
  if (axis.key === SOURCE) return sourceOrder.find((label) => values.includes(label)) ?? values[0];
  return values[0];
}

/**
 * Paired gains along an axis: groups that agree in all telling axes but this one, pictures of the same photo and seed. A picture that has
 * no partner is left out of the gain (`pairs` says how many were found).
 */
export function gainsAlong(design: Design, axis: GainAxis, sourceOrder: readonly string[]): Gain[] {
  const over = baselineOf(design, axis, sourceOrder);
  const rest = design.telling.filter((key) => key !== axis.key);
  const placeOf = ({ settings }: Group) => JSON.stringify(rest.map((key) => settings[key]));
  const base = new Map(design.groups.filter((g) => g.settings[axis.key] === over).map((g) => [placeOf(g), g]));
  const others = design.groups.filter((g) => g.settings[axis.key] !== over);
  return others
    .flatMap((group): Gain[] => {
      const partner = base.get(placeOf(group));
      const gain = partner && gainOf(axis.key, group, partner, design);
      return gain ? [gain] : [];
    })
    .sort((a, b) => compareSettings(a.of, b.of));
}

function gainOf(key: string, group: Group, partner: Group, design: Design): Gain | null {
  const pairs = pairsOf(group.observations, partner.observations);
  if (pairs.length === 0) return null;
  const figures: Record<string, CrossedEstimate> = {};
  for (const measure of MEASURES) {
    if (!measure.gain) continue;
    const both = pairs.filter(([a, b]) => a.figures[measure.key] !== null && b.figures[measure.key] !== null);
    if (both.length === 0) continue;
    const differences = both.map(([a, b]) => a.figures[measure.key]! - b.figures[measure.key]!);
    const photos = both.map(([a]) => a.photo);
    const seeds = both.map(([a]) => a.seed);
    figures[measure.key] = crossedMean(crossed(differences, photos, seeds));
  }
  const identical = pairs.filter(([a, b]) => MEASURES.every((m) => a.figures[m.key] === b.figures[m.key])).length;
  const varied = design.axes.map((a) => a.key);
  const alsoDiffers = varied.filter((k) => k !== key && group.settings[k] !== partner.settings[k]);
  const rates = pairs.flatMap((pair) => pair.map((o) => o.figures.symbolsPerPixel));
  const known = rates.filter((r) => r !== null);
  return {
    key,
    of: group.settings[key],
    over: partner.settings[key],
    group,
    alsoDiffers,
    identical,
    figures,
    pairs: pairs.length,
    symbolsPerPixel: known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null,
  };
}

/** Pictures of the same photo and seed; of several the first with the first, and so on. Both lists are sorted by photo and seed. */
function pairsOf(a: readonly Observation[], b: readonly Observation[]): [Observation, Observation][] {
  const waiting = new Map<string, Observation[]>();
  const keyOf = (o: Observation) => JSON.stringify([o.photo, o.seed]);
  for (const o of b) {
    const list = waiting.get(keyOf(o));
    if (list) list.push(o);
    else waiting.set(keyOf(o), [o]);
  }
  return a.flatMap((o): [Observation, Observation][] => {
    const partner = waiting.get(keyOf(o))?.shift();
    return partner ? [[o, partner]] : [];
  });
}
