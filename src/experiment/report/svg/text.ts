/**
 * Text for XML and HTML. Labels and file names are untrusted: every string that reaches markup passes escapeText.
 */
const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Escapes markup characters, drops what XML 1.0 forbids (controls, lone surrogates) and cuts to `maxLength` characters. */
export function escapeText(text: string, maxLength = 4096): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
  return (
    cut
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly what must go
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, '\ufffd')
      // Overrides of the writing direction can make a label look like something else.
      .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
      .replace(/[&<>"']/g, (c) => ESCAPES[c])
  );
}

/** The dash shown for what was not measured. */
export const NOT_MEASURED = '—';

/** A coordinate with at most two decimals: short, and finite whatever comes in. */
export function px(v: number): string {
  if (!Number.isFinite(v)) return '0';
  const bounded = Math.max(-1e6, Math.min(1e6, v));
  return String(Math.round(bounded * 100) / 100 + 0);
}

/** A number with a fixed number of decimals and a true minus sign; an em dash when it is not finite. */
export function fixed(v: number | null | undefined, decimals = 1): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return NOT_MEASURED;
  const text = Math.abs(v) >= 1e15 ? v.toExponential(3) : v.toFixed(decimals);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '\u2212');
}

/** As `fixed`, with a plus sign where it is above zero: +1.2, 0.0, −0.4. */
export function signed(v: number | null | undefined, decimals = 1): string {
  const text = fixed(v, decimals);
  return v !== null && v !== undefined && v > 0 && Number.isFinite(v) && Number(text) !== 0 ? `+${text}` : text;
}

/** An integer with narrow spaces between thousands: 73 728. */
export function grouped(v: number | null | undefined): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return NOT_MEASURED;
  const digits = Math.abs(Math.round(v))
    .toFixed(0)
    .replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return (Math.round(v) < 0 ? '\u2212' : '') + digits;
}

/** Value with SI prefix and unit: 7.68 MHz, 12.3 ms. Four significant digits. */
export function si(v: number | null | undefined, unit: string, digits = 4): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return NOT_MEASURED;
  if (v === 0) return `0 ${unit}`;
  const prefixes = ['n', 'µ', 'm', '', 'k', 'M', 'G', 'T'];
  const power = Math.max(-3, Math.min(4, Math.floor(Math.log10(Math.abs(v)) / 3 + 1e-12)));
  const scaled = Number((v / 10 ** (3 * power)).toPrecision(digits));
  return `${String(scaled).replace('-', '\u2212')} ${prefixes[power + 3]}${unit}`;
}

/** Bytes in binary units: 812 B, 1.4 KiB, 3.2 MiB. */
export function bytes(v: number): string {
  if (!Number.isFinite(v)) return NOT_MEASURED;
  if (v < 1024) return `${v} B`;
  return v < 2 ** 20 ? `${(v / 1024).toFixed(1)} KiB` : `${(v / 2 ** 20).toFixed(1)} MiB`;
}

/** Rough width in pixels of sans-serif text at a font size; used for margins and legends only. */
export function textWidth(text: string, fontPx: number): number {
  return text.length * fontPx * 0.56;
}

/** Text that is no wider than `most` pixels at a font size: what is longer loses its middle, for names often differ at their ends. */
export function fitted(text: string, fontPx: number, most: number): string {
  const letters = [...text];
  const room = Math.max(3, Math.floor(most / textWidth('x', fontPx)));
  if (letters.length <= room) return text;
  const tail = Math.floor((room - 1) / 2);
  return `${letters.slice(0, room - 1 - tail).join('')}…${letters.slice(letters.length - tail).join('')}`;
}
