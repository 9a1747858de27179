import { median } from '../metrics/stats.ts';

/** Median and range over the rounds of a measurement. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spread(x: readonly number[]): Spread {
  return { median: median(x), low: Math.min(...x), high: Math.max(...x) };
}

/** Every figure of the rounds by its name; the rounds have the same names. */
export function spreads<K extends string>(rounds: readonly Readonly<Record<K, number>>[]): Record<K, Spread> {
  const names = Object.keys(rounds[0] ?? {}) as K[];
  return Object.fromEntries(names.map((name) => [name, spread(rounds.map((r) => r[name]))])) as Record<K, Spread>;
}

/** `1.23 (1.10 to 1.31)` */
export function spreadText({ median, low, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}

/**
 * Lets the event loop turn. V8 finishes compiling WebAssembly only there, with --single-threaded: a kernel that was warmed up in one
 * go would be measured as its first, quick compilation left it.
 */
export function loopTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
