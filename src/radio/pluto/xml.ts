import { FormatError } from '../../common/errors.ts';

/** An element of a parsed document; text between elements is checked and dropped. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

const MAX_CHARACTERS = 1 << 22;
const MAX_DEPTH = 16;
const MAX_ELEMENTS = 20_000;
const MAX_ATTRIBUTES = 32;
const MAX_VALUE_CHARACTERS = 1 << 16;

const NAME = /[A-Za-z_:][A-Za-z0-9_:.-]{0,127}/y;
const SPACE = /[ \t\r\n]*/y;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Parses the XML that IIOD servers send: elements and attributes, comments, CDATA and processing instructions are passed over, a
 * DOCTYPE is skipped and declares nothing. Made for hostile input: one pass, no recursion, no entity but the five of XML and
 * characters by number, and a limit on depth, number and size of everything. FormatError names the place.
 */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_CHARACTERS)
    throw new FormatError('xml', `${text.length} characters; allowed ${MAX_CHARACTERS}`);
  return new Parser(text).document();
}

interface OpenElement {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
}

class Parser {
  private readonly text: string;
  private at = 0;
  private elements = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): XmlElement {
    const open: OpenElement[] = [];
    let root: XmlElement | null = null;
    for (;;) {
      const next = this.text.indexOf('<', this.at);
      const between = this.text.slice(this.at, next < 0 ? undefined : next);
      if (!open.length && between.trim() !== '' && !(this.at === 0 && between.trim() === '\uFEFF')) {
        throw this.wrong('text outside the root element');
      }
      if (next < 0) break;
      this.at = next;
      if (this.skipMarkup(open.length > 0)) continue;
      if (this.text.startsWith('</', this.at)) {
        const closed = this.closeTag(open);
        if (!open.length) root = closed;
        continue;
      }
      if (root) throw this.wrong('a second root element');
      const { element, empty } = this.openTag();
      open.at(-1)?.children.push(element);
      if (!empty) {
        if (open.length >= MAX_DEPTH) throw this.wrong(`elements nested deeper than ${MAX_DEPTH}`);
        open.push(element);
      } else if (!open.length) root = element;
    }
    if (open.length) throw this.wrong(`<${open.at(-1)!.name}> is not closed`);
    if (!root) throw this.wrong('no element');
    return root;
  }

  /** Comments, CDATA, processing instructions, DOCTYPE. */
  private skipMarkup(inside: boolean): boolean {
    const { text } = this;
    if (text.startsWith('<!--', this.at)) return this.skipTo('-->', 4);
    if (text.startsWith('<![CDATA[', this.at)) {
      if (!inside) throw this.wrong('text outside the root element');
      return this.skipTo(']]>', 9);
    }
    if (text.startsWith('<?', this.at)) return this.skipTo('?>', 2);
    if (!text.startsWith('<!DOCTYPE', this.at)) return false;
    if (inside) throw this.wrong('a DOCTYPE inside an element');
    const subset = text.indexOf('[', this.at);
    const end = text.indexOf('>', this.at);
    return subset >= 0 && subset < end ? this.skipTo(']>', subset - this.at + 1) : this.skipTo('>', 9);
  }

  private skipTo(end: string, from: number): true {
    const found = this.text.indexOf(end, this.at + from);
    if (found < 0) throw this.wrong(`no "${end}" behind it`);
    this.at = found + end.length;
    return true;
  }

  private closeTag(open: OpenElement[]): XmlElement {
    this.at += 2;
    const name = this.name();
    this.space();
    this.expect('>');
    const element = open.pop();
    if (element?.name !== name) throw this.wrong(`</${name}> closes ${element ? `<${element.name}>` : 'nothing'}`);
    return element;
  }

  private openTag(): { element: OpenElement; empty: boolean } {
    if (++this.elements > MAX_ELEMENTS) throw this.wrong(`more than ${MAX_ELEMENTS} elements`);
    this.at += 1;
    const element: OpenElement = { name: this.name(), attributes: new Map(), children: [] };
    for (;;) {
      const spaced = this.space();
      if (this.text.startsWith('/>', this.at)) {
        this.at += 2;
        return { element, empty: true };
      }
      if (this.text[this.at] === '>') {
        this.at += 1;
        return { element, empty: false };
      }
      if (!spaced) throw this.wrong('no space before an attribute');
      this.attribute(element.attributes);
    }
  }

  private attribute(attributes: Map<string, string>): void {
    const name = this.name();
    this.space();
    this.expect('=');
    this.space();
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") throw this.wrong(`attribute ${name} without quotes`);
    const end = this.text.indexOf(quote, this.at + 1);
    if (end < 0) throw this.wrong(`attribute ${name} does not end`);
    if (end - this.at > MAX_VALUE_CHARACTERS)
      throw this.wrong(`attribute ${name} is over ${MAX_VALUE_CHARACTERS} long`);
    if (attributes.has(name)) throw this.wrong(`attribute ${name} twice`);
    if (attributes.size >= MAX_ATTRIBUTES) throw this.wrong(`more than ${MAX_ATTRIBUTES} attributes`);
    const value = this.text.slice(this.at + 1, end);
    if (value.includes('<')) throw this.wrong(`attribute ${name} has a <`);
    attributes.set(name, this.unescape(value));
    this.at = end + 1;
  }

  private unescape(value: string): string {
    if (!value.includes('&')) return value;
    return value.replace(/&([^;&]{0,12};?)/g, (whole: string, body: string) => {
      if (!body.endsWith(';')) throw this.wrong(`"${whole}" is no entity`);
      const word = body.slice(0, -1);
      if (Object.hasOwn(ENTITIES, word)) return ENTITIES[word];
      const number = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(word);
      const code = number ? Number.parseInt(number[1] ?? number[2], number[1] ? 16 : 10) : 0;
      if (code < 1 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        throw this.wrong(`"${whole}" is no entity`);
      return String.fromCodePoint(code);
    });
  }

  private name(): string {
    NAME.lastIndex = this.at;
    const match = NAME.exec(this.text);
    if (!match) throw this.wrong('a name is missing');
    this.at += match[0].length;
    return match[0];
  }

  /** Passes white space; true if there was any. */
  private space(): boolean {
    SPACE.lastIndex = this.at;
    const length = SPACE.exec(this.text)![0].length;
    this.at += length;
    return length > 0;
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw this.wrong(`"${character}" is missing`);
    this.at += 1;
  }

  private wrong(what: string): FormatError {
    return new FormatError('xml', `${what}, at character ${Math.min(this.at, this.text.length)}`);
  }
}
