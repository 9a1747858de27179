import { CommanderError } from 'commander';
import { ExitCode, SctError } from '../common/errors.ts';
import { pathRefusal } from '../common/system-words.ts';

/** How a command failed, as it is printed and as `--json` says it. */
export interface Failure {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
}

export const ERROR_SCHEMA = 'sct.error/1';

/** Ends of a command line that are not failures: help that was asked for, the version. */
const CALM = new Set(['commander.helpDisplayed', 'commander.version']);

/** The failure in an exception; null where there is none (help, version). */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof SctError) return { message: error.message, hint: error.hint, exitCode: error.exitCode };
  if (error instanceof CommanderError) return CALM.has(error.code) ? null : usageFailure(error);
  if (error instanceof Error && error.name === 'AbortError') {
    return { message: 'interrupted', hint: undefined, exitCode: ExitCode.interrupted };
  }
  const text = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return { message: 'the disk is full', hint: 'what was written up to then is kept', exitCode: ExitCode.internal };
  }
  const refused = pathRefusal(error);
  if (refused) return { message: refused, hint: undefined, exitCode: ExitCode.usage };
  return {
    message: `internal error: ${text.split('\n')[0]}`,
    hint: 'run again with -v for the stack and report it',
    exitCode: ExitCode.internal,
  };
}

/** "error: unknown option '--snt'\n(Did you mean --snr?)" as message and hint. */
function usageFailure(error: CommanderError): Failure {
  if (error.code === 'commander.help')
    return { message: 'no command given', hint: 'sct --help lists the commands', exitCode: ExitCode.usage };
  const [first, ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (.*)\?\)/.exec(rest.join(' '))?.[1];
  const lists =
    error.code === 'commander.unknownCommand' ? 'sct --help lists the commands' : 'sct COMMAND --help lists the flags';
  const hint = suggestion ? `did you mean ${suggestion}?` : lists;
  return { message: first, hint, exitCode: ExitCode.usage };
}

/** So much of a message is shown: words that were given are repeated in it, however long they are. */
const MOST_SHOWN = 1000;

/** Lines for stderr: one for the message, one for the hint. What was given may hold anything, but drives no terminal. */
export function failureText({ message, hint }: Failure): string {
  const line = (text: string) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly what must go
    const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
    return plain.length > MOST_SHOWN ? `${plain.slice(0, MOST_SHOWN / 2)} … ${plain.slice(-MOST_SHOWN / 2)}` : plain;
  };
  return `sct: ${line(message)}\n${hint ? `hint: ${line(hint)}\n` : ''}`;
}

/** The object that stands on stdout under `--json`. */
export function failureJson(failure: Failure): object {
  const { message, hint, exitCode } = failure;
  return { schema: ERROR_SCHEMA, ok: false, error: message, hint: hint ?? null, exitCode };
}
