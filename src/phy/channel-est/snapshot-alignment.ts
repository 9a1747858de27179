import type { Numerology } from '../numerology.ts';

/** Channel estimates of several bursts, oldest first, and how they go together as a channel fades. */
export interface Snapshots {
  /** Each [nCarriers][re, im]. */
  readonly channels: readonly Float64Array[];
  readonly timesS: readonly number[];
  /** Inverse covariance of the estimates in time, for a channel of mean power 1, [snapshots][snapshots]. */
  readonly precision: Float64Array;
}

/** Differences between two oscillators and two clocks that are looked for. */
export interface DriftSearch {
  /** At most, either way. */
  readonly frequencyHz: number;
  /** Samples a second, least and most. */
  readonly delayPerS: readonly [number, number];
}

/** What sets the estimates apart from those of one steady oscillator and clock. */
export interface Alignment {
  /** To be added to the phase of each, rad, [snapshots]; 0 for the latest. */
  readonly phases: Float64Array;
  /** Delay that grows with time, samples a second. */
  readonly delayPerS: number;
  /** x' Q x with that taken out, summed over the carriers: its expectation is carriers x snapshots x mean power. */
  readonly energy: number;
}

/** Points of the search in units of the resolution: N / carriers samples over the span in delay, 1 / span in frequency. */
const STEP = 0.2;
const MOST_STEPS = 400;
/** Rounds of parabolic refinement behind the search. */
const REFINEMENTS = 3;
/** Sweeps over single phases. */
const SWEEPS = 12;

/**
 * Phases and clock error that make the estimates likeliest for the fading that Q (`precision`) describes: those that bring
 * sum over carriers of x' Q x down, which is to make
 *   V = sum_{k<l} -Q_kl Re sum_c conj(x_k,c) x_l,c exp(i (p_l - p_k + 2 pi k_c d (t_l - t_k) / N))
 * as large as can be. `oscillator` steady: p_k = -2 pi f t_k, a search over d and f; free: every burst has a phase of its own, found
 * one by one, each to suit all others, at every d of the search. Parabolas about the best point refine it.
 * A channel that turns as it fades is told from an oscillator that drifts as far as its Doppler spectrum allows. O(points K^2 carriers).
 */
export function alignSnapshots(
  n: Numerology,
  snapshots: Snapshots,
  oscillator: 'steady' | 'free',
  drift: DriftSearch,
): Alignment {
  const { channels, timesS, precision } = snapshots;
  const pairs = pairsOf(n, snapshots);
  const spanS = timesS[timesS.length - 1] - timesS[0];
  const step = (STEP * (n.fftSize / n.nCarriers)) / spanS;
  const first = Math.floor(drift.delayPerS[0] / step);
  const last = Math.min(first + 2 * MOST_STEPS, Math.ceil(drift.delayPerS[1] / step));
  const phasesAt = oscillator === 'steady' ? steadyPhases(pairs, timesS, drift.frequencyHz) : freePhases(pairs);
  const at = (d: number) => ({ d, ...phasesAt(sumsAt(n, pairs, d)) });
  let best = at(first * step);
  for (let row = first + 1; row <= last; row++) {
    const point = at(row * step);
    if (point.value > best.value) best = point;
  }
  for (let i = 0, width = step / 2; i < REFINEMENTS; i++, width /= 3) {
    const around = [at(best.d - width), best, at(best.d + width)];
    const middle = at(best.d + width * vertex(around.map((p) => p.value)));
    for (const point of [...around, middle]) if (point.value > best.value) best = point;
  }
  let own = 0;
  for (const [k, x] of channels.entries()) {
    let energy = 0;
    for (const v of x) energy += v * v;
    own += precision[k * channels.length + k] * energy;
  }
  return { phases: best.phases, delayPerS: best.d, energy: own - 2 * best.value };
}

/**
 * Energy over its expectation from which on a steady oscillator, or fading at all, does not explain the estimates: of 60 EVA channels the
 * ratio was 0.5 to 2.1, and 30 to 55 with one phase of four turned by 2 rad.
 */
const POOR_FIT = 2.5;

/**
 * As alignSnapshots with a steady oscillator if that explains the estimates, else with phases of their own; null where neither
 * does: a channel that fades otherwise than Q says, or a clock that jumped.
 *
 * @param power mean power of the channel
 */
export function bestAlignment(
  n: Numerology,
  snapshots: Snapshots,
  drift: DriftSearch,
  power: number,
): Alignment | null {
  const limit = POOR_FIT * n.nCarriers * snapshots.channels.length * power;
  const steady = alignSnapshots(n, snapshots, 'steady', drift);
  if (steady.energy <= limit) return steady;
  const free = alignSnapshots(n, snapshots, 'free', drift);
  return free.energy <= limit ? free : null;
}

/** The estimates as if all had been taken with the oscillator and clock of the latest. */
export function aligned(n: Numerology, { channels, timesS }: Snapshots, alignment: Alignment): Float64Array[] {
  const last = timesS[timesS.length - 1];
  return channels.map((x, k) => {
    const out = x.slice();
    turn(n, out, alignment.phases[k], alignment.delayPerS * (timesS[k] - last));
    return out;
  });
}

/** x_c exp(i (phase + 2 pi k_c delay / N)), in place: turns by a phase and takes a delay (samples) out. */
export function turn(n: Numerology, x: Float64Array, phase: number, delay: number): void {
  const unit = (2 * Math.PI * delay) / n.fftSize;
  for (let c = 0; c < n.nCarriers; c++) {
    const angle = phase + unit * n.carriers[c];
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const re = x[2 * c];
    x[2 * c] = re * cos - x[2 * c + 1] * sin;
    x[2 * c + 1] = re * sin + x[2 * c + 1] * cos;
  }
}

