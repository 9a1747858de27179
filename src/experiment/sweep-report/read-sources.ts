import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { FormatError, UsageError } from '../../common/errors.ts';
import { asObject, readJsonFile } from '../../common/json-input.ts';
import { METRICS_SCHEMA } from '../metrics/metrics.ts';
import { readRun } from '../run/run-directory.ts';
import { SWEEP_FILES } from '../sweep/sweep-directory.ts';
import { isSweepFolder } from '../sweep/visit-sweep.ts';
import { type Between, type Material, programText, type Source, type SourceMaterial } from './material.ts';
import {
  compareText,
  KnownSettings,
  type Observation,
  observation,
  overRadios,
  setupOf,
  uncountedNotes,
} from './observation.ts';
import { readSweepSource } from './read-sweep-source.ts';

/** Most runs, or points, of one report. */
export const MAX_OBSERVATIONS = 1_000_000;
const MAX_SOURCES = 64;
const MAX_ENTRIES = 200_000;
/** Folders of folders of runs: `sct loopback FOLDER -o runs/x` makes two levels. */
const MAX_LEVELS = 2;
const MAX_METRICS_JSON = 64 * 2 ** 20;
const MAX_PICTURE_BYTES = 512 * 2 ** 20;

/**
 * Reads sweeps, folders of runs, and run directories. Each sweep and each folder is a source of its own, run directories that are named
 * one by one are one source together.
 *
 * @throws UsageError for a path without results, FormatError naming file and field
 */
export async function readSources(paths: readonly string[], between: Between): Promise<Material> {
  const sources: Source[] = [];
  const observations: Observation[] = [];
  const single: string[] = [];
  const add = (found: SourceMaterial) => {
    sources.push(found.source);
    // Not push(...): a call has room for some 100 000 arguments.
    for (const o of found.observations) observations.push(o);
    if (observations.length > MAX_OBSERVATIONS) {
      throw new UsageError(`more than ${MAX_OBSERVATIONS} pictures`, 'report on fewer directories at once');
    }
  };
  for (const path of paths) {
    const info = await stat(path).catch(() => null);
    if (!info) throw new UsageError(`${path}: no such directory`, 'give sweeps, run directories, or folders of runs');
    if (!info.isDirectory()) throw new UsageError(`${path}: not a directory`, 'a sweep, a run, or a folder of runs');
    if (await isSweepFolder(path)) add(await readSweepSource(path, sources.length, between));
    else if (await isRun(path)) single.push(path);
    else {
      const runs = await runsBelow(path, MAX_LEVELS);
      if (runs.length === 0) {
        const hint = (await holdsSweeps(path))
          ? 'it holds sweeps: name them one by one'
          : 'a sweep holds sweep.json, a run directory run.json and metrics.json';
        throw new UsageError(`${path}: neither a sweep nor a run, and no run in it`, hint);
      }
      add(await readRuns(runs, nameOf(path), sources.length, between));
    }
  }
  if (single.length > 0) add(await readRuns(single.sort(compareText), 'runs', sources.length, between));
  if (sources.length > MAX_SOURCES) throw new UsageError(`${sources.length} sources: allowed 1 to ${MAX_SOURCES}`);
  return { sources: distinctLabels(sources), observations };
}

export function nameOf(path: string): string {
  return basename(resolve(path)) || 'runs';
}

/** Two folders of one name get numbers; whole paths would say where they lie on this machine. */
function distinctLabels(sources: readonly Source[]): Source[] {
  return sources.map((s, i) => {
    const same = sources.filter((other) => other.label === s.label);
    if (same.length === 1) return s;
    return { ...s, label: `${s.label} (${1 + sources.slice(0, i).filter((o) => o.label === s.label).length})` };
  });
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}

async function isFolder(folder: string, name: string): Promise<boolean> {
  return (await stat(join(folder, name)).catch(() => null))?.isDirectory() === true;
}

