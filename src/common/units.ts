import { UsageError } from './errors.ts';

/** 10 log10(x). */
export function toDb(ratio: number): number {
  return 10 * Math.log10(ratio);
}

/** 10^(x/10). */
export function fromDb(db: number): number {
  return 10 ** (db / 10);
}

const SI: Record<string, number> = { G: 1e9, M: 1e6, k: 1e3, K: 1e3, m: 1e-3, u: 1e-6, n: 1e-9 };

/**
 * Reads a number with an optional SI suffix and unit: "915M", "915e6", "915 MHz", "-10dB", "5ms".
 * Anything else is a UsageError naming the flag.
 */
export function parseQuantity(name: string, text: string, unit = ''): number {
  let t = text.trim();
  if (unit && t.toLowerCase().endsWith(unit.toLowerCase())) t = t.slice(0, -unit.length).trim();
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([GMkKmun]?)$/.exec(t);
  if (!match) throw new UsageError(`${name}: "${text}" is not a number${unit ? ` in ${unit}` : ''}`);
  return Number(match[1]) * (match[2] ? SI[match[2]] : 1);
}

/** Formats a frequency or rate: 7680000 -> "7.68 M". */
export function formatSi(value: number, digits = 4): string {
  const a = Math.abs(value);
  const [scale, suffix] = a >= 1e9 ? [1e9, 'G'] : a >= 1e6 ? [1e6, 'M'] : a >= 1e3 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / scale).toPrecision(digits))} ${suffix}`.trim();
}
