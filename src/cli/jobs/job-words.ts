import type { Command, Option } from 'commander';
import { UsageError } from '../../common/errors.ts';
import type { JobRequest } from '../../link/controller.ts';

/** Flags that the dashboard sets itself, or that make no sense from it. */
const OWN = new Set(['json', 'quiet', 'verbose', 'help', 'output', 'config']);

/** The options of a command that may be given by a page: JSON schema (draft 2020-12), in the order of --help, with its headings. */
export function jobSchema(command: Command): object {
  const properties: Record<string, object> = {};
  for (const option of givable(command)) {
    properties[nameOf(option)] = {
      type: takesValue(option) ? 'string' : 'boolean',
      title: option.flags,
      description: option.description,
      'x-group': option.helpGroupHeading ?? '',
    };
  }
  const [source] = command.registeredArguments;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: command.name(),
    description: command.description(),
    type: 'object',
    properties,
    additionalProperties: false,
    ...(source
      ? { 'x-source': { name: source.name(), description: source.description, required: source.required } }
      : {}),
  };
}

/**
 * Words of a command line for what a page asks: only flags that the command has, each with its value in one word, so that no value can be
 * taken for another flag.
 *
 * @throws UsageError naming the flag
 */
export function jobWords(command: Command, { options, source }: Pick<JobRequest, 'options' | 'source'>): string[] {
  const known = new Map(givable(command).map((option) => [nameOf(option), option]));
  const words: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    const option = known.get(name);
    if (!option) throw new UsageError(`${command.name()} has no option --${name.slice(0, 40)} that can be given here`);
    if (value === false) continue;
    if (takesValue(option) === (value === true)) {
      throw new UsageError(`--${name}: ${value === true ? 'needs a value' : 'takes no value'}`);
    }
    words.push(value === true ? `--${name}` : `--${name}=${String(value)}`);
  }
  if (source !== undefined) {
    if (command.registeredArguments.length === 0)
      throw new UsageError(`${command.name()} takes no "${source.slice(0, 40)}"`);
    words.push('--', source);
  }
  return words;
}

function givable(command: Command): Option[] {
  return command.options.filter((option) => option.long && !OWN.has(nameOf(option)) && !option.hidden);
}

function nameOf(option: Option): string {
  return option.long!.slice(2);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}
