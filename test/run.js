// Runs every test/**/*.test.ts with node:test through tsx and ends with node's own summary (# tests, # pass, ...).
//   node test/run.js              all
//   node test/run.js ldpc cli/    only files whose path contains one of the words
// Property tests draw the same cases every time; SCT_TEST_SEED=N draws others.
// SCT_TEST_REPORTER=spec|dot|tap instead of test/brief-reporter.js; SCT_TEST_CONCURRENCY=N (default 2).
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** All test files below a folder, in a fixed order; captured data and vectors hold none. */
function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith('.test.ts') ? [relative(root, path).replaceAll('\\', '/')] : [];
    });
}

const words = process.argv.slice(2);
const all = testFiles(join(root, 'test'));
const files = words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
if (files.length === 0) {
  process.stderr.write(`no test file contains ${words.join(' or ')}\n`);
  process.exit(2);
}
const { SCT_TEST_REPORTER, SCT_TEST_CONCURRENCY = '2' } = process.env;
const reporter = SCT_TEST_REPORTER ?? './test/brief-reporter.js';
const child = spawn(
  process.execPath,
  [
    '--import',
    'tsx',
    '--import',
    './test/fixed-seed.js',
    '--test',
    `--test-concurrency=${SCT_TEST_CONCURRENCY}`,
    `--test-reporter=${reporter}`,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
