import { UsageError } from '../../common/errors.ts';
import { nearest } from '../../common/nearest.ts';
import type { Source } from './material.ts';
import { compareObservations, compareSettings, compareText, type Observation, type Setting } from './observation.ts';

/** Key under which the source stands among the settings where there are several. */
export const SOURCE = 'source';
export const SNR = 'snrDb';
export const BUDGET = 'symbolsPerPixel';

/** Pictures that differ in nothing but photo and seed. */
export interface Group {
  readonly key: string;
  /** Every setting of the design; null where this one has none. */
  readonly settings: Readonly<Record<string, Setting>>;
  /** In an order that does not depend on which was measured first. */
  readonly observations: readonly Observation[];
}

export interface Axis {
  readonly key: string;
  readonly values: readonly Setting[];
}

/** What was varied, what was not. */
export interface Design {
  readonly axes: readonly Axis[];
  readonly constants: Readonly<Record<string, Setting>>;
  /** Axes that tell the groups apart; the others follow from them (the model set from the codec). */
  readonly telling: readonly string[];
  readonly groups: readonly Group[];
}

/** Axes that name a group first. */
const FIRST = [SNR, BUDGET, 'codec', 'mapping', 'mode', 'channel', SOURCE, 'dopplerHz', 'numerology', 'harq'];

export const MAX_GROUPS = 20_000;

/** A wish of `--where KEY=VALUE,...`. */
export interface Where {
  readonly key: string;
  readonly values: readonly string[];
}

/** Observations by their settings, in the order of their axes. O(n log n). */
export function designOf(all: readonly Observation[], sources: readonly Source[], where: readonly Where[]): Design {
  const several = sources.length > 1;
  const keys = new Set<string>(several ? [SOURCE] : []);
  for (const settings of new Set(all.map((o) => o.settings))) for (const key of Object.keys(settings)) keys.add(key);
  for (const w of where) checkWhere(w, keys);
  const sorted = [...keys].sort(compareKeys);
  const settingsOf = (o: Observation): Record<string, Setting> =>
    Object.fromEntries(
      sorted.map((key) => [
        key,
        key === SOURCE ? sources[o.source].label : Object.hasOwn(o.settings, key) ? o.settings[key] : null,
      ]),
    );

  const groups = new Map<string, { settings: Record<string, Setting>; observations: Observation[] }>();
  /** The observations of a group; null where --where leaves it out. */
  const placeOf = (o: Observation): Observation[] | null => {
    const settings = settingsOf(o);
    if (!where.every(({ key, values }) => values.includes(String(settings[key])))) return null;
    const key = JSON.stringify(Object.values(settings));
    const group = groups.get(key) ?? { settings, observations: [] };
    groups.set(key, group);
    if (groups.size > MAX_GROUPS) throw new UsageError(`more than ${MAX_GROUPS} different settings in one report`);
    return group.observations;
  };
  // Pictures of one source with the very same settings go the same way: there may be very many.
  const places = sources.map(() => new Map<Observation['settings'], Observation[] | null>());
  for (const o of all) {
    const known = places[o.source].get(o.settings);
    const place = known === undefined ? placeOf(o) : known;
    if (known === undefined) places[o.source].set(o.settings, place);
    place?.push(o);
  }
  if (groups.size === 0)
    throw new UsageError('nothing left to report on by --where', valuesThere(where, all.map(settingsOf)));

  const valuesOf = (key: string) =>
    [...new Set([...groups.values()].map((g) => g.settings[key]))].sort(compareSettings);
  const axes = sorted.map((key) => ({ key, values: valuesOf(key) })).filter(({ values }) => values.length > 1);
  const varied = new Set(axes.map(({ key }) => key));
  const [one] = groups.values();
  const constants = Object.fromEntries(sorted.filter((key) => !varied.has(key)).map((key) => [key, one.settings[key]]));
  const list = [...groups].map(
    ([key, g]): Group => ({ key, ...g, observations: g.observations.sort(compareObservations) }),
  );
  const telling = tellingAxes(axes, list);
  const byTelling = (a: Group, b: Group) => {
    for (const key of telling) {
      const order = compareSettings(a.settings[key], b.settings[key]);
      if (order !== 0) return order;
    }
    return compareText(a.key, b.key);
  };
  return { axes, constants, telling, groups: list.sort(byTelling) };
}

const MOST_VALUES = 20;

/** "snrDb: 0, 5, 10" of each setting that was asked for. */
function valuesThere(where: readonly Where[], all: readonly Readonly<Record<string, Setting>>[]): string {
  return where
    .map(({ key }) => {
      const values = [...new Set(all.map((settings) => settings[key]))].sort(compareSettings);
      const more = values.length > MOST_VALUES ? `, … ${values.length} values` : '';
      return `${key}: ${values.slice(0, MOST_VALUES).join(', ')}${more}`;
    })
    .join('; ');
}

function checkWhere({ key }: Where, keys: ReadonlySet<string>): void {
  if (keys.has(key)) return;
  const close = nearest(key, [...keys]);
  throw new UsageError(
    `--where: there is no setting "${key.slice(0, 40)}"`,
    close ? `did you mean ${close}?` : `settings: ${[...keys].sort(compareText).join(', ')}`,
  );
}

function compareKeys(a: string, b: string): number {
  const rank = (key: string) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
  return rank(a) - rank(b) || compareText(a, b);
}

/** Takes the axes in order, leaving out each whose value follows from those taken before. */
function tellingAxes(axes: readonly Axis[], groups: readonly Group[]): string[] {
  const telling: string[] = [];
  for (const { key } of axes) {
    const seen = new Map<string, Setting>();
    const follows = groups.every(({ settings }) => {
      const tuple = JSON.stringify(telling.map((k) => settings[k]));
      if (!seen.has(tuple)) seen.set(tuple, settings[key]);
      return seen.get(tuple) === settings[key];
    });
    if (!follows) telling.push(key);
  }
  return telling;
}
