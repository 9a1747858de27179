import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { delaysOf } from './delay-transform.ts';
import { type DelayWindow, type PreambleEstimate, rampTable } from './delay-window.ts';
import { alike, quietVariance, quietWeight } from './interference.ts';
import { fitStore } from './window-solver.ts';

/** The training symbols over delay, [transform's length][re, im]; used again from burst to burst. */
let grid = new Float64Array(0);

/**
 * Chooses the delay window by Mallows' C_p, residual / n + 2 sigma^2 dof / n, on the training symbols, and smooths
 * the least-squares channel with it. `noiseVariance` is that of one RE; the average of two symbols has half of it.
 * `subbandNoise` [nSubbands], where given, shows subbands with an interferer, which then count less.
 */
export function estimateFromTraining(
  n: Numerology,
  channel: Float32Array,
  noiseVariance: number,
  backoff: number,
  subbandNoise?: ArrayLike<number>,
): PreambleEstimate {
  if (subbandNoise && !alike(subbandNoise)) {
    const quiet = quietVariance(subbandNoise);
    if (quietWeight(maximum(subbandNoise), quiet) < 1)
      return estimateUnderInterference(n, channel, quiet, backoff, subbandNoise);
  }
  const sigma2 = noiseVariance / 2;
  let total = 0;
  for (let i = 0; i < channel.length; i++) total += channel[i] ** 2;
  const power = Math.max(total / n.nCarriers - sigma2, 0.01 * sigma2, 1e-20);
  const { transform, windows, points } = delaysOf(n, backoff);
  const fits = fitStore(n);
  fits.tidy();
  const { kernel } = fits;
  if (grid.length !== 2 * transform.length) grid = new Float64Array(2 * transform.length);
  transform.run(channel, grid, 0);
  kernel.loadGrid(grid, transform.length);
  const solve = (window: DelayWindow) => {
    const fit = window.basis.fitter((sigma2 * window.basis.size) / power);
    return { explained: kernel.solvePoints(fits.fitter(fit), fits.points(points(window))), dof: fit.dof };
  };
  let best: DelayWindow | null = null;
  let bestRisk = Number.POSITIVE_INFINITY;
  let bestDof = 0;
  for (const window of windows) {
    const { explained, dof } = solve(window);
    const risk = total - explained + 2 * sigma2 * dof;
    if (risk < bestRisk) {
      bestRisk = risk;
      best = window;
      bestDof = dof;
    }
  }
  const { basis, centre } = best!;
  const smoothed = new Float32Array(channel.length);
  solve(best!);
  kernel.expand(fits.basis(basis), rampTable(n, centre), 1, smoothed, 0);
  return { window: best!, backoff, channel: smoothed, power, dof: bestDof };
}

/** Rounds of fitting and replacing; the fit inside an interferer's band settles within these. */
const INTERFERENCE_ROUNDS = 6;

/**
 * The same with an interferer on some subbands: what they show is replaced by the fit, but for their weight, and fitted
 * again (expectation-maximisation towards weighted least squares, with the inverses of the unweighted one).
 */
function estimateUnderInterference(
  n: Numerology,
  channel: Float32Array,
  quiet: number,
  backoff: number,
  subbandNoise: ArrayLike<number>,
): PreambleEstimate {
  const mixed = channel.slice();
  let estimate: PreambleEstimate | null = null;
  for (let round = 0; round < INTERFERENCE_ROUNDS; round++) {
    for (let c = 0; c < n.nCarriers; c++) {
      const w = quietWeight(subbandNoise[Math.floor(c / SUBBAND_CARRIERS)], quiet);
      for (let i = 2 * c; i < 2 * c + 2; i++) mixed[i] = w * channel[i] + (1 - w) * (estimate?.channel[i] ?? 0);
    }
    estimate = estimateFromTraining(n, mixed, quiet, backoff);
  }
  return estimate!;
}

function maximum(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
  return most;
}