async function holdsSweeps(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  for (const name of names.slice(0, MAX_ENTRIES)) if (await isFile(join(folder, name, SWEEP_FILES.plan))) return true;
  return false;
}

function isRun(path: string): Promise<boolean> {
  return isFile(join(path, 'run.json'));
}

async function runsBelow(folder: string, levels: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => {
    throw new UsageError(`${folder}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'error'})`);
  });
  if (entries.length > MAX_ENTRIES) throw new UsageError(`${folder}: more than ${MAX_ENTRIES} entries`);
  const runs: string[] = [];
  // Links are followed as far down as folders are; one that leads back ends there.
  const folders = await Promise.all(
    entries.map((e) => e.isDirectory() || (e.isSymbolicLink() && isFolder(folder, e.name))),
  );
  const names = entries.filter((_, i) => folders[i]).map((e) => e.name);
  for (const name of names.sort(compareText)) {
    const path = join(folder, name);
    if (await isRun(path)) runs.push(path);
    else if (levels > 1) for (const run of await runsBelow(path, levels - 1)) runs.push(run);
    if (runs.length > MAX_ENTRIES) throw new UsageError(`${folder}: more than ${MAX_ENTRIES} runs`);
  }
  return runs;
}

async function readRuns(
  paths: readonly string[],
  label: string,
  source: number,
  between: Between,
): Promise<SourceMaterial> {
  const observations: Observation[] = [];
  const left = new Map<string, number>();
  const programs = new Set<string>();
  const known = new KnownSettings();
  for (const [i, path] of paths.entries()) {
    if (i % 100 === 0) await between(`${label}: run ${i + 1}/${paths.length}`);
    const found = await readOneRun(path, source, programs, known);
    if (typeof found === 'string') left.set(found, (left.get(found) ?? 0) + 1);
    else observations.push(found);
  }
  const notes = [...left].sort(([a], [b]) => compareText(a, b)).map(([why, count]) => `${count} left out: ${why}`);
  notes.push(...uncountedNotes(observations));
  const missing = left.get(BROKEN_OFF) ?? 0;
  const counts = { planned: paths.length, measured: observations.length, missing };
  return { source: { label, kind: 'runs', ...counts, notes, programs: [...programs].sort(compareText) }, observations };
}

const BROKEN_OFF = 'did not get as far as metrics';

/** A run as an observation, or why it is none. */
async function readOneRun(
  path: string,
  source: number,
  programs: Set<string>,
  known: KnownSettings,
): Promise<Observation | string> {
  if (await isFile(join(path, 'compare.json'))) return 'a comparison, which has its own report';
  const { manifest } = await readRun(path);
  const metricsPath = join(path, 'metrics.json');
  if (!(await isFile(metricsPath))) return manifest.exit.state === 'ok' ? 'no picture' : BROKEN_OFF;
  const metrics = asObject(metricsPath, await readJsonFile(metricsPath, MAX_METRICS_JSON));
  if (metrics.schema !== METRICS_SCHEMA) return 'metrics of another kind';
  if (Array.isArray(metrics.images)) return 'several pictures in one capture';
  const { config, runId } = manifest;
  programs.add(programText(manifest.packageVersion, manifest.git));
  // Over radios no seed draws the channel: each run is a draw of its own.
  const seed = overRadios(config) || manifest.seed === null ? `run ${runId}` : String(manifest.seed);
  const photo = (await photoOf(join(path, 'source.png'))) ?? `unknown, run ${runId}`;
  const setup = setupOf(metricsPath, config);
  return observation({ source, field: metricsPath, photo, seed, order: runId, setup, metrics }, known);
}

/** A photo is known by its samples as they were sent; null where the run does not hold them. */
async function photoOf(path: string): Promise<string | null> {
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) return null;
  if (info.size > MAX_PICTURE_BYTES) {
    throw new FormatError(path, `${info.size} bytes, at most ${MAX_PICTURE_BYTES} allowed`);
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex').slice(0, 16)}`;
}
