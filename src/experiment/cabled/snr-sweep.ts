import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { openAttenuator } from '../../radio/instruments/open-instrument.ts';
import type { RunIo } from '../run/run-io.ts';
import { SnrSetter, type SnrSettingFacts } from './snr-setter.ts';

/** What a run at one SNR gave, and with which setting. */
export interface SweepPoint<R> {
  /** Null: as a channel trace has it. */
  readonly wantedSnrDb: number | null;
  readonly setting: SnrSettingFacts | null;
  readonly result: R;
}

export interface SnrSweep<R> {
  readonly points: readonly SweepPoint<R>[];
  readonly exitCode: number;
}

/**
 * Runs the same thing at every SNR of a list, each in a run directory of its own. On a cable the attenuator of `attenuatorUri` sets them; without
 * one the channel is modelled. It is at its maximum before, and afterwards, however that was.
 */
export async function sweepSnr<R extends { readonly exitCode: number }>(
  snrsDb: readonly (number | null)[],
  attenuatorUri: string | null,
  io: RunIo,
  run: (snrDb: number | null, setter: SnrSetter | null, io: RunIo) => Promise<R>,
): Promise<SnrSweep<R>> {
  const attenuator = attenuatorUri === null ? null : await openAttenuator(attenuatorUri);
  const points: SweepPoint<R>[] = [];
  try {
    if (attenuator) io.progress.note(`${attenuator.describe()}: at its maximum until the boards are open`);
    for (const snrDb of snrsDb) {
      const setter = attenuator && snrDb !== null ? new SnrSetter(attenuator, attenuatorUri!, snrDb) : null;
      const result = await run(snrDb, setter, snrsDb.length > 1 ? inFolder(io, snrDb) : io);
      points.push({ wantedSnrDb: snrDb, setting: setter?.facts() ?? null, result });
      if (io.signal.aborted) break;
    }
  } finally {
    await attenuator?.setMaximum().catch((error: Error) => io.progress.note(error.message, true));
    await attenuator?.close();
  }
  const failed = points.find(({ result }) => result.exitCode !== ExitCode.ok);
  return { points, exitCode: failed?.result.exitCode ?? ExitCode.ok };
}

/** Most runs of one list. */
const MOST_SNRS = 64;

/** The list of `--snr 5,10,15`. UsageError for one twice. */
export function checkSnrList<T extends number | null>(snrsDb: readonly T[]): readonly T[] {
  if (new Set(snrsDb).size < snrsDb.length) throw new UsageError(`--snr ${snrsDb.join(',')}: one SNR twice`);
  if (snrsDb.length > MOST_SNRS) throw new UsageError(`--snr: ${snrsDb.length} values; at most ${MOST_SNRS}`);
  return snrsDb;
}

/** The object of `--json`, also written as sweep.json where a folder was named. */
export async function sweepDocument<R>(
  { points, exitCode }: SnrSweep<R>,
  folder: string | undefined,
  documentOf: (result: R) => Promise<object>,
): Promise<object> {
  const rows = points.map(async ({ wantedSnrDb, setting, result }) => ({
    wantedSnrDb,
    attenuationDb: setting?.attenuationDb ?? null,
    measuredSnrDb: setting?.measuredSnrDb ?? null,
    run: await documentOf(result),
  }));
  const document = { schema: 'sct.sweep/1', ok: exitCode === ExitCode.ok, points: await Promise.all(rows) };
  if (folder !== undefined) await writeFile(join(folder, 'sweep.json'), `${JSON.stringify(document, null, 2)}\n`);
  return document;
}

function inFolder(io: RunIo, snrDb: number | null): RunIo {
  const { outputDirectory } = io;
  return outputDirectory === undefined ? io : { ...io, outputDirectory: join(outputDirectory, `snr${snrDb}`) };
}
