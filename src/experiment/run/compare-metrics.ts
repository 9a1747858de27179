import { ADDED_KEYS } from '../metrics/metrics.ts';
import { canonical, type Json } from './canonical-json.ts';

/** One place where two metrics objects differ; `path` as in "sfvs[3].state". */
export interface MetricDifference {
  readonly path: string;
  readonly a: Json | undefined;
  readonly b: Json | undefined;
  readonly reason: string;
}

export interface CompareOptions {
  /** Two floats agree when |a - b| <= absolute + relative x max(|a|, |b|). Default 1e-3 for dB and Hz, else 1e-9; and 1e-5. */
  absolute?: number;
  relative?: number;
  /** Top-level keys left out: they depend on the machine and the directory. Default timings, files. */
  ignore?: readonly string[];
}

const DEFAULTS = { relative: 1e-5, ignore: ['timings', 'files'] } as const;

/** By the unit that ends a key: a value near 0 dB or 0 Hz rounds no better than a large one. */
function absoluteOf(path: string): number {
  return /(Db|Hz)(\[\d+\])*$/.test(path) ? 1e-3 : 1e-9;
}

/**
 * Differences between two metrics objects, for `replay --check`. Strings, booleans, nulls and integers must be equal;
 * floats may differ by the stated tolerance: another processor's vector code rounds differently in the last digits, which a network makes up to
 * 5e-5 dB of (measured: kernels in plain code against SIMD, and AVX2 against AVX-512); a wrong receiver differs by far more. A key missing on one side
 * is a difference, but where `a` was recorded before there was such a key. Empty = reproduced.
 */
export function compareMetrics(a: unknown, b: unknown, options: CompareOptions = {}): MetricDifference[] {
  const { relative, ignore } = { ...DEFAULTS, ...options };
  const out: MetricDifference[] = [];
  const differ = (path: string, x: Json | undefined, y: Json | undefined, reason: string) =>
    out.push({ path: path || '(all)', a: x, b: y, reason });

  const visit = (path: string, x: Json | undefined, y: Json | undefined): void => {
    if (x === undefined || y === undefined) {
      differ(path, x, y, `only in the ${x === undefined ? 'second' : 'first'}`);
    } else if (typeof x === 'number' && typeof y === 'number') {
      if (x === y) return;
      const d = Math.abs(x - y);
      if (Number.isInteger(x) && Number.isInteger(y)) differ(path, x, y, `differs by ${d}`);
      else {
        const tolerance = (options.absolute ?? absoluteOf(path)) + relative * Math.max(Math.abs(x), Math.abs(y));
        if (!(d <= tolerance)) differ(path, x, y, `differs by ${d.toPrecision(3)}`);
      }
    } else if (Array.isArray(x) && Array.isArray(y)) {
      if (x.length !== y.length) differ(path, x.length, y.length, 'different number of elements');
      for (let i = 0; i < Math.min(x.length, y.length); i++) visit(`${path}[${i}]`, x[i], y[i]);
    } else if (isObject(x) && isObject(y)) {
      for (const key of [...new Set([...Object.keys(x), ...Object.keys(y)])].sort()) {
        if (path === '' && ignore.includes(key)) continue;
        if (!Object.hasOwn(x, key) && ADDED_KEYS.includes(key)) continue;
        visit(path ? `${path}.${key}` : key, own(x, key), own(y, key));
      }
    } else if (x !== y) {
      differ(path, x, y, 'different value');
    }
  };
  visit('', canonical(a), canonical(b));
  return out;
}

function isObject(v: Json): v is { [key: string]: Json } {
  return typeof v === 'object' && v !== null && !Array.isArray(v);
}

function own(o: { [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(o, key) ? o[key] : undefined;
}
