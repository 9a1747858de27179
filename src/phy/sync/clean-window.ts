import { CarrierLog } from './carrier-log.ts';
import { DcBlocker } from './dc.ts';
import { TONE_SHARE } from './detect.ts';
import { SampleWindow } from './sample-window.ts';
import { findTone, ToneCanceller } from './tone.ts';
import { Whitener } from './whitener.ts';

/** Carriers taken out at once. */
const MAX_TONES = 4;
/** The spectrum is judged every so many samples. */
const BLOCK = 4096;
/** Neighbouring samples more alike than this are interference of a part of the band (a burst: 0.56 at most). */
const COLOURED = 0.85;
/** Less alike than this, and the interference has gone; what the filter leaves must not be more alike than that either. */
const WHITE = 0.65;

/**
 * The samples a receiver still needs, freed from what no burst contains: DC, samples that are no numbers, and carriers that
 * `removeTone` was told of. Beside them a copy with a flat spectrum to find preambles in, while there is interference on a
 * part of the band. What it does depends on absolute sample indices alone, not on how the stream is cut.
 */
export class CleanWindow extends SampleWindow {
  private readonly dcBlocker = new DcBlocker();
  private tones: ToneCanceller[] = [];
  /** No carrier is looked for in samples before this one. */
  private searchFrom = 0;
  /** Carriers taken out so far, those included that have ended. */
  readonly carriers = new CarrierLog();
  private whitened: SampleWindow | null = null;
  private filter: Whitener | null = null;
  /** Where the flat copy became equal to the samples again; blocks that begin before `judgeFrom` are not judged. */
  private equalFrom = 0;
  private judgeFrom = 0;

  /** Samples that were not finite and were set to 0. */
  get nonFinite(): number {
    return this.dcBlocker.nonFinite;
  }

  /** The samples held with a flat spectrum, positions as in `samples`. */
  get flat(): Float32Array {
    return this.whitened?.samples ?? this.samples;
  }

  /** Appends the stream's next samples, [n][re, im]. */
  take(samples: Float32Array): void {
    const from = this.end;
    const room = this.reserve(samples.length >> 1);
    this.dcBlocker.process(samples, this.kernel, this.at(from));
    for (const tone of this.tones) tone.process(room, 0, room.length >> 1);
    if (this.tones.length > 0) this.tones = this.tones.filter((tone) => !tone.gone);
    this.flatten(from);
  }

  /** Appends so many samples of silence. */
  takeSilence(count: number): void {
    const from = this.end;
    this.reserve(count).fill(0);
    this.flatten(from);
  }

  override discardTo(index: number): void {
    // What has not been judged yet is kept.
    const unjudged = this.end - (this.end % BLOCK);
    super.discardTo(Math.min(index, unjudged));
    this.whitened?.dropTo(this.start);
    if (!this.filter && this.start >= this.equalFrom) this.whitened = null;
  }

  /**
   * Looks for a carrier in samples [from, to), of which it has the share `share`, and takes it out from where it seems to
   * begin: of these samples, and of all that follow until it ends. Returns whether there was one.
   */
  removeTone(from: number, to: number, share: number): boolean {
    if (share < TONE_SHARE) return false;
    if (from < this.searchFrom || from < this.start || this.tones.length >= MAX_TONES) return false;
    this.searchFrom = to;
    const size = 2 ** Math.floor(Math.log2(to - from));
    const tone = findTone(this.samples, this.at(to - size), size);
    if (!tone) return false;
    // A carrier far above all else has the share of the time for which it has been on.
    const begin = from + Math.ceil((1 - Math.min(1, share)) * (to - from));
    const canceller = new ToneCanceller(tone, begin - (to - size), size, size >> 2);
    canceller.process(this.samples, this.at(begin), this.at(this.end));
    this.carriers.add(tone.re ** 2 + tone.im ** 2);
    if (!canceller.gone) this.tones.push(canceller);
    // The spectrum is judged anew from here on.
    this.whitened = null;
    this.filter = null;
    this.judgeFrom = to;
    this.flatten(to);
    return true;
  }

  /** Extends the flat copy over the samples from `from` on; at the end of every block within, judges it. */
  private flatten(from: number): void {
    for (let at = from; at < this.end; ) {
      const blockEnd = at - (at % BLOCK) + BLOCK;
      const stop = Math.min(this.end, blockEnd);
      if (this.whitened) {
        const input = this.samples.subarray(2 * this.at(at), 2 * this.at(stop));
        const output = this.whitened.reserve(stop - at);
        if (this.filter) this.filter.process(input, output);
        else output.set(input);
      }
      at = stop;
      if (stop === blockEnd && blockEnd - BLOCK >= Math.max(this.start, this.judgeFrom)) this.judge(blockEnd);
    }
  }

  /** Turns the filter on, off or to another interference, from the end of a block on. */
  private judge(end: number): void {
    const raw = this.colour(end - BLOCK, end);
    if (!this.filter && raw <= COLOURED) return;
    const { samples } = this;
    const from = this.at(end - BLOCK);
    const to = this.at(end);
    // A carrier is left for `removeTone`: a flat spectrum would hide it from the search, and it would spoil the data.
    const interfered = raw > (this.filter ? WHITE : COLOURED) && !(raw > COLOURED && findTone(samples, from, BLOCK));
    if (!interfered) {
      if (this.filter) this.equalFrom = end;
      this.filter = null;
    } else if (!this.filter || (this.whitened ?? this).colour(end - BLOCK, end) > WHITE) {
      this.filter = new Whitener(samples, from, to);
      if (!this.whitened) this.copyUpTo(end);
    }
  }

  /** The flat copy begins: equal to the samples up to `end`. */
  private copyUpTo(end: number): void {
    this.whitened = new SampleWindow(this.start);
    this.whitened.reserve(end - this.start).set(this.samples.subarray(0, 2 * this.at(end)));
  }
}
