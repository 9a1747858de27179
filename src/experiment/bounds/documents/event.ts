import { UsageError } from '../../../common/errors.ts';
import type { Estimate } from '../../metrics/stats.ts';
import { awgnCapacity, snrOf } from '../channel-capacity.ts';
import { type Between, type BoundsDocument, type BoundsSeries, figure, linearSpace, nothing } from '../document.ts';
import {
  type ErrorEvent,
  EventCounter,
  MAX_DRAWS,
  requireLimits,
  requireTrials,
  simulateUncoded,
  uncodedTheory,
} from '../error-event.ts';
import { awgnDispersion, excessProbability } from '../finite-blocklength.ts';
import { scalarGaussian } from '../gaussian-scalar.ts';
import type { MeasuredPoint } from '../measured-points.ts';

export interface EventRequest {
  readonly rho: number;
  readonly varS: number;
  readonly varX: number;
  readonly ds: number;
  readonly dx: number;
  readonly snrDb: readonly number[];
  readonly k: number;
  readonly blocks: number;
  readonly seed: number;
}

const CURVE_POINTS = 41;

type EventPoint = ReturnType<typeof simulateUncoded> & {
  readonly snrDb: number;
  readonly exact: ReturnType<typeof uncodedTheory>;
  readonly coded: number | null;
};

/** `bounds event` of the Gaussian test source: Monte Carlo beside what is exact and what long codes could do. */
export async function eventDocument(r: EventRequest, between: Between = nothing): Promise<BoundsDocument> {
  const { ds, dx, k } = r;
  const source = scalarGaussian(r.rho, r.varS, r.varX);
  requireTrials(k, r.blocks);
  requireLimits(ds, dx);
  if (r.snrDb.length * r.blocks * k > MAX_DRAWS) {
    throw new UsageError(
      `SNRs x blocks x k ${r.snrDb.length * r.blocks * k} is out of range: allowed up to ${MAX_DRAWS} samples`,
    );
  }
  const points: EventPoint[] = [];
  for (const snrDb of r.snrDb) {
    await between(`Monte Carlo, ${snrDb} dB`);
    const snr = snrOf('SNR', snrDb);
    const trial = { source, snr, k, blocks: r.blocks, seed: `${r.seed}/${snrDb}` };
    const exact = uncodedTheory(trial, ds, dx);
    points.push({ snrDb, ...simulateUncoded(trial, ds, dx), exact, coded: coded(snr, k, r.varX, dx) });
  }
  const axis = linearSpace(Math.min(...r.snrDb) - 2, Math.max(...r.snrDb) + 2, CURVE_POINTS).filter(
    (v) => v >= -30 && v <= 60,
  );
  const exact = axis.map((db) => uncodedTheory({ source, snr: 10 ** (db / 10), k }, ds, dx));
  const joint: BoundsSeries = {
    label: 'joint, Monte Carlo',
    kind: 'measured',
    x: points.map((p) => p.snrDb),
    y: points.map((p) => p.joint.value),
    low: points.map((p) => p.joint.low),
    high: points.map((p) => p.joint.high),
  };
  const theory = (label: string, y: number[], dash = false): BoundsSeries => ({
    label,
    kind: 'theory',
    x: axis,
    y,
    dash,
  });
  return {
    kind: 'event',
    title: `P{ds > ${figure(ds)} or dx > ${figure(dx)}}, blocks of ${k} Gaussian samples, uncoded`,
    values: {
      source: { rho: r.rho, varS: r.varS, varX: r.varX },
      ds: Number.isFinite(ds) ? ds : null,
      dx: Number.isFinite(dx) ? dx : null,
      k,
      blocks: r.blocks,
      seed: r.seed,
      points,
      closedForm: false,
    },
    lines: points.flatMap((p) => [
      [
        `${p.snrDb} dB, joint`,
        `${interval(p.joint)}, ${p.exact.joint === null ? '' : `exact ${figure(p.exact.joint)}, `}between ${figure(p.exact.jointLow)} and ${figure(p.exact.jointHigh)}`,
      ] as const,
      [`${p.snrDb} dB, ds > Ds`, `${interval(p.semantic)}, exact ${figure(p.exact.semantic)}`] as const,
      [`${p.snrDb} dB, dx > Dx`, `${interval(p.pixel)}, exact ${figure(p.exact.pixel)}`] as const,
      ...(p.coded === null
        ? []
        : [[`${p.snrDb} dB, coded`, `P{dx > Dx} about ${figure(p.coded)} (normal approximation)`] as const]),
    ]),
    method: `Monte Carlo of linear uncoded transmission over AWGN, ${r.blocks} blocks, exact 95 % intervals (Clopper-Pearson); exact: marginals by chi-square, the joint probability by a series of products of its tails (noncentral chi-square given the error of the pixels). Coded: the normal approximation for code words of equal power; uncoded blocks keep the power only in the mean and can do better`,
    noClosedForm: [
      'the joint probability: ds and dx share the error of Xhat; it is a series, between the larger marginal and their sum',
    ],
    plots: () => [
      {
        name: 'event',
        title: 'Probability of the joint error event',
        xLabel: 'SNR, dB',
        yLabel: 'probability',
        series: [
          theory(
            'ds > Ds, exact',
            exact.map((e) => e.semantic),
          ),
          theory(
            'dx > Dx, exact',
            exact.map((e) => e.pixel),
          ),
          ...(exact.every((e) => e.joint !== null)
            ? [
                theory(
                  'joint, exact',
                  exact.map((e) => e.joint!),
                ),
              ]
            : []),
          joint,
          theory(
            'least joint',
            exact.map((e) => e.jointLow),
            true,
          ),
          theory(
            'most joint (union bound)',
            exact.map((e) => e.jointHigh),
            true,
          ),
        ],
      },
    ],
  };
}