interface Pair {
  readonly k: number;
  readonly l: number;
  readonly lagS: number;
  /** -Q_kl, and conj(x_k) x_l times it, [nCarriers][re, im]. */
  readonly weight: number;
  readonly product: Float64Array;
}

function pairsOf(n: Numerology, { channels, timesS, precision }: Snapshots): Pair[] {
  const pairs: Pair[] = [];
  for (let k = 0; k < channels.length; k++) {
    for (let l = k + 1; l < channels.length; l++) {
      const weight = -precision[k * channels.length + l];
      const a = channels[k];
      const b = channels[l];
      const product = new Float64Array(2 * n.nCarriers);
      for (let c = 0; c < product.length; c += 2) {
        product[c] = weight * (a[c] * b[c] + a[c + 1] * b[c + 1]);
        product[c + 1] = weight * (a[c] * b[c + 1] - a[c + 1] * b[c]);
      }
      pairs.push({ k, l, lagS: timesS[l] - timesS[k], weight, product });
    }
  }
  return pairs;
}

/** A = sum_c product_c exp(2 pi i k_c d lag / N) of every pair, [pair][re, im]. */
function sumsAt(n: Numerology, pairs: readonly Pair[], delayPerS: number): Float64Array {
  const out = new Float64Array(2 * pairs.length);
  for (const [p, { lagS, product }] of pairs.entries()) {
    const angle = (2 * Math.PI * delayPerS * lagS) / n.fftSize;
    const stepRe = Math.cos(angle);
    const stepIm = Math.sin(angle);
    let [cos, sin, re, im] = [stepRe, stepIm, 0, 0];
    // Carriers k and -k turn by opposite angles.
    for (let up = n.nCarriers, down = up - 2; down >= 0; up += 2, down -= 2) {
      re += (product[up] + product[down]) * cos - (product[up + 1] - product[down + 1]) * sin;
      im += (product[up + 1] + product[down + 1]) * cos + (product[up] - product[down]) * sin;
      const t = cos * stepRe - sin * stepIm;
      sin = cos * stepIm + sin * stepRe;
      cos = t;
    }
    out[2 * p] = re;
    out[2 * p + 1] = im;
  }
  return out;
}

type PhasesAt = (sums: Float64Array) => { readonly phases: Float64Array; readonly value: number };

/** V for phases. */
function likelihood(pairs: readonly Pair[], sums: Float64Array, phases: Float64Array): number {
  let sum = 0;
  for (const [p, { k, l }] of pairs.entries()) {
    const angle = phases[l] - phases[k];
    sum += sums[2 * p] * Math.cos(angle) - sums[2 * p + 1] * Math.sin(angle);
  }
  return sum;
}

/** p_k = -2 pi f (t_k - t_last) with the best f within the bounds. */
function steadyPhases(pairs: readonly Pair[], timesS: readonly number[], mostHz: number): PhasesAt {
  const last = timesS[timesS.length - 1];
  const phasesOf = (f: number) => Float64Array.from(timesS, (t) => -2 * Math.PI * f * (t - last));
  const step = STEP / (last - timesS[0]);
  const count = Math.min(MOST_STEPS, Math.ceil(mostHz / step));
  return (sums) => {
    const value = (f: number) => likelihood(pairs, sums, phasesOf(f));
    let best = { f: 0, value: value(0) };
    const take = (f: number) => {
      const v = value(f);
      if (v > best.value) best = { f, value: v };
    };
    for (let i = -count; i <= count; i++) take(i * step);
    for (let i = 0, width = step / 2; i < REFINEMENTS; i++, width /= 3) {
      take(best.f + width * vertex([value(best.f - width), best.value, value(best.f + width)]));
    }
    return { phases: phasesOf(best.f), value: best.value };
  };
}

/** Each burst to the next younger one, then each to what all others say of it, the latest fixed. */
function freePhases(pairs: readonly Pair[]): PhasesAt {
  const last = pairs[pairs.length - 1].l;
  return (sums) => {
    const phases = new Float64Array(last + 1);
    for (const [p, { k, l, weight }] of [...pairs.entries()].reverse()) {
      if (l === k + 1)
        phases[k] = phases[l] + Math.atan2(sums[2 * p + 1] * Math.sign(weight), sums[2 * p] * Math.sign(weight));
    }
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      for (let j = last - 1; j >= 0; j--) {
        let [re, im] = [0, 0];
        for (const [p, { k, l }] of pairs.entries()) {
          if (k !== j && l !== j) continue;
          // Re A exp(i (p_l - p_k)), as Re B exp(i p_j) for either end.
          const other = phases[k === j ? l : k];
          const sign = k === j ? -1 : 1;
          const [cos, sin] = [Math.cos(other), Math.sin(other)];
          re += sums[2 * p] * cos + sign * sums[2 * p + 1] * sin;
          im += sign * sums[2 * p + 1] * cos - sums[2 * p] * sin;
        }
        phases[j] = -Math.atan2(im, re);
      }
    }
    return { phases, value: likelihood(pairs, sums, phases) };
  };
}

/** Where a parabola through f(-1), f(0), f(1) is highest, within [-1, 1]. */
function vertex([a, b, c]: readonly number[]): number {
  const bend = a - 2 * b + c;
  if (!(bend < 0)) return c > a ? 1 : a > c ? -1 : 0;
  return Math.max(-1, Math.min(1, (a - c) / (2 * bend)));
}
