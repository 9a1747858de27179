import { BurstLevel } from '../../link/session/burst-level.ts';
import { GainControl } from '../../link/session/gain-control.ts';
import type { GainStage, RxStream, SampleBlock } from '../../radio/radio.ts';

/** Keeps a board's receive gain where bursts use its converter well; it changes only when asked, between bursts. */
export class GainKeeper {
  private readonly rx: RxStream;
  private readonly control: GainControl;
  private readonly level: BurstLevel;
  /** Times that the gain was changed. */
  changes = 0;

  constructor(rx: RxStream, stages: readonly GainStage[]) {
    this.rx = rx;
    this.control = new GainControl(stages, rx.settings.gainsDb);
    this.level = new BurstLevel(rx.settings.rateHz);
  }

  /** Gain of every receive stage, dB. */
  get gainsDb(): Record<string, number> {
    return { ...this.control.gainsDb };
  }

  hear(block: SampleBlock): void {
    this.level.push(block);
  }

  /** The same stream, every block of which it looks at. */
  async *watch(blocks: AsyncIterable<SampleBlock>): AsyncGenerator<SampleBlock> {
    for await (const block of blocks) {
      this.hear(block);
      yield block;
    }
  }

  /** Sets the gain by the strongest burst since it was last asked; false where it stays. */
  async settle(): Promise<boolean> {
    const reading = this.level.take();
    const gainsDb = reading && this.control.take(reading);
    if (!gainsDb) return false;
    await this.rx.setGains?.(gainsDb);
    this.changes++;
    return true;
  }
}
