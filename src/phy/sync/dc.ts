import { dcKernel } from '../kernels/dc.ts';
import { DC_GROUP, DC_STATE, DC_STRETCH } from '../kernels/dc-kernel.ts';
import type { Numerology } from '../numerology.ts';

/**
 * Removes the receiver's DC offset before anything else, with a running mean: plain at first, exponential with a
 * memory of 32768 samples from then on (a notch of some 40 Hz at 7.68 Msps). Samples that are not finite (or 100 dB above full
 * scale) become 0 and are counted. Silence stays silence. The kernel takes groups of 16 samples; a group that a block's end
 * cuts is begun again with what it lacked, so the cut leaves no trace.
 */
export class DcBlocker {
  private readonly state = new Float64Array(DC_STATE);
  /** The begun group, [16][re, im], its first `begun` samples, and what came out. */
  private readonly group = new Float32Array(2 * DC_GROUP);
  private readonly groupOut = new Float32Array(2 * DC_GROUP);
  private readonly trial = new Float64Array(DC_STATE);
  private begun = 0;

  /** Samples that were not finite so far. */
  get nonFinite(): number {
    return this.begun > 0 ? this.trial[4] : this.state[4];
  }

  /** out = input - mean, [n][re, im]. */
  process(input: Float32Array, out: Float32Array): void {
    let at = 0;
    if (this.begun > 0) at = this.extend(input, 0, out);
    const whole = at + ((out.length - at) & -(2 * DC_GROUP));
    if (whole > at) dcKernel().process(this.state, input.subarray(at, whole), out.subarray(at, whole));
    if (whole < out.length) this.extend(input, whole, out);
  }

  /** Adds what there is from element `at` on to the begun group; returns the element behind it. */
  private extend(input: Float32Array, at: number, out: Float32Array): number {
    const { group, groupOut, state, trial } = this;
    const from = 2 * this.begun;
    const length = Math.min(group.length - from, out.length - at);
    group.set(input.subarray(at, at + length), from);
    group.fill(0, from + length);
    trial.set(state);
    dcKernel().process(trial, group, groupOut);
    out.set(groupOut.subarray(from, from + length), at);
    this.begun = (from + length) / 2;
    if (this.begun === DC_GROUP) {
      state.set(trial);
      this.begun = 0;
    }
    return at + length;
  }
}

const sums = new Float64Array(3);

/** Memory that a receiver uses again, by name. */
interface WorkingMemory {
  take(name: string, length: number): Float32Array;
  copy(name: string, source: Float32Array): Float32Array;
}

/**
 * Takes out what DC is left over one burst, samples [from, to) of [..][re, im], if it is significant: a data-bearing
 * carrier that the frequency offset has put at DC averages to N / (nCarriers x samples) of the power and must stay.
 * `samples` stay as they are: what changes is a copy in `scratch`. Returns the samples without it, which are the given ones
 * where there is none, the DC removed relative to the burst's power, dB (-Infinity when none), that power, and how
 * much each stretch of the burst changes, as DcKernel.sums tells.
 */
export function withoutMean(
  samples: Float32Array,
  from: number,
  to: number,
  n: Numerology,
  scratch: WorkingMemory,
): { samples: Float32Array; dcDb: number; power: number; changes: Float32Array } {
  const a = Math.max(0, from);
  const b = Math.min(samples.length / 2, to);
  const dcDb = Number.NEGATIVE_INFINITY;
  const count = Math.max(0, b - a);
  const changes = scratch.take('changes', Math.ceil(count / DC_STRETCH));
  if (count < 1) return { samples, dcDb, power: 0, changes };
  dcKernel().sums(samples, a, b, sums, changes);
  const re = sums[0] / count;
  const im = sums[1] / count;
  const power = sums[2] / count;
  const dc = re * re + im * im;
  if (dc < (8 * power * n.fftSize) / (n.nCarriers * count)) return { samples, dcDb, power, changes };
  const out = scratch.copy('samples', samples);
  for (let i = 0; i < out.length; i += 2) {
    out[i] -= re;
    out[i + 1] -= im;
  }
  return { samples: out, dcDb: 10 * Math.log10(dc / power), power, changes };
}
