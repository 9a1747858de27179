/** Which of a device's attributes are meant. */
export type AttributePlace =
  | { readonly kind: 'device' | 'debug' | 'buffer' }
  | { readonly kind: 'channel'; readonly channel: string; readonly output: boolean };

/** A line of the text protocol (libiio 0.x: iiod/parser.y, lexer.l), its words understood, its names not yet looked up. */
export type Command =
  | { readonly name: 'nothing' | 'help' | 'exit' | 'version' | 'print' | 'zprint' }
  | { readonly name: 'timeout'; readonly ms: number }
  | {
      readonly name: 'open';
      readonly device: string;
      readonly samples: number;
      readonly mask: string;
      readonly cyclic: boolean;
    }
  | { readonly name: 'close' | 'gettrig'; readonly device: string }
  | { readonly name: 'settrig'; readonly device: string }
  | { readonly name: 'readbuf' | 'writebuf'; readonly device: string; readonly bytes: number }
  | {
      readonly name: 'read';
      readonly device: string;
      readonly place: AttributePlace;
      readonly attribute: string | null;
    }
  | {
      readonly name: 'write';
      readonly device: string;
      readonly place: AttributePlace;
      readonly attribute: string | null;
      readonly bytes: number;
    }
  | { readonly name: 'buffers-count'; readonly device: string; readonly count: number };

/** The lexer's WORD: letters, digits, - _ . , once a prefix "letters," or "iio:". */
const WORD = /^(?:[A-Za-z]+,|iio:)?[-_.A-Za-z0-9]+$/;

/** A keyword is written all upper or all lower case. */
function isKeyword(text: string | undefined, keyword: string): boolean {
  return text === keyword.toUpperCase() || text === keyword.toLowerCase();
}

/** Parses a line without its end; null is a line that the server does not understand. */
export function parseCommand(line: string): Command | null {
  const trimmed = line.replace(/[ \t]+$/, '');
  if (trimmed === '') return { name: 'nothing' };
  const words = trimmed.split(/[ \t]+/);
  if (!words.every((word) => WORD.test(word))) return null;
  const [verb, ...rest] = words;
  if (rest.length === 0) {
    for (const name of ['help', 'exit', 'version', 'print', 'zprint'] as const)
      if (isKeyword(verb, name)) return { name };
    return isKeyword(verb, 'quit') ? { name: 'exit' } : null;
  }
  if (isKeyword(verb, 'timeout')) return rest.length === 1 ? { name: 'timeout', ms: leadingNumber(rest[0]) } : null;
  return deviceCommand(verb, rest);
}

function deviceCommand(verb: string, [device, ...rest]: string[]): Command | null {
  const plain = rest.length === 0;
  if (isKeyword(verb, 'open')) {
    const cyclic = rest.length === 3 && isKeyword(rest[2], 'cyclic');
    if (rest.length !== 2 && !cyclic) return null;
    return { name: 'open', device, samples: leadingNumber(rest[0]), mask: rest[1], cyclic };
  }
  if (isKeyword(verb, 'close') && plain) return { name: 'close', device };
  if (isKeyword(verb, 'gettrig') && plain) return { name: 'gettrig', device };
  if (isKeyword(verb, 'settrig') && rest.length <= 1) return { name: 'settrig', device };
  for (const name of ['readbuf', 'writebuf'] as const) {
    if (isKeyword(verb, name)) return rest.length === 1 ? { name, device, bytes: leadingNumber(rest[0]) } : null;
  }
  if (isKeyword(verb, 'set')) {
    if (rest.length !== 2 || !isKeyword(rest[0], 'buffers_count')) return null;
    return { name: 'buffers-count', device, count: leadingNumber(rest[1]) };
  }
  if (isKeyword(verb, 'read')) return readCommand(device, rest);
  if (isKeyword(verb, 'write')) return writeCommand(device, rest);
  return null;
}

function readCommand(device: string, words: string[]): Command | null {
  const found = place(words);
  if (!found || found.rest.length > 1) return null;
  return { name: 'read', device, place: found.place, attribute: found.rest[0] ?? null };
}

function writeCommand(device: string, words: string[]): Command | null {
  const found = place(words);
  if (!found || found.rest.length < 1 || found.rest.length > 2) return null;
  const bytes = leadingNumber(found.rest[found.rest.length - 1]);
  return {
    name: 'write',
    device,
    place: found.place,
    attribute: found.rest.length === 2 ? found.rest[0] : null,
    bytes,
  };
}

function place(words: string[]): { place: AttributePlace; rest: string[] } | null {
  const [first, ...rest] = words;
  if (isKeyword(first, 'debug')) return { place: { kind: 'debug' }, rest };
  if (isKeyword(first, 'buffer')) return { place: { kind: 'buffer' }, rest };
  const output = isKeyword(first, 'output');
  if (!output && !isKeyword(first, 'input')) return { place: { kind: 'device' }, rest: words };
  if (rest.length === 0) return null;
  return { place: { kind: 'channel', channel: rest[0], output }, rest: rest.slice(1) };
}

/** As atol: sign and leading digits, 0 where there are none. */
function leadingNumber(text: string): number {
  return Number(/^-?\d{1,15}/.exec(text)?.[0] ?? 0);
}
