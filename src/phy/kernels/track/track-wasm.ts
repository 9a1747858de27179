import { MEMORY, WALKS } from '../../sync/phase-tracker.ts';
import { instantiate } from '../wasm.ts';
import { TRACK_SYMBOLS, type TrackKernel, type TrackPattern } from './track-kernel.ts';
import { TRACK_WASM } from './track-wasm-binary.ts';

interface Address {
  readonly value: number;
}

/** What assembly/track.ts exports; addresses are byte offsets into `memory`. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly WALKS: Address;
  readonly NOW: Address;
  readonly USED: Address;
  readonly LIKELIHOOD: Address;
  readonly SUMS: Address;
  readonly OFFSETS: Address;
  readonly WEIGHTS: Address;
  readonly CARRIERS: Address;
  readonly REFERENCE: Address;
  readonly PILOTS: Address;
  readonly TURNED: Address;
  readonly PHASES: Address;
  use(filter: number): void;
  centre(carriers: number): number;
  follow(first: number, count: number, pattern: number, subbands: number, walk: number, noise: number): void;
  catchUp(first: number, end: number): void;
  smooth(first: number, end: number, filter: number): void;
  turnBack(first: number, count: number, subbands: number): void;
  slope(count: number, pattern: number, subbands: number): void;
  neighbours(subbands: number): void;
}

const FILTERS = WALKS.length;
const MAX_SUBBANDS = 50;
const SUBBAND = 12;
const FIRST_WALK = 1;
const FIRST_VARIANCE = 0.05;
/** Most symbols of a burst. */
export const MOST_TRACKED = 4096;

/** WebAssembly in double precision, the six filters two a vector; a slot a call. */
export class WasmTrackKernel implements TrackKernel {
  readonly turned: Float32Array;
  private readonly wasm = instantiate<Exports>(TRACK_WASM);
  private readonly nSubbands: number;
  private readonly now: Float64Array;
  private readonly used: Float64Array;
  private readonly likelihood: Float64Array;
  private readonly sums: Float64Array;
  private readonly weights: Float64Array;
  private readonly reference: Float32Array;
  private readonly pilots: Float32Array;
  private readonly smoothed: Float64Array;
  private inUse = FIRST_WALK;
  private noiseVariance = 0;
  private count = 0;
  /** The pilots that stand in the kernel's memory, if they are those followed last. */
  private followed: Float32Array | null = null;
  private followedAt = 0;
  private followedCount = 0;
  /** Symbols that all filters have seen. */
  private caughtUp = 0;
  /** Symbols at the end of every stretch from one `adapt` to the next, and sums of ln s + e^2 / s there, [stretch][filter]. */
  private stretches = 0;
  private stretchEnds = new Int32Array(64);
  private scores = new Float64Array(64 * FILTERS);

  constructor({ nSubbands, offsets, carriers }: TrackPattern) {
    if (nSubbands < 1 || nSubbands > MAX_SUBBANDS || offsets.length !== SUBBAND)
      throw new RangeError(
        `pilots of ${nSubbands} subbands in a pattern of ${offsets.length}: 1 to ${MAX_SUBBANDS} and ${SUBBAND} expected`,
      );
    const { wasm } = this;
    const { buffer } = wasm.memory;
    const doubles = (address: Address, length: number) => new Float64Array(buffer, address.value, length);
    const singles = (address: Address, length: number) => new Float32Array(buffer, address.value, length);
    this.nSubbands = nSubbands;
    doubles(wasm.WALKS, FILTERS).set(WALKS);
    doubles(wasm.CARRIERS, carriers.length).set(carriers);
    new Uint32Array(buffer, wasm.OFFSETS.value, SUBBAND).set(offsets);
    this.now = doubles(wasm.NOW, 5 * FILTERS);
    this.used = doubles(wasm.USED, 5);
    this.likelihood = doubles(wasm.LIKELIHOOD, 3 * FILTERS);
    this.sums = doubles(wasm.SUMS, 6);
    this.weights = doubles(wasm.WEIGHTS, nSubbands);
    this.reference = singles(wasm.REFERENCE, 2 * SUBBAND * nSubbands);
    this.pilots = singles(wasm.PILOTS, 2 * TRACK_SYMBOLS * nSubbands);
    this.turned = singles(wasm.TURNED, 2 * TRACK_SYMBOLS * nSubbands);
    this.smoothed = doubles(wasm.PHASES, MOST_TRACKED);
  }

