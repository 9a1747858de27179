import { UsageError } from '../../common/errors.ts';
import { nearest } from '../../common/nearest.ts';
import { captionOf } from './caption.ts';
import { BUDGET, type Design, type Group, SNR, settingText } from './design.ts';
import { type ErrorLimits, EVENT_NAMES, eventWords } from './error-events.ts';
import type { Gain } from './gains.ts';
import type { CrossedEstimate } from './intervals.ts';
import { MEASURES, type Measure } from './measures.ts';
import type { Setting } from './observation.ts';
import { type Curve, type Panel, panelsOf } from './panels.ts';
import { type GroupStatistics, WORST_PERCENTILE } from './statistics.ts';
import { Styles } from './styles.ts';

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

/** What figures can be over. */
const X_AXES = [
  { word: 'snr', key: SNR, label: 'SNR, dB' },
  { word: 'rate', key: BUDGET, label: 'R, complex symbols per pixel' },
] as const;
type XAxis = (typeof X_AXES)[number];

/** Drawn without being asked, rates where anything was seen; the others by their name. */
const DRAWN = new Set([
  ...['psnr', 'ms-ssim', 'roi-psnr', 'lpips', 'miou', 'judge-miou', 'outage', 'bler', 'sfv-received', 'sfv-importance'],
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

/** One number over its groups: what a figure shows on y. */
interface Subject {
  readonly word: string;
  readonly title: string;
  readonly yLabel: string;
  readonly zero: boolean;
  readonly log: boolean;
  /** Axis of the settings that the series must not be told apart by, beside x. */
  readonly rows: readonly Row[];
}

interface Row {
  readonly group: Group;
  /** Beside the settings of the group; "matched - uniform". */
  readonly arm: string | null;
  readonly hidden: readonly string[];
  readonly estimate: CrossedEstimate;
  readonly symbolsPerPixel: number | null;
}

/** Every figure that these numbers could make. */
export function subjectsOf(
  groups: readonly GroupStatistics[],
  gains: readonly Gain[],
  limits: ErrorLimits | null,
): Subject[] {
  const plain = (
    word: string,
    title: string,
    yLabel: string,
    of: (g: GroupStatistics) => CrossedEstimate | undefined,
    log = false,
  ): Subject => {
    const rows = groups.flatMap((g): Row[] => {
      const estimate = of(g);
      const symbolsPerPixel = g.figures.symbolsPerPixel?.value ?? null;
      return estimate ? [{ group: g.group, arm: null, hidden: [], estimate, symbolsPerPixel }] : [];
    });
    return { word, title, yLabel, zero: false, log, rows };
  };
  const subjects = MEASURES.map((m) => plain(m.word, meanTitle(m), axisOf(m), (g) => g.figures[m.key], isRate(m)));
  for (const m of MEASURES) {
    if (!m.worst) continue;
    const title = `${WORST_PERCENTILE}th percentile of ${nameOf(m.label)}`;
    subjects.push(
      plain(`p${WORST_PERCENTILE}-${m.word}`, title, title.replace(nameOf(m.label), m.label), (g) => g.worst[m.key]),
    );
  }
  for (const name of EVENT_NAMES) {
    const words = eventWords(limits);
    subjects.push(plain(`event-${name}`, words[name], words[name], (g) => g.events[name], true));
  }
  for (const key of new Set(gains.map((g) => g.key))) {
    for (const m of MEASURES) {
      if (!m.gain) continue;
      const rows = gains
        .filter((g) => g.key === key && g.figures[m.key])
        .map((g): Row => {
          const arm = `${settingText(key, g.of)} − ${settingText(key, g.over)}`;
          const hidden = [key, ...g.alsoDiffers];
          return { group: g.group, arm, hidden, estimate: g.figures[m.key], symbolsPerPixel: g.symbolsPerPixel };
        });
      const title = `Gain in ${nameOf(m.label)} by ${key}, pair by pair`;
      subjects.push({
        word: `gain-${key}-${m.word}`,
        title,
        yLabel: `gain in ${m.label}`,
        zero: true,
        log: false,
        rows,
      });
    }
  }
  return subjects.filter((s) => s.rows.length > 0);
}

const nameOf = (label: string) => label.split(',')[0];

/** Shares of pictures and of blocks: probabilities. */
const isRate = ({ kind }: Measure) => kind !== 'mean';

function meanTitle({ key, label, kind }: Measure): string {
  const name = nameOf(label);
  if (key.startsWith('sfv')) return `${capital(name)}, mean share,`;
  return kind === 'mean' ? `Mean ${name}` : capital(name);
}

/** A name that has its own capitals (mIoU) keeps them. */
const capital = (text: string) => (/^[a-z][A-Z]/.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}`);

/** Of a share of something what it is a share of. */
function axisOf({ key, label }: Measure): string {
  if (key === 'outage') return 'outage probability';
  if (key === 'bler') return 'block error rate';
  return key.startsWith('sfv') ? `${label}, share` : label;
}

/**
 * Figures by their names, SUBJECT-snr or SUBJECT-rate; without names all that are drawn anyway and have two places on x.
 *
 * @throws UsageError for a name that these measurements cannot make, with the names that they can
 */
export function figuresFor(
  subjects: readonly Subject[],
  design: Design,
  names: readonly string[] | null,
): FigureData[] {
  const varied = new Set(design.axes.map((a) => a.key));
  const all = subjects.flatMap((s) => X_AXES.map((x) => ({ s, x, name: `${s.word}-${x.word}` })));
  const curves = all.flatMap(({ s, x, name }) => figureOf(s, x, name, design).panels.flatMap((p) => p.curves));
  const styles = new Styles(curves.map((c) => c.label));
  const dressed = (f: FigureData): FigureData => ({ ...f, panels: f.panels.map((p) => styles.dressed(p)) });
  if (names === null) {
    const wanted = all.filter(({ s, x }) => DRAWN.has(s.word) && varied.has(x.key));
    const seen = wanted.filter(({ s }) => !s.log || s.rows.some((r) => r.estimate.value > 0));
    return seen.map(({ s, x, name }) => dressed(figureOf(s, x, name, design))).filter((f) => f.panels.length > 0);
  }
  return names.map((wish) => {
    const found = all.find(({ name }) => name === wish);
    const figure = found && dressed(figureOf(found.s, found.x, found.name, design));
    if (figure && figure.panels.length > 0) return figure;
    const known = all.map(({ name }) => name);
    const close = nearest(wish, known);
    throw new UsageError(
      `--figure: nothing here makes "${wish.slice(0, 60)}"`,
      found || !close || close === wish
        ? `figures: ${known.join(', ')}`
        : `did you mean ${close}? figures: ${known.join(', ')}`,
    );
  });
}

function figureOf(s: Subject, x: XAxis, name: string, design: Design): FigureData {
  const curves = new Map<string, { settings: Record<string, Setting>; curve: { points: Curve['points'][number][] } }>();
  for (const row of s.rows) {
    const at = x.key === SNR ? row.group.settings[SNR] : row.symbolsPerPixel;
    if (typeof at !== 'number') continue;
    const keys = design.telling.filter((key) => key !== x.key && !row.hidden.includes(key));
    const settings: Record<string, Setting> = Object.fromEntries(keys.map((key) => [key, row.group.settings[key]]));
    if (row.arm !== null) settings[''] = row.arm;
    const key = JSON.stringify(Object.entries(settings));
    const entry = curves.get(key) ?? { settings, curve: { points: [] } };
    const { value, low, high, n, photos, seeds } = row.estimate;
    entry.curve.points.push({ x: at, y: value, low, high, n, photos, seeds });
    curves.set(key, entry);
  }
  const drawn = [...curves.values()].map(({ settings, curve }) => ({
    settings,
    points: curve.points.sort((a, b) => a.x - b.x),
  }));
  const panels = panelsOf(drawn);
  const { yLabel, zero, log } = s;
  return {
    name,
    title: `${s.title} against ${x.label.split(',')[0]}`,
    xLabel: x.label,
    yLabel: capital(yLabel),
    zero,
    log,
    caption: captionOf(
      design,
      panels.flatMap((p) => p.curves),
      x.key,
    ),
    panels,
  };
}
