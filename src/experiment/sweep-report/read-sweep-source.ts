import { basename, resolve } from 'node:path';
import { FormatError } from '../../common/errors.ts';
import type { JsonObject } from '../../common/json-input.ts';
import type { SweepPoint } from '../sweep/point.ts';
import { visitSweep } from '../sweep/visit-sweep.ts';
import { type Between, programText, type SourceMaterial } from './material.ts';
import {
  compareText,
  KnownSettings,
  type Observation,
  observation,
  type Setup,
  setupOf,
  uncountedNotes,
} from './observation.ts';

/** Of a point, what an observation needs: a sweep may have 100 000. */
interface Planned {
  readonly index: number;
  readonly photo: string;
  readonly seed: string;
  readonly setup: Setup;
}

/**
 * A sweep's directory as observations, in whatever order its results were measured.
 *
 * @throws FormatError naming file, line and field
 */
export async function readSweepSource(path: string, source: number, between: Between): Promise<SourceMaterial> {
  const points = new Map<string, Planned>();
  const known = new KnownSettings();
  const observations: Observation[] = [];
  const failures: string[] = [];
  const plan = await visitSweep(
    path,
    {
      point: (p, field) => void points.set(p.id, planned(p, field, known)),
      result: ({ id, metrics }, field) => {
        const { index, ...point } = points.get(id)!;
        const order = String(index);
        const input = { source, field, order, ...point, metrics: metrics as unknown as JsonObject };
        observations.push(observation(input, known));
      },
      failure: ({ message }) => void failures.push(message),
    },
    async (what) => between(what),
  );
  const { state, stop } = plan;
  if (!['running', 'done', 'interrupted', 'failed'].includes(state)) {
    throw new FormatError(`${path}: sweep.json: state`, `"${String(state).slice(0, 40)}" is none of a sweep`);
  }
  const missing = points.size - observations.length;
  const early = stop !== null && stop !== undefined && state === 'done';
  const notes = [
    ...(missing > 0 && early ? [`${missing} points not needed: their groups stopped early`] : []),
    ...(missing > 0 && !early ? [`${missing} points not measured, sweep ${state}`] : []),
    ...(failures.length > 0 ? [`${failures.length} failed, ${mostCommon(failures)}`] : []),
    ...uncountedNotes(observations),
  ];
  const label = basename(resolve(path)) || 'sweep';
  const counts = { planned: points.size, measured: observations.length, missing: early ? 0 : missing };
  const programs = [plan.program, ...(plan.laterPrograms ?? [])].map(programOf);
  return { source: { label, kind: 'sweep', ...counts, notes, programs: [...new Set(programs)] }, observations };
}

const MAX_MESSAGE = 200;

/** The message that stands there most often, of several the first by its text: the order of the file depends on timing. */
function mostCommon(messages: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const m of messages) counts.set(m, (counts.get(m) ?? 0) + 1);
  const [[message, count]] = [...counts].sort(([a, x], [b, y]) => y - x || compareText(a, b));
  // Nothing of a report says where things lie on one machine.
  const told = message.replace(/(^|[\s"'(])(?:[A-Za-z]:)?[\\/](?:[^\s"']*[\\/])?/g, '$1');
  const cut = told.length > MAX_MESSAGE ? `${told.slice(0, MAX_MESSAGE)}…` : told;
  return `${count === messages.length ? 'all' : `${count} of them`}: ${cut}`;
}

/** Nobody has checked what a plan says of programs. */
function programOf(program: unknown): string {
  const { packageVersion, git } = (typeof program === 'object' && program !== null ? program : {}) as Record<
    string,
    unknown
  >;
  return programText(packageVersion, git);
}

/** A photo is known by its content, the demo photo by its name. */
function planned({ index, inputs, photo, config }: SweepPoint, field: string, known: KnownSettings): Planned {
  const setup = setupOf(field, config as unknown as JsonObject);
  const file = inputs.find((input) => input.use === 'photo');
  return {
    index,
    photo: file ? `sha256:${file.sha256.slice(0, 16)}` : (photo ?? 'demo'),
    seed: String(config.seed),
    setup: { ...setup, settings: known.same(setup.settings) },
  };
}
