import type { SourceEvent } from '../state/events.ts';

/** Outline of an SFV in pixels of the picture, and a place inside it for its number. */
export interface SfvShape {
  readonly id: number;
  readonly path: Path2D;
  readonly x: number;
  readonly y: number;
  /** Pixels inside its largest ring. */
  readonly area: number;
}

const scratch = document.createElement('canvas').getContext('2d');
const cache = new WeakMap<SourceEvent, readonly SfvShape[]>();

export function shapesOf(source: SourceEvent): readonly SfvShape[] {
  const known = cache.get(source);
  if (known) return known;
  const shapes = source.sfvs.map(({ id, outline }) => shapeOf(id, outline));
  cache.set(source, shapes);
  return shapes;
}

const scaledPaths = new WeakMap<SfvShape, { readonly scale: number; readonly path: Path2D }>();

/** The outline at the size that the picture is shown in, so that patterns and lines keep theirs. */
export function scaledPath(shape: SfvShape, scale: number): Path2D {
  const known = scaledPaths.get(shape);
  if (known?.scale === scale) return known.path;
  const path = new Path2D();
  path.addPath(shape.path, new DOMMatrix().scale(scale));
  scaledPaths.set(shape, { scale, path });
  return path;
}

/** SFV at a pixel of the picture; null for none. */
export function sfvAt(source: SourceEvent, x: number, y: number): number | null {
  for (const { id, path } of shapesOf(source)) if (scratch?.isPointInPath(path, x, y, 'evenodd')) return id;
  return null;
}

function shapeOf(id: number, rings: readonly (readonly (readonly [number, number])[])[]): SfvShape {
  const path = new Path2D();
  let largest: readonly (readonly [number, number])[] = [];
  let area = 0;
  for (const ring of rings) {
    ring.forEach(([x, y], i) => {
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    });
    path.closePath();
    const size = areaOf(ring);
    if (size > area) {
      area = size;
      largest = ring;
    }
  }
  return { id, path, area, ...placeInside(path, largest) };
}

function areaOf(ring: readonly (readonly [number, number])[]): number {
  let twice = 0;
  ring.forEach(([x, y], i) => {
    const [nx, ny] = ring[(i + 1) % ring.length];
    twice += x * ny - nx * y;
  });
  return Math.abs(twice) / 2;
}

/** Of a grid of places inside, the one farthest from any that is outside. */
function placeInside(path: Path2D, ring: readonly (readonly [number, number])[]): { x: number; y: number } {
  if (ring.length === 0) return { x: 0, y: 0 };
  const xs = ring.map(([x]) => x);
  const ys = ring.map(([, y]) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [right, bottom] = [Math.max(...xs), Math.max(...ys)];
  const N = 14;
  const inside: [number, number][] = [];
  const outside: [number, number][] = [];
  for (let i = -1; i <= N; i++) {
    for (let j = -1; j <= N; j++) {
      const x = left + ((i + 0.5) / N) * (right - left);
      const y = top + ((j + 0.5) / N) * (bottom - top);
      (scratch?.isPointInPath(path, x, y, 'evenodd') ? inside : outside).push([x, y]);
    }
  }
  let best: [number, number] = [(left + right) / 2, (top + bottom) / 2];
  let most = -1;
  for (const [x, y] of inside) {
    const nearest = Math.min(...outside.map(([ox, oy]) => (x - ox) ** 2 + (y - oy) ** 2));
    if (nearest > most) {
      most = nearest;
      best = [x, y];
    }
  }
  return { x: best[0], y: best[1] };
}
