import { theme } from './colours.ts';
import { fixed } from './format.ts';
import { FONT } from './surface.ts';

/** Room around a plot for its axes, CSS pixels. Panels under each other with the same left and right have the same x axis. */
export const LEFT = 46;
export const RIGHT = 10;

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Ticks at 1, 2 or 5 times a power of ten, at most `most`. */
export function ticks(low: number, high: number, most: number): number[] {
  const rough = (high - low) / Math.max(1, most);
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((s) => s * power >= rough) ?? 10);
  const out: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) out.push(k * step);
  return out;
}

/** Horizontal grid lines with their values on the left. */
export function yAxis(
  g: CanvasRenderingContext2D,
  box: Box,
  low: number,
  high: number,
  label: string,
  y: (value: number) => number,
): void {
  const { line, mute } = theme();
  const values = ticks(low, high, Math.max(2, (box.bottom - box.top) / 28));
  const step = values.length > 1 ? values[1] - values[0] : 1;
  g.font = FONT;
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  g.strokeStyle = line;
  g.fillStyle = mute;
  g.lineWidth = 1;
  g.beginPath();
  for (const value of values) {
    const at = Math.round(y(value)) + 0.5;
    g.moveTo(box.left, at);
    g.lineTo(box.right, at);
    g.fillText(fixed(value, step < 1 ? 1 : 0), box.left - 5, at);
  }
  g.stroke();
  g.save();
  g.translate(9, (box.top + box.bottom) / 2);
  g.rotate(-Math.PI / 2);
  g.textAlign = 'center';
  g.fillText(label, 0, 0);
  g.restore();
}

/** Numbers of subbands under their columns. */
export function subbandAxis(g: CanvasRenderingContext2D, box: Box, subbands: number): void {
  const { mute } = theme();
  const width = (box.right - box.left) / subbands;
  const every = [1, 2, 5, 10].find((n) => n * width >= 20) ?? 10;
  g.font = FONT;
  g.textAlign = 'center';
  g.textBaseline = 'top';
  g.fillStyle = mute;
  for (let i = 0; i < subbands; i += every) g.fillText(String(i), box.left + (i + 0.5) * width, box.bottom + 4);
}
