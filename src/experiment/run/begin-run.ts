import { programFacts } from './host-facts.ts';
import { type RunManifest, startManifest } from './manifest.ts';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';
import type { RunIo } from './run-io.ts';

/** What a run is called and made from. */
export interface RunStart {
  /** Photo, capture or purpose, and channel: the parts of a directory name that we choose ourselves. */
  readonly name: string;
  readonly channel: string;
  /** `-o DIR`; absent: a directory named by time. */
  readonly directory?: string | undefined;
  readonly seed: number | null;
  /** Session on the air of a sending without a way back, 1 to 255. */
  readonly session?: number;
  readonly config: object;
  readonly device?: object;
}

export interface BegunRun {
  readonly run: RunDirectory;
  readonly manifest: RunManifest;
}

/** Makes the run's directory with run.json (state running) and config.resolved.yaml in it. */
export async function beginRun(start: RunStart, io: RunIo): Promise<BegunRun> {
  const run = await createRunDirectory({
    photo: start.name,
    channel: start.channel,
    now: io.now(),
    ...(start.directory === undefined ? {} : { directory: start.directory }),
    ...(io.runsFolder === undefined ? {} : { root: io.runsFolder }),
  });
  const manifest = startManifest({
    runId: run.runId,
    argv: io.argv,
    startedAt: io.now(),
    program: await programFacts(),
    seed: start.seed,
    ...(start.session === undefined ? {} : { session: start.session }),
    config: start.config,
    ...(start.device ? { device: start.device } : {}),
  });
  await run.writeManifest(manifest);
  await run.writeConfig(start.config);
  return { run, manifest };
}
