import { UsageError } from '../common/errors.ts';
import type { Radio } from '../radio/radio.ts';
import type { CliContext } from './context.ts';

/**
 * Checks a radio URI given by `flag`. `loopback` joins both ends of one command, so it is no place to send to or to
 * receive from. UsageError naming the flag.
 */
export async function requireRadio(flag: string, value: unknown, where = 'sct loopback PHOTO'): Promise<string> {
  if (typeof value !== 'string') throw new UsageError(`${flag} URI is missing`, `for example ${flag} file:air`);
  const { parseRadioUri } = await import('../radio/uri.ts');
  if (parseRadioUri(value).kind === 'loopback') {
    throw new UsageError(`${flag} loopback: it exists only inside one command`, `use ${where}, or file:PATH`);
  }
  return value;
}

/** Says so where a board waits for its trigger input: until a pulse comes there is nothing to hear, and no error. */
export async function noteTrigger(context: CliContext, ...uris: readonly string[]): Promise<void> {
  const { parseRadioUri } = await import('../radio/uri.ts');
  for (const text of new Set(uris)) {
    const uri = parseRadioUri(text);
    if (uri.kind === 'hackrf' && uri.options.trigger)
      context.progress.note(`${text}: samples begin with a pulse at the board's trigger input; waiting for it`, true);
  }
}

/** Says so where a stored clock error is taken out that the URI did not name (sct doctor --save). */
export function noteCalibration(context: CliContext, { clock }: Radio): void {
  if (clock?.from !== 'stored') return;
  context.progress.note(`clock error of ${clock.ppm} ppm, stored for this serial (${clock.measuredAt}), is taken out`);
}
