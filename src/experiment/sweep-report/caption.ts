import { BUDGET, type Design, SNR } from './design.ts';
import type { Curve } from './panels.ts';
import { settingText } from './setting-text.ts';

/** Settings that a caption names where they were the same everywhere; report.json and report.html have all of them. */
const NAMED = [SNR, BUDGET, 'codec', 'mapping', 'mode', 'channel', 'dopplerHz', 'csiDelayMs', 'feedback', 'harq'];

const range = (values: readonly number[]) => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? String(low) : `${low} to ${high}`;
};

/** What a reader of a figure must know beside it: intervals, how many pictures, what was held fixed. */
export function captionOf(design: Design, curves: readonly Curve[], xKey: string, missing: string): string {
  const points = curves.flatMap((c) => c.points);
  if (points.length === 0) return '';
  const counts = (['n', 'photos', 'seeds'] as const).map((key) => range(points.map((p) => p[key])));
  const fixed = NAMED.filter((key) => key !== xKey && Object.hasOwn(design.constants, key))
    .map((key) => ({ key, value: design.constants[key] }))
    .filter(({ value }) => value !== null);
  const settings = fixed.map(({ key, value }) => settingText(key, value)).join(', ');
  const each = `Each point: ${counts[0]} pictures, ${counts[1]} photos, ${counts[2]} seeds.`;
  const everywhere = settings ? `Everywhere: ${settings}.` : '';
  return ['Bars: 95 % intervals by photos and seeds.', each, missing, everywhere].filter((t) => t !== '').join(' ');
}
