import { type BoundsDocument, type BoundsSeries, figure, logSpace, pointSeries } from '../document.ts';
import { distortionsAtRest } from '../gaussian-vector.ts';
import type { MeasuredPoint } from '../measured-points.ts';
import { conditionalSource, type JointGaussian, sideInformationRates } from '../side-information.ts';

export interface WynerZivRequest {
  readonly joint: JointGaussian;
  readonly ds: number;
  readonly dx: number;
  readonly points: readonly MeasuredPoint[];
}

/** Points of the curve: each solves two vector problems. */
const CURVE_POINTS = 21;

/** `bounds wyner-ziv`: the rate without side information, with V at both ends, and with V at the decoder alone. */
export function wynerZivDocument({ joint, ds, dx, points }: WynerZivRequest): BoundsDocument {
  const rates = sideInformationRates(joint, ds, dx);
  const rest = distortionsAtRest(conditionalSource(joint, false));
  const known = distortionsAtRest(conditionalSource(joint, true));
  const finite = (v: number) => (Number.isFinite(v) ? v : null);
  return {
    kind: 'wyner-ziv',
    title: `Indirect Gaussian source with side information (S ${joint.s}, X ${joint.x}, V ${joint.v} components)`,
    values: {
      rateBits: finite(rates.wynerZiv.rateBits),
      feasible: Number.isFinite(rates.wynerZiv.rateBits),
      withoutBits: finite(rates.without.rateBits),
      conditionalBits: finite(rates.conditional.rateBits),
      wynerZivBits: finite(rates.wynerZiv.rateBits),
      savedBits: finite(rates.savedBits),
      ds: finite(ds),
      dx: finite(dx),
      atRest: { without: rest, withV: known },
      closedForm: joint.x === 1 && joint.s === 1,
    },
    lines: [
      ['without V', figure(rates.without.rateBits, 'bit')],
      ['V at both ends', figure(rates.conditional.rateBits, 'bit')],
      [
        'V at the decoder alone',
        figure(rates.wynerZiv.rateBits, 'bit: no more, for a Gaussian source and squared error'),
      ],
      ['V is worth', figure(rates.savedBits, 'bit')],
      ['Ds, Dx asked for', `${figure(ds)}, ${figure(dx)}`],
      ['Ds, Dx with V alone', `${figure(known.ds)}, ${figure(known.dx)}`],
    ],
    method:
      'R(Ds, Dx) of the source that is left when V is known: covariances given V in the place of covariances; the same at the decoder alone',
    noClosedForm: [
      'side information at the decoder alone with two distortions, for any source but the jointly Gaussian one: open',
    ],
    plots: () => [
      {
        name: 'rate',
        title: `What side information is worth, Ds = ${figure(ds)}`,
        xLabel: 'pixel distortion Dx',
        yLabel: 'rate, bit',
        xLog: true,
        series: [...curves(joint, ds, rest.dx), ...pointSeries('measured', points, 'dx', 'rateBits')],
      },
    ],
  };
}

/** Both rates over Dx, from the variance `most` of X down. */
function curves(joint: JointGaussian, ds: number, most: number): BoundsSeries[] {
  const x = most > 0 ? logSpace(most / 256, most, CURVE_POINTS) : [];
  const rates = x.map((dx) => sideInformationRates(joint, ds, dx));
  return [
    { label: 'without V', kind: 'theory', x, y: rates.map((r) => r.without.rateBits) },
    { label: 'V at the decoder', kind: 'theory', x, y: rates.map((r) => r.wynerZiv.rateBits) },
  ];
}
