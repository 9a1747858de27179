import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const listed = readFileSync(join(root, 'docs/references.md'), 'utf8');

/** `[Schmidl97`, `[Chen & Fossorier 2002`, `[Caire et al. 1998`: first author and last two digits of the year. */
const KEY = /\[([A-Z][a-z]+)(?: & [A-Z][a-z]+| et al\.)? ?(?:19|20)?(\d\d)(?=[\s,\]])/g;
/** The document and its first section: `TS 38.212 §5.3.2`. */
const STANDARD = /\b(T[SR] 3[68]\.\d{3})(?: (§[\d.]*\d))?/g;

function keysOf(text: string): string[] {
  const papers = [...text.matchAll(KEY)].map((m) => `[${m[1]}${m[2]}]`);
  const standards = [...text.matchAll(STANDARD)].map((m) => (m[2] ? `${m[1]} ${m[2]}` : m[1]));
  return [...papers, ...standards];
}

/** A listed section covers those inside it; TS and TR are not told apart, since the numbers are unique. */
function isListed(key: string): boolean {
  if (key.startsWith('[')) return listed.includes(`**${key}**`);
  const [, document, section] = /^T[SR] ([\d.]+)(?: §(.*))?$/.exec(key)!;
  const entry = listed.split('\n').find((line) => new RegExp(`^- \\*\\*T[SR] ${document}\\*\\*`).test(line));
  if (entry === undefined) return false;
  const sections = [...entry.matchAll(/§([\d.]*\d)/g)].map((m) => m[1]);
  return !section || sections.some((s) => section === s || section.startsWith(`${s}.`));
}

test('every source named in the code is in docs/references.md', () => {
  const found = new Map<string, string>();
  for (const folder of ['src', 'bench']) {
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts')) continue;
      for (const key of keysOf(readFileSync(join(root, folder, path), 'utf8'))) found.set(key, `${folder}/${path}`);
    }
  }
  assert.ok(found.size > 30, `only ${found.size} keys were found`);
  const missing = [...found].filter(([key]) => !isListed(key)).map(([key, path]) => `${key} (${path})`);
  assert.deepEqual(missing, []);
});

test('keys are recognised in all their spellings, and unknown ones are missed', () => {
  const text =
    '[Schmidl97 eq. 5-8], [Chen & Fossorier 2002], [Caire et al. 1998], [Wilson 1927] array[slots12] TS 38.212 §5.3.2.';
  assert.deepEqual(keysOf(text), ['[Schmidl97]', '[Chen02]', '[Caire98]', '[Wilson27]', 'TS 38.212 §5.3.2']);
  assert.ok(isListed('[Schmidl97]') && isListed('TS 38.212 §5.3.2') && isListed('TR 38.901'));
  assert.ok(!isListed('[Nobody99]') && !isListed('TS 38.212 §5.3') && !isListed('TS 38.213'));
});
