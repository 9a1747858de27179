import { Option } from 'commander';
import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import { PACES } from '../experiment/telemetry/pace.ts';
import type { CliContext } from './context.ts';

/** `--pace X` of a command with a modelled channel. */
export function paceOption(watched: string): Option {
  return new Option(
    '--pace <x>',
    `seconds of the modelled channel in a second, at most; 0: as fast as it goes (default 0, watched from the dashboard ${watched})`,
  ).helpGroup('Output:');
}

/**
 * The pace that was asked for, or the usual one where somebody watches; nothing for as fast as it goes.
 *
 * @throws UsageError where it is out of range
 */
export function paceGiven(text: string | undefined, context: CliContext, watched: number): { readonly pace?: number } {
  if (text === undefined) return context.telemetry ? { pace: watched } : {};
  const pace = parseQuantity('--pace', text);
  if (pace === 0) return {};
  if (!(pace >= PACES.min && pace <= PACES.max)) {
    throw new UsageError(`--pace ${text} is out of range: allowed 0, or ${PACES.min} to ${PACES.max}`);
  }
  return { pace };
}
