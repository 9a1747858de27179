import { inRange } from '../../common/errors.ts';

/** The grid on which frames are captured: frame n at startMs + n x 1000 / fps, ms of the session's clock. */
export class FrameClock {
  readonly fps: number;
  readonly startMs: number;

  constructor(fps: number, startMs: number) {
    this.fps = inRange('frame rate', fps, 0.1, 120, 'frames/s');
    this.startMs = startMs;
  }

  get periodMs(): number {
    return 1e3 / this.fps;
  }

  /** When frame n is captured. */
  captureMs(n: number): number {
    return this.startMs + n * this.periodMs;
  }
}
