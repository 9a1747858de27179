import { FormatError } from '../../common/errors.ts';
import type { PointOutcome, PointResult, SweepPoint } from './point.ts';
import { GroupStop, type StopRule, stopValue } from './stop-rule.ts';

interface Group {
  readonly points: readonly SweepPoint[];
  /** Handed out, or finished before, from the front. */
  handed: number;
  /** Kept for good, from the front. */
  committed: number;
  /** A seed failed: the ones behind it wait until it is measured in another run, for the rule takes seeds in order. */
  halted: boolean;
  readonly stop: GroupStop;
  /** Measured before their turn. */
  readonly held: Map<number, PointResult>;
}

/** What a sweep's results file had, by id: the value of the stop rule's metric. */
export type Finished = ReadonlyMap<string, number | null>;

/**
 * Which point comes next, and which results are kept. With a stop rule the results of a group are kept in the order of its seeds, and
 * those behind the seed at which it stops are never kept: what a sweep finds does not depend on how many points were under way.
 */
export class SweepSchedule {
  private readonly rule: StopRule | null;
  private readonly points: readonly SweepPoint[];
  private readonly finished: Finished;
  private readonly groups: Group[] = [];
  private readonly groupOf = new Map<string, Group>();
  /** Without a rule: the next point to look at. With one: groups before this one have nothing left to hand out. */
  private cursor = 0;
  /** Results kept, those of earlier runs among them. */
  kept = 0;
  stoppedGroups = 0;

  /** @throws FormatError where the results are not what this plan could have left behind */
  constructor(points: readonly SweepPoint[], rule: StopRule | null, finished: Finished = new Map()) {
    this.points = points;
    this.rule = rule;
    this.finished = finished;
    if (rule) this.makeGroups(rule);
    else this.kept = points.reduce((n, { id }) => n + (finished.has(id) ? 1 : 0), 0);
  }

  /** Points that the rule has made needless. */
  get needless(): number {
    return this.groups.reduce((n, g) => n + (g.stop.stopped ? g.points.length - g.committed : 0), 0);
  }

  /** The next point to measure; null where there is none, for now or for good. */
  next(): SweepPoint | null {
    return this.rule ? this.nextOfGroups(this.rule) : this.nextInOrder();
  }

  /** Takes an outcome; gives the results to be written down now, in order. */
  take(point: SweepPoint, outcome: PointOutcome): readonly PointResult[] {
    const group = this.groupOf.get(point.group);
    if (!this.rule || !group) {
      if (outcome.kind === 'failed') return [];
      this.kept++;
      return [outcome.result];
    }
    if (group.stop.stopped) return [];
    if (outcome.kind === 'failed') {
      group.halted = true;
      return [];
    }
    group.held.set(point.seedIndex, outcome.result);
    const out: PointResult[] = [];
    for (;;) {
      const result = group.held.get(group.committed);
      if (!result) break;
      group.held.delete(group.committed);
      out.push(result);
      if (this.commit(group, stopValue(this.rule, result.metrics))) group.held.clear();
    }
    return out;
  }

  private commit(group: Group, value: number | null): boolean {
    group.committed++;
    this.kept++;
    const stopped = group.stop.add(value);
    if (stopped) this.stoppedGroups++;
    return stopped;
  }

  private makeGroups(rule: StopRule): void {
    const members = new Map<string, SweepPoint[]>();
    for (const point of this.points) {
      const list = members.get(point.group);
      if (list) list.push(point);
      else members.set(point.group, [point]);
    }
    for (const [id, points] of members) {
      const stop = new GroupStop(rule);
      const group: Group = { points, handed: 0, committed: 0, halted: false, stop, held: new Map() };
      for (const point of points) {
        const value = this.finished.get(point.id);
        if (value === undefined) continue;
        if (group.stop.stopped || group.committed !== point.seedIndex) {
          const where = group.stop.stopped ? 'behind the seed at which its group stops' : 'without the seeds before it';
          throw new FormatError('results.jsonl', `has point ${point.id} ${where}: it is not of this sweep`);
        }
        this.commit(group, value);
      }
      group.handed = group.committed;
      this.groups.push(group);
      this.groupOf.set(id, group);
    }
  }

  private nextInOrder(): SweepPoint | null {
    while (this.cursor < this.points.length) {
      const point = this.points[this.cursor++];
      if (!this.finished.has(point.id)) return point;
    }
    return null;
  }

  /** A seed that is needed whatever comes of those under way, of the first group that has one; else one that may be needed. */
  private nextOfGroups({ min }: StopRule): SweepPoint | null {
    while (this.cursor < this.groups.length && exhausted(this.groups[this.cursor])) this.cursor++;
    let maybe: Group | null = null;
    for (let i = this.cursor; i < this.groups.length; i++) {
      const group = this.groups[i];
      if (exhausted(group)) continue;
      if (group.handed < min || group.handed === group.committed) return group.points[group.handed++];
      maybe ??= group;
    }
    return maybe ? maybe.points[maybe.handed++] : null;
  }
}

function exhausted({ stop, halted, handed, points }: Group): boolean {
  return stop.stopped || halted || handed >= points.length;
}
