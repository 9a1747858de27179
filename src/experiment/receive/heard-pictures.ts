import type { LinkEvent, ReceivedPicture } from '../../link/receiver.ts';
import type { RxBack } from '../../link/rx-back.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import { LinkTrace } from '../metrics/link-trace.ts';

/** One picture of a stream and the bursts that it came in; `picture` is null where no burst of it could be read. */
export interface HeardPicture {
  readonly session: number;
  readonly picture: ReceivedPicture | null;
  readonly trace: LinkTrace;
}

/**
 * Sorts the bursts of a stream by picture, knowing only what came over the air. Sounding bursts belong to the picture after
 * them; a data burst that could not be read to the picture of its session, and where nothing of that session can be read it
 * is a picture that was lost whole.
 */
export class HeardPictures {
  private readonly traces = new Map<ReceivedPicture, LinkTrace>();
  /** Since the last burst of a picture: what comes next begins with it. */
  private pending = new LinkTrace();
  private current: { picture: ReceivedPicture; trace: LinkTrace } | null = null;
  /** Pictures that are done with, to be taken with `take`. */
  private readonly done: (ReceivedPicture | HeardPicture)[] = [];

  private readonly most: number;

  /** @param most bursts that are kept of one picture, and of those before it */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.most = most;
  }

  /** The receiver gives a picture up (ReceiverOptions.retire); its last bursts may still be on their way to `add`. */
  retire(picture: ReceivedPicture): void {
    this.done.push(picture);
  }

  add(event: LinkEvent, burst: BurstTrace | null, chain: RxBack): void {
    if (event.type !== 'burst' || !burst) return;
    const { picture } = event;
    if (picture) {
      let trace = this.traces.get(picture);
      if (!trace) {
        if (this.unread !== null && this.unread !== picture.session) this.lose();
        trace = this.pending;
        this.traces.set(picture, trace);
        this.pending = new LinkTrace();
      }
      this.current = { picture, trace };
      trace.share(burst, event, chain);
      trace.letGo(this.most);
      return;
    }
    const isData = event.use === 'data' || event.use === 'retransmission';
    if (isData && this.current?.picture.session === burst.session) {
      this.current.trace.share(burst, event, chain);
      return;
    }
    if (isData && this.unread !== null && this.unread !== burst.session) this.lose();
    this.pending.share(burst, event, chain);
    // Soundings alone, for hours: the last ones belong to what follows.
    this.pending.letGo(this.most);
  }

  /** Pictures that `take` would give. */
  get waiting(): number {
    return this.done.length;
  }

  /** Pictures that are done with since the last call, in the order in which they came. */
  take(): HeardPicture[] {
    return this.done.splice(0).map((p) => ('trace' in p ? p : this.heard(p)));
  }

  /** The stream has ended: what the receiver still holds, and what was lost at the end. */
  end(held: readonly ReceivedPicture[]): HeardPicture[] {
    this.done.push(...held);
    if (this.unread !== null) this.lose();
    return this.take();
  }

  private heard(picture: ReceivedPicture): HeardPicture {
    const trace = this.traces.get(picture) ?? new LinkTrace();
    this.traces.delete(picture);
    if (this.current?.picture === picture) this.current = null;
    return { session: picture.session, picture, trace };
  }

  /** Session of the data bursts in `pending`, which nobody could read; null where there are none. */
  private get unread(): number | null {
    return this.pending.bursts.find((b) => b.use === 'data' || b.use === 'retransmission')?.session ?? null;
  }

  private lose(): void {
    this.done.push({ session: this.unread!, picture: null, trace: this.pending });
    this.pending = new LinkTrace();
  }
}
