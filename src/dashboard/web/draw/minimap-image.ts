import type { BurstTelemetry, OverviewEvent } from '../state/events.ts';
import { theme } from './colours.ts';

/** Height of the lane of bursts above the levels, and of the gap below it. */
export const LANE = 8;
/** Least range of levels, dB: what is steadier is shown as steady. */
const LEAST_DB = 6;

/** A map of a capture: from what time to what time, and how large. */
export interface MapSize {
  readonly startS: number;
  readonly endS: number;
  readonly width: number;
  readonly height: number;
}

export function xOf({ startS, endS, width }: MapSize, timeS: number): number {
  return (width * (timeS - startS)) / Math.max(1e-9, endS - startS);
}

/** Levels of a whole capture, outlines of the bursts that its metadata mark, and losses: a bar over all with a cross at its foot. */
export function paintCapture(g: CanvasRenderingContext2D, size: MapSize, overview: OverviewEvent | null): void {
  const { series, bad, mute, line, card } = theme();
  const { width, height } = size;
  g.fillStyle = card;
  g.fillRect(0, 0, width + 1, height + 1);
  g.fillStyle = line;
  g.fillRect(0, height - 1, width, 1);
  if (overview) {
    const floor = height - 1;
    const [low, high] = limits(overview);
    const tall = (db: number) => Math.round((floor - LANE - 2) * Math.max(0.04, (db - low) / (high - low)));
    for (const [levels, colour, alpha] of [
      [overview.peakDbfs, mute, 0.45],
      [overview.rmsDbfs, series[0], 1],
    ] as const) {
      g.globalAlpha = alpha;
      g.fillStyle = colour;
      for (let x = 0; x < width; x++) {
        const db = highest(levels, x / width, (x + 1) / width);
        if (Number.isFinite(db)) g.fillRect(x, floor - tall(db), 1, tall(db));
      }
    }
    g.globalAlpha = 1;
    g.strokeStyle = series[2];
    g.lineWidth = 1;
    for (const { startS, durationS } of overview.bursts) {
      const x = Math.round(xOf(size, startS));
      const wide = Math.max(1, Math.round(xOf(size, startS + durationS)) - x);
      if (wide > 3) g.strokeRect(x + 0.5, 0.5, wide - 1, LANE - 3);
      else {
        g.fillStyle = series[2];
        g.fillRect(x, 0, wide, 3);
      }
    }
  }
  if (overview) for (const loss of overview.losses) paintLoss(g, size, loss, bad);
}

/** Bursts that were heard, filled. */
export function paintHeard(g: CanvasRenderingContext2D, size: MapSize, heard: Iterable<BurstTelemetry>): void {
  g.fillStyle = theme().series[2];
  for (const { startS, durationS, use } of heard) {
    if (use === 'reverse') continue;
    const x = Math.round(xOf(size, startS));
    g.fillRect(x, 0, Math.max(1, Math.round(xOf(size, startS + durationS)) - x), LANE - 2);
  }
}

function paintLoss(
  g: CanvasRenderingContext2D,
  size: MapSize,
  { fromS, toS }: { fromS: number; toS: number },
  colour: string,
): void {
  const x = Math.round(xOf(size, fromS));
  const wide = Math.max(2, Math.round(xOf(size, toS)) - x);
  g.globalAlpha = 0.6;
  g.fillStyle = colour;
  g.fillRect(x, LANE, wide, size.height - LANE);
  g.globalAlpha = 1;
  const [middle, foot] = [x + Math.round(wide / 2), size.height - 5];
  g.strokeStyle = colour;
  g.lineWidth = 1;
  g.beginPath();
  g.moveTo(middle - 4, foot - 4);
  g.lineTo(middle + 4, foot + 4);
  g.moveTo(middle + 4, foot - 4);
  g.lineTo(middle - 4, foot + 4);
  g.stroke();
}

/** Range of levels that is shown: all but the quietest of them. */
function limits({ rmsDbfs, peakDbfs }: OverviewEvent): [number, number] {
  const known = [...rmsDbfs].filter(Number.isFinite).sort((a, b) => a - b);
  let high = Number.NEGATIVE_INFINITY;
  for (const db of peakDbfs) if (Number.isFinite(db) && db > high) high = db;
  if (known.length === 0) return [-LEAST_DB, 0];
  const low = known[Math.floor(known.length / 50)] - 3;
  return [Math.min(low, high - LEAST_DB), high];
}

/** Highest of the parts that lie in a share of the whole. */
export function highest(levels: Float32Array, from: number, to: number): number {
  const n = levels.length;
  let top = Number.NaN;
  for (let i = Math.floor(from * n); i < Math.max(Math.floor(from * n) + 1, Math.floor(to * n)) && i < n; i++) {
    if (!(levels[i] <= top)) top = Number.isNaN(levels[i]) ? top : levels[i];
  }
  return top;
}
