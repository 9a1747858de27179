import type { Command, Option } from 'commander';
import { z } from 'zod';
import { LINK_FLAGS, linkInputSchema } from '../../experiment/config/link-config.ts';
import { givable, listsOf, nameOf, needed, sourceLists, takesValue } from './job-options.ts';

/** What JSON schema says of a setting of a link. */
interface Setting {
  readonly type?: string;
  readonly enum?: readonly (string | number)[];
  readonly examples?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly unit?: string;
  readonly integer?: boolean;
  readonly anyOf?: readonly Setting[];
}

/**
 * The options of a command that may be given by a page: JSON schema (draft 2020-12), in the order of --help, with its headings. Values are text as on
 * a command line: `x-quantity` says that it is a number, which may have an SI suffix and its unit ("868.3M"), or is a ratio ("1/16"),
 * or a list of numbers with commas between them.
 * `x-list` names the lists that values stand in.
 */
export function jobSchema(command: Command): object {
  const settings = linkSettings();
  const properties = Object.fromEntries(givable(command).map((option) => [nameOf(option), property(option, settings)]));
  const [source] = command.registeredArguments;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: command.name(),
    description: command.description(),
    type: 'object',
    properties,
    required: [...needed(command)],
    additionalProperties: false,
    ...(source
      ? {
          'x-source': {
            name: source.name(),
            description: source.description,
            required: source.required,
            'x-list': sourceLists(command) ?? [],
          },
        }
      : {}),
  };
}

function property(option: Option, settings: ReadonlyMap<string, Setting>): object {
  const name = nameOf(option);
  const lists = listsOf(name);
  const common = {
    title: option.flags,
    description: option.description,
    'x-group': option.helpGroupHeading ?? '',
  };
  if (!takesValue(option)) return { type: 'boolean', ...common };
  const said = /\(default:? ([^();,]+)[();,]/.exec(option.description)?.[1].trim();
  return {
    type: 'string',
    ...common,
    ...(said === undefined ? {} : { default: said }),
    ...(lists === null ? {} : { 'x-list': lists }),
    ...kindOf(option, settings.get(name)),
  };
}

/** Choices or range of a value, where it has any: from `<on|off>` of its flag, else from the setting. */
function kindOf({ flags }: Option, setting: Setting | undefined): object {
  const word = /<([^>]+)>/.exec(flags)?.[1] ?? '';
  if (/^\w+(\|\w+)+$/.test(word)) return { enum: word.split('|') };
  const list = word.endsWith(',...');
  // <db,deg> is read by the command.
  if (!setting || (word.includes(',') && !list)) return {};
  const { type, enum: choices, examples, minimum, maximum, unit, integer } = setting;
  if (choices) return { enum: choices.map(String) };
  if (examples) return { examples };
  if (type !== 'number' || minimum === undefined || maximum === undefined) return {};
  const quantity = { unit: unit ?? '', minimum, maximum, integer: integer === true, ratio: word === 'x', list };
  return { 'x-quantity': quantity };
}

/** Settings of a link by the name of the flag that sets each; of a flag that sets several none. */
function linkSettings(): ReadonlyMap<string, Setting> {
  const { properties = {} } = z.toJSONSchema(linkInputSchema, { io: 'input' }) as {
    properties?: Record<string, Setting>;
  };
  const out = new Map<string, Setting>();
  for (const [key, flag] of Object.entries(LINK_FLAGS)) {
    const setting = properties[key];
    if (flag && setting) out.set(flag.slice(2), setting.anyOf?.[0] ?? setting);
  }
  return out;
}
