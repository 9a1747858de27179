import type { LinkMetrics } from './metrics.ts';
import { mean } from './stats.ts';

/** Means over pictures of every numeric metric that was measured in all of them; of null where it was not. */
export function meansOf(images: readonly LinkMetrics[]): Record<string, number | null> {
  const means: Record<string, number | null> = {};
  const first = images[0];
  if (!first) return means;
  for (const key of Object.keys(first) as (keyof LinkMetrics)[]) {
    const values = images.map((m) => m[key]);
    if (!values.some((v) => typeof v === 'number')) continue;
    means[key] = values.every((v) => typeof v === 'number') ? mean(values as number[]) : null;
  }
  return means;
}
