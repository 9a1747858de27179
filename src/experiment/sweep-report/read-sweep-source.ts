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
  type Setting,
  type Settings,
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

/** A photo is known by its content, the demo photo by its name; what is said stands in its place, or beside it. */
function planned(point: SweepPoint, field: string, known: KnownSettings): Planned {
  const { index, inputs, photo, config, speech } = point;
  const { settings, flat } = setupOf(field, config as unknown as JsonObject);
  const contents = (['photo', 'speech'] as const).flatMap((use) => {
    const input = inputs.find((i) => i.use === use);
    return input ? [`sha256:${input.sha256.slice(0, 16)}`] : use === 'photo' && !speech?.alone ? [photo ?? 'demo'] : [];
  });
  return {
    index,
    photo: contents.join(' and '),
    seed: String(config.seed),
    setup: { settings: known.same({ ...settings, ...speechSettings(speech) }), flat },
  };
}

/** How speech was sent, beside the settings that pictures have; nothing for a photo alone. */
function speechSettings(speech: SweepPoint['speech']): Settings {
  if (!speech) return {};
  const { name: _, alone, ...words } = speech;
  const named = Object.entries(words).map(([key, value]): [string, Setting] => [
    `speech${key[0].toUpperCase()}${key.slice(1)}`,
    value ?? null,
  ]);
  return { speech: alone ? 'alone' : 'beside a photo', ...Object.fromEntries(named) };
}
