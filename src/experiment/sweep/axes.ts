import { SctError, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { LINK_FLAGS, type LinkInput, linkInputSchema } from '../config/link-input.ts';

type Kind = 'number' | 'ratio' | 'word' | 'switch' | 'object' | 'iq';
type Key = keyof LinkInput;

/** What a sweep can vary: keys of a link that mean something where both ends are in this process, in the order of their nesting. */
const KINDS: { readonly [K in Key]?: Kind } = {
  codec: 'word',
  size: 'word',
  modelsDir: 'word',
  rxModelsDir: 'word',
  known: 'word',
  format: 'word',
  mode: 'word',
  task: 'word',
  keep: 'word',
  roi: 'word',
  distortion: 'word',
  order: 'word',
  maxSfvs: 'number',
  correction: 'switch',
  perceptual: 'switch',
  cbr: 'ratio',
  symbolsPerPixel: 'ratio',
  mapping: 'word',
  harq: 'number',
  harqBy: 'word',
  repeatBudget: 'number',
  protectionDb: 'number',
  numerology: 'number',
  profile: 'word',
  rateHz: 'number',
  channel: 'word',
  delaySpreadNs: 'number',
  dopplerHz: 'number',
  snrNorm: 'word',
  ideal: 'switch',
  cfoHz: 'number',
  sfoPpm: 'number',
  iqDb: 'iq',
  dcDbfs: 'number',
  phaseNoise: 'word',
  bits: 'number',
  jammer: 'object',
  feedback: 'word',
  csiDelayMs: 'number',
  maxCsiAgeMs: 'number',
  soundings: 'number',
  soundingEveryMs: 'number',
  assumeSnrDb: 'number',
  powerLoading: 'switch',
  estimator: 'word',
  lpips: 'word',
  judge: 'word',
  truth: 'word',
  snrDb: 'number',
  seed: 'number',
};

/** Units that a number may be written with. */
const UNITS: { readonly [K in Key]?: string } = {
  snrDb: 'dB',
  protectionDb: 'dB',
  assumeSnrDb: 'dB',
  rateHz: 'Hz',
  dopplerHz: 'Hz',
  cfoHz: 'Hz',
  delaySpreadNs: 'ns',
  csiDelayMs: 'ms',
  maxCsiAgeMs: 'ms',
  soundingEveryMs: 'ms',
  sfoPpm: 'ppm',
  dcDbfs: 'dBFS',
};

export interface Axis {
  /** As the command line's flag, without dashes. */
  readonly name: string;
  readonly key: Key;
  readonly kind: Kind;
}

export const AXES: readonly Axis[] = (Object.entries(KINDS) as [Key, Kind][]).map(([key, kind]) => ({
  name: LINK_FLAGS[key]!.slice(2),
  key,
  kind,
}));

export const AXIS_NAMES: readonly string[] = AXES.map((axis) => axis.name);

/** Most values of one axis. */
export const MAX_VALUES = 10_000;

/** Something wrong with a value; `at` is its place in a list, null for the value itself. */
export interface AxisIssue {
  readonly at: number | null;
  readonly message: string;
}

/** One value of an axis: what it sets. */
export type AxisValue = Partial<LinkInput>;

/** The values that a sweep's file gives to an axis, each checked as its flag would be, or the first thing wrong with them. */
export function axisValues(axis: Axis, raw: unknown): readonly AxisValue[] | AxisIssue {
  const { items, listed } = listOf(raw);
  if (items.length === 0) return { at: null, message: 'an empty list: allowed 1 value or more' };
  if (items.length > MAX_VALUES) return tooMany(items.length);
  const values: AxisValue[] = [];
  for (const [i, item] of items.entries()) {
    const at = listed ? i : null;
    try {
      for (const value of valuesOf(axis, item)) {
        const message = wrongIn(axis, value);
        if (message !== null) return { at, message };
        values.push(value);
        if (values.length > MAX_VALUES) return tooMany(values.length);
      }
    } catch (error) {
      // What the readers of quantities say of a word; anything else is a fault of ours.
      if (!(error instanceof SctError)) throw error;
      return { at, message: withoutName(axis.name, error.message) };
    }
  }
  return values;
}

/** The file says the name, and where it stands. */
export function withoutName(name: string, message: string): string {
  return message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
}

/** One value is a list of one. */
export function listOf(raw: unknown): { readonly items: readonly unknown[]; readonly listed: boolean } {
  return Array.isArray(raw) ? { items: raw, listed: true } : { items: [raw], listed: false };
}

export function tooMany(count: number): AxisIssue {
  return { at: null, message: `${count} values or more: allowed 1 to ${MAX_VALUES}` };
}

function valuesOf({ name, key, kind }: Axis, item: unknown): AxisValue[] {
  if (kind === 'switch') {
    const on = item === 'on' || item === true;
    return [{ [key]: on || (item === 'off' || item === false ? false : item) }];
  }
  if (kind === 'iq') return [iqOf(name, item)];
  if (typeof item !== 'string') return [{ [key]: item }];
  if (kind === 'number' || kind === 'ratio') {
    const numbers = numbersOf(name, item, { unit: UNITS[key] ?? '', ratio: kind === 'ratio' });
    return numbers.map((value) => ({ [key]: value }));
  }
  return [{ [key]: item }];
}

/**
 * Numbers of a text: one, a range, or with `ratio` one such as 1/16.
 *
 * @throws UsageError for what is none of them
 */
export function numbersOf(name: string, text: string, { unit = '', ratio = false }): number[] {
  if (text.includes('..')) return rangeOf(name, text, unit);
  return [ratio ? ratioOf(name, text) : parseQuantity(name, text, unit)];
}

/** "A..B" in steps of 1, "A..B..STEP" in others; B is there where a whole number of steps leads to it. */
function rangeOf(name: string, text: string, unit: string): number[] {
  const words = text.split('..');
  if (words.length > 3) throw badRange(name, text);
  const [from, to, step = 1] = words.map((word) => parseQuantity(name, word, unit));
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (step !== 0 && count < 1) {
    const other = [words[0], words[1], String(-step)].join('..');
    throw new UsageError(`${name}: "${text.slice(0, 80)}" holds nothing: did you mean ${other.slice(0, 80)}?`);
  }
  if (!(step !== 0 && count >= 1)) throw badRange(name, text);
  // More than can be allowed is not made at all.
  const made = Math.min(count, MAX_VALUES + 1);
  return Array.from({ length: made }, (_, i) => Number((from + i * step).toPrecision(12)));
}

function badRange(name: string, text: string): UsageError {
  return new UsageError(`${name}: "${text.slice(0, 80)}" is not FROM..TO or FROM..TO..STEP`);
}

function ratioOf(name: string, text: string): number {
  const [top, bottom, more] = text.split('/');
  if (bottom === undefined) return parseQuantity(name, text);
  if (more !== undefined) throw new UsageError(`"${text.slice(0, 80)}" is not a number or a ratio such as 1/16`);
  return parseQuantity(name, top) / parseQuantity(name, bottom);
}

function iqOf(name: string, item: unknown): AxisValue {
  const words = typeof item === 'string' ? item.split(',') : [];
  if (words.length !== 2) throw new UsageError('is not DB,DEG, for example 0.5,3');
  return { iqDb: parseQuantity(name, words[0], 'dB'), iqDeg: parseQuantity(name, words[1], 'deg') };
}

/** What the link's own schema says of a value; null where it is right. */
function wrongIn({ kind }: Axis, value: AxisValue): string | null {
  for (const [key, v] of Object.entries(value)) {
    if (v === undefined || v === null) return 'has no value';
    const result = linkInputSchema.shape[key as Key].safeParse(v);
    if (result.success) continue;
    const issue = result.error.issues[0];
    if (kind === 'switch') return 'must be on or off';
    if (kind === 'word' && typeof v !== 'string') return 'must be text, or a list of texts';
    return [issue.path.join('.'), issue.message].filter((text) => text !== '').join(': ');
  }
  return null;
}
