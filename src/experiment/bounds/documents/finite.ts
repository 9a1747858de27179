import { type BlahutArimotoOptions, type FiniteRate, rateFinite } from '../blahut-arimoto.ts';
import { type BoundsDocument, type BoundsSeries, figure, linearSpace, pointSeries } from '../document.ts';
import { MAX_COLUMNS, ruleCount } from '../finite-problem.ts';
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
  // What is too large for V at the decoder alone is said, not computed.
  const few = ruleCount(source, ds, dx) <= MAX_COLUMNS;
  const known = source.side && {
    both: rateFinite(source, ds, dx, { knows: 'both' }),
    decoder: few ? rateFinite(source, ds, dx, { knows: 'decoder' }) : null,
  };
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
      sideInformation: known && {
        conditionalBits: finite(known.both.rateBits),
        conditionalLowerBits: finite(known.both.lowerBits),
        wynerZivBits: finite(known.decoder?.rateBits ?? Number.NaN),
        wynerZivLowerBits: finite(known.decoder?.lowerBits ?? Number.NaN),
        savedBits: finite(result.rateBits - (known.decoder?.rateBits ?? Number.NaN)),
        lostBits: finite((known.decoder?.rateBits ?? Number.NaN) - known.both.rateBits),
      },
      closedForm: false,
    },
    lines: [
      [
        known ? 'rate without V' : 'rate R(Ds, Dx)',
        feasible ? figure(result.rateBits, 'bit per letter') : 'infinite: no code meets both limits',
      ],
      [
        'bound from below',
        figure(
          result.lowerBits,
          `bit, after ${result.iterations} ${result.iterations === 1 ? 'iteration' : 'iterations'}`,
        ),
      ],
      ['Ds, Dx asked for', `${figure(ds)}, ${figure(dx)}`],
      [
        'Ds, Dx at that rate',
        result.achieved ? `${figure(result.achieved.ds)}, ${figure(result.achieved.dx)}` : 'none',
      ],
      ...(known
        ? [
            ['V at both ends', withGap(known.both)] as const,
            ['V at the decoder alone', withGap(known.decoder)] as const,
            [
              'V is worth',
              figure(
                result.rateBits - (known.decoder ?? known.both).rateBits,
                `bit at ${known.decoder ? 'the decoder' : 'both ends'}`,
              ),
            ] as const,
          ]
        : []),
    ],
    method: `Blahut-Arimoto over pairs of reproductions${known ? ', with V at the decoder alone over rules that name a pair for each letter of V' : ''}, both constraints met at every step; upper bound and dual bound`,
    noClosedForm: ['R(Ds, Dx) of a finite source with two distortions, but for symmetric special cases'],
    plots: () => [
      {
        name: 'rate',
        title: `Rate of ${name}, Ds = ${figure(ds)}`,
        xLabel: 'pixel distortion Dx',
        yLabel: 'rate, bit per letter',
        series: [...curves(source, ds), ...pointSeries('measured', points, 'dx', 'rateBits')],
      },
    ],
  };
}

/** R over Dx, with and without the semantic limit, and with V where there is one. */
function curves(source: FiniteSource, ds: number): BoundsSeries[] {
  const { px, pixel } = source;
  const mean = (of: (row: Float64Array) => number) => pixel.reduce((sum, row, x) => sum + px[x] * of(row), 0);
  const least = mean((row) => Math.min(...row));
  // The most that one fixed reproduction costs: beyond it nothing need be sent. Where each is impossible for some letter: the dearest that is not.
  const fixed = Math.min(...Array.from(pixel[0].keys(), (y) => mean((row) => row[y])));
  const most = Number.isFinite(fixed) ? fixed : mean((row) => Math.max(...row.filter(Number.isFinite)));
  if (!Number.isFinite(least)) return [];
  const axis = linearSpace(least, Math.max(most, least + 1e-9), CURVE.points);
  const curve = (label: string, semantic: number, options: BlahutArimotoOptions = {}, dash = false): BoundsSeries => ({
    label,
    kind: 'theory',
    x: axis,
    y: axis.map((x) => rateFinite(source, semantic, x, { ...CURVE, ...options }).rateBits),
    dash,
  });
  return [
    curve(source.side ? 'without V' : 'R(Ds, Dx)', ds),
    ...(source.side ? [curve('V at both ends', ds, { knows: 'both' })] : []),
    ...(source.side && ruleCount(source, ds, 0) <= MAX_COLUMNS
      ? [curve('V at the decoder alone', ds, { knows: 'decoder' })]
      : []),
    curve('pixels only', Number.POSITIVE_INFINITY, {}, true),
  ];
}

const finite = (v: number) => (Number.isFinite(v) ? v : null);

function withGap(rate: FiniteRate | null): string {
  if (rate === null) return `not computed: more than ${MAX_COLUMNS} rules for the decoder`;
  const { rateBits, lowerBits } = rate;
  return Number.isFinite(lowerBits) ? `${figure(rateBits, 'bit')}, at least ${figure(lowerBits)}` : 'infinite';
}
