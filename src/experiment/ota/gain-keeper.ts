import { BurstLevel } from '../../link/session/burst-level.ts';
import { GainControl } from '../../link/session/gain-control.ts';
import type { GainStage, RxStream, SampleBlock } from '../../radio/radio.ts';

/** Keeps a board's receive gain where its converter is used well; it changes only when asked, between bursts. */
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

  /**
   * Sets the gain by what was heard since it was last asked; false where it stays.
   *
   * @param burst a burst was among it that comes again as strong: the gain is set for it. Else only so that noise moves the converter
   */
  async settle(burst: boolean): Promise<boolean> {
    const reading = this.level.take();
    if (!reading) return false;
    const gainsDb = burst ? this.control.take(reading) : this.control.takeNoise(reading, this.rx.settings.fullScale);
    if (!gainsDb) return false;
    await this.rx.setGains?.(gainsDb);
    this.forget();
    this.changes++;
    return true;
  }

  /** What has been heard so far is not asked about any more: it may be from before a change. */
  forget(): void {
    this.level.take();
  }

  /** Whether the gain can be lower than it is. */
  get canLower(): boolean {
    return this.control.canLower;
  }
}
