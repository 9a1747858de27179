import { UsageError } from '../common/errors.ts';

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
