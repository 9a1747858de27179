/** A metric as a scraper sees it. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/;

/**
 * Reads the text exposition format 0.0.4 as its specification has it, and refuses what that does not allow: lines end in a line feed, the
 * last one too; HELP and TYPE come once and before the samples of their metric, whose lines stand together; no sample comes twice; a counter
 * ends in _total and is not negative.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  let current = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment) {
      const [, kind, name, rest] = comment;
      const into = kind === 'HELP' ? helps : types;
      if (NAME.exec(name)?.[0] !== name) throw new Error(`bad name ${name}`);
      if (into.has(name) || families.has(name)) throw new Error(`${kind} of ${name} twice or too late`);
      if (kind === 'TYPE' && !/^(counter|gauge|untyped)$/.test(rest)) throw new Error(`type ${rest}`);
      into.set(name, kind === 'HELP' ? unescaped(rest, false) : rest);
      continue;
    }
    if (line === '' || line.startsWith('#')) continue;
    const name = NAME.exec(line)?.[0];
    if (!name) throw new Error(`no name: ${line}`);
    const [labels, rest] = labelsOf(line.slice(name.length));
    const value = numberOf(rest);
    const type = types.get(name) ?? 'untyped';
    if (type === 'counter' && (!name.endsWith('_total') || value < 0)) throw new Error(`no counter: ${line}`);
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    seen.add(key);
    if (name !== current && families.has(name)) throw new Error(`${name} does not stand together`);
    current = name;
    if (!families.has(name)) families.set(name, { type, help: helps.get(name) ?? '', samples: [] });
    families.get(name)!.samples.push({ labels, value });
  }
  return families;
}

function labelsOf(text: string): [Record<string, string>, string] {
  const labels: Record<string, string> = Object.create(null);
  if (!text.startsWith('{')) return [labels, text];
  let rest = text.slice(1);
  while (!rest.startsWith('}')) {
    const name = LABEL.exec(rest)?.[0];
    const quoted = name && /^="((?:[^"\\]|\\[\\"n])*)"/.exec(rest.slice(name.length));
    if (!name || !quoted || name in labels) throw new Error(`labels ${text}`);
    labels[name] = unescaped(quoted[1], true);
    rest = rest.slice(name.length + quoted[0].length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (!rest.startsWith('}')) throw new Error(`labels ${text}`);
  }
  return [labels, rest.slice(1)];
}

function unescaped(text: string, quotes: boolean): string {
  return text.replace(/\\(.)/g, (_, c: string) => {
    if (c === 'n') return '\n';
    if (c === '\\' || (quotes && c === '"')) return c;
    throw new Error(`escape \\${c}`);
  });
}

function numberOf(text: string): number {
  const word = /^ (\S+)$/.exec(text)?.[1];
  if (word === 'NaN') return Number.NaN;
  if (word === '+Inf' || word === '-Inf') return word === '+Inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (!word || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) throw new Error(`value "${text}"`);
  return Number(word);
}
