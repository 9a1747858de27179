import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, UsageError } from '../../common/errors.ts';
import { asArray, asObject, asString, parseJson, readJsonFile } from '../../common/json-input.ts';
import { writableFolder } from '../../common/make-folder.ts';
import { canonical, canonicalText } from '../run/canonical-json.ts';
import type { HostFacts, ProgramFacts } from '../run/host-facts.ts';
import { writeFileAtomic } from '../run/run-directory.ts';
import { LineAppender, wholeLines, writeLinesAtomic } from './json-lines.ts';
import type { PointFailure, PointResult, SweepPoint } from './point.ts';
import { parseResult } from './point-format.ts';
import type { Finished } from './schedule.ts';
import { type StopRule, stopValue } from './stop-rule.ts';
import { SweepLock } from './sweep-lock.ts';

export const PLAN_SCHEMA = 'sct.sweep-plan/1';
export const SWEEP_FILES = {
  plan: 'sweep.json',
  file: 'sweep.yaml',
  points: 'points.jsonl',
  results: 'results.jsonl',
  failures: 'failures.jsonl',
  lock: 'sweep.lock',
} as const;
export const MAX_PLAN_BYTES = 2 ** 20;
/** So many are written down. */
const MAX_PROGRAMS = 100;

/** What sweep.json says. */
export interface SweepPlan {
  readonly schema: typeof PLAN_SCHEMA;
  readonly name: string;
  readonly state: 'running' | 'done' | 'interrupted' | 'failed';
  /** Over the ids of the points in order and the stop rule: the same plan has the same results. */
  readonly planSha256: string;
  readonly points: number;
  readonly groups: number;
  /** Combinations that came to a point that was there. */
  readonly repeated: number;
  readonly stop: StopRule | null;
  readonly metricDefinitions: string;
  readonly program: ProgramFacts;
  /** Others that went on with it. */
  readonly laterPrograms?: readonly ProgramFacts[];
  readonly host: HostFacts;
  readonly argv: readonly string[];
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export function planSha256(points: readonly Pick<SweepPoint, 'id'>[], stop: StopRule | null): string {
  const hash = createHash('sha256');
  for (const { id } of points) hash.update(`${id}\n`);
  return hash.update(JSON.stringify(canonical(stop))).digest('hex');
}

/** What a sweep is begun or gone on with. */
export interface SweepStart {
  readonly folder: string;
  readonly resume: boolean;
  readonly plan: SweepPlan;
  readonly points: readonly SweepPoint[];
  /** The file as it was given. */
  readonly text: string;
}

/** The folder of one sweep, held by this process until it is closed. */
export class SweepDirectory {
  readonly path: string;
  /** Points that were measured before. */
  readonly finished: Finished;
  private readonly results: LineAppender;
  private readonly lock: SweepLock;
  private failures: LineAppender | null = null;
  /** As it was written last. */
  plan: SweepPlan;

  private constructor(path: string, plan: SweepPlan, finished: Finished, resultBytes: number, lock: SweepLock) {
    this.path = path;
    this.plan = plan;
    this.finished = finished;
    this.lock = lock;
    this.results = new LineAppender(join(path, SWEEP_FILES.results), resultBytes);
  }

  /**
   * Begins a sweep in a new or empty folder, or goes on with the one that is there.
   *
   * @throws UsageError where the folder holds a sweep that was not to be resumed, another one, or something else, or where
   *   another process is at it; FormatError where its results are damaged
   */
  static async open(start: SweepStart): Promise<SweepDirectory> {
    const { plan, points } = start;
    const folder = await writableFolder(start.folder);
    const file = (name: string) => join(folder, name);
    const lock = await SweepLock.take(file(SWEEP_FILES.lock), folder);
    try {
      const there = await storedPlan(folder);
      await sweepUp(folder);
      if (there) checkSame(folder, there, start);
      else await checkEmpty(folder);
      if (!there) await writeFileAtomic(file(SWEEP_FILES.file), start.text);
      if (!there || !existsSync(file(SWEEP_FILES.points))) {
        writeLinesAtomic(file(SWEEP_FILES.points), pointLines(points));
      }
      const { finished, bytes } = readFinished(file(SWEEP_FILES.results), points, plan.stop);
      rmSync(file(SWEEP_FILES.failures), { force: true });
      // Last: a folder with a sweep.json has everything else.
      const now = there ? goneOnWith(there, plan) : plan;
      await writeFileAtomic(file(SWEEP_FILES.plan), canonicalText(now, ['schema', 'name', 'state']));
      return new SweepDirectory(folder, now, finished, bytes, lock);
    } catch (error) {
      lock.give();
      throw error;
    }
  }

  describe(): string {
    return `sweep ${this.plan.name} in ${this.path}`;
  }

  file(name: keyof typeof SWEEP_FILES): string {
    return join(this.path, SWEEP_FILES[name]);
  }

  appendResult(result: PointResult): void {
    this.results.append(JSON.stringify(result));
  }

  appendFailure(failure: PointFailure): void {
    // A log of this run: what failed before is done again.
    this.failures ??= new LineAppender(this.file('failures'), 0);
    this.failures.append(JSON.stringify(failure));
  }

