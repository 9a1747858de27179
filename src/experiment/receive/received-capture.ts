import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

/** Name of what a run received, as it is written. */
const RX = 'rx';

/** What it sent; a directory of this name holds no recording of what it received under it. */
const TX = 'tx';

/**
 * Base name of what a run received: `rx`, or a recording of the directory's own name, which those have that are handed on: some viewers find the samples
 * in all folders by the file's name alone.
 */
export function receivedCapture(directory: string): string {
  const own = basename(resolve(directory));
  const named = join(directory, own);
  return own !== TX && existsSync(`${named}.sigmf-meta`) ? named : join(directory, RX);
}
