import type { RedundancyVersion } from '../../phy/fec/rate-matching.ts';
import type { Extension } from '../../phy/frame/extension.ts';
import { CombinerStore } from './combiner-store.ts';
import { MAX_PROCESSES } from './processes.ts';
import { ReceivedPart, type StreamPiece } from './received-part.ts';
import type { SidePiece } from './side-state.ts';

/**
 * Soft buffers of lost blocks kept for combining, over all processes: about 1300 blocks of the largest size. With one
 * burst more (255 blocks, 26 MB) this bounds what a stream of bad bursts can make the receiver hold.
 */
export const MAX_SOFT_BYTES = 1 << 27;

/** A process not heard of for so many bursts is not continued: its numbers may have come round. */
const STALE_BURSTS = 512;

/**
 * What a burst was to its process: its first; the same data burst again; a repetition of known blocks; or a repetition
 * whose data burst was never understood, which it stands in for.
 */
export type HarqOutcome = 'new' | 'duplicate' | 'repetition' | 'recovered';

export interface HarqReceiverCounters {
  new: number;
  duplicate: number;
  repetition: number;
  recovered: number;
  /** Processes whose soft buffers were given up for want of memory. */
  evictions: number;
  evictedBytes: number;
  /** Processes that began anew before all their blocks had come: soft buffers flushed by new data. */
  flushes: number;
}

/**
 * The receiver's HARQ processes. A burst continues its process when process, new-data bit, data burst, codec, image and
 * part all agree and the process was heard of within the last 512 bursts; else it is new data and flushes the process's
 * soft buffers. What has been decoded stays with its picture (ADR 0011).
 */
export class HarqReceiver {
  private readonly slots: (ReceivedPart | null)[] = new Array(MAX_PROCESSES).fill(null);
  private readonly maxSoftBytes: number;
  /** Bursts that the session has sent, as far as their numbers tell. */
  private sent = 0;
  private lastBurst: number | null = null;
  readonly counters: HarqReceiverCounters = {
    new: 0,
    duplicate: 0,
    repetition: 0,
    recovered: 0,
    evictions: 0,
    evictedBytes: 0,
    flushes: 0,
  };

  /** For the analog symbols of all parts. */
  private readonly store = new CombinerStore();

  constructor(maxSoftBytes = MAX_SOFT_BYTES) {
    this.maxSoftBytes = maxSoftBytes;
  }

  /** A new session: every process is forgotten. */
  reset(): void {
    this.slots.fill(null);
    this.lastBurst = null;
  }

  /**
   * Takes one burst. `known` is what its picture holds under the same part, if anything. Returns the part that now holds
   * what came. FormatError or UsageError when the burst contradicts itself or what came before: then nothing changes.
   */
  take(
    use: 'data' | 'retransmission',
    burst: number,
    e: Extension,
    pieces: readonly StreamPiece[],
    known: ReceivedPart | null,
    side: SidePiece | null = null,
  ): { part: ReceivedPart; outcome: HarqOutcome } {
    const sent = this.sent + this.advance(burst);
    const continues = known?.isOf(e) === true && sent - known.heardAt <= STALE_BURSTS;
    const part = continues ? known : new ReceivedPart(e, this.store);
    const fresh = part.prepare(pieces, side);
    const repeats = use === 'retransmission';
    const outcome = continues ? (repeats ? 'repetition' : 'duplicate') : repeats ? 'recovered' : 'new';
    // From here on nothing throws.
    this.sent = sent;
    this.lastBurst = burst;
    this.occupy(e.process, part);
    part.heardAt = sent;
    part.add(pieces, fresh, e.redundancyVersion as RedundancyVersion, side);
    this.counters[outcome]++;
    this.evict();
    return { part, outcome };
  }

  get softBytes(): number {
    return this.slots.reduce((bytes, part) => bytes + (part?.softBytes ?? 0), 0);
  }

  private occupy(process: number, part: ReceivedPart): void {
    const before = this.slots[process];
    if (before === part) return;
    if (before && before.softBytes > 0) {
      before.releaseSoft();
      this.counters.flushes++;
    }
    this.slots[process] = part;
  }

  /** Bursts since the last one by their numbers modulo 1024; one that seems older adds nothing. */
  private advance(burst: number): number {
    if (this.lastBurst === null) return 0;
    const step = (burst - this.lastBurst) & 1023;
    return step < 512 ? step : 0;
  }

  /** Where all soft buffers together are too large, the process heard of longest ago gives its own up first. */
  private evict(): void {
    let total = this.softBytes;
    if (total <= this.maxSoftBytes) return;
    const oldest = this.slots.filter((p) => p !== null).sort((a, b) => a.heardAt - b.heardAt);
    for (const part of oldest) {
      const bytes = part.softBytes;
      if (bytes === 0) continue;
      part.releaseSoft();
      this.counters.evictions++;
      this.counters.evictedBytes += bytes;
      total -= bytes;
      if (total <= this.maxSoftBytes) return;
    }
  }
}
