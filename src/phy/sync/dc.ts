import type { DcKernel } from '../kernels/dc/dc.ts';
import { DC_GROUP, DC_STATE, DC_STRETCH } from '../kernels/dc/dc-kernel.ts';
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

  /** input - mean, [n][re, im], to the samples that a kernel holds from number `to` on. */
  process(input: Float32Array, kernel: DcKernel, to: number): void {
    const count = input.length >> 1;
    let at = 0;
    if (this.begun > 0) at = this.extend(input, 0, count, kernel, to);
    const whole = at + ((count - at) & -DC_GROUP);
    if (whole > at) kernel.process(this.state, input.subarray(2 * at, 2 * whole), to + at);
    if (whole < count) this.extend(input, whole, count, kernel, to);
  }

  /** Adds what there is of the input from sample `at` on to the begun group; returns the sample behind it. */
  private extend(input: Float32Array, at: number, count: number, kernel: DcKernel, to: number): number {
    const { group, groupOut, state, trial, begun } = this;
    const some = Math.min(DC_GROUP - begun, count - at);
    group.set(input.subarray(2 * at, 2 * (at + some)), 2 * begun);
    group.fill(0, 2 * (begun + some));
    trial.set(state);
    kernel.processGroup(trial, group, groupOut);
    kernel.samples.set(groupOut.subarray(2 * begun, 2 * (begun + some)), 2 * (to + at));
    this.begun = begun + some;
    if (this.begun === DC_GROUP) {
      state.set(trial);
      this.begun = 0;
    }
    return at + some;
  }
}

const sums = new Float64Array(3);

/** Memory that a receiver uses again, by name. */
interface WorkingMemory {
  take(name: string, length: number): Float32Array;
  copy(name: string, source: Float32Array): Float32Array;
}

/** Where the samples of a burst stand. */
interface HeldSamples {
  stretch(from: number, to: number): Float32Array;
  sums(from: number, to: number, out: Float64Array, changes: Float32Array): void;
}

/**
 * Takes out what DC is left over one burst, samples `burst` = [from, to) of the stream, if it is significant: a data-bearing
 * carrier that the frequency offset has put at DC averages to N / (nCarriers x samples) of the power and must stay.
 * The samples held stay as they are: what changes is a copy in `scratch`. Returns samples `all` = [from, to), which hold the
 * burst, without it: the given ones where there is none; the DC removed relative to the burst's power, dB (-Infinity when
 * none), that power, and how much each stretch of the burst changes, as DcKernel.sums tells.
 */
export function withoutMean(
  held: HeldSamples,
  all: readonly [number, number],
  burst: readonly [number, number],
  n: Numerology,
  scratch: WorkingMemory,
): { samples: Float32Array; dcDb: number; power: number; changes: Float32Array } {
  const samples = held.stretch(all[0], all[1]);
  const from = Math.max(all[0], burst[0]);
  const to = Math.min(all[1], burst[1]);
  const dcDb = Number.NEGATIVE_INFINITY;
  const count = Math.max(0, to - from);
  const changes = scratch.take('changes', Math.ceil(count / DC_STRETCH));
  if (count < 1) return { samples, dcDb, power: 0, changes };
  held.sums(from, to, sums, changes);
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
