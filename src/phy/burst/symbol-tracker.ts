import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import { alike, quietVariance, quietWeight } from '../channel-est/interference.ts';
import { SlotEstimator } from '../channel-est/lmmse.ts';
import { type OfdmKernel, ofdmKernel } from '../kernels/ofdm/ofdm.ts';
import type { Held, HeldPattern } from '../kernels/ofdm/ofdm-kernel.ts';
import { type TrackKernel, trackKernel } from '../kernels/track/track.ts';
import { TRACK_SYMBOLS, type TrackPattern } from '../kernels/track/track-kernel.ts';
import { type Numerology, SLOT_SYMBOLS, SUBBAND_CARRIERS } from '../numerology.ts';
import { OfdmDemodulator, startPhase } from '../ofdm/demodulate.ts';
import { type ResourceGrid, resourceGrid } from '../resource-grid.ts';
import type { Acquisition } from '../sync/acquire.ts';
import { pilotDelay } from '../sync/pilot-delay.ts';
import { TimingTracker } from '../sync/timing-tracker.ts';
import { CONTROL_BLOCK, ControlChannel } from './control-channel.ts';
import type { ReceivedSlots } from './payload-reader.ts';

/** Subbands over which a fading channel's change is taken for alike. */
const FADING_COHERENCE = 3;
/** A slot's delay that is so many deviations and samples off the clock's line may be a loss of samples. */
const JUMP_SIGMAS = 3;
const LEAST_JUMP = 0.3;

/**
 * Turns the samples of a burst into OFDM symbols, one after the other, and follows phase and sample clock on the way:
 * every symbol's common phase by its pilots, the delay slot by slot, with the FFT window moved whole samples and the
 * rest taken out as a phase ramp.
 */
export class SymbolTracker {
  private readonly n: Numerology;
  private readonly grid: ResourceGrid;
  private acquisition!: Acquisition;
  private preamble!: PreambleEstimate;
  /** Noise of the quiet subbands, and what the others count against them, [nSubbands]. */
  private noiseVariance = 0;
  private readonly weights: Float64Array;
  private allQuiet = true;
  /** Channel along the control part. */
  readonly controlChannel: ControlChannel;
  private readonly demodulator: OfdmDemodulator;
  private readonly pattern: TrackPattern;
  /** Follows the phases of one burst; what it holds is valid from `begin` until another tracker of this thread begins. */
  private phase!: TrackKernel;
  private readonly timing: TimingTracker;
  private readonly slotEstimator = new SlotEstimator();
  /** Channel that phases are measured against, [nCarriers][re, im]. */
  private readonly reference: Float32Array;
  /** Its centre of power, carriers. */
  private centre = 0;
  /** Of its turned pilots those of a slot, [14][nSubbands][re, im]. */
  private slotPilots: Float32Array = new Float32Array(0);
  /** Sums of a delay measurement. */
  private readonly sums = new Float64Array(4);
  /** First symbol of the first slot whose delay departs from the clock's line; null when none does. */
  clockJumpAt: number | null = null;
  /** Delay beyond the one applied that the reference contains, samples. */
  private referenceResidual = 0;
  private symbol = 0;
  /** Of the symbols being demodulated: where their windows begin, samples from the preamble's start, and what is left over. */
  private readonly offsets: Int32Array;
  private readonly delays: Float64Array;
  /** Of a slot's symbols: first samples of their windows, and phase and angle from carrier to carrier to take out, rad. */
  private readonly windows = new Int32Array(SLOT_SYMBOLS);
  private readonly angles = new Float64Array(2 * SLOT_SYMBOLS);
  /** Holds the slots' symbols until the burst's clock is known. */
  private readonly slotKernel: OfdmKernel;
  private readonly heldPattern: HeldPattern;
  private held!: Held;
  /** Symbol at which the slots begin. */
  private firstSlot = 0;
  /** Of every slots' symbol: what its row is turned by, [symbol][start, step], and the whole samples that its window was moved. */
  private slotAngles = new Float64Array(0);
  private moved = new Int32Array(0);
  /** Of every symbol so far: the delay taken out, samples, and the reference's centre. */
  private applied = new Float64Array(0);
  private centres = new Float64Array(0);

