import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import { estimateSlot } from '../channel-est/lmmse.ts';
import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { OfdmDemodulator } from '../ofdm/demodulate.ts';
import { resourceGrid } from '../resource-grid.ts';
import type { Acquisition } from '../sync/acquire.ts';
import { PhaseTracker } from '../sync/phase-tracker.ts';
import { TimingTracker } from '../sync/timing-tracker.ts';

/**
 * Turns the samples of a burst into OFDM symbols, one after the other, and follows phase and sample clock on the way:
 * every symbol's common phase by its pilots, the delay slot by slot, with the FFT window moved whole samples and the
 * rest taken out as a phase ramp.
 */
export class SymbolTracker {
  private readonly n: Numerology;
  private readonly acquisition: Acquisition;
  private readonly preamble: PreambleEstimate;
  private readonly noiseVariance: number;
  private readonly demodulator: OfdmDemodulator;
  private readonly phase: PhaseTracker;
  private readonly timing: TimingTracker;
  /** Channel that phases are measured against, [nCarriers][re, im]. */
  private readonly reference: Float32Array;
  private symbol = 0;
  private referenceSymbol: number;

  constructor(n: Numerology, acquisition: Acquisition, preamble: PreambleEstimate) {
    this.n = n;
    this.acquisition = acquisition;
    this.preamble = preamble;
    this.noiseVariance = Math.max(acquisition.noiseVariance, 1e-6 * preamble.power);
    this.demodulator = new OfdmDemodulator(n);
    this.reference = preamble.channel.slice();
    const stepVariance = acquisition.cfoVariance * (2 * Math.PI * n.symbolLength) ** 2;
    this.phase = new PhaseTracker(Math.min(1, 2 * stepVariance + 1e-6));
    this.timing = new TimingTracker(n.symbolLength);
    // The training symbols lie about one symbol before the first.
    this.referenceSymbol = -1;
  }

  /** Sample (relative to the acquisition's array) after which symbol `index` is complete. */
  endOf(index: number): number {
    const n = this.n;
    return this.acquisition.start + n.preambleLength + (index + 1) * n.symbolLength + n.cpLength;
  }

  /**
   * Demodulates `count` symbols that follow on the last call: rows [count][nCarriers][re, im] into `rows`, pilots
   * [count][nSubbands][re, im] into `pilots`. `slot` symbols use the slot's pilot pattern. `base` is the array position
   * that corresponds to the acquisition's origin.
   */
  demodulate(
    samples: Float32Array,
    base: number,
    count: number,
    slot: boolean,
    rows: Float32Array,
    pilots: Float32Array,
  ): void {
    const n = this.n;
    const grid = resourceGrid(n);
    const { cfo, backoff, start } = this.acquisition;
    for (let i = 0; i < count; i++) {
      const index = this.symbol + i;
      const delay = this.timing.delayAfter(index - this.referenceSymbol);
      const whole = Math.round(delay);
      const offset = n.preambleLength + index * n.symbolLength + n.cpLength - backoff + whole;
      const row = 2 * n.nCarriers * i;
      this.demodulator.demodulate(samples, base + start + offset, cfo, offset, delay - whole, rows, row);
      grid.pilotChannel(rows, row, index, slot ? i : index, pilots, 2 * n.nSubbands * i);
      this.trackPhase(pilots, 2 * n.nSubbands * i, slot ? i : index);
    }
    this.symbol += count;
  }

  /** Smoothed common phases of the symbols from `from` on, rad. */
  phases(from: number): Float64Array {
    return this.phase.smooth(from);
  }

  /** Residual frequency offset found beyond the preamble's, cycles a sample. */
  get residualCfo(): number {
    return this.phase.phaseStep / (2 * Math.PI * this.n.symbolLength);
  }

  /** Sample-clock difference, parts of one (receiver slower than transmitter: positive). */
  get clockOffset(): number {
    return this.timing.delayStep / this.n.symbolLength;
  }

  /**
   * After a slot: corrects the delay with the slope of the pilots' phases, then takes the slot's own channel as the
   * new reference. `pilots` are those of the slot just demodulated.
   */
  finishSlot(pilots: Float32Array): void {
    const n = this.n;
    const grid = resourceGrid(n);
    const phases = this.phase.smooth(this.symbol - SLOT_SYMBOLS);
    const turned = new Float32Array(2 * n.nSubbands * SLOT_SYMBOLS);
    let slope = 0;
    let weight = 0;
    for (let t = 0; t < SLOT_SYMBOLS; t++) {
      const offset = grid.pilotOffset(t);
      const cos = Math.cos(phases[t]);
      const sin = Math.sin(phases[t]);
      for (let s = 0; s < n.nSubbands; s++) {
        const p = 2 * (t * n.nSubbands + s);
        const re = pilots[p] * cos + pilots[p + 1] * sin;
        const im = pilots[p + 1] * cos - pilots[p] * sin;
        turned[p] = re;
        turned[p + 1] = im;
        const carrier = s * SUBBAND_CARRIERS + offset;
        const k = n.carriers[carrier];
        const hr = this.reference[2 * carrier];
        const hi = this.reference[2 * carrier + 1];
        slope += k * (im * hr - re * hi);
        weight += k * k * (hr * hr + hi * hi);
      }
    }
    if (weight > 0) {
      const perRadian = n.fftSize / (2 * Math.PI);
      const error = (-perRadian * slope) / weight;
      const variance = (perRadian ** 2 * this.noiseVariance) / weight + 1e-6;
      const middle = this.symbol - SLOT_SYMBOLS / 2;
      // One slot cannot move more than a few samples; a larger slope is noise or a fade.
      if (Math.abs(error) < n.cpLength / 4) this.timing.update(middle - this.referenceSymbol, error, variance);
      else this.timing.update(middle - this.referenceSymbol, 0, 1e3);
      this.referenceSymbol = middle;
    }
    estimateSlot(
      {
        numerology: n,
        slots: 1,
        pilots: turned,
        noiseVariance: this.noiseVariance,
        preamble: this.preamble,
      },
      this.reference,
    );
  }

  private trackPhase(pilots: Float32Array, at: number, t: number): void {
    const n = this.n;
    const offset = resourceGrid(n).pilotOffset(t);
    const predicted = this.phase.predict();
    const cos = Math.cos(predicted);
    const sin = Math.sin(predicted);
    let re = 0;
    let im = 0;
    let power = 0;
    for (let s = 0; s < n.nSubbands; s++) {
      const c = 2 * (s * SUBBAND_CARRIERS + offset);
      const hr = this.reference[c];
      const hi = this.reference[c + 1];
      const pr = pilots[at + 2 * s];
      const pi = pilots[at + 2 * s + 1];
      re += pr * hr + pi * hi;
      im += pi * hr - pr * hi;
      power += hr * hr + hi * hi;
    }
    const error = Math.atan2(im * cos - re * sin, re * cos + im * sin);
    const variance = this.noiseVariance / (2 * power + 1e-30) + 1e-5;
    this.phase.update(error, Math.min(variance, 3));
  }
}
