import { Nco } from '../../frontend/nco.ts';
import { OutputBuffer, SampleHistory } from '../../frontend/sample-history.ts';
import type { MomentSink, NativeSamples, ResampleKernel, ResampleSetup, SampleCorrection } from './resample-kernel.ts';

/** The kernel in plain TypeScript: the twin of the one in WebAssembly. Sums in double precision. */
export class PlainResampleKernel implements ResampleKernel {
  readonly name = 'typescript';
  private readonly sums = new Float64Array(5);
  private readonly setup: ResampleSetup;
  private readonly before: Nco | null;
  private readonly after: Nco | null;
  private readonly history: SampleHistory;
  private readonly corrected = new OutputBuffer();
  private readonly output = new OutputBuffer();
  private bad = 0;
  private phase = 0;
  /** Input samples still to be passed over before the next output, relative to the next block. */
  private position = 0;

  constructor(setup: ResampleSetup) {
    this.setup = setup;
    this.before = setup.cyclesBefore !== 0 ? new Nco(setup.cyclesBefore, 1) : null;
    this.after = setup.cyclesAfter !== 0 ? new Nco(setup.cyclesAfter, 1) : null;
    this.history = new SampleHistory((setup.filter?.taps ?? 1) - 1);
  }

  get nonFinite(): number {
    return this.bad;
  }

  reset(): void {
    this.before?.reset();
    this.after?.reset();
    this.history.reset();
    this.phase = 0;
    this.position = 0;
  }

  process(data: NativeSamples, scale: number, correction: SampleCorrection, moments: MomentSink | null): Float32Array {
    const n = data.length >> 1;
    const block = this.corrected.take(n);
    for (let done = 0; done < n; ) {
      const to = Math.min(n, done + (moments?.wanted ?? n));
      this.take(data, block, 2 * done, 2 * to, scale, correction);
      moments?.add(this.sums, to - done);
      done = to;
    }
    this.before?.mix(block, block);
    const out = this.filtered(block);
    this.after?.mix(out, out);
    return out;
  }

  /** Components [from, to) of the data to those of `out`, and their moments. */
  private take(
    data: NativeSamples,
    out: Float32Array,
    from: number,
    to: number,
    scale: number,
    by: SampleCorrection,
  ): void {
    let sumI = 0;
    let sumQ = 0;
    let powerI = 0;
    let powerQ = 0;
    let cross = 0;
    for (let k = from; k < to; k += 2) {
      let i = Math.fround(data[k] * scale);
      let q = Math.fround(data[k + 1] * scale);
      // v - v is 0 for every finite number and NaN for NaN and the infinities.
      if (i - i !== 0) {
        i = 0;
        this.bad++;
      }
      if (q - q !== 0) {
        q = 0;
        this.bad++;
      }
      sumI += i;
      sumQ += q;
      powerI += i * i;
      powerQ += q * q;
      cross += i * q;
      out[k] = by.reGain * i + by.reOffset;
      out[k + 1] = by.imGain * q + by.reToIm * i + by.imOffset;
    }
    const { sums } = this;
    sums[0] = sumI;
    sums[1] = sumQ;
    sums[2] = powerI;
    sums[3] = powerQ;
    sums[4] = cross;
  }

  private filtered(block: Float32Array): Float32Array {
    const { filter } = this.setup;
    if (!filter) return block;
    const n = this.history.append(block);
    const { up, down, branches, taps } = filter;
    const wholeStep = Math.floor(down / up);
    const phaseStep = down % up;
    const room = this.position < n ? Math.ceil(((n - this.position) * up - this.phase) / down) : 0;
    const out = this.output.take(room);
    const x = this.history.data;
    let { phase, position } = this;
    let at = 0;
    while (position < n) {
      let re = 0;
      let im = 0;
      let j = 2 * position;
      const end = (phase + 1) * taps;
      for (let c = phase * taps; c < end; c++) {
        const h = branches[c];
        re += h * x[j];
        im += h * x[j + 1];
        j += 2;
      }
      out[at++] = re;
      out[at++] = im;
      position += wholeStep;
      phase += phaseStep;
      if (phase >= up) {
        phase -= up;
        position++;
      }
    }
    this.phase = phase;
    this.position = position - n;
    return out;
  }
}