  constructor(n: Numerology) {
    this.n = n;
    this.grid = resourceGrid(n);
    this.timing = new TimingTracker(n.symbolLength);
    this.controlChannel = new ControlChannel(n);
    this.weights = new Float64Array(n.nSubbands);
    this.demodulator = new OfdmDemodulator(n);
    this.reference = new Float32Array(2 * n.nCarriers);
    this.offsets = new Int32Array(Math.max(SLOT_SYMBOLS, n.headerSymbols));
    this.delays = new Float64Array(this.offsets.length);
    const offsets = Array.from({ length: SUBBAND_CARRIERS }, (_, t) => this.grid.pilotOffset(t));
    this.pattern = { nSubbands: n.nSubbands, offsets, carriers: n.carriers };
    this.slotKernel = ofdmKernel(n.fftSize, n.nCarriers);
    const { pilots, pilotValues } = this.grid.transmitPattern;
    this.heldPattern = { offsets: pilots, values: pilotValues };
  }

  /** Starts at a burst's first header symbol; `symbols`: how many will come. */
  begin(acquisition: Acquisition, preamble: PreambleEstimate, symbols: number): this {
    const { n } = this;
    this.acquisition = acquisition;
    this.preamble = preamble;
    const { subbandNoise } = acquisition;
    this.allQuiet = alike(subbandNoise);
    const quiet = this.allQuiet ? acquisition.noiseVariance : quietVariance(subbandNoise);
    this.weights.fill(1);
    if (!this.allQuiet) {
      this.weights.set(subbandNoise.map((v) => quietWeight(v, quiet)));
      this.allQuiet = this.weights.every((w) => w === 1);
    }
    const level = this.allQuiet ? acquisition.noiseVariance : quiet;
    this.noiseVariance = Math.max(level, 1e-6 * preamble.power);
    this.controlChannel.begin(preamble, this.noiseVariance);
    if (this.applied.length < symbols) {
      this.applied = new Float64Array(symbols);
      this.centres = new Float64Array(symbols);
    }
    const stepVariance = acquisition.cfoVariance * (2 * Math.PI * n.symbolLength) ** 2;
    this.phase = trackKernel(this.pattern, symbols);
    this.slotPilots = this.phase.turned.subarray(0, 2 * SLOT_SYMBOLS * n.nSubbands);
    this.phase.begin(Math.min(1, 2 * stepVariance + 1e-6), this.noiseVariance, this.weights, symbols);
    this.refer(preamble.channel);
    this.timing.begin();
    this.clockJumpAt = null;
    this.referenceResidual = 0;
    this.symbol = 0;
    return this;
  }

  /** Sample (relative to the acquisition's array) after which symbol `index` is complete. */
  endOf(index: number): number {
    const n = this.n;
    return this.acquisition.start + n.preambleLength + (index + 1) * n.symbolLength + n.cpLength;
  }

  /**
   * Demodulates `count` control symbols that follow on the last call: rows [count][nCarriers][re, im] into `rows`, pilots
   * [count][nSubbands][re, im] into `pilots`. `base` is the array position that corresponds to the acquisition's origin.
   */
  demodulate(samples: Float32Array, base: number, count: number, rows: Float32Array, pilots: Float32Array): void {
    const { n, grid, offsets, delays, applied, centres, centre } = this;
    const { cfo, backoff, start } = this.acquisition;
    for (let i = 0; i < count; i++) {
      const index = this.symbol + i;
      const delay = this.timing.delayAt(index);
      applied[index] = delay;
      centres[index] = centre;
      const whole = Math.round(delay);
      offsets[i] = n.preambleLength + index * n.symbolLength + n.cpLength - backoff + whole;
      delays[i] = delay - whole;
    }
    this.demodulator.demodulateSymbols(samples, base + start, offsets, delays, count, cfo, rows, 0);
    for (let i = 0; i < count; i++) {
      const index = this.symbol + i;
      grid.pilotChannel(rows, 2 * n.nCarriers * i, index, index, pilots, 2 * n.nSubbands * i);
    }
    for (let i = 0; i < count; i += TRACK_SYMBOLS) {
      this.phase.follow(pilots, 2 * n.nSubbands * i, Math.min(TRACK_SYMBOLS, count - i), this.symbol + i);
    }
    this.symbol += count;
  }

  /** The slots begin: `takeSlot`, `slots` times, then `finishSlots`. */
  beginSlots(slots: number): void {
    const symbols = slots * SLOT_SYMBOLS;
    this.held = this.slotKernel.hold(this.heldPattern, symbols);
    this.firstSlot = this.symbol;
    if (this.moved.length >= symbols) return;
    this.slotAngles = new Float64Array(2 * symbols);
    this.moved = new Int32Array(symbols);
  }

