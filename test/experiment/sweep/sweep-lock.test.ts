import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SweepLock } from '../../../src/experiment/sweep/sweep-lock.ts';
import { scratch } from '../link-helpers.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const STILL_MS = 150;

/** What this process writes into its locks, line by line: number, start, place, a random word. */
async function ownWords(path: string): Promise<string[]> {
  const lock = await SweepLock.take(path, 'here');
  const words = readFileSync(path, 'utf8').trimEnd().split('\n');
  lock.give();
  return words;
}

test('one has it; given back it can be taken again, and nothing is left over', async (t) => {
  const at = await scratch(t);
  const path = join(at, 'sweep.lock');
  const first = await SweepLock.take(path, 'here');
  await assert.rejects(SweepLock.take(path, 'here'), /here: process \d+ is at this sweep/);
  first.check();
  first.give();
  assert.deepEqual(readdirSync(at), []);
  (await SweepLock.take(path, 'here')).give();
});

test('a process that is gone, a number that came again and a torn lock do not hold it', async (t) => {
  const path = join(await scratch(t), 'sweep.lock');
  const [pid, start, where] = await ownWords(path);
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const locks = [`${gone}\n`, `${gone}\n1\n${where}\nx\n`, 'no number\n', ''];
  if (process.platform === 'linux') locks.push(`${pid}\n${Number(start) + 7}\n${where}\nx\n`);
  for (const text of locks) {
    writeFileSync(path, text);
    const lock = await SweepLock.take(path, 'here', STILL_MS);
    assert.equal(readFileSync(path, 'utf8').split('\n')[0], String(process.pid), JSON.stringify(text));
    lock.give();
  }
});

test('a process that lives holds it; one that was killed and not yet buried does not', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const path = join(await scratch(t), 'sweep.lock');
  writeFileSync(path, `${process.ppid}\n`);
  await assert.rejects(SweepLock.take(path, 'here'), /is at this sweep/);
  // A shell that has become a sleep never waits for its child, which ends when its input does and stays a zombie.
  const parent = spawn('sh', ['-c', 'cat <&3 >&2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  t.after(() => void parent.kill('SIGKILL'));
  const zombie = await new Promise<string>((resolve) => parent.stdout!.once('data', (d) => resolve(String(d).trim())));
  const until = async (file: string, what: RegExp) => {
    for (let n = 0; n < 500 && !what.test(readFileSync(file, 'latin1')); n++) await sleep(10);
  };
  await until(`/proc/${parent.pid}/comm`, /^sleep/);
  (parent.stdio[3] as Writable).end();
  await until(`/proc/${zombie}/stat`, /\) Z /);
  writeFileSync(path, `${zombie}\n`);
  (await SweepLock.take(path, 'here')).give();
});

test('a lock of another machine counts while it is touched', async (t) => {
  const path = join(await scratch(t), 'sweep.lock');
  const text = `${process.pid}\n1\nanother boot\nx\n`;
  writeFileSync(path, text);
  const touching = setInterval(() => utimesSync(path, new Date(), new Date()), 10);
  try {
    await assert.rejects(SweepLock.take(path, 'here', STILL_MS), /a process of another machine is at this sweep/);
  } finally {
    clearInterval(touching);
  }
  (await SweepLock.take(path, 'here', STILL_MS)).give();
});

test('who has lost it is told, and does not take away what another has', async (t) => {
  const path = join(await scratch(t), 'sweep.lock');
  const lock = await SweepLock.take(path, 'here');
  writeFileSync(path, '1\n\nelsewhere\nx\n');
  assert.throws(() => lock.check(), /was taken away/);
  lock.give();
  assert.ok(existsSync(path));
});

test('of many processes that find the lock of a dead one at once, one gets it', async (t) => {
  const at = await scratch(t);
  const path = join(at, 'sweep.lock');
  writeFileSync(path, `${spawnSync(process.execPath, ['-e', '']).pid}\n`);
  const go = join(at, 'go');
  const loader = pathToFileURL(join(ROOT, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const module = pathToFileURL(join(ROOT, 'src', 'experiment', 'sweep', 'sweep-lock.ts')).href;
  const script = `
    const { existsSync } = await import('node:fs');
    const { SweepLock } = await import(${JSON.stringify(module)});
    console.log('ready');
    while (!existsSync(${JSON.stringify(go)})) await new Promise((r) => setTimeout(r, 1));
    const got = await SweepLock.take(${JSON.stringify(path)}, 'here').then(() => 'got', () => 'refused');
    console.log(got);
    process.stdin.on('data', () => process.exit(0)).resume();`;
  const children = Array.from({ length: 5 }, () =>
    spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  t.after(() => children.forEach((child) => void child.kill('SIGKILL')));
  const said = children.map((child) => {
    const lines: string[] = [];
    child.stdout.on('data', (d) => lines.push(...String(d).trim().split('\n')));
    return lines;
  });
  const all = async (n: number) => {
    while (said.some((lines) => lines.length < n)) await sleep(5);
  };
  await all(1);
  writeFileSync(go, '');
  await all(2);
  assert.equal(said.filter(([, got]) => got === 'got').length, 1);
});
