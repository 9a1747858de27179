import { fixed } from './text.ts';

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** Step of 1, 2, 2.5 or 5 times a power of ten that cuts `span` into about `count` parts. */
export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const fraction = raw / power;
  const nice = fraction <= 1.0001 ? 1 : fraction <= 2.0001 ? 2 : fraction <= 2.5001 ? 2.5 : fraction <= 5.0001 ? 5 : 10;
  return nice * power;
}

/** Decimals needed to write multiples of `step` exactly. */
function decimalsOf(step: number): number {
  for (let d = 0; d < 12; d++)
    if (Math.abs(step * 10 ** d - Math.round(step * 10 ** d)) < 1e-6 * 10 ** d * step) return d;
  return 12;
}

/** Ticks inside [low, high] at nice multiples, labels with equal decimals; huge or tiny values in powers of ten. */
export function linearTicks(low: number, high: number, count = 6): Tick[] {
  if (!(high > low && high - low < Number.MAX_VALUE)) return [{ value: low, label: fixed(low, 2) }];
  const step = niceStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const scientific = largest >= 1e6 || step < 1e-4;
  const decimals = decimalsOf(step);
  const ticks: Tick[] = [];
  for (let i = first; i <= last && ticks.length < 50; i++) {
    const value = i * step;
    ticks.push({ value, label: scientific && i !== 0 ? exponential(value) : fixed(value, scientific ? 0 : decimals) });
  }
  return ticks;
}

/** Decades (thinned to about `count`) inside [low, high], both positive; 1-2-5 steps when less than two decades show. */
export function logTicks(low: number, high: number, count = 6): Tick[] {
  if (!(low > 0 && high > low && high < Number.MAX_VALUE)) throw new RangeError('a log axis needs 0 < low < high');
  const from = Math.ceil(Math.log10(low) - 1e-9);
  const to = Math.floor(Math.log10(high) + 1e-9);
  const ticks: Tick[] = [];
  if (to - from < 2) {
    for (let e = from - 1; e <= to; e++) {
      for (const m of [1, 2, 5]) {
        const value = m * 10 ** e;
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push({ value, label: decade(value) });
      }
    }
    return ticks;
  }
  const every = Math.max(1, Math.ceil((to - from) / count));
  for (let e = from; e <= to; e += every) ticks.push({ value: 10 ** e, label: decade(10 ** e) });
  return ticks;
}

function decade(value: number): string {
  return value >= 0.01 && value < 10_000 ? String(Number(value.toPrecision(3))) : exponential(value);
}

const SUPERSCRIPTS: Record<string, string> = { '-': '⁻' };
for (let i = 0; i < 10; i++) SUPERSCRIPTS[String(i)] = '⁰¹²³⁴⁵⁶⁷⁸⁹'[i];

/** 2.5·10⁻³ */
function exponential(value: number): string {
  const [mantissa, exponent] = value.toExponential(6).split('e');
  const m = Number(Number(mantissa).toPrecision(3));
  const power = [...String(Number(exponent))].map((c) => SUPERSCRIPTS[c]).join('');
  const sign = m < 0 ? '\u2212' : '';
  return Math.abs(m) === 1 ? `${sign}10${power}` : `${sign}${Math.abs(m)}·10${power}`;
}
