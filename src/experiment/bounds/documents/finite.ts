import { rateFinite } from '../blahut-arimoto.ts';
import { type BoundsDocument, figure, linearSpace, pointSeries } from '../document.ts';
import type { FiniteSource } from '../finite-source.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface FiniteRequest {
  readonly source: FiniteSource;
  readonly name: string;
  readonly ds: number;
  readonly dx: number;
  readonly points: readonly MeasuredPoint[];
}

/** A plot shows no more than a thousandth of a bit. */
const CURVE = { points: 21, toleranceBits: 1e-3, maxIterations: 150 } as const;

/** `bounds finite`: R(Ds, Dx) of a small finite source by Blahut-Arimoto, between its two bounds. */
export function finiteDocument({ source, name, ds, dx, points }: FiniteRequest): BoundsDocument {
  const result = rateFinite(source, ds, dx);
  // Without a lower bound there is no code at all.
  const feasible = Number.isFinite(result.lowerBits);
  const { px, pixel } = source;
  const mean = (of: (row: Float64Array) => number) => pixel.reduce((sum, row, x) => sum + px[x] * of(row), 0);
  const least = mean((row) => Math.min(...row));
  // The most that one fixed reproduction costs: beyond it nothing need be sent.
  const most = Math.min(...Array.from(pixel[0].keys(), (y) => mean((row) => row[y])));
  const axis = linearSpace(least, Math.max(most, least + 1e-9), CURVE.points);
  const curve = (semantic: number) => axis.map((x) => rateFinite(source, semantic, x, CURVE).rateBits);
  return {
    kind: 'finite',
    title: `Finite source: ${name}`,
    values: {
      rateBits: Number.isFinite(result.rateBits) ? result.rateBits : null,
      feasible,
      lowerBits: feasible ? result.lowerBits : null,
      gapBits: feasible ? result.rateBits - result.lowerBits : null,
      iterations: result.iterations,
      ds: Number.isFinite(ds) ? ds : null,
      dx: Number.isFinite(dx) ? dx : null,
      achieved: result.achieved,
      semanticMultiplier: result.semanticMultiplier,
      pixelMultiplier: result.pixelMultiplier,
      closedForm: false,
    },
    lines: [
      ['rate R(Ds, Dx)', feasible ? figure(result.rateBits, 'bit per letter') : 'infinite: no code meets both limits'],
      ['bound from below', figure(result.lowerBits, `bit, after ${result.iterations} iterations`)],
      ['Ds, Dx asked for', `${figure(ds)}, ${figure(dx)}`],
      [
        'Ds, Dx at that rate',
        result.achieved ? `${figure(result.achieved.ds)}, ${figure(result.achieved.dx)}` : 'none',
      ],
    ],
    method:
      'Blahut-Arimoto over pairs of reproductions, both constraints met at every step; upper bound and dual bound',
    noClosedForm: ['R(Ds, Dx) of a finite source with two distortions, but for symmetric special cases'],
    plots: () => [
      {
        name: 'rate',
        title: `Rate of ${name}, Ds = ${figure(ds)}`,
        xLabel: 'pixel distortion Dx',
        yLabel: 'rate, bit per letter',
        series: [
          { label: 'R(Ds, Dx)', kind: 'theory', x: axis, y: curve(ds) },
          { label: 'pixels only', kind: 'theory', x: axis, y: curve(Number.POSITIVE_INFINITY), dash: true },
          ...pointSeries('measured', points, 'dx', 'rateBits'),
        ],
      },
    ],
  };
}
