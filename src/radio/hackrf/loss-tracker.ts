import { FormatError } from '../../common/errors.ts';
import { M0_BUFFER_BYTES, M0_CHUNK_BYTES, type M0State } from './m0-state.ts';
import { SampleClockBounds } from './sample-clock-bounds.ts';

/** One reading of the M0 state: asked for at `sentS`, answered at `receivedS` (monotonic host clock), taken in between. */
export interface M0Poll {
  readonly sentS: number;
  readonly receivedS: number;
  readonly state: M0State;
  /** Bytes of the stream that the host had when it asked, and when the reply came. */
  readonly hostBytes: number;
  readonly hostBytesAfter: number;
}

/**
 * Bytes that the board discarded between two readings: at least minBytes, at most maxBytes, somewhere after the byte fromByte and before the byte
 * toByte of what it delivered (positions count delivered bytes only).
 */
export interface DeviceLoss {
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly fromByte: number;
  readonly toByte: number;
}

const WRAP = 2 ** 32;
/** Buffers of the board, transfers under way and replies that overtook them, all together, with room to spare. */
const MAX_AHEAD_BYTES = 64 * 2 ** 20;
/** A shortfall longer than this is not believed: the stream would have been given up long before. */
const LONGEST_S = 60;

/**
 * What the counters of the M0 core say about samples that never left the board, in RX.
 *
 * A full buffer makes the M0 discard samples in chunks of 32 bytes until there is room; m0Count stands still meanwhile. It counts how often
 * that began and the longest time, not where nor how much in all. Between two readings, with d new shortfalls, and L (before: K) the longest:
 *
 *   - position: everything discarded lies between the two m0Counts. m0Count is also the number of bytes that will reach the host before
 *     anything later, so both are exact positions in the delivered stream. m0Count is modulo 2^32; the host has received at most m0Count
 *     bytes and not 2^32 fewer, which says which multiple is meant however many readings are missing.
 *   - amount: d shortfalls of 32 to L bytes each. If L > K, one of them has exactly L: 32 (d - 1) + L to d L.
 *   - a shortfall under way at the earlier reading (the buffer was full: m0Count - m4Count = 32 768) may have grown since, without being
 *     counted again: by at most L - 32 more, by at least L - K if it is the one that made L.
 *   - time: the sample clock runs through a shortfall, so in T seconds the converter made 2 rate T bytes, of which m0Count counts
 *     those that were kept; the difference is what was discarded (`SampleClockBounds` says how well T is known and when it may be used).
 *
 * All four hold at once; what is reported is their intersection.
 */
export class LossTracker {
  private readonly clock: SampleClockBounds;
  private readonly longestAllowed: number;
  private previous: { bytes: number; shortfalls: number; longest: number; full: boolean } = {
    bytes: 0,
    shortfalls: 0,
    longest: 0,
    full: false,
  };

  /**
   * The stream begins with the mode set to RX, which clears the counters.
   *
   * @param bytesPerS 2 bytes a sample times the rate
   */
  constructor(bytesPerS: number) {
    this.clock = new SampleClockBounds(bytesPerS);
    this.longestAllowed = Math.min(WRAP - 1, LONGEST_S * bytesPerS);
  }

  /** Bytes that the board had put into its buffer at the last reading. */
  get acceptedBytes(): number {
    return this.previous.bytes;
  }

  /**
   * Takes a reading; what was discarded since the one before, null where nothing was. A FormatError for one that cannot be true, which
   * changes nothing: the counters are running totals, so the next one catches up.
   */
  poll(poll: M0Poll): DeviceLoss | null {
    const { state } = poll;
    const before = this.previous;
    const bytes = unwrap(state.m0Count, Math.max(poll.hostBytes, before.bytes));
    const begun = (state.shortfalls - before.shortfalls + WRAP) % WRAP;
    if (bytes > Math.max(poll.hostBytesAfter, before.bytes) + MAX_AHEAD_BYTES) {
      throw new FormatError('GET_M0_STATE', `counts ${bytes} bytes when ${poll.hostBytesAfter} had come`);
    }
    // Between two shortfalls at least one chunk is kept.
    if (begun > (bytes - before.bytes) / M0_CHUNK_BYTES + 2) {
      throw new FormatError('GET_M0_STATE', `counts ${begun} shortfalls in ${bytes - before.bytes} bytes`);
    }
    if (state.longestShortfallBytes > this.longestAllowed) {
      throw new FormatError('GET_M0_STATE', `a shortfall of ${state.longestShortfallBytes} bytes`);
    }
    const longest = Math.max(state.longestShortfallBytes, before.longest);
    // A reading is not one instant: the core may have gone one chunk on between two of its words.
    const full = (state.m0Count - state.m4Count + WRAP) % WRAP >= M0_BUFFER_BYTES - M0_CHUNK_BYTES && longest > 0;
    this.previous = { bytes, shortfalls: state.shortfalls, longest, full };

    let { minBytes, maxBytes } = counted(begun, before.longest, longest, before.full);
    const timed = this.clock.poll(poll.sentS, poll.receivedS, bytes, begun > 0 || maxBytes > 0);
    if (maxBytes === 0) return null;
    if (timed) {
      const low = Math.max(minBytes, chunksUp(timed.minBytes));
      const high = Math.min(maxBytes, chunksDown(timed.maxBytes));
      // Two sound bounds always meet; where they do not, the host's clock was not what it should be, and the counters decide.
      if (low <= high) {
        minBytes = low;
        maxBytes = high;
      } else this.clock.distrust();
    }
    return maxBytes === 0 ? null : { minBytes, maxBytes, fromByte: before.bytes, toByte: bytes };
  }
}

/** Bounds from the counters alone, bytes. */
function counted(
  begun: number,
  before: number,
  longest: number,
  carried: boolean,
): { minBytes: number; maxBytes: number } {
  const grown = longest - before;
  // The record grew without a shortfall that could have done it: the reading fell into the moment between two words.
  const open = carried || (begun === 0 && grown > 0);
  const least = M0_CHUNK_BYTES * begun;
  const byNew = begun > 0 ? least - M0_CHUNK_BYTES + longest : Number.POSITIVE_INFINITY;
  const byCarried = open ? least + (carried ? grown : 0) : Number.POSITIVE_INFINITY;
  const minBytes = grown > 0 ? Math.min(byNew, byCarried) : least;
  const maxBytes = begun * longest + (open ? Math.max(longest - M0_CHUNK_BYTES, grown) : 0);
  return { minBytes, maxBytes };
}

/** The number that is `count` modulo 2^32 and the least not below `atLeast`. */
function unwrap(count: number, atLeast: number): number {
  const behind = (count - (atLeast % WRAP) + WRAP) % WRAP;
  return atLeast + behind;
}

const chunksUp = (bytes: number): number => Math.ceil(bytes / M0_CHUNK_BYTES) * M0_CHUNK_BYTES;
const chunksDown = (bytes: number): number => Math.floor(bytes / M0_CHUNK_BYTES) * M0_CHUNK_BYTES;
