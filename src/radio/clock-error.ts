import { inRange } from '../common/errors.ts';

/** Error of a board's clock that is taken out, and where it comes from: its URI, or what `sct doctor --save` stored for its serial. */
export interface ClockCorrection {
  readonly ppm: number;
  readonly from: 'uri' | 'stored';
  /** ISO 8601; of a stored one. */
  readonly measuredAt?: string;
}

/**
 * A board's clock that is off by `ppm` makes everything it counts off by the same factor: asked for x it gives x (1 + ppm 1e-6). What has to
 * be asked for, and what then comes.
 */
export class ClockError {
  readonly ppm: number;
  private readonly factor: number;

  constructor(ppm: number) {
    this.ppm = inRange('ppm', ppm, -200, 200);
    this.factor = 1 + ppm * 1e-6;
  }

  /** What to ask the board for. */
  nominal(wanted: number): number {
    return wanted / this.factor;
  }

  /** What the board gives when asked for this. */
  actual(nominal: number): number {
    return nominal * this.factor;
  }
}
