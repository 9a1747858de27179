import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

test('docs/results.md says what the files in bench/results say', async () => {
  const root = join(import.meta.dirname, '..');
  const args = ['--import', 'tsx', 'bench/results-page.ts', '--check'];
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: root });
  assert.equal(stderr, '');
});
