import { type BoundsDocument, type BoundsPlot, figure, linearSpace, pointSeries } from '../document.ts';
import { distortionsAtRest, edgeAtRate, rateVector, type VectorSource } from '../gaussian-vector.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface VectorRequest {
  readonly source: VectorSource;
  readonly ds: number;
  readonly dx: number;
  readonly points: readonly MeasuredPoint[];
}

/** Points of the edge: few where each takes dozens of eigenvalue problems. */
const EDGE_POINTS = { components: 41, matrices: 13 } as const;
/** Most distortions that are printed one by one. */
const SHOWN = 64;

/** `bounds vector`: R(Ds, Dx) of a Gaussian vector by two-multiplier water-filling, and what else that rate reaches. */
export function vectorDocument({ source, ds, dx, points }: VectorRequest): BoundsDocument {
  const result = rateVector(source, ds, dx);
  const { rateBits, achieved, distortions } = result;
  const feasible = Number.isFinite(rateBits);
  const rest = distortionsAtRest(source);
  const size = source.form.kind === 'matrices' ? source.form.root.rows : source.form.p.length;
  const shown = distortions && distortions.length <= SHOWN ? Array.from(distortions) : null;
  return {
    kind: 'vector',
    title: `Indirect Gaussian vector of ${size} ${size === 1 ? 'component' : 'components'}`,
    values: {
      rateBits: feasible ? rateBits : null,
      feasible,
      gapBits: result.gapBits,
      components: size,
      ds: Number.isFinite(ds) ? ds : null,
      dx: Number.isFinite(dx) ? dx : null,
      mmse: source.mmse,
      atRest: rest,
      achieved,
      pixelMultiplier: result.pixelMultiplier,
      semanticMultiplier: result.semanticMultiplier,
      distortions: shown,
      closedForm: false,
    },
    lines: [
      ['rate R(Ds, Dx)', feasible ? figure(rateBits, 'bit per vector') : 'infinite: Ds is not above the mmse'],
      ['duality gap', figure(result.gapBits, 'bit')],
      ['Ds, Dx asked for', `${figure(ds)}, ${figure(dx)}`],
      ['Ds, Dx at that rate', achieved ? `${figure(achieved.ds)}, ${figure(achieved.dx)}` : 'none'],
      ['Ds, Dx with nothing sent', `${figure(rest.ds)}, ${figure(rest.dx)}`],
      ['mmse of S given X', figure(source.mmse)],
      ['multipliers', `pixel ${figure(result.pixelMultiplier)}, semantic ${figure(result.semanticMultiplier)}`],
      ...(shown ? [['distortions', shown.map((d) => figure(d)).join(' ')] as const] : []),
    ],
    method:
      'reverse water-filling with two multipliers, D_i = min(lambda_i, 1/(l1 + l2 w_i)) along the components; the multipliers by nested search on the concave dual',
    noClosedForm: [
      'the two multipliers, where both constraints bind: the program is convex and solved to the gap above',
    ],
    plots: () => (achieved === null ? [] : [edgePlot(source, rateBits, achieved, points)]),
  };
}

/** All that the rate reaches, with the point that was asked for and those that were measured. */
function edgePlot(
  source: VectorSource,
  rateBits: number,
  achieved: { readonly ds: number; readonly dx: number },
  points: readonly MeasuredPoint[],
): BoundsPlot {
  const weights = linearSpace(0, 1, EDGE_POINTS[source.form.kind]);
  const edge = weights.map((weight) => edgeAtRate(source, rateBits, weight));
  return {
    name: 'edge',
    title: `What ${figure(rateBits)} bit reach`,
    xLabel: 'pixel distortion Dx',
    yLabel: 'semantic distortion Ds',
    series: [
      { label: 'edge', kind: 'theory', x: edge.map((e) => e.dx), y: edge.map((e) => e.ds) },
      { label: 'at this rate', kind: 'asked', x: [achieved.dx], y: [achieved.ds] },
      ...pointSeries('measured', points, 'dx', 'ds'),
    ],
  };
}
