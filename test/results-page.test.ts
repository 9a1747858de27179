import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { anchorOf } from '../bench/chapters/summary.ts';

test('docs/results.md says what the files in bench/results say', async () => {
  const root = join(import.meta.dirname, '..');
  const args = ['--import', 'tsx', 'bench/results-page.ts', '--check'];
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  assert.equal(stderr, '');
});

test('links inside docs/results.md lead to its headings, and the contents name them all', async () => {
  const page = await readFile(join(import.meta.dirname, '..', 'docs/results.md'), 'utf8');
  const headings = Array.from(page.matchAll(/^##+ (.+)$/gm), ([, heading]) => anchorOf(heading));
  assert.deepEqual(
    headings.filter((a, i) => headings.indexOf(a) < i),
    [],
    'a heading comes twice',
  );
  const links = Array.from(page.matchAll(/\]\(#([^)]*)\)/g), ([, anchor]) => anchor);
  assert.deepEqual(
    links.filter((a) => !headings.includes(a)),
    [],
  );
  const listed = headings.slice(headings.indexOf('contents') + 1);
  assert.ok(listed.length > 10);
  assert.deepEqual(
    listed.filter((a) => !links.includes(a)),
    [],
  );
  // As GitHub makes them.
  assert.equal(anchorOf('Kodak images, AWGN, CBR 1/16'), 'kodak-images-awgn-cbr-116');
});
