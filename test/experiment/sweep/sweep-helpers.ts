import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { emptyMetrics } from '../../../src/experiment/metrics/metrics.ts';
import { Progress } from '../../../src/experiment/report/progress.ts';
import {
  POINT_SCHEMA,
  type PointOutcome,
  type PointQueue,
  type PointResult,
  RESULT_SCHEMA,
  type SweepPoint,
} from '../../../src/experiment/sweep/point.ts';

const CONFIG = resolveLinkConfig({ codec: 'classical', format: 'jpeg' });

/** An id made of two numbers. */
export function idOf(a: number, b: number): string {
  return a.toString(16).padStart(16, '0') + b.toString(16).padStart(16, '0');
}

/** Groups with so many seeds each, in the order of a sweep: the seed changes fastest. */
export function pointsOf(sizes: readonly number[]): SweepPoint[] {
  const points: SweepPoint[] = [];
  for (const [g, size] of sizes.entries()) {
    for (let seedIndex = 0; seedIndex < size; seedIndex++) {
      points.push({
        schema: POINT_SCHEMA,
        id: idOf(g, seedIndex + 1),
        index: points.length,
        group: idOf(g, 0),
        seedIndex,
        photo: null,
        inputs: [],
        config: { ...CONFIG, seed: seedIndex + 1 },
      });
    }
  }
  return points;
}

/** A result with one figure. */
export function resultOf(id: string, psnrDb: number | null, outage: 0 | 1 = 0): PointResult {
  const { files: _, timings: __, ...metrics } = emptyMetrics('classical');
  return { schema: RESULT_SCHEMA, id, metrics: { ...metrics, psnrDb, outage }, exitCode: 0, timings: { linkMs: 1 } };
}

export function measured(point: SweepPoint, psnrDb: number | null): PointOutcome {
  return { kind: 'measured', result: resultOf(point.id, psnrDb) };
}

export function failed(point: SweepPoint, exitCode = 2): PointOutcome {
  return { kind: 'failed', failure: { id: point.id, message: `cannot measure ${point.id}`, exitCode } };
}

/** What a sweep has around it; the lines of progress are kept. */
export function sweepIo(signal: AbortSignal = new AbortController().signal) {
  const lines: string[] = [];
  const progress = new Progress({ stream: { write: (text: string) => lines.push(text) }, now: () => 0, plain: 'none' });
  return { progress, argv: ['sct', 'sweep'], now: () => new Date(0), signal, lines };
}

/** A queue that measures by a function; outcomes come in the order that `order` makes of those under way. */
export class FakeQueue implements PointQueue {
  readonly width: number;
  readonly ran: SweepPoint[] = [];
  private readonly outcome: (point: SweepPoint) => PointOutcome | Promise<PointOutcome>;

  constructor(width: number, outcome: (point: SweepPoint) => PointOutcome | Promise<PointOutcome>) {
    this.width = width;
    this.outcome = outcome;
  }

  async run(point: SweepPoint): Promise<PointOutcome> {
    this.ran.push(point);
    return this.outcome(point);
  }

  describe(): string {
    return 'fake';
  }

  async close(): Promise<void> {}
}
