import type { Radio } from '../../radio/radio.ts';

/** Between two readings, ms. */
const EVERY_MS = 5000;

/** The temperature of a board, read now and then while somebody asks for it. */
export class Thermometer {
  private readonly radio: Pick<Radio, 'uri' | 'temperatureC'>;
  private latestC: number | null = null;
  private askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(radio: Pick<Radio, 'uri' | 'temperatureC'>) {
    this.radio = radio;
  }

  /** The latest reading; null before the first, and where the board does not tell. */
  get celsius(): number | null {
    const nowMs = performance.now();
    if (nowMs - this.askedAtMs >= EVERY_MS) {
      this.askedAtMs = nowMs;
      this.radio.temperatureC?.().then(
        (celsius) => {
          this.latestC = celsius;
        },
        () => {
          this.latestC = null;
        },
      );
    }
    return this.latestC;
  }
}
