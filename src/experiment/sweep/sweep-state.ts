import type { PointOutcome } from './point.ts';
import type { SweepSchedule } from './schedule.ts';

/** How far a sweep is, for the line on stderr. */
export class SweepState {
  /** Points that were measured in this run, kept or not. */
  measured = 0;
  private failed = 0;
  private readonly points: number;
  private readonly schedule: Pick<SweepSchedule, 'kept' | 'needless' | 'stoppedGroups'>;
  private readonly startedMs: number;
  private readonly now: () => number;

  constructor(
    points: number,
    schedule: Pick<SweepSchedule, 'kept' | 'needless' | 'stoppedGroups'>,
    now: () => number = () => performance.now(),
  ) {
    this.points = points;
    this.schedule = schedule;
    this.now = now;
    this.startedMs = now();
  }

  took({ kind }: PointOutcome): void {
    if (kind === 'measured') this.measured++;
    else this.failed++;
  }

  /** "sweep  120/960 points  3 groups stopped  1 failed  2.1 a second  6 min left". */
  text(): string {
    const { kept, needless, stoppedGroups } = this.schedule;
    const seconds = (this.now() - this.startedMs) / 1e3;
    const rate = seconds > 0 ? (this.measured + this.failed) / seconds : 0;
    const left = Math.max(0, this.points - needless - kept - this.failed);
    const parts = [`sweep  ${kept}/${this.points} points`];
    if (stoppedGroups > 0) parts.push(`${stoppedGroups} groups stopped`);
    if (this.failed > 0) parts.push(`${this.failed} failed`);
    if (rate > 0) parts.push(rate >= 1 ? `${rate.toFixed(1)} a second` : `${(1 / rate).toFixed(1)} s each`);
    // What a stop rule will still spare is not known: so much at most.
    if (rate > 0 && left > 0) parts.push(`${durationText(left / rate)} left`);
    return parts.join('  ');
  }
}

/** In the two units that tell most: "45 s", "6 min", "3 h 20 min". */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
