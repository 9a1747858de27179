import { BUDGET, type Design, SNR } from './design.ts';
import type { Setting } from './observation.ts';
import type { SettledCurve } from './panels.ts';
import { settingText } from './setting-text.ts';

/** Settings that a caption names where they were the same everywhere; report.json and report.html have all of them. */
const NAMED = [
  SNR,
  BUDGET,
  'speech',
  'speechKind',
  'speechSymbols',
  'codec',
  'mapping',
  'mode',
  'channel',
  'dopplerHz',
  'csiDelayMs',
  'feedback',
  'harq',
];

const range = (values: readonly number[], one: string) => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low !== high) return `${low} to ${high} ${one}s`;
  return `${low} ${low === 1 ? one : `${one}s`}`;
};

/** What a reader of a figure must know beside it: intervals, how many pictures, what was held fixed. */
export function captionOf(design: Design, curves: readonly SettledCurve[], xKey: string, missing: string): string {
  const points = curves.flatMap((c) => c.points);
  if (points.length === 0) return '';
  const alone = design.constants.speech === 'alone';
  const [picture, photo] = alone ? ['transmission', 'recording'] : ['picture', 'photo'];
  const counts = [
    range(
      points.map((p) => p.n),
      picture,
    ),
    range(
      points.map((p) => p.photos),
      photo,
    ),
    range(
      points.map((p) => p.seeds),
      'seed',
    ),
  ];
  const budgetInSymbols = typeof design.constants.speechSymbols === 'number';
  // Of speech alone nothing is said in symbols per pixel, and no codec of pictures.
  const meansNothing = (key: string) =>
    (key === BUDGET && (alone || budgetInSymbols)) || (key === 'codec' && alone) || key === xKey;
  const fixed = NAMED.filter((key) => !meansNothing(key)).map((key) => ({
    key,
    value: fixedValue(design, curves, key),
  }));
  const named = fixed.filter(({ value }) => value !== null && value !== undefined);
  const settings = named.map(({ key, value }) => settingText(key, value!)).join(', ');
  const everywhere = settings ? `Everywhere: ${settings}.` : '';
  const bars = `Bars: 95 % intervals by ${photo}s and seeds.`;
  return [bars, `Each point: ${counts.join(', ')}.`, missing, everywhere].filter((t) => t !== '').join(' ');
}

/** What a setting was in all that is drawn, though it may have varied in what is not; undefined where it varies. */
function fixedValue(design: Design, curves: readonly SettledCurve[], key: string): Setting | undefined {
  if (Object.hasOwn(design.constants, key)) return design.constants[key];
  const values = new Set(curves.map(({ settings }) => (Object.hasOwn(settings, key) ? settings[key] : undefined)));
  return values.size === 1 ? [...values][0] : undefined;
}
