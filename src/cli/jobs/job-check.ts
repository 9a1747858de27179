import { type Command, CommanderError } from 'commander';
import { UsageError } from '../../common/errors.ts';
import { parseLinkInput, resolveLinkConfig } from '../../experiment/config/link-config.ts';
import { linkInput } from '../options.ts';

/**
 * Reads the words of a job as the command itself will, so that a page is told at once what is wrong with them. The command runs nothing in
 * this process.
 *
 * @throws UsageError naming the flag
 */
export function checkWords(command: Command, words: readonly string[]): void {
  command
    .exitOverride()
    .configureOutput({ writeOut() {}, writeErr() {}, outputError() {} })
    .action(() => {});
  try {
    command.parse([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new UsageError(error.message.replace(/^error: /, '').split('\n')[0]);
  }
  const given = parseLinkInput(linkInput(command));
  // Commands that take settings from a file are those which have all of them.
  if (command.options.some((option) => option.long === '--config')) resolveLinkConfig(given);
}
