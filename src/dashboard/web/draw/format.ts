/** Numbers as people read them: a real minus sign, thin spaces, a dash for what is not known. */

export const DASH = '—';

export function fixed(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const text = value.toFixed(digits);
  // What rounds to nothing has no sign.
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
}

/** With its unit, or a dash alone. */
export function unit(value: number | null | undefined, digits: number, name: string): string {
  const text = fixed(value, digits);
  return text === DASH ? DASH : `${text} ${name}`;
}

/** 1 234 567 */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  return String(Math.round(value))
    .replace(/\B(?=(\d{3})+$)/g, ' ')
    .replace('-', '−');
}

export function hertz(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 1e9) return unit(value / 1e9, 6, 'GHz');
  if (size >= 1e6) return unit(value / 1e6, 3, 'MHz');
  if (size >= 1e4) return unit(value / 1e3, 1, 'kHz');
  return unit(value, 0, 'Hz');
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  if (value >= 1e12) return unit(value / 1e12, 2, 'TB');
  if (value >= 1e9) return unit(value / 1e9, 1, 'GB');
  if (value >= 1e6) return unit(value / 1e6, value < 1e7 ? 1 : 0, 'MB');
  return unit(value / 1e3, 0, 'kB');
}

/** 0:07.3, 12:05, 1:02:03 */
export function clock(seconds: number | null | undefined, tenths = false): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return DASH;
  const whole = Math.floor(seconds);
  const h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60;
  const s = String(whole % 60).padStart(2, '0');
  const fraction = tenths ? `.${Math.floor((seconds - whole) * 10)}` : '';
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}${fraction}` : `${m}:${s}${fraction}`;
}

export function mean(values: ArrayLike<number>): number | null {
  let sum = 0;
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    sum += values[i];
    n++;
  }
  return n > 0 ? sum / n : null;
}

/** Mean of the powers that values in dB stand for, dB. */
export function linearMeanDb(values: ArrayLike<number>): number | null {
  const power = mean(Array.from(values, (db) => 10 ** (db / 10)));
  return power === null ? null : 10 * Math.log10(power);
}