  /** Takes the next slot and follows phase and clock through it. */
  takeSlot(samples: Float32Array, base: number): void {
    const { n, windows, angles, slotAngles, moved, applied, centres, centre, symbol, firstSlot } = this;
    const { cfo, backoff, start } = this.acquisition;
    const unit = (2 * Math.PI) / n.fftSize;
    const first = symbol - firstSlot;
    for (let i = 0; i < SLOT_SYMBOLS; i++) {
      const delay = this.timing.delayAt(symbol + i);
      const whole = Math.round(delay);
      const offset = n.preambleLength + (symbol + i) * n.symbolLength + n.cpLength - backoff + whole;
      applied[symbol + i] = delay;
      centres[symbol + i] = centre;
      moved[first + i] = whole;
      windows[i] = base + start + offset;
      const phase = startPhase(cfo, offset);
      slotAngles[2 * (first + i)] = phase;
      angles[2 * i] = phase;
      angles[2 * i + 1] = unit * (delay - whole);
    }
    this.slotKernel.take(samples, windows, angles, SLOT_SYMBOLS, cfo, first, firstSlot);
    const pilots = this.held.slotPilots[first / SLOT_SYMBOLS];
    this.phase.follow(pilots, 0, SLOT_SYMBOLS, 0);
    this.symbol += SLOT_SYMBOLS;
    this.finishSlot(pilots);
  }

  /** Smoothed common phases of the symbols from `from` on, rad. */
  phases(from: number): Float64Array {
    return this.phase.phases(from);
  }

  /** Residual frequency offset found beyond the preamble's, cycles a sample. */
  get residualCfo(): number {
    return this.phase.phaseStep / (2 * Math.PI * this.n.symbolLength);
  }

  /** Sample-clock difference, parts of one (receiver slower than transmitter: positive). */
  get clockOffset(): number {
    return this.timing.delayStep / this.n.symbolLength;
  }

  /** Delay taken out at a symbol, samples. */
  delayAt(symbol: number): number {
    return this.timing.delayAt(symbol);
  }

  /**
   * Demodulates the first `count` symbols, the control part, and measures delay and channel on the way: once if it is
   * short, every 12 symbols if it is long. Arrays as for `demodulate`.
   */
  demodulateControl(
    samples: Float32Array,
    base: number,
    count: number,
    rows: Float32Array,
    pilots: Float32Array,
  ): void {
    const { nCarriers, nSubbands } = this.n;
    for (let first = 0; first < count; first += CONTROL_BLOCK) {
      const symbols = Math.min(CONTROL_BLOCK, count - first);
      const rowsHere = rows.subarray(2 * nCarriers * first);
      const pilotsHere = pilots.subarray(2 * nSubbands * first);
      this.demodulate(samples, base, symbols, rowsHere, pilotsHere);
      this.phase.adapt();
      if (symbols < CONTROL_BLOCK && first > 0) {
        // The rest of a long part: its channel from the last 12 symbols.
        this.phase.turnBack(pilots, 2 * nSubbands * (count - CONTROL_BLOCK), CONTROL_BLOCK);
        this.replaceInterfered(CONTROL_BLOCK, count - CONTROL_BLOCK);
        this.refer(this.controlChannel.addBlock(count - CONTROL_BLOCK, this.phase.turned));
        continue;
      }
      this.phase.turnBack(pilotsHere, 0, symbols);
      this.measureDelay(symbols, first, symbols === CONTROL_BLOCK);
      if (symbols < CONTROL_BLOCK) continue;
      this.replaceInterfered(CONTROL_BLOCK, first);
      this.refer(this.controlChannel.addBlock(first, this.phase.turned));
    }
  }

  /**
   * After a slot: measures the delay on the slope of the pilots' phases against the reference, then takes the slot's
   * own channel as the new reference. `pilots` are those of the slot just taken.
   */
  private finishSlot(pilots: Float32Array): void {
    this.phase.adapt();
    this.phase.turnBack(pilots, 0, SLOT_SYMBOLS);
    this.measureDelay(SLOT_SYMBOLS, 0, true);
    this.measureCentroid();
    this.replaceInterfered(SLOT_SYMBOLS, 0);
    this.slotEstimator.estimate(
      {
        numerology: this.n,
        slots: 1,
        pilots: this.slotPilots,
        noiseVariance: this.noiseVariance,
        preamble: this.preamble,
      },
      this.reference,
    );
    this.centre = this.phase.refer(this.reference);
  }

