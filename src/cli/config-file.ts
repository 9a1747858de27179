import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { UsageError } from '../common/errors.ts';
import { readTextFile } from '../common/json-input.ts';
import { nearest } from '../common/nearest.ts';
import { type LinkInput, linkInputSchema } from '../experiment/config/link-config.ts';

const MAX_CONFIG_BYTES = 2 ** 20;

export interface ConfigFile {
  readonly link: LinkInput;
  /** Settings of the command itself, such as `photo`; not checked here. */
  readonly run: Record<string, unknown>;
}

/**
 * Reads the YAML of `-c FILE`: the keys of a run's config.resolved.yaml, each optional.
 *
 * UsageError with FILE:line:column for YAML that does not parse, an unknown key (with the nearest known one) and a value
 * of the wrong type or out of range.
 *
 * @param runKeys keys that the command takes besides the link's settings
 */
export async function readConfigFile(path: string, runKeys: readonly string[]): Promise<ConfigFile> {
  const text = await readTextFile(path, MAX_CONFIG_BYTES);
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = doc.errors;
  if (broken) throw new UsageError(`${at(broken.pos[0])}: ${broken.message.split('\n')[0]}`);
  if (doc.contents === null) return { link: {}, run: {} };
  if (!isMap(doc.contents)) throw new UsageError(`${at(doc.contents.range?.[0] ?? 0)}: is not a list of KEY: VALUE`);

  const link: Record<string, unknown> = {};
  const run: Record<string, unknown> = {};
  const linkKeys = Object.keys(linkInputSchema.shape);
  const places = new Map<string, number>();
  for (const { key, value } of doc.contents.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const plain = isNode(value) ? value.toJS(doc, { maxAliasCount: 100 }) : value;
    places.set(name, isNode(value) ? (value.range?.[0] ?? 0) : 0);
    if (linkKeys.includes(name)) link[name] = plain;
    else if (runKeys.includes(name)) run[name] = plain;
    else {
      const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
      const close = nearest(name, [...linkKeys, ...runKeys]);
      throw new UsageError(
        `${at(offset)}: unknown setting "${name.slice(0, 80)}"`,
        close ? `did you mean "${close}"?` : 'config.resolved.yaml of any run shows the settings',
      );
    }
  }
  const result = linkInputSchema.safeParse(link);
  if (result.success) return { link: result.data, run };
  const issue = result.error.issues[0];
  const node = doc.getIn(issue.path as (string | number)[], true);
  const offset = (isNode(node) ? node.range?.[0] : undefined) ?? places.get(String(issue.path[0])) ?? 0;
  throw new UsageError(`${at(offset)}: ${issue.path.join('.')}: ${issue.message}`);
}

/** Flags over file: a flag also drops what the file says about the same thing in other words. */
export function mergeSettings(file: LinkInput, flags: LinkInput): LinkInput {
  const below: LinkInput = { ...file };
  if (flags.cbr !== undefined) delete below.symbolsPerPixel;
  if (flags.symbolsPerPixel !== undefined) delete below.cbr;
  if (flags.mapping !== undefined) delete below.mappingForced;
  if (flags.profile !== undefined) delete below.sampleFormat;
  if (flags.profile !== undefined || flags.numerology !== undefined) delete below.rateHz;
  if (flags.channel !== undefined) {
    delete below.delaySpreadNs;
    delete below.dopplerHz;
    // A trace brings its own noise unless the command line asks for an SNR.
    if (flags.channel.startsWith('trace:')) delete below.snrDb;
  }
  return { ...below, ...flags };
}
