import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { DeviceError } from '../../../src/common/errors.ts';
import { TransmitGuard } from '../../../src/radio/safety/transmit-guard.ts';

const guardWith = (timeoutMs = 5000) => {
  const warnings: string[] = [];
  return { guard: new TransmitGuard({ timeoutMs, warn: (line) => warnings.push(line) }), warnings };
};
const never = () => new Promise<void>(() => {});

test('everything is silenced once, at the same time', async () => {
  const { guard, warnings } = guardWith();
  let calls = 0;
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  guard.protect('a', { silence: () => gate.then(() => void calls++) });
  guard.protect('b', {
    silence: async () => {
      calls++;
      release(); // a waits for b: they must be under way together
    },
  });
  const [first, second] = await Promise.all([guard.silenceAll(), guard.silenceAll()]);
  assert.equal(calls, 2);
  assert.deepEqual(
    first.map((report) => report.state),
    ['silent', 'silent'],
  );
  assert.deepEqual(first, second);
  assert.deepEqual(guard.active, []);
  await guard.silenceAll();
  guard.silenceNow('exit');
  assert.equal(calls, 2);
  assert.deepEqual(warnings, []);
});

test('one that hangs or fails delays nobody beyond its time-out, and is named', async () => {
  const { guard, warnings } = guardWith(30);
  let silent = 0;
  guard.protect('hangs', { silence: never });
  guard.protect('throws', {
    silence: () => {
      throw new Error('pipe error');
    },
  });
  guard.protect('rejects', { silence: async () => Promise.reject(new Error('gone')) });
  guard.protect('works', { silence: () => void silent++ });
  const reports = await guard.silenceAll();
  assert.deepEqual(
    reports.map(({ name, state, error }) => [name, state, error]),
    [
      ['hangs', 'late', null],
      ['throws', 'failed', 'pipe error'],
      ['rejects', 'failed', 'gone'],
      ['works', 'silent', null],
    ],
  );
  assert.equal(silent, 1);
  assert.deepEqual(guard.active, ['hangs', 'throws', 'rejects']);
  assert.deepEqual([...warnings].sort(), [
    'sct: hangs: not silent after 30 ms',
    'sct: rejects: gone',
    'sct: throws: pipe error',
  ]);
});

test('the last moment calls what is not known to be silent, once, whatever throws', async () => {
  const { guard, warnings } = guardWith(10);
  const called: string[] = [];
  guard.protect('done', { silence: () => {}, silenceNow: () => void called.push('done') });
  await guard.silenceAll();
  guard.protect('late', { silence: never, silenceNow: () => void called.push('late') });
  guard.protect('bad', {
    silence: never,
    silenceNow: () => {
      throw new Error('no');
    },
  });
  guard.protect('fresh', { silence: never, silenceNow: () => void called.push('fresh') });
  const off = guard.protect('closed', { silence: never, silenceNow: () => void called.push('closed') });
  off();
  guard.silenceNow('exit');
  guard.silenceNow('exit');
  assert.deepEqual(called, ['late', 'fresh']);
  assert.deepEqual(warnings, ['sct: bad: could not be silenced: no']);
});

test('what is closed in the normal way is left alone', async () => {
  const { guard } = guardWith();
  let calls = 0;
  const off = guard.protect('a', { silence: () => void calls++ });
  assert.deepEqual(guard.active, ['a']);
  off();
  off();
  assert.deepEqual(guard.active, []);
  assert.deepEqual(await guard.silenceAll(), []);
  assert.equal(calls, 0);
});

test('once the end has begun nothing may be switched on', async () => {
  const { guard } = guardWith();
  await guard.shutDown('SIGTERM');
  assert.equal(guard.reason, 'SIGTERM');
  assert.throws(
    () => guard.protect('hackrf', { silence: () => {} }),
    (error: unknown) => {
      assert.ok(error instanceof DeviceError);
      assert.match(error.message, /hackrf may not transmit any more: the program ends \(SIGTERM\)/);
      return true;
    },
  );
});

test('an abort silences, one that came before too', async () => {
  for (const early of [false, true]) {
    const { guard } = guardWith();
    const controller = new AbortController();
    const silent = new Promise<void>((resolve) => {
      guard.protect('a', { silence: () => resolve() });
    });
    if (early) controller.abort();
    guard.watch(controller.signal);
    controller.abort();
    await silent;
  }
});

test('one listener on a signal, however often it is watched', async () => {
  const { guard } = guardWith();
  const abort = new AbortController();
  for (let i = 0; i < 20; i++) guard.watch(abort.signal);
  assert.equal(getEventListeners(abort.signal, 'abort').length, 1);
  let silent = 0;
  guard.protect('a', { silence: () => void silent++ });
  abort.abort();
  await guard.silenceAll();
  assert.equal(silent, 1);
});
