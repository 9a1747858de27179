import { UsageError } from '../../common/errors.ts';
import { RB_DATA_RE } from '../numerology.ts';

/** The longest burst has 128 slots x 50 subbands = 6400 resource blocks. */
const MOST_RBS = 1 << 13;

/**
 * An analog stream's symbols by the resource block that they lie on: those of one RB are a group, which is spread together. Its memory grows to the
 * longest stream and is used again from stream to stream; what is read from it is valid until the next `group`.
 */
export class RbGroups {
  /** Number of groups, in the order in which the stream first touches their RBs. */
  count = 0;
  readonly rb = new Uint32Array(MOST_RBS); // [group]
  /** Where a group's symbols begin in `members` and `places`; the next group's begin where they end. */
  readonly start = new Uint32Array(MOST_RBS + 1); // [group]
  /** Numbers of the symbols in the stream, group after group, ascending in each. */
  members = new Uint32Array(0); // [symbol]
  /** Their payload RE, in the same order. */
  places = new Uint32Array(0); // [symbol]
  /** First symbol of each run, and behind the last one; its group. */
  private runStart = new Uint32Array(1); // [run]
  private runGroup = new Uint16Array(0); // [run]
  /** Group of each RB plus 1; 0: none. */
  private readonly groupOfRb = new Uint16Array(MOST_RBS);
  private readonly next = new Uint32Array(MOST_RBS);

  /**
   * Sorts a stream by resource block. O(n).
   *
   * @param re payload RE of each symbol, (slot x nSubbands + subband) x 154 + RE in the RB
   * @throws UsageError for an RE out of range, or an RB with more symbols than RE
   */
  group(re: Uint32Array): void {
    for (let g = 0; g < this.count; g++) this.groupOfRb[this.rb[g]] = 0;
    this.count = 0;
    if (this.members.length < re.length) this.grow(Math.max(re.length, 2 * this.members.length));
    const runs = this.findRuns(re);
    this.layOut();
    for (let run = 0; run < runs; run++) this.fill(run, re);
  }

  /** Cuts the stream, which mostly fills one RB after the other, into runs on one RB each, and sums up their lengths in `next`. */
  private findRuns(re: Uint32Array): number {
    const { runStart, runGroup, next } = this;
    let runs = 0;
    for (let i = 0; i < re.length; runs++) {
      const group = this.groupAt(re[i], i);
      const end = endOfRun(re, i, this.rb[group] * RB_DATA_RE);
      runStart[runs] = i;
      runGroup[runs] = group;
      next[group] += end - i;
      i = end;
    }
    runStart[runs] = re.length;
    return runs;
  }

  /** Group of a payload RE, a new one where its RB has none. */
  private groupAt(place: number, symbol: number): number {
    const block = Math.floor(place / RB_DATA_RE);
    if (block >= MOST_RBS) {
      const most = MOST_RBS * RB_DATA_RE - 1;
      throw new UsageError(`payload RE ${place} of symbol ${symbol} is out of range: allowed 0 to ${most}`);
    }
    if (this.groupOfRb[block] === 0) {
      this.rb[this.count] = block;
      this.next[this.count] = 0;
      this.groupOfRb[block] = ++this.count;
    }
    return this.groupOfRb[block] - 1;
  }

  /** From lengths to where groups begin; `next` too. */
  private layOut(): void {
    const { rb, start, next } = this;
    let at = 0;
    for (let g = 0; g < this.count; g++) {
      const size = next[g];
      if (size > RB_DATA_RE)
        throw new UsageError(`RB ${rb[g]} has ${RB_DATA_RE} RE; the stream puts more symbols there`);
      start[g] = next[g] = at;
      at += size;
    }
    start[this.count] = at;
  }

  private fill(run: number, re: Uint32Array): void {
    const { runStart, runGroup, next, members, places } = this;
    const group = runGroup[run];
    const end = runStart[run + 1];
    let at = next[group];
    for (let i = runStart[run]; i < end; i++, at++) {
      members[at] = i;
      places[at] = re[i];
    }
    next[group] = at;
  }

  /** Calls visit(first group, number of groups, their length) for runs of groups of one length, `most` at most. */
  eachRun(most: number, visit: (from: number, count: number, length: number) => void): void {
    const { start, count } = this;
    for (let from = 0; from < count; ) {
      const length = start[from + 1] - start[from];
      let end = from + 1;
      while (end < count && end - from < most && start[end + 1] - start[end] === length) end++;
      visit(from, end - from, length);
      from = end;
    }
  }

  private grow(symbols: number): void {
    this.members = new Uint32Array(symbols);
    this.places = new Uint32Array(symbols);
    this.runStart = new Uint32Array(symbols + 1);
    this.runGroup = new Uint16Array(symbols);
  }
}

/** First symbol from `i` on that does not lie on the RB whose first RE is `first`. */
function endOfRun(re: Uint32Array, i: number, first: number): number {
  let end = i + 1;
  while (end < re.length && re[end] >= first && re[end] < first + RB_DATA_RE) end++;
  return end;
}
