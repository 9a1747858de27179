import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./guarded-process.ts', import.meta.url));
/** For one process; starting it takes a second, on a machine that is overloaded a hundred. */
const DEADLINE_MS = 240_000;
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

interface Ended {
  readonly lines: string[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs the guarded program; `act` is called whenever a line comes. */
function run(words: readonly string[], act: (line: string, child: ChildProcess) => void = () => {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(child);
    const lines: string[] = [];
    let rest = '';
    let stderr = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`still running after ${DEADLINE_MS} ms; said: ${lines.join(' | ')}; ${stderr}`));
    }, DEADLINE_MS);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      rest += text;
      const parts = rest.split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        act(line, child);
      }
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ lines, code, signal, stderr });
    });
  });
}

const sendAtReady = (signal: NodeJS.Signals) => (line: string, child: ChildProcess) => {
  if (line === 'ready') child.kill(signal);
};

// Mostly waiting for processes to start: several at once.
describe('the end of a process', { concurrency: 4 }, () => {
  for (const [signal, code] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 })) {
    test(`${signal} silences once, then the process ends with ${code}`, async () => {
      const ended = await run(['signal'], sendAtReady(signal as NodeJS.Signals));
      assert.deepEqual(ended.lines, ['ready', 'quick silent'], ended.stderr);
      assert.deepEqual([ended.code, ended.signal], [code, null]);
    });
  }

  test('process.exit silences without waiting and keeps its code', async () => {
    const ended = await run(['exit']);
    assert.deepEqual(ended.lines, ['quick now']);
    assert.equal(ended.code, 7);
  });

  test('an uncaught exception and an unhandled rejection silence, print the stack and end with 1', async () => {
    for (const [how, message] of [
      ['exception', /Error: planned exception\n +at /],
      ['rejection', /Error: planned rejection\n +at /],
    ] as const) {
      const ended = await run([how]);
      assert.deepEqual(ended.lines, ['quick silent'], ended.stderr);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, 1);
    }
  });

  test('a program that runs out of work while transmitting is silenced and ends as it would have', async () => {
    const ended = await run(['idle']);
    assert.deepEqual(ended.lines, ['quick silent']);
    assert.equal(ended.code, 0);
  });

  test('one that hangs is given up, told of, and tried again without waiting', async () => {
    const ended = await run(['signal', 'hang'], sendAtReady('SIGTERM'));
    assert.deepEqual(ended.lines, ['ready', 'quick silent', 'stuck asked', 'stuck now']);
    assert.match(ended.stderr, /sct: stuck: not silent after 2000 ms/);
    assert.equal(ended.code, 143);
  });

  test('a second signal does not wait for one that hangs', async () => {
    const ended = await run(['two-signals', 'hang'], sendAtReady('SIGINT'));
    // What is silent already is not touched again.
    assert.deepEqual(ended.lines, ['ready', 'quick silent', 'stuck asked', 'stuck now']);
    assert.doesNotMatch(ended.stderr, /not silent after/);
    assert.equal(ended.code, 130);
  });

  test('where the program has a handler of its own it decides how the process ends', async () => {
    const ended = await run(['signal', 'own-handler'], sendAtReady('SIGTERM'));
    assert.deepEqual([...ended.lines].sort(), ['own handler', 'quick silent', 'ready']);
    assert.equal(ended.code, 130);
  });

  test('with nothing registered a signal ends the process as if there were no guard', async () => {
    const ended = await run(['closed'], sendAtReady('SIGTERM'));
    assert.deepEqual(ended.lines, ['ready']);
    assert.deepEqual([ended.code, ended.signal], [null, 'SIGTERM']);
  });
});