  get phaseStep(): number {
    return this.used[1];
  }

  begin(stepVariance: number, noiseVariance: number, weights: Float64Array, symbols: number): void {
    if (symbols > MOST_TRACKED) throw new RangeError(`a burst of ${symbols} symbols, at most ${MOST_TRACKED}`);
    this.now.fill(0);
    this.now.fill(FIRST_VARIANCE, 2 * FILTERS, 3 * FILTERS);
    this.now.fill(stepVariance, 4 * FILTERS);
    this.resetLikelihood();
    this.weights.set(weights);
    this.inUse = FIRST_WALK;
    this.wasm.use(FIRST_WALK);
    this.noiseVariance = noiseVariance;
    this.count = 0;
    this.followed = null;
    this.caughtUp = 0;
    this.stretches = 0;
  }

  refer(reference: Float32Array): number {
    this.reference.set(reference);
    return this.wasm.centre(SUBBAND * this.nSubbands);
  }

  follow(pilots: Float32Array, at: number, count: number, pattern: number): void {
    if (this.count + count > MOST_TRACKED) throw new RangeError(`more than ${MOST_TRACKED} symbols`);
    this.copyIn(pilots, at, count);
    this.followed = pilots;
    this.followedAt = at;
    this.followedCount = count;
    this.wasm.follow(this.count, count, pattern, this.nSubbands, WALKS[this.inUse], this.noiseVariance);
    this.count += count;
  }

  adapt(): void {
    const { wasm, likelihood, count } = this;
    wasm.catchUp(this.caughtUp, count);
    this.caughtUp = count;
    if (this.stretches === this.stretchEnds.length) this.growScores();
    const { stretchEnds, scores } = this;
    const last = this.stretches++;
    stretchEnds[last] = count;
    // The products have become logarithms.
    for (let f = 0; f < FILTERS; f++)
      scores[last * FILTERS + f] = likelihood[FILTERS + f] + likelihood[2 * FILTERS + f];
    this.resetLikelihood();
    if (count >= 6) {
      // The last stretches that are not longer than MEMORY all together, but one at least.
      let first = last;
      while (first > 0 && count - (first > 1 ? stretchEnds[first - 2] : 0) <= MEMORY) first--;
      let bestScore = Number.POSITIVE_INFINITY;
      for (let f = 0; f < FILTERS; f++) {
        let score = 0;
        for (let i = first * FILTERS + f; i <= last * FILTERS + f; i += FILTERS) score += scores[i];
        if (score < bestScore) {
          bestScore = score;
          this.inUse = f;
        }
      }
    }
    wasm.use(this.inUse);
  }

  private growScores(): void {
    const ends = new Int32Array(2 * this.stretchEnds.length);
    const scores = new Float64Array(2 * this.scores.length);
    ends.set(this.stretchEnds);
    scores.set(this.scores);
    this.stretchEnds = ends;
    this.scores = scores;
  }

  turnBack(pilots: Float32Array, at: number, count: number): void {
    const there = pilots === this.followed && at === this.followedAt && count === this.followedCount;
    if (!there) {
      this.followed = null;
      this.copyIn(pilots, at, count);
    }
    this.smooth(this.count - count);
    this.wasm.turnBack(this.count - count, count, this.nSubbands);
  }

  slope(count: number, pattern: number, out: Float64Array): void {
    this.wasm.slope(count, pattern, this.nSubbands);
    for (let i = 0; i < 4; i++) out[i] = this.sums[i];
  }

  neighbours(out: Float64Array): void {
    this.wasm.neighbours(this.nSubbands);
    out[0] = this.sums[4];
    out[1] = this.sums[5];
  }

  phases(from: number): Float64Array {
    this.smooth(from);
    return this.smoothed.slice(0, this.count - from);
  }

  private smooth(from: number): void {
    if (this.count <= from) return;
    this.wasm.catchUp(this.caughtUp, this.count);
    this.caughtUp = this.count;
    this.wasm.smooth(from, this.count, this.inUse);
  }

  private copyIn(pilots: Float32Array, at: number, count: number): void {
    const length = 2 * count * this.nSubbands;
    this.pilots.set(at === 0 && pilots.length === length ? pilots : pilots.subarray(at, at + length));
  }

  private resetLikelihood(): void {
    const { likelihood } = this;
    for (let i = 0; i < 3 * FILTERS; i++) likelihood[i] = i < FILTERS ? 1 : 0;
  }
}
