import type { Command } from 'commander';
import { UsageError } from '../../common/errors.ts';
import type { JobRequest } from '../../link/controller.ts';
import { givable, nameOf, needed, sourceFor, takesValue, usualSource, valueFor } from './job-options.ts';
import type { JobPlaces } from './job-places.ts';

/**
 * Words of a command line for what a page asks: only flags that the command has, each with its value in one word, so that no value can be
 * taken for another flag; files only by their names in the dashboard's folders.
 *
 * @throws UsageError naming the flag
 */
export function jobWords(
  command: Command,
  { options, source }: Pick<JobRequest, 'options' | 'source'>,
  places: JobPlaces,
): string[] {
  const known = new Map(givable(command).map((option) => [nameOf(option), option]));
  const words: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    const option = known.get(name);
    if (!option) throw new UsageError(`${command.name()} has no option --${name.slice(0, 40)} that can be given here`);
    if (value === false) continue;
    if (takesValue(option) === (value === true)) {
      throw new UsageError(`--${name}: ${value === true ? 'needs a value' : 'takes no value'}`);
    }
    words.push(value === true ? `--${name}` : `--${name}=${valueFor(name, String(value), places)}`);
  }
  for (const name of needed(command)) {
    if (options[name] === undefined || options[name] === false) throw new UsageError(`--${name}: is needed`);
  }
  const from = source === undefined ? usualSource(command, places) : sourceFor(command, source, places);
  if (from !== null) words.push('--', from);
  return words;
}
