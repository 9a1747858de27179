import { type BoundsDocument, figure, linearSpace, pointSeries } from '../document.ts';
import type { Exponent } from '../error-exponent.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface ExponentRequest {
  readonly channelName: string;
  readonly method: string;
  readonly closedForm: boolean;
  /** No other input has a larger exponent, so that it is the true one above the critical rate. */
  readonly bestInput: boolean;
  readonly exponent: (rateBits: number) => Exponent;
  readonly rateBits: number;
  /** Block length for the bound on the error probability; null for none. */
  readonly n: number | null;
  readonly points: readonly MeasuredPoint[];
}

/** What a measured code's error probability says of its exponent; null where it never failed or its length is not known. */
function measuredExponent({ n, error }: MeasuredPoint): number | null {
  return n !== null && error !== null && error > 0 ? -Math.log2(error) / n : null;
}

/** `bounds exponent`: the random-coding exponent, and the bound 2^(-n E) that it gives. */
export function exponentDocument(r: ExponentRequest): BoundsDocument {
  const e = r.exponent(r.rateBits);
  const bound = r.n === null ? null : 2 ** (-r.n * e.exponentBits);
  const axis = linearSpace(0, e.capacityBits, 49);
  const tight = r.bestInput && r.rateBits >= e.criticalRateBits;
  return {
    kind: 'exponent',
    title: `Random-coding exponent, ${r.channelName}`,
    values: {
      channel: r.channelName,
      rateBits: r.rateBits,
      exponentBits: e.exponentBits,
      rho: e.rho,
      capacityBits: e.capacityBits,
      criticalRateBits: e.criticalRateBits,
      tight,
      n: r.n,
      errorBound: bound,
      closedForm: r.closedForm,
    },
    lines: [
      ['exponent', figure(e.exponentBits, `bit per use at ${figure(r.rateBits)} bit per use, rho ${figure(e.rho)}`)],
      ['capacity', figure(e.capacityBits, 'bit per use')],
      ['critical rate', figure(e.criticalRateBits, 'bit per use')],
      [
        '',
        r.rateBits >= e.capacityBits
          ? 'at or above capacity: no code is reliable'
          : tight
            ? 'above the critical rate: the true exponent'
            : 'a lower bound on the true exponent',
      ],
      ...(bound === null ? [] : [[`error probability, n = ${r.n}`, `at most ${figure(bound)}`] as const]),
    ],
    method: r.method,
    noClosedForm: [
      ...(r.closedForm ? [] : ['the maximum over rho: found numerically on a concave function']),
      'the reliability function below the critical rate, and the joint source-channel exponent with two distortions: not known or not in closed form',
    ],
    plots: () => [
      {
        name: 'exponent',
        title: `Random-coding exponent, ${r.channelName}`,
        xLabel: 'rate, bit per use',
        yLabel: 'exponent, bit per use',
        series: [
          { label: 'E_r', kind: 'theory', x: axis, y: axis.map((x) => r.exponent(x).exponentBits) },
          ...pointSeries('measured, -log2(error) / n', r.points, 'rateBits', measuredExponent),
        ],
      },
    ],
  };
}
