/** So much a second, and as much at once: what goes beyond must wait. */
export class Allowance {
  private readonly perS: number;
  private left: number;
  private atMs: number | null = null;

  constructor(perS: number) {
    this.perS = perS;
    this.left = perS;
  }

  /** Takes a cost, and returns how long to wait before the next, ms; 0: not at all. It never is more than some seconds for what one read brings. */
  take(cost: number, nowMs: number): number {
    const sinceMs = this.atMs === null ? 0 : Math.max(0, nowMs - this.atMs);
    this.atMs = nowMs;
    this.left = Math.min(this.perS, this.left + (sinceMs / 1000) * this.perS) - cost;
    return this.left >= 0 ? 0 : Math.ceil((1000 * -this.left) / this.perS);
  }
}
