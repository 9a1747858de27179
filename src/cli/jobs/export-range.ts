import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DeviceError } from '../../common/errors.ts';
import { receivedCapture } from '../../experiment/receive/received-capture.ts';
import type { Job, JobEnd, JobListener, MadeCapture, RangeRequest } from '../../link/controller.ts';
import { type JobPlaces, recordingPath } from './job-places.ts';

/** Longest part of a name that comes from the source, characters. */
const MOST_NAME = 60;

/**
 * Writes a part of what a replay plays into the folder of recordings, as `sct capture cut` in a process of its own.
 *
 * @param run starts the program with these words
 * @throws DeviceError in the words of the command
 */
export async function exportRange(
  { source, fromS, toS }: RangeRequest,
  places: JobPlaces,
  run: (words: readonly string[], listener: JobListener) => Job,
  signal: AbortSignal,
): Promise<MadeCapture> {
  const found = recordingPath(places, source);
  const samples = existsSync(join(found, 'run.json')) ? receivedCapture(found) : found;
  const name = partName(found, fromS, toS);
  const words = ['capture', 'cut', '--json', '-q', '--stream-time', `--from=${fromS}`, `--to=${toS}`];
  words.push(`--output=${join(places.captures, name)}`, '--', samples);
  const end = await new Promise<JobEnd>((ended) => {
    const job = run(words, { bytes: () => true, line() {}, ended });
    const stop = () => void job.stop();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  const made = end.result as { samples?: unknown } | null;
  if (end.exitCode !== 0 || typeof made?.samples !== 'number') {
    throw new DeviceError(end.error?.message ?? 'the part was not written', end.error?.hint ?? undefined);
  }
  return { name, files: [`${name}.sigmf-meta`, `${name}.sigmf-data`], samples: made.samples };
}

/** What it is a part of, and which: letters, digits, dot, dash; six digits make it the only one. */
function partName(path: string, fromS: number, toS: number): string {
  const of = basename(path)
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, MOST_NAME);
  return `${of || 'part'}_${fromS.toFixed(3)}-${toS.toFixed(3)}s_${randomBytes(3).toString('hex')}`;
}
