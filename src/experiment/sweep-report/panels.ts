import { settingText } from './design.ts';
import { compareText, type Setting } from './observation.ts';

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

/** As many colours as the palette has. */
const MOST_CURVES = 8;

/** Settings that stay within a plot as long as they can: what a reader compares. The last of the list leaves it last. */
const TOGETHER = ['codec', 'mapping', 'mode', ''];

/**
 * Puts curves into as few plots as hold at most 8 each: the settings that are not compared first become titles, one after another, those with the
 * most curves left over first in the order of their names.
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
    if ([...panels.values()].every((list) => list.length <= MOST_CURVES)) break;
    titles.push(key);
    panels = split(curves, titles);
  }
  const labels = keys.filter((key) => (key === '' || varied.includes(key)) && !titles.includes(key));
  return [...panels.values()].flatMap((list): Panel[] => {
    const title = titles.map((key) => text(list[0], key)).join(', ');
    const named = list.map((c): Curve => ({ label: label(c, labels), points: c.points }));
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