  /** To the disk itself. UsageError where the folder is no longer this process's. */
  sync(): void {
    this.lock.check();
    this.results.sync();
  }

  async close(state: SweepPlan['state'], endedAt: string | null): Promise<void> {
    try {
      this.results.close();
      this.failures?.close();
      this.plan = { ...this.plan, state, endedAt };
      await writeFileAtomic(this.file('plan'), canonicalText(this.plan, ['schema', 'name', 'state']));
    } finally {
      this.lock.give();
    }
  }
}

/** The plan of a folder; null where there is none. */
export async function storedPlan(folder: string): Promise<SweepPlan | null> {
  const path = join(folder, SWEEP_FILES.plan);
  if (!existsSync(path)) return null;
  const o = asObject(path, await readJsonFile(path, MAX_PLAN_BYTES));
  if (o.schema !== PLAN_SCHEMA) throw new FormatError(`${path}: schema`, `must be ${PLAN_SCHEMA}`);
  asString(`${path}: planSha256`, o.planSha256, 64);
  asString(`${path}: name`, o.name, 64);
  asString(`${path}: startedAt`, o.startedAt, 40);
  asObject(`${path}: program`, o.program);
  if (o.laterPrograms !== undefined) asArray(`${path}: laterPrograms`, o.laterPrograms, MAX_PROGRAMS);
  return o as unknown as SweepPlan;
}

/** @throws UsageError where a folder's sweep is not the one that is to go on, or not to be gone on with */
function checkSame(folder: string, there: SweepPlan, { resume, plan }: SweepStart): void {
  if (!resume) {
    throw new UsageError(`${folder} holds a sweep`, 'go on with it by --resume, or give another folder with -o');
  }
  if (there.planSha256 !== plan.planSha256) {
    const other = `${there.points} points of ${there.name}`;
    throw new UsageError(
      `${folder} holds another sweep: ${other}, or photos, model sets or traces that have changed since`,
      'give another folder with -o; sweep.yaml in it says what it was made of',
    );
  }
  if (there.metricDefinitions !== plan.metricDefinitions) {
    throw new UsageError(
      `${folder} holds results by other definitions of metrics (${there.metricDefinitions}, now ${plan.metricDefinitions})`,
      'go on with the program that began it, or give another folder with -o',
    );
  }
}

/** The plan of a sweep that goes on: begun when and by which program it was begun. */
function goneOnWith(there: SweepPlan, plan: SweepPlan): SweepPlan {
  const before = [there.program, ...(there.laterPrograms ?? [])];
  const later = [...before.slice(1)];
  const same = (a: ProgramFacts) => canonicalText(a) === canonicalText(plan.program);
  if (!before.some(same) && before.length < MAX_PROGRAMS) later.push(plan.program);
  return {
    ...plan,
    startedAt: there.startedAt,
    program: there.program,
    ...(later.length > 0 ? { laterPrograms: later } : {}),
  };
}

function* pointLines(points: readonly SweepPoint[]): Generator<string> {
  for (const point of points) yield JSON.stringify(canonical(point));
}

/** What processes that were killed while they wrote have left behind. */
async function sweepUp(folder: string): Promise<void> {
  const names = Object.values(SWEEP_FILES).map((name) => name.replace('.', '\\.'));
  const left = new RegExp(`^\\.(${names.join('|')})\\.\\d+\\.[0-9a-f]{8}\\.tmp$`);
  for (const name of await readdir(folder)) if (left.test(name)) rmSync(join(folder, name), { force: true });
}

async function checkEmpty(folder: string): Promise<void> {
  // What a process that was killed before it had a plan leaves behind is no harm.
  const ours: readonly string[] = [SWEEP_FILES.lock, SWEEP_FILES.file, SWEEP_FILES.points];
  const other = (await readdir(folder)).filter((name) => !ours.includes(name));
  if (other.length > 0) {
    throw new UsageError(`${folder} holds other things (${other[0]})`, 'give a new or empty folder with -o');
  }
}

/** The points that results.jsonl has, and the bytes of its whole lines. */
function readFinished(
  path: string,
  points: readonly SweepPoint[],
  stop: StopRule | null,
): { finished: Map<string, number | null>; bytes: number } {
  const finished = new Map<string, number | null>();
  let bytes = 0;
  if (!existsSync(path)) return { finished, bytes };
  const known = new Set(points.map(({ id }) => id));
  for (const { text, number, end } of wholeLines(path)) {
    const result = resultOfLine(`${path}:${number}`, text);
    if (!known.has(result.id)) throw new FormatError(`${path}:${number}`, `point ${result.id} is not of this sweep`);
    if (finished.has(result.id)) throw new FormatError(`${path}:${number}`, `point ${result.id} for the second time`);
    finished.set(result.id, stop ? stopValue(stop, result.metrics) : null);
    bytes = end;
  }
  return { finished, bytes };
}

/** @throws FormatError that names the line */
export function resultOfLine(where: string, text: string): PointResult {
  try {
    return parseResult(parseJson('result', text));
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(where, error.message);
    throw error;
  }
}
