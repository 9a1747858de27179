import { inRange, UsageError } from '../../common/errors.ts';

/** Window over which a duty cycle counts, s: one hour ((EU) 2019/1345, annex; ERC/REC 70-03, duty cycle categories). */
export const DUTY_CYCLE_WINDOW_S = 3600;
/** Transmissions remembered; older ones are merged into their neighbours, which counts them for longer, never for less. */
const MAX_REMEMBERED = 4096;

/**
 * Time in the air against a duty cycle limit: over any hour the transmissions last at most `maxDutyCycle` times an hour. Times are the caller's,
 * s, ascending. Transmissions are known by start and end.
 */
export class AirtimeBudget {
  readonly maxDutyCycle: number;
  /** [start, end], ascending. */
  private readonly sent: { startS: number; endS: number }[] = [];

  /** @param maxDutyCycle share of an hour, 0 (exclusive) to 1; null: unlimited */
  constructor(maxDutyCycle: number | null) {
    this.maxDutyCycle = maxDutyCycle === null ? 1 : inRange('duty cycle', maxDutyCycle, 1e-6, 1);
  }

  /** Seconds in the air during the hour that ends at `nowS`. */
  usedS(nowS: number): number {
    const fromS = nowS - DUTY_CYCLE_WINDOW_S;
    return this.sent.reduce(
      (sum, { startS, endS }) => sum + Math.max(0, Math.min(endS, nowS) - Math.max(startS, fromS)),
      0,
    );
  }

  /** Whether a transmission of this length may begin at `startS`: the hour at whose end it ends holds no more than the limit. */
  allows(startS: number, durationS: number): boolean {
    return this.usedS(startS + durationS) + durationS <= this.maxDutyCycle * DUTY_CYCLE_WINDOW_S + 1e-9;
  }

  /** How long to wait from `nowS` until a transmission of this length may begin, s. UsageError where it never may. */
  waitS(nowS: number, durationS: number): number {
    const limitS = this.maxDutyCycle * DUTY_CYCLE_WINDOW_S;
    if (durationS > limitS + 1e-9) {
      throw new UsageError(`${durationS} s in the air is more than an hour allows: ${Number(limitS.toFixed(3))} s`);
    }
    if (this.allows(nowS, durationS)) return 0;
    // The hour that ends with the transmission slides over what was sent; it is short enough once the oldest excess has left it.
    let excessS = this.usedS(nowS + durationS) + durationS - limitS;
    const fromS = nowS + durationS - DUTY_CYCLE_WINDOW_S;
    for (const { startS, endS } of this.sent) {
      const insideS = endS - Math.max(startS, fromS);
      if (insideS <= 0) continue;
      if (insideS >= excessS) return Math.max(startS, fromS) + excessS - fromS;
      excessS -= insideS;
    }
    return DUTY_CYCLE_WINDOW_S;
  }

  /** Books a transmission. UsageError before the end of the last one, or over the limit. */
  book(startS: number, durationS: number): void {
    inRange('duration', durationS, 0, DUTY_CYCLE_WINDOW_S, 's');
    const last = this.sent.at(-1);
    if (last && startS < last.endS)
      throw new UsageError(`a transmission at ${startS} s overlaps one that ends at ${last.endS} s`);
    if (!this.allows(startS, durationS)) {
      const percent = Number((this.maxDutyCycle * 100).toPrecision(3));
      throw new UsageError(
        `duty cycle of ${percent} % is used up: ${this.usedS(startS).toFixed(2)} s in the air during the last hour`,
        `wait ${this.waitS(startS, durationS).toFixed(1)} s`,
      );
    }
    while (this.sent.length > 0 && this.sent[0].endS < startS - DUTY_CYCLE_WINDOW_S) this.sent.shift();
    if (this.sent.length >= MAX_REMEMBERED) this.mergeClosest();
    this.sent.push({ startS, endS: startS + durationS });
  }

  /** Two neighbours become one that is as long as both and ends with the later. */
  private mergeClosest(): void {
    let at = 1;
    for (let i = 2; i < this.sent.length; i++) {
      if (this.sent[i].startS - this.sent[i - 1].endS < this.sent[at].startS - this.sent[at - 1].endS) at = i;
    }
    const [earlier, later] = this.sent.splice(at - 1, 2);
    const lengthS = earlier.endS - earlier.startS + later.endS - later.startS;
    this.sent.splice(at - 1, 0, { startS: later.endS - lengthS, endS: later.endS });
  }
}
