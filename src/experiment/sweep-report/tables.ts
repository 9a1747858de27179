import { fixed, signed } from '../report/svg/text.ts';
import { csvLine } from './csv.ts';
import type { SweepReport } from './document.ts';
import { EVENT_NAMES } from './error-events.ts';
import type { CrossedEstimate } from './intervals.ts';
import { MEASURES, type Measure } from './measures.ts';
import type { CrossedRatio } from './ratio.ts';
import { settingText, valueText } from './setting-text.ts';
import type { GroupStatistics } from './statistics.ts';

/** A table for people: words, and numbers as they are read. */
export interface ReadTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns of numbers. */
  readonly numeric: readonly number[];
}

/** Measures of the tables for people; all of them stand in groups.csv. */
const SHOWN = [
  'psnrDb',
  'msSsim',
  'roiPsnrDb',
  'mIoU',
  'outage',
  'outageAir',
  'outageBudget',
  'bler',
  'sfvReceived',
  'sfvImportance',
  'stoi',
  'segmentalSnrDb',
  'speechOutage',
  'symbolsPerPixel',
];

/** Value with its interval: "31.25 (30.90 to 31.60)". */
export function estimateText(e: CrossedEstimate | undefined, digits: number, plus = false): string {
  if (!e) return '';
  const write = plus ? signed : fixed;
  const interval = Number.isFinite(e.low) && Number.isFinite(e.high);
  return `${write(e.value, digits)}${interval ? ` (${write(e.low, digits)} to ${write(e.high, digits)})` : ''}`;
}

function present(r: SweepReport, has: (s: GroupStatistics, m: Measure) => boolean): Measure[] {
  return MEASURES.filter((m) => r.statistics.some((s) => has(s, m)));
}

/** One line a group: what it is, how many pictures, and what they came to. */
export function groupTable(r: SweepReport): ReadTable {
  const { telling } = r.design;
  const kept = r.statistics.some((s) => (s.figures.outageBudget?.value ?? 0) > 0);
  const shown = present(r, ({ figures }, { key }) => {
    if (key.startsWith('outage') && key !== 'outage' && !kept) return false;
    return SHOWN.includes(key) && figures[key] !== undefined;
  });
  const events = EVENT_NAMES.filter((name) => r.statistics.some((s) => s.events[name]));
  const head = [...telling, 'pictures', 'photos', 'seeds'];
  for (const m of shown) head.push(m.label, ...(m.key === 'psnrDb' ? [`10th percentile of ${m.label}`] : []));
  head.push(...events.map((name) => `${name} error event`));
  const rows = r.statistics.map((s) => {
    const cells = telling.map((key) => valueText(s.group.settings[key]));
    cells.push(String(s.group.observations.length), String(s.photos), String(s.seeds));
    for (const m of shown) {
      cells.push(estimateText(s.figures[m.key], m.digits));
      if (m.key === 'psnrDb') cells.push(estimateText(s.worst[m.key], m.digits));
    }
    cells.push(...events.map((name) => estimateText(s.events[name], 4)));
    return cells;
  });
  return { head, rows, numeric: head.map((_, i) => i).slice(telling.length) };
}

/** One line a gain. */
export function gainTable(r: SweepReport): ReadTable {
  const shown = MEASURES.filter((m) => m.gain && r.gains.some((g) => g.figures[m.key]));
  const rest = r.design.telling;
  const head = ['gain', 'where', 'pairs', 'identical', ...shown.map((m) => m.label), 'also differs'];
  const rows = r.gains.map((g) => {
    const where = rest.filter((key) => key !== g.key).map((key) => settingText(key, g.group.settings[key]));
    return [
      `${settingText(g.key, g.of)} − ${settingText(g.key, g.over)}`,
      where.join(', '),
      ...[String(g.pairs), String(g.identical)],
      ...shown.map((m) => estimateText(g.figures[m.key], m.digits, true)),
      g.alsoDiffers.join(', '),
    ];
  });
  return { head, rows, numeric: [2, 3, ...shown.map((_, i) => i + 4)] };
}

const INTERVAL = ['', '_low', '_high', '_n'] as const;

function interval(e: CrossedEstimate | undefined): (number | null)[] {
  return e ? [e.value, e.low, e.high, e.n] : [null, null, null, null];
}

/** groups.csv: every axis, every measure with its interval and number of pictures. */
export function groupsCsv(r: SweepReport): string {
  const axes = r.design.axes.map((a) => a.key);
  const means = present(r, (s, m) => s.figures[m.key] !== undefined);
  const worst = present(r, (s, m) => s.worst[m.key] !== undefined);
  const events = EVENT_NAMES.filter((name) => r.statistics.some((s) => s.events[name]));
  const names = [...means.map((m) => m.key), ...worst.map((m) => `${m.key}_p10`), ...events.map((e) => `event_${e}`)];
  const columns = names.flatMap((name) => INTERVAL.map((part) => `${name}${part}`));
  const ratios = means.filter((m) => m.kind === 'ratio');
  columns.push(...ratios.flatMap((m) => [`${m.key}_errors`, `${m.key}_trials`]));
  const lines = [csvLine([...axes, 'pictures', 'photos', 'seeds', ...columns])];
  for (const s of r.statistics) {
    lines.push(
      csvLine([
        ...axes.map((key) => s.group.settings[key]),
        ...[s.group.observations.length, s.photos, s.seeds],
        ...means.flatMap((m) => interval(s.figures[m.key])),
        ...worst.flatMap((m) => interval(s.worst[m.key])),
        ...events.flatMap((name) => interval(s.events[name])),
        ...ratios.flatMap((m) => sums(s.figures[m.key])),
      ]),
    );
  }
  return lines.join('');
}

/** Numerator and denominator of a ratio. */
function sums(e: CrossedEstimate | undefined): (number | null)[] {
  return e && 'errors' in e ? [(e as CrossedRatio).errors, (e as CrossedRatio).trials] : [null, null];
}

/** gains.csv: what was compared, where, and every measure with its interval. */
export function gainsCsv(r: SweepReport): string {
  const axes = r.design.axes.map((a) => a.key);
  const shown = MEASURES.filter((m) => m.gain && r.gains.some((g) => g.figures[m.key]));
  const columns = shown.flatMap((m) => INTERVAL.map((part) => `${m.key}${part}`));
  const lines = [csvLine(['compared', 'of', 'over', ...axes, 'also_differs', 'pairs', 'identical', ...columns])];
  for (const g of r.gains) {
    lines.push(
      csvLine([
        ...[g.key, g.of, g.over],
        ...axes.map((key) => g.group.settings[key]),
        ...[g.alsoDiffers.join(' '), g.pairs, g.identical],
        ...shown.flatMap((m) => interval(g.figures[m.key])),
      ]),
    );
  }
  return lines.join('');
}
