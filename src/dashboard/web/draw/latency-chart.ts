import { type Box, yAxis } from './axes.ts';
import { theme } from './colours.ts';
import { histogram, type Latencies, topMs } from './latency-bins.ts';
import { FONT, haloText } from './surface.ts';

/** Bins of the histogram: each is as high as so many CSS pixels at least. */
const BIN_PX = 4;
const DASHES = [5, 4];

/**
 * Latency frame by frame, the newest on the right: a line through those shown, a cross for each late one, a tick at the bottom for each that never came
 * (lost) or never was sent (dropped, hollow). The deadline is dashed.
 */
export function paintTrend(g: CanvasRenderingContext2D, box: Box, of: Latencies): void {
  const { series, bad, mute } = theme();
  const top = topMs(of);
  const y = (ms: number) => box.bottom - (Math.max(0, Math.min(top, ms)) / top) * (box.bottom - box.top);
  const step = (box.right - box.left - 6) / Math.max(1, of.room - 1);
  const x = (age: number) => box.right - 3 - age * step;
  yAxis(g, box, 0, top, 'ms', y);
  g.strokeStyle = series[0];
  g.lineWidth = 1;
  g.beginPath();
  let joined = false;
  of.frames.forEach(({ state, latencyMs }, age) => {
    const known = state === 'shown' && latencyMs !== null;
    if (known && joined) g.lineTo(x(age), y(latencyMs));
    else if (known) g.moveTo(x(age), y(latencyMs));
    joined = known;
  });
  g.stroke();
  of.frames.forEach(({ state, latencyMs }, age) => {
    const at = x(age);
    if (state === 'late') cross(g, at, Math.max(box.top + 4, y(latencyMs ?? top)), bad);
    else if (state === 'lost') tick(g, at, box.bottom, bad);
    else if (state === 'dropped') tick(g, at, box.bottom, mute);
    else if (of.frames.length === 1 && latencyMs !== null) g.fillRect(at - 2, y(latencyMs) - 2, 4, 4);
  });
  if (of.deadlineMs !== null) dashed(g, box, y(of.deadlineMs), `deadline ${of.deadlineMs.toFixed(0)} ms`);
}

/** How often each latency is, beside the trend and on its scale; median and 99th percentile as marks. */
export function paintHistogram(g: CanvasRenderingContext2D, box: Box, of: Latencies): void {
  const { series, ink, line, card } = theme();
  const top = topMs(of);
  const height = box.bottom - box.top;
  const bins = Math.max(8, Math.floor(height / BIN_PX));
  const counts = histogram(of.frames, top, bins);
  const most = Math.max(1, ...counts);
  g.strokeStyle = line;
  g.lineWidth = 1;
  g.strokeRect(box.left + 0.5, box.top + 0.5, box.right - box.left - 1, height - 1);
  g.fillStyle = series[0];
  const each = height / bins;
  counts.forEach((n, bin) => {
    if (n > 0) {
      g.fillRect(
        box.left + 1,
        box.bottom - (bin + 1) * each,
        (n / most) * (box.right - box.left - 2),
        Math.max(1, each - 1),
      );
    }
  });
  if (of.deadlineMs !== null) dashed(g, box, box.bottom - (of.deadlineMs / top) * height, '');
  g.font = FONT;
  g.textAlign = 'right';
  // One below its line, one above: they may be close.
  for (const [ms, name, baseline, away] of [
    [of.p50Ms, 'p50', 'top', 2],
    [of.p99Ms, 'p99', 'bottom', -2],
  ] as const) {
    if (ms === null || ms > top) continue;
    const at = Math.round(box.bottom - (ms / top) * height) + 0.5;
    g.strokeStyle = ink;
    g.beginPath();
    g.moveTo(box.left, at);
    g.lineTo(box.right, at);
    g.stroke();
    g.textBaseline = baseline;
    haloText(g, name, box.right - 3, at + away, ink, card);
    g.lineWidth = 1;
  }
}

function dashed(g: CanvasRenderingContext2D, box: Box, y: number, words: string): void {
  const { ink, card } = theme();
  g.strokeStyle = ink;
  g.setLineDash(DASHES);
  g.beginPath();
  g.moveTo(box.left, Math.round(y) + 0.5);
  g.lineTo(box.right, Math.round(y) + 0.5);
  g.stroke();
  g.setLineDash([]);
  if (!words) return;
  g.font = FONT;
  g.textAlign = 'left';
  g.textBaseline = 'bottom';
  haloText(g, words, box.left + 4, y - 2, ink, card);
  g.lineWidth = 1;
}

function cross(g: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  g.beginPath();
  for (const turn of [1, -1]) {
    g.moveTo(x - 3, y - 3 * turn);
    g.lineTo(x + 3, y + 3 * turn);
  }
  g.stroke();
  g.lineWidth = 1;
}

function tick(g: CanvasRenderingContext2D, x: number, bottom: number, colour: string): void {
  g.fillStyle = colour;
  g.fillRect(x - 1, bottom - 9, 2, 9);
}
