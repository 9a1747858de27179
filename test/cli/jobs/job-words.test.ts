import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import fc from 'fast-check';
import { jobSchema, jobWords } from '../../../src/cli/jobs/job-words.ts';
import { UsageError } from '../../../src/common/errors.ts';

function command(): Command {
  return new Command('loopback')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .argument('[photo]', 'a picture')
    .option('--snr <db>', 'signal to noise')
    .option('-f, --freq <hz>', 'carrier')
    .option('--ideal', 'no offsets')
    .option('-o, --output <dir>', 'where to')
    .option('--json', 'one object');
}

test('a page may give the flags of --help but those that say where results go', () => {
  const schema = jobSchema(command()) as { properties: Record<string, { type: string }>; 'x-source': unknown };
  assert.deepEqual(
    Object.entries(schema.properties).map(([name, { type }]) => [name, type]),
    [
      ['snr', 'string'],
      ['freq', 'string'],
      ['ideal', 'boolean'],
    ],
  );
  assert.deepEqual(schema['x-source'], { name: 'photo', description: 'a picture', required: false });
});

test('words of a request', () => {
  const words = (options: Record<string, unknown>, source?: string) =>
    jobWords(command(), { options, ...(source === undefined ? {} : { source }) });
  assert.deepEqual(words({ snr: 5, ideal: true }, '-photo.png'), ['--snr=5', '--ideal', '--', '-photo.png']);
  assert.deepEqual(words({ ideal: false }), []);
  for (const [options, why] of [
    [{ output: '/etc' }, /no option --output/],
    [{ json: true }, /no option --json/],
    [{ snr: true }, /--snr: needs a value/],
    [{ ideal: 'yes' }, /--ideal: takes no value/],
    [{ constructor: 'x' }, /no option --constructor/],
  ] as const) {
    assert.throws(
      () => words(options),
      (e) => e instanceof UsageError && why.test(e.message),
    );
  }
  assert.throws(() => jobWords(new Command('sound'), { options: {}, source: 'x' }), /takes no "x"/);
});

test('no value is taken for another flag, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (snr, source) => {
      const parsed = command().parse(jobWords(command(), { options: { snr }, source }), { from: 'user' });
      assert.deepEqual(parsed.opts(), { snr });
      assert.deepEqual(parsed.args, [source]);
    }),
  );
});
