import assert from 'node:assert/strict';

/** Minimal XML checker for tests: balanced elements, quoted attributes, known entities, no stray markup characters. */
export function assertWellFormed(xml: string): void {
  const stack: string[] = [];
  const token = /<(\/?)([A-Za-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let at = 0;
  while (at < xml.length) {
    token.lastIndex = at;
    const m = token.exec(xml);
    assert.ok(m, `not XML at ${at}: ${JSON.stringify(xml.slice(at, at + 60))}`);
    at = token.lastIndex;
    const text = m[5] ?? m[3];
    assert.doesNotMatch(text.replace(/&(amp|lt|gt|quot|#39);/g, ''), /&/, 'bare ampersand');
    if (m[5] !== undefined) continue;
    if (m[1]) assert.equal(stack.pop(), m[2], 'closing tag');
    else if (!m[4]) stack.push(m[2]);
  }
  assert.deepEqual(stack, [], 'unclosed elements');
}

/** Opening tags of one element name, in order. */
export function elements(xml: string, name: string): string[] {
  return xml.match(new RegExp(`<${name}(\\s[^>]*)?>`, 'g')) ?? [];
}

export function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
}

/** The page's parts that are XML: void elements closed, doctype and style cut out. */
export function asXml(page: string): string {
  return page
    .replace(/^<!doctype html>/, '')
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<(meta|img)(\s[^>]*[^/])>/g, '<$1$2/>')
    .replace(/<details open>/g, '<details>');
}
