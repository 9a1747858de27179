import { compareText, type Setting } from './observation.ts';
import { settingText } from './setting-text.ts';

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** 95 % interval; NaN where there is none. */
  readonly low: number;
  readonly high: number;
  readonly n: number;
  readonly photos: number;
  readonly seeds: number;
}

/** Points that differ in nothing but x. */
export interface Curve {
  readonly label: string;
  readonly points: readonly CurvePoint[];
  /** Number of its colour, mark and dash. */
  readonly style: number;
}

/** Curves in one plot. */
export interface Panel {
  /** What all of them have in common; empty where there is one panel. */
  readonly title: string;
  readonly curves: readonly Curve[];
}

/** Curves with what tells them apart, before they are put into panels; the key "" holds words of their own. */
export interface SettledCurve {
  readonly settings: Readonly<Record<string, Setting>>;
  readonly points: readonly CurvePoint[];
}

/** More bars than these at one x cannot be told apart in a column's width. */
const MOST_CURVES = 5;
/** So many are let be where a plot could have fewer and still compare. */
const GOOD_CURVES = 3;

/** Settings that stay within a plot as long as they can: what a reader compares. The last of the list leaves it last. */
const TOGETHER = ['codec', 'speechKind', 'mapping', 'mode', ''];

/**
 * Puts curves into few plots of at most 5 each, 3 where each plot still compares something: the settings that are not compared become titles
 * first, one after another, in the order of their names.
 */
export function panelsOf(curves: readonly SettledCurve[]): Panel[] {
  const keys = [...new Set(curves.flatMap((c) => Object.keys(c.settings)))];
  const varied = keys.filter((key) => new Set(curves.map((c) => text(c, key))).size > 1);
  const order = [
    ...varied.filter((key) => !TOGETHER.includes(key)),
    ...TOGETHER.filter((key) => key !== '' && varied.includes(key)),
  ];
  const titles: string[] = [];
  let panels = split(curves, titles);
  for (const key of order) {
    const apart = split(curves, [...titles, key]);
    const compares = !TOGETHER.includes(key) && [...apart.values()].every((list) => list.length > 1);
    const most = compares ? GOOD_CURVES : MOST_CURVES;
    if ([...panels.values()].every((list) => list.length <= most)) continue;
    // A plot for every curve compares nothing.
    if ([...apart.values()].every((list) => list.length === 1)) continue;
    titles.push(key);
    panels = apart;
  }
  const labels = keys.filter((key) => (key === '' || varied.includes(key)) && !titles.includes(key));
  return [...panels.values()].flatMap((list): Panel[] => {
    const title = titles.map((key) => text(list[0], key)).join(', ');
    const named = list.map((c): Curve => ({ label: label(c, labels), points: c.points, style: 0 }));
    // Still too many: more plots of one title.
    const parts = Math.ceil(named.length / MOST_CURVES);
    return Array.from({ length: parts }, (_, i) => ({
      title: parts > 1 ? `${title}${title ? ', ' : ''}part ${i + 1}` : title,
      curves: named.slice(i * MOST_CURVES, (i + 1) * MOST_CURVES),
    }));
  });
}

function split(curves: readonly SettledCurve[], titles: readonly string[]): Map<string, SettledCurve[]> {
  const panels = new Map<string, SettledCurve[]>();
  for (const c of curves) {
    const key = JSON.stringify(titles.map((t) => text(c, t)));
    const list = panels.get(key);
    if (list) list.push(c);
    else panels.set(key, [c]);
  }
  return panels;
}

function text({ settings }: SettledCurve, key: string): string {
  const value = Object.hasOwn(settings, key) ? settings[key] : null;
  return key === '' ? String(value ?? '') : settingText(key, value);
}

function label(c: SettledCurve, keys: readonly string[]): string {
  const words = [...keys].sort((a, b) => rank(a) - rank(b) || compareText(a, b)).map((key) => text(c, key));
  return words.filter((w) => w !== '').join(', ');
}

/** Compared settings first, as they stand above; the others by name. */
function rank(key: string): number {
  const at = TOGETHER.indexOf(key);
  return at < 0 ? TOGETHER.length : at;
}
