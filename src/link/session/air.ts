import type { TransmitBurst } from '../transmission.ts';

/** How bursts of one sending follow one another. */
export type Spacing =
  /** Each right behind the one before, after a short silence. */
  | { readonly kind: 'close' }
  /** They begin whole multiples of the sounding grid apart by the sender's clock, at least so far (docs/adr/0017-predicted-csi.md). */
  | { readonly kind: 'grid'; readonly everyS: number }
  /** One each period, or as fast as they can follow one another where it is shorter. */
  | { readonly kind: 'period'; readonly everyS: number };

/** Told of each burst once it has been on the air, with its end, s of the sender's clock. */
export type OnAir = (burst: TransmitBurst, endS: number) => void;

/**
 * Time and air as the sending end of a session sees them: simulated, or a radio. Times are seconds of one clock that never goes
 * back.
 */
export interface Air {
  readonly nowS: number;
  /** Sends bursts, each made when it is its turn. Resolves when the last is on the air. */
  send(bursts: Iterable<TransmitBurst>, spacing: Spacing, onAir: OnAir): Promise<void>;
  /**
   * Lets time go by. What a receiver at this end hears meanwhile has been handed on when it resolves. In real time it
   * resolves as soon as `enough` says so; simulated time always passes whole, so that it does not depend on who asks.
   */
  pass(seconds: number, enough?: () => boolean): Promise<void>;
}
