import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const folder = join(import.meta.dirname, '../../bench');

function bench(name: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(folder, name), ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

describe('words of the benchmarks', () => {
  it('no benchmark takes its words by parseArgs alone, which ends in a stack', () => {
    const bare = readdirSync(folder).filter(
      (f) => f.endsWith('.ts') && f !== 'words.ts' && /parseArgs\(/.test(readFileSync(join(folder, f), 'utf8')),
    );
    assert.deepEqual(bare, []);
  });

  it('--help prints the header of the file', () => {
    const { status, stdout, stderr } = bench('video.ts', '--help');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Video in real time over a modelled channel/);
    assert.match(stdout, /bench\/video\.ts --data DIR \[--seconds 600\]/);
    assert.doesNotMatch(stdout, /\*/);
  });

  for (const [name, words, message] of [
    ['realtime.ts', ['--nosuch'], /--nosuch/],
    ['realtime.ts', ['--minutes', 'ten'], /--minutes: "ten" is not a number from 0\.1 up/],
    ['video.ts', ['--seconds', '1.5'], /--seconds: "1\.5" is not a whole number from 5 up/],
    ['last-frame.ts', [], /--data DIR is missing/],
    ['compare.ts', ['--rounds', '2'], /--rounds: "2" is not a whole number from 5 up/],
  ] as const) {
    it(`${name} ${words.join(' ')} is exit 2 and a line, no stack`, () => {
      const { status, stdout, stderr } = bench(name, ...words);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.match(stderr, /^bench\/[a-z-]+\.ts: /);
      assert.doesNotMatch(stderr, /^ {4}at /m);
    });
  }
});
