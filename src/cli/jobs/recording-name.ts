import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

/** Longest part of a name that comes from a page, characters. */
const MOST_PART = 40;

/** Base name of a new recording, which nothing has yet: time, radio, frequency, and six digits that make it the only one. */
export function recordingName(
  folder: string,
  options: Readonly<Record<string, unknown>>,
  now = new Date(),
  digits = randomBytes(3).toString('hex'),
): string {
  const time = now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
  const radio = String(options.from ?? '').split('?')[0];
  const parts = [time, part(radio.replace(/^file:/, '')), part(String(options.freq ?? '')), digits];
  return join(folder, parts.filter((text) => text !== '').join('_'));
}

/** Letters, digits, dot and dash, beginning with a letter or digit. */
function part(text: string): string {
  return text
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, MOST_PART);
}
