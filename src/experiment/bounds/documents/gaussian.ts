import { type BoundsDocument, figure, logSpace, pointSeries } from '../document.ts';
import { degenerateRates, rateScalar, scalarGaussian } from '../gaussian-scalar.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface GaussianRequest {
  readonly rho: number;
  readonly varS: number;
  readonly varX: number;
  readonly ds: number;
  readonly dx: number;
  readonly points: readonly MeasuredPoint[];
}

const WORDS = {
  semantic: 'the semantic distortion sets the rate',
  pixel: 'the pixel distortion sets the rate',
  none: 'nothing need be sent',
} as const;

/** `bounds gaussian`: R(Ds, Dx) of a scalar jointly Gaussian source, its degenerate cases, and the curve over Dx. */
export function gaussianDocument(r: GaussianRequest): BoundsDocument {
  const { rho, varS, varX, ds, dx } = r;
  const source = scalarGaussian(rho, varS, varX);
  const { rateBits, binding, estimation, achieved } = rateScalar(source, ds, dx);
  const degenerate = degenerateRates(source, ds, dx);
  const feasible = Number.isFinite(rateBits);
  const axis = logSpace(varX / 4096, varX, 61);
  const rate = (semantic: number) => axis.map((x) => rateScalar(source, semantic, x).rateBits);
  const separate = axis.map((x) => degenerateRates(source, ds, x).separate);
  return {
    kind: 'gaussian',
    title: `Indirect Gaussian source, correlation ${rho}`,
    values: {
      rateBits: feasible ? rateBits : null,
      feasible,
      binding,
      rho,
      varS,
      varX,
      ds: Number.isFinite(ds) ? ds : null,
      dx: Number.isFinite(dx) ? dx : null,
      mmse: estimation.mmse,
      gain: estimation.gain,
      achieved,
      degenerate,
      closedForm: true,
    },
    lines: [
      ['rate R(Ds, Dx)', feasible ? figure(rateBits, 'bit per sample') : 'infinite: Ds is not above the mmse'],
      ['', feasible ? WORDS[binding] : 'what is left of S when X is known exactly'],
      ['Ds, Dx asked for', `${figure(ds)}, ${figure(dx)}`],
      ['Ds, Dx at that rate', achieved ? `${figure(achieved.ds)}, ${figure(achieved.dx)}` : 'none'],
      ['mmse of S given X', figure(estimation.mmse)],
      ['task only (Dx = inf)', figure(degenerate.taskOnly, 'bit')],
      ['pixels only (Ds = inf)', figure(degenerate.pixelOnly, 'bit')],
      ['two separate codes', figure(degenerate.separate, 'bit')],
    ],
    method: 'R = max(0, 1/2 log2(varX / min(Dx, (Ds - mmse) / gain^2, varX))), closed form',
    noClosedForm: [],
    plots: () => [
      {
        name: 'rate',
        title: `Rate of a Gaussian source, correlation ${rho}, Ds = ${figure(ds)}`,
        xLabel: 'pixel distortion Dx',
        yLabel: 'rate, bit per sample',
        xLog: true,
        series: [
          { label: 'R(Ds, Dx)', kind: 'theory', x: axis, y: rate(ds) },
          { label: 'pixels only', kind: 'theory', x: axis, y: rate(Number.POSITIVE_INFINITY), dash: true },
          { label: 'two separate codes', kind: 'theory', x: axis, y: separate, dash: true },
          ...pointSeries('measured', r.points, 'dx', 'rateBits'),
        ],
      },
    ],
  };
}
