import { DcBlocker } from './dc.ts';
import { SampleWindow } from './sample-window.ts';
import { findTone, ToneCanceller } from './tone.ts';

/** Carriers taken out at once. */
const MAX_TONES = 4;

/**
 * The samples a receiver still needs, freed from what no burst contains: DC, samples that are no numbers, and carriers that
 * `removeTone` was told of. What it does depends on absolute sample indices alone, not on how the stream is cut.
 */
export class CleanWindow extends SampleWindow {
  private readonly dcBlocker = new DcBlocker();
  private tones: ToneCanceller[] = [];
  /** No carrier is looked for in samples before this one. */
  private searchFrom = 0;
  /** Carriers taken out so far, those included that have ended. */
  tonesRemoved = 0;

  /** Samples that were not finite and were set to 0. */
  get nonFinite(): number {
    return this.dcBlocker.nonFinite;
  }

  /** Appends the stream's next samples, [n][re, im]. */
  take(samples: Float32Array): void {
    const room = this.reserve(samples.length >> 1);
    this.dcBlocker.process(samples, room);
    for (const tone of this.tones) tone.process(room, 0, room.length >> 1);
    if (this.tones.length > 0) this.tones = this.tones.filter((tone) => !tone.gone);
  }

  /**
   * Looks for a carrier in samples [from, to), of which it has the share `share`, and takes it out from where it seems to
   * begin: of these samples, and of all that follow until it ends. Returns whether there was one.
   */
  removeTone(from: number, to: number, share: number): boolean {
    if (from < this.searchFrom || from < this.start || this.tones.length >= MAX_TONES) return false;
    this.searchFrom = to;
    const size = 2 ** Math.floor(Math.log2(to - from));
    const tone = findTone(this.samples, this.at(to - size), size);
    if (!tone) return false;
    // A carrier far above all else has the share of the time for which it has been on.
    const begin = from + Math.ceil((1 - Math.min(1, share)) * (to - from));
    const canceller = new ToneCanceller(tone, begin - (to - size), size, size >> 2);
    canceller.process(this.samples, this.at(begin), this.at(this.end));
    this.tonesRemoved++;
    if (!canceller.gone) this.tones.push(canceller);
    return true;
  }
}
