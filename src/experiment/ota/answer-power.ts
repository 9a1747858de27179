import type { BurstEvent } from '../../link/receiver.ts';
import type { PowerKeeper } from './power-keeper.ts';

/** A radio that is opened for each sending: it begins with the gains that the keeper has then. */
const WHEN_OPENED = { setGains: async (gainsDb: Readonly<Record<string, number>>) => gainsDb };

/**
 * Power of a receiver's reverse bursts: low at first. Nobody reports how they are heard, so that it rises by a step whenever the sender goes on
 * without naming a report though it was answered, and stays once a burst names one.
 */
export class AnswerPower {
  readonly power: PowerKeeper;
  /** Reverse bursts that had been sent when the power was last looked at. */
  private judged = 0;

  constructor(power: PowerKeeper) {
    this.power = power;
  }

  /** @param sent reverse bursts sent so far */
  async heard({ record: { header } }: BurstEvent, sent: number): Promise<void> {
    if (header.csiNumber !== 0) this.power.enough('a burst names one of our reports');
    else if (sent > this.judged) {
      this.judged = sent;
      await this.power.settle(WHEN_OPENED, null);
    }
  }
}
