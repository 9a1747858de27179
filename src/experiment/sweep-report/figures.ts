import { UsageError } from '../../common/errors.ts';
import { nearest } from '../../common/nearest.ts';
import { captionOf } from './caption.ts';
import { BUDGET, type Design, SNR } from './design.ts';
import { EVENT_NAMES } from './error-events.ts';
import type { Setting } from './observation.ts';
import { type CurvePoint, type Panel, panelsOf, type SettledCurve } from './panels.ts';
import { settingName } from './setting-text.ts';
import { Styles } from './styles.ts';
import { capital, type Row, type Subject } from './subjects.ts';

/** A figure with all its numbers; a panel becomes a plot. */
export interface FigureData {
  readonly name: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Written on the y axis as a line where no difference is. */
  readonly zero: boolean;
  /** Probabilities, which span decades. */
  readonly log: boolean;
  /** What stands below the figure in a paper. */
  readonly caption: string;
  readonly panels: readonly Panel[];
}

/** What a figure is over. */
interface XAxis {
  /** End of the figure's name. */
  readonly word: string;
  readonly key: string;
  readonly label: string;
}

const SNR_AXIS: XAxis = { word: 'snr', key: SNR, label: 'SNR, dB' };
/** Over the mean R as it was counted, not over the budget. */
const RATE_AXIS: XAxis = { word: 'rate', key: BUDGET, label: 'R, complex symbols per pixel' };

/** SNR and R always, then the other settings that vary and are numbers. */
function xAxes(design: Design): XAxis[] {
  const others = design.axes.filter(({ key, values }) => {
    return key !== SNR && key !== BUDGET && values.filter((v) => typeof v === 'number').length > 1;
  });
  return [SNR_AXIS, RATE_AXIS, ...others.map(({ key }) => ({ word: key, key, label: axisLabel(key) }))];
}

function axisLabel(key: string): string {
  const { name, unit } = settingName(key);
  return `${capital(name)}${unit === null ? '' : `, ${unit}`}`;
}

/** Drawn without being asked, rates where anything was seen; the others by their name. */
const DRAWN = new Set([
  ...[
    'psnr',
    'ms-ssim',
    'roi-psnr',
    'lpips',
    'miou',
    'judge-miou',
    'stoi',
    'segmental-snr',
    'speech-outage',
    'outage',
    'outage-air',
    'outage-budget',
    'bler',
    'sfv-received',
    'sfv-importance',
  ],
  ...[
    'p10-psnr',
    'gain-mapping-psnr',
    'gain-mapping-roi-psnr',
    'gain-mapping-weighted-psnr',
    'gain-codec-psnr',
    'gain-source-psnr',
  ],
  ...EVENT_NAMES.map((name) => `event-${name}`),
]);

/**
 * Figures by their names, SUBJECT-snr, SUBJECT-rate or SUBJECT-SETTING; without names those that are commonly asked for and have two places on x: over SNR
 * and R, over other settings where neither of the two varies.
 *
 * @param missing what captions say of points without a result
 * @throws UsageError for a name that these measurements cannot make, with the names that they can
 */
export function figuresFor(
  subjects: readonly Subject[],
  design: Design,
  names: readonly string[] | null,
  missing: string,
): FigureData[] {
  // Axis by axis, so that looks do not depend on what else varies.
  const all = xAxes(design).flatMap((x) => subjects.map((s) => drawn(s, x, design)));
  const styles = new Styles(all.flatMap(({ panels }) => panels.flatMap((p) => p.curves.map((c) => c.label))));
  const figure = ({ s, x, curves, panels }: (typeof all)[number]): FigureData => ({
    name: `${s.word}-${x.word}`,
    title: `${s.title} against ${x.label.split(',')[0]}`,
    xLabel: x.label,
    yLabel: capital(s.yLabel),
    zero: s.zero,
    log: s.log,
    caption: captionOf(design, curves, x.key, missing),
    panels: panels.map((p) => styles.dressed(p)),
  });
  if (names === null) {
    const over = drawnOver(design);
    const wanted = all.filter(({ s, x, panels }) => DRAWN.has(s.word) && over.has(x.key) && panels.length > 0);
    const kept = subjects.some((s) => s.word === 'outage-budget' && seen(s));
    // Where every picture was sent all outages were on the air.
    return wanted.filter(({ s }) => (!s.log || seen(s)) && (kept || s.word !== 'outage-air')).map(figure);
  }
  return [...new Set(names)].map((wish) => {
    const found = all.find(({ s, x }) => `${s.word}-${x.word}` === wish);
    if (found && found.panels.length > 0) return figure(found);
    const known = all.map(({ s, x }) => `${s.word}-${x.word}`);
    const close = nearest(wish, known);
    throw new UsageError(
      `--figure: nothing here makes "${wish.slice(0, 60)}"`,
      found || !close || close === wish
        ? `figures: ${known.join(', ')}`
        : `did you mean ${close}? figures: ${known.join(', ')}`,
    );
  });
}

function drawn(s: Subject, x: XAxis, design: Design) {
  const curves = curvesOf(s, x, design);
  return { s, x, curves, panels: panelsOf(curves) };
}

const seen = (s: Subject) => s.rows.some((r) => r.estimate.value > 0);

/** What a subject is drawn over without being asked. */
function drawnOver({ axes, telling }: Design): ReadonlySet<string> {
  const usual = axes.map(({ key }) => key).filter((key) => key === SNR || key === BUDGET);
  return new Set(usual.length > 0 ? usual : telling);
}

function xOf(row: Row, { key }: XAxis): Setting {
  return key === BUDGET ? row.symbolsPerPixel : row.group.settings[key];
}

/** The rows of a subject as curves: those of one curve differ in nothing but x. */
function curvesOf(s: Subject, x: XAxis, design: Design): SettledCurve[] {
  const curves = new Map<string, { settings: Record<string, Setting>; points: CurvePoint[] }>();
  for (const row of s.rows) {
    const at = xOf(row, x);
    if (typeof at !== 'number') continue;
    const keys = design.telling.filter((key) => key !== x.key && !row.hidden.includes(key));
    const settings: Record<string, Setting> = Object.fromEntries(keys.map((key) => [key, row.group.settings[key]]));
    if (row.arm !== null) settings[''] = row.arm;
    const key = JSON.stringify(Object.entries(settings));
    const curve = curves.get(key) ?? { settings, points: [] };
    const { value, low, high, n, photos, seeds } = row.estimate;
    curve.points.push({ x: at, y: value, low, high, n, photos, seeds });
    curves.set(key, curve);
  }
  return [...curves.values()].map(({ settings, points }) => ({ settings, points: points.sort((a, b) => a.x - b.x) }));
}