  /** Measures phases and delays against another channel from now on, [nCarriers][re, im]. */
  private refer(channel: Float32Array): void {
    this.reference.set(channel);
    this.centre = this.phase.refer(channel);
  }

  /**
   * With the whole burst seen, the clock's line is known better than it was on the way: corrects the phases by what the difference had put
   * into them, and turns the pilots by both. What it returns is valid until a tracker of this thread begins slots.
   */
  finishSlots(phases: Float64Array): ReceivedSlots {
    const { slotAngles, moved, applied, centres, firstSlot } = this;
    const unit = (2 * Math.PI) / this.n.fftSize;
    const count = this.symbol - firstSlot;
    for (let t = 0, symbol = firstSlot; t < count; t++, symbol++) {
      const delay = this.timing.delayAt(symbol);
      slotAngles[2 * t + 1] = unit * (delay - moved[t]);
      phases[symbol] += unit * (delay - applied[symbol]) * centres[symbol];
      slotAngles[2 * t] -= phases[symbol];
    }
    const energy = this.slotKernel.finish(slotAngles, count, firstSlot);
    return { rows: this.held.rows, turns: this.held.turns, pilots: this.held.pilots, energy };
  }

  /**
   * Delay of `turned` (pilot pattern from symbol `pattern` on) against the reference. The reference's own residual delay is
   * added, so the measurement is absolute and its errors do not add up. `newReference`: these pilots become the reference next.
   */
  private measureDelay(count: number, pattern: number, newReference: boolean): void {
    const n = this.n;
    this.phase.slope(count, pattern, this.sums);
    const found = pilotDelay(n, this.phase.turned, this.reference, this.weights, count, pattern, this.sums);
    if (!found) return;
    const { delay: error, weight, misfit } = found;
    const perRadian = n.fftSize / (2 * Math.PI);
    const middle = this.symbol - count / 2 - 0.5;
    const applied = (this.applied[this.symbol - count] + this.applied[this.symbol - 1]) / 2;
    // More than a quarter of a prefix within a slot is no clock: noise, or a fade.
    if (Math.abs(error) > n.cpLength / 4) return;
    this.referenceResidual += error;
    // What noise does not explain is fading; it is alike on neighbouring pilots, so few of them count.
    const fading = Math.max(0, misfit / (count * n.nSubbands) - 2 * this.noiseVariance);
    const noise = (perRadian ** 2 * this.noiseVariance) / weight + 1e-6;
    const wander = (perRadian ** 2 * fading * FADING_COHERENCE * count) / weight;
    const sigmas = this.timing.update(middle, applied + this.referenceResidual, noise, wander);
    if (count === SLOT_SYMBOLS && Math.abs(sigmas) > JUMP_SIGMAS && Math.abs(error) > LEAST_JUMP) {
      this.clockJumpAt ??= this.symbol - count;
    }
    if (!newReference) this.referenceResidual -= error;
  }

  /** Pilots of subbands with an interferer give way to the reference, but for their weight. */
  private replaceInterfered(count: number, pattern: number): void {
    if (this.allQuiet) return;
    const { grid } = this;
    const { nSubbands } = this.n;
    const { turned } = this.phase;
    for (let s = 0; s < nSubbands; s++) {
      const w = this.weights[s];
      if (w === 1) continue;
      for (let t = 0; t < count; t++) {
        const p = 2 * (t * nSubbands + s);
        const c = 2 * (s * SUBBAND_CARRIERS + grid.pilotOffset(pattern + t));
        turned[p] = w * turned[p] + (1 - w) * this.reference[c];
        turned[p + 1] = w * turned[p + 1] + (1 - w) * this.reference[c + 1];
      }
    }
  }

  /** Centroid of the slot's delay profile, samples after the window: -(N / 2 pi) arg sum_c g_(c+1) conj(g_c). */
  private measureCentroid(): void {
    const middle = this.symbol - SLOT_SYMBOLS / 2 - 0.5;
    const applied = (this.applied[this.symbol - SLOT_SYMBOLS] + this.applied[this.symbol - 1]) / 2;
    this.phase.neighbours(this.sums);
    const re = this.sums[0];
    const im = this.sums[1];
    const centroid = -(Math.atan2(im, re) * this.n.fftSize) / (2 * Math.PI);
    this.timing.addCentroid(middle, applied + centroid, Math.sqrt(re * re + im * im));
  }
}
