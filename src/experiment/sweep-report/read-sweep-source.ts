import { basename, resolve } from 'node:path';
import { FormatError } from '../../common/errors.ts';
import type { JsonObject } from '../../common/json-input.ts';
import type { SweepPoint } from '../sweep/point.ts';
import { visitSweep } from '../sweep/visit-sweep.ts';
import { type Between, programText, type SourceMaterial } from './material.ts';
import { type Observation, observation, uncountedNotes } from './observation.ts';

/** Of a point, what an observation needs: a sweep may have 100 000. */
interface Planned {
  readonly index: number;
  readonly photo: string;
  readonly seed: string;
  readonly config: JsonObject;
}

/**
 * A sweep's directory as observations, in whatever order its results were measured.
 *
 * @throws FormatError naming file, line and field
 */
export async function readSweepSource(path: string, source: number, between: Between): Promise<SourceMaterial> {
  const points = new Map<string, Planned>();
  const observations: Observation[] = [];
  let failed = 0;
  const plan = await visitSweep(
    path,
    {
      point: (p) => void points.set(p.id, planned(p)),
      result: ({ id, metrics }, field) => {
        const { index, ...point } = points.get(id)!;
        const order = String(index);
        observations.push(observation({ source, field, order, ...point, metrics: metrics as unknown as JsonObject }));
      },
      failure: () => void failed++,
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
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...uncountedNotes(observations),
  ];
  const label = basename(resolve(path)) || 'sweep';
  const counts = { planned: points.size, measured: observations.length };
  const programs = [plan.program, ...(plan.laterPrograms ?? [])].map(programOf);
  return { source: { label, kind: 'sweep', ...counts, notes, programs: [...new Set(programs)] }, observations };
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
function planned({ index, inputs, photo, config }: SweepPoint): Planned {
  const file = inputs.find((input) => input.use === 'photo');
  return {
    index,
    photo: file ? `sha256:${file.sha256.slice(0, 16)}` : (photo ?? 'demo'),
    seed: String(config.seed),
    config: config as unknown as JsonObject,
  };
}
