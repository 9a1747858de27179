import { SctError } from '../../src/common/errors.ts';
import type { FaultPlan, UsbFault } from '../hardware/usb-faults.ts';
import type { VirtualTime } from '../hardware/virtual-time.ts';

/** What a driver made of faults: how its calls ended, and how long the longest of them took on the emulated clock. */
export class FaultTally {
  readonly faults: Partial<Record<UsbFault['kind'], number>> = {};
  readonly errors: Record<string, number> = {};
  calls = 0;
  /** The call that was made last: where one hangs, this one. */
  last = '';
  /** The session that is going on. */
  session = 0;
  /** Milliseconds of the longest call of each name, and the session that it was in. */
  readonly longestMs: Record<string, number> = {};
  private readonly longestIn: Record<string, number> = {};
  private readonly time: VirtualTime;

  constructor(time: VirtualTime) {
    this.time = time;
  }

  get total(): number {
    return Object.values(this.faults).reduce((sum, n) => sum + n, 0);
  }

  /** A plan whose faults are counted, and told of. */
  counted(plan: FaultPlan, onFault: () => void = () => {}): FaultPlan {
    return (step) => {
      const fault = plan(step);
      if (fault) {
        this.faults[fault.kind] = (this.faults[fault.kind] ?? 0) + 1;
        onFault();
      }
      return fault;
    };
  }

  /** A call may fail with an error that has a type, with no other. Null: it failed. */
  async call<T>(name: string, work: Promise<T>): Promise<T | null> {
    const startMs = this.time.nowMs;
    this.calls++;
    this.last = name;
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      const kind = 'kind' in error ? `${error.name} ${String(error.kind)}` : error.name;
      this.errors[kind] = (this.errors[kind] ?? 0) + 1;
      return null;
    } finally {
      const tookMs = Math.round(this.time.nowMs - startMs);
      if (!(tookMs <= this.longestMs[name])) {
        this.longestMs[name] = tookMs;
        this.longestIn[name] = this.session;
      }
    }
  }

  /** Calls that took longer than so many ms. */
  over(ms: number): string[] {
    return Object.entries(this.longestMs).flatMap(([name, took]) =>
      took > ms ? [`${name} took ${took} ms in session ${this.longestIn[name]}`] : [],
    );
  }

  /** Run with `node --expose-gc`, it has the memory in use, too. */
  summary(): string {
    const { faults, errors, calls, longestMs } = this;
    globalThis.gc?.();
    const memoryMb = globalThis.gc ? { memoryMb: Math.round(process.memoryUsage().heapUsed / 1e5) / 10 } : {};
    return JSON.stringify({ faults: { all: this.total, ...faults }, calls, errors, longestMs, ...memoryMb });
  }
}
