import { relative } from 'node:path';
import { inspect } from 'node:util';

/**
 * Reporter of test/run.js: failures in full, otherwise one line a file, then node's own totals (# tests, # pass, ...).
 */
export default async function* briefReporter(source) {
  const files = new Map();
  const totals = [];
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if (
      type === 'test:diagnostic' &&
      /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)
    ) {
      totals.push(`# ${data.message}\n`);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, nesting, details, skip } = data;
    const file = relative(process.cwd(), data.file ?? name);
    // A file that cannot even be loaded fails as a test named after itself.
    const entry = files.get(file) ?? { count: 0, failed: 0, ms: 0 };
    files.set(file, entry);
    if (details?.type !== 'suite') entry.count++;
    if (nesting === 0) entry.ms += details?.duration_ms ?? 0;
    if (skip !== undefined) yield `skipped: ${file}: ${name}${typeof skip === 'string' ? ` (${skip})` : ''}\n`;
    if (type === 'test:fail' && details?.error?.failureType !== 'subtestsFailed') {
      entry.failed++;
      yield `\nFAILED ${file}: ${name}\n${errorText(details?.error)}\n\n`;
    }
  }
  const lines = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(0, ...lines.map(([file]) => file.length));
  for (const [file, { count, failed, ms }] of lines) {
    const state = failed > 0 ? `${failed} FAILED of ${count}` : `${count} passed`;
    yield `${file.padEnd(width)}  ${(ms / 1e3).toFixed(1).padStart(6)} s  ${state}\n`;
  }
  yield totals.join('');
}

function errorText(error) {
  const cause = error?.cause ?? error;
  // Some libraries make errors without a stack.
  return String(cause?.stack || inspect(cause))
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
