import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { SctError } from '../src/common/errors.ts';

/** The comment at the head of a file, without its stars: what a benchmark says of itself. */
export function headerOf(file: string): string {
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  return comment.replace(/^ \* ?/gm, '');
}

/** Ends a benchmark that was called with wrong words, exit code 2, or lacks something, 3. */
export function refuse(file: string, message: string, exitCode: 2 | 3 = 2): never {
  process.stderr.write(`bench/${basename(file)}: ${message}\nhint: --help says how it is called\n`);
  process.exit(exitCode);
}

/**
 * Words of a benchmark's command line as `parseArgs` has them. `--help` prints the header of its file; a wrong word ends the process
 * with a line instead of a stack, and so does, from then on, what a user can cause (`SctError`).
 */
export function benchWords<T extends ParseArgsConfig>(file: string, config: T): ReturnType<typeof parseArgs<T>> {
  process.on('uncaughtException', (error) => {
    if (error instanceof SctError) refuse(file, error.message, error.exitCode === 3 ? 3 : 2);
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exit(1);
  });
  try {
    const options = { ...config.options, help: { type: 'boolean', short: 'h' } } as const;
    const words = parseArgs({ ...config, options });
    if ('help' in words.values && words.values.help) {
      process.stdout.write(`${headerOf(file)}\n`);
      process.exit(0);
    }
    return words as ReturnType<typeof parseArgs<T>>;
  } catch (error) {
    return refuse(file, (error as Error).message);
  }
}

/** The number in a word: `min` or more. */
export function numberIn(file: string, name: string, word: string, min: number, whole = true): number {
  const value = word.trim() === '' ? Number.NaN : Number(word);
  if (Number.isFinite(value) && value >= min && (!whole || Number.isInteger(value))) return value;
  return refuse(file, `${name}: "${word}" is not a ${whole ? 'whole ' : ''}number from ${min} up`);
}

/** The parts in a word such as "faults,idle": any of those there are. */
export function partsIn<T extends string>(file: string, word: string, parts: readonly T[]): readonly T[] {
  return word.split(',').map((name) => {
    const part = parts.find((one) => one === name);
    return part ?? refuse(file, `--only: "${name}" is none of ${parts.join(', ')}`);
  });
}
