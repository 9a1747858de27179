/** Something that paints itself when it has changed and can be seen. */
export interface Drawable {
  dirty: boolean;
  visible: boolean;
  /** Goes on while the view is frozen. */
  readonly alwaysLive?: boolean;
  paint(nowMs: number): void;
}

/** 30 pictures a second: what is measured does not come faster, and eyes need no more. */
const PERIOD_MS = 1000 / 30;
const EARLY_MS = 5;
/** A frame is asked for so long before it is due: later than the display's tick before the last. Each frame costs, even one that paints nothing. */
const ASK_MS = 12;

/** The page's only animation loop: it runs while something that can be seen has changed. */
export class DrawLoop {
  /** Times that it painted. */
  frames = 0;
  /** The view stands still; what comes is kept. */
  frozen = false;
  private readonly drawables = new Set<Drawable>();
  private scheduled = false;
  /** When the next picture is due. */
  private dueMs = 0;

  add(drawable: Drawable): void {
    this.drawables.add(drawable);
  }

  remove(drawable: Drawable): void {
    this.drawables.delete(drawable);
  }

  wake(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const waitMs = this.dueMs - ASK_MS - performance.now();
    if (waitMs > 0) setTimeout(this.ask, waitMs);
    else this.ask();
  }

  private readonly ask = (): void => {
    requestAnimationFrame(this.frame);
  };

  freeze(frozen: boolean): void {
    this.frozen = frozen;
    this.wake();
  }

  private readonly frame = (nowMs: number): void => {
    this.scheduled = false;
    // Due by a clock of its own: a display that ticks every 30 ms, or 34, must not make it 15 pictures a second. What came late is made up for once.
    if (nowMs < this.dueMs - EARLY_MS) {
      this.wake();
      return;
    }
    this.dueMs = Math.max(this.dueMs, nowMs - PERIOD_MS) + PERIOD_MS;
    this.frames++;
    for (const drawable of this.drawables) {
      if (!drawable.dirty || !drawable.visible || (this.frozen && !drawable.alwaysLive)) continue;
      drawable.dirty = false;
      drawable.paint(nowMs);
    }
  };
}

export const loop = new DrawLoop();
