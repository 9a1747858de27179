import type { Group } from './design.ts';
import { type ErrorLimits, EVENT_NAMES, eventWords } from './error-events.ts';
import type { Gain } from './gains.ts';
import type { CrossedEstimate } from './intervals.ts';
import { MEASURES, type Measure } from './measures.ts';
import { settingText } from './setting-text.ts';
import { type GroupStatistics, WORST_PERCENTILE } from './statistics.ts';

/** One number over its groups: what a figure shows on y. */
export interface Subject {
  readonly word: string;
  readonly title: string;
  readonly yLabel: string;
  readonly zero: boolean;
  readonly log: boolean;
  /** A point each. */
  readonly rows: readonly Row[];
}

export interface Row {
  readonly group: Group;
  /** Beside the settings of the group; "matched - uniform". */
  readonly arm: string | null;
  /** Axes that curves must not be told apart by, beside x. */
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
export const capital = (text: string) => (/^[a-z][A-Z]/.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}`);

/** Of a share of something what it is a share of. */
function axisOf({ key, label }: Measure): string {
  if (key === 'outage') return 'outage probability';
  if (key.startsWith('outage')) return `P{${label}}`;
  if (key === 'bler') return 'block error rate';
  if (key === 'speechOutage') return 'P{outage of speech}';
  return key.startsWith('sfv') ? `${label}, share` : label;
}