/**
 * Excess probability of the pixels with the best code of as many samples, two to a symbol, whose code words all have the same power; null where the
 * constraint is none. Uncoded blocks have it only in the mean, their power follows the source, and so they can do better [Kostina13].
 */
function coded(snr: number, k: number, varX: number, dx: number): number | null {
  const n = Math.floor(k / 2);
  if (!(dx < varX) || n < 1 || awgnCapacity(snr) === 0) return null;
  return excessProbability({ k, n, varX, channel: awgnDispersion(snr) }, dx);
}

/** `bounds event --points`: the event among blocks that were measured, one a row. */
export function measuredEventDocument(
  points: readonly MeasuredPoint[],
  ds: number,
  dx: number,
  from: string,
): BoundsDocument {
  const counter = new EventCounter(ds, dx);
  for (const p of points) counter.add(p.ds, p.dx);
  const event: ErrorEvent = counter.result();
  return {
    kind: 'event',
    title: `P{ds > ${figure(ds)} or dx > ${figure(dx)}} among ${event.joint.n} measured blocks`,
    values: {
      source: null,
      from,
      ds: Number.isFinite(ds) ? ds : null,
      dx: Number.isFinite(dx) ? dx : null,
      ...event,
      closedForm: false,
    },
    lines: [
      ['joint', interval(event.joint)],
      ['ds > Ds', interval(event.semantic)],
      ['dx > Dx', interval(event.pixel)],
    ],
    method:
      'counted, with exact 95 % intervals (Clopper-Pearson) of independent blocks; of a run dx is its MSE over 255^2 and ds is 1 - mIoU, of the received picture where a judge looked at it. For pictures that share seeds, as in a sweep: sct report --ds --dx',
    noClosedForm: ['this probability for pictures: it is measured, not computed'],
    plots: () => [],
  };
}

function interval(e: Estimate | null): string {
  return e === null ? 'not measured' : `${figure(e.value)} [${figure(e.low)}, ${figure(e.high)}] of ${e.n}`;
}
