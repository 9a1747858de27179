import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import test from 'node:test';
import { failureOf, failureText } from '../../src/cli/failure.ts';

test('a path that the system refuses is the word of who gave it, and no internal error', async () => {
  for (const [path, code] of [
    ['A'.repeat(5000), 'the name is too long'],
    ['/dev/null/x', 'a part of it is no folder'],
  ]) {
    const error = await stat(path).catch((e) => e);
    assert.deepEqual(failureOf(error), { message: `${path}: ${code}`, hint: undefined, exitCode: 2 });
  }
  assert.equal(failureOf(new TypeError('x is not a function'))?.exitCode, 1);
});

test('a message is one line that drives no terminal, however it was provoked', () => {
  const failure = { message: 'a\nb\u001b[31m\u202e: no such file', hint: 'try\r\nagain', exitCode: 2 } as const;
  assert.equal(failureText(failure), 'sct: a\ufffdb\ufffd[31m\ufffd: no such file\nhint: try\ufffd\ufffdagain\n');
  const long = failureText({
    message: `--snr: "${'A'.repeat(1e5)}" is not a number in dB`,
    hint: undefined,
    exitCode: 2,
  });
  assert.ok(long.length < 1100);
  assert.match(long, /^sct: --snr: "AAAA.* … A*" is not a number in dB\n$/);
});
