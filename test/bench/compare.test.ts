import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { compareReports } from '../../bench/compare/committed.ts';
import { COMPARED, comparePaired } from '../../bench/compare/revision.ts';
import { apartVerdict, comparedTable, inverse, pairedVerdict } from '../../bench/compare/verdict.ts';
import type { WholeSpeedReport } from '../../src/experiment/bench/speed/speed.ts';

const root = join(import.meta.dirname, '../..');
const around = (median: number, part = 0.02) => ({ median, low: (1 - part) * median, high: (1 + part) * median });

test('rounds in turns: the interval of the median decides, and by how much', () => {
  const of = (...ratios: number[]) => pairedVerdict('x', ratios).verdict;
  assert.equal(of(1.1, 1.2, 1.15, 1.12, 1.3), 'better');
  assert.equal(of(0.8, 0.9, 0.85, 0.84, 0.7), 'worse');
  assert.equal(of(1.1, 1.2, 1.15, 1.12, 0.99), 'same', 'one of five against it');
  assert.equal(of(1.01, 1.012, 1.01, 1.015, 1.011), 'same', 'too little, however certain');
  assert.equal(of(0.9, 0.8, 0.85, 0.9), 'unknown', 'four rounds have no interval');
  // With nine rounds one outlier at either end does not count (2 P(B < 2) = 3.9 %), two do.
  const nine = pairedVerdict('x', [0.5, 1.1, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 9]);
  assert.deepEqual(nine.change, { median: 1.13, low: 1.1, high: 1.16 });
  assert.equal(nine.verdict, 'better');
  assert.equal(of(0.5, 0.6, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17), 'same');
});

test('runs apart: something changed where the ranges do not meet', () => {
  assert.equal(apartVerdict('x', around(2), around(1.5)).verdict, 'worse');
  assert.equal(apartVerdict('x', around(2), around(2.5)).verdict, 'better');
  assert.equal(apartVerdict('x', around(2, 0.2), around(1.7, 0.2)).verdict, 'same');
  assert.equal(apartVerdict('x', around(2, 0.001), around(2.05, 0.001)).verdict, 'same', 'below five percent');
  assert.deepEqual(inverse({ median: 2, low: 1, high: 4 }), { median: 0.5, low: 0.25, high: 1 });
});

/** A report in which the machine is `machine` times as fast, our receiver `ours` times, our decoder `decode` times. */
function report(machine: number, ours: number, decode: number, peers = true): WholeSpeedReport {
  const part = (msps: number) => around(machine * msps);
  const liquid = peers ? { receive: part(20), generate: part(60), idle: part(40) } : null;
  const shape = {
    subbands: 50,
    fftSize: 1024,
    liquid,
    ours: { receive: part(30 * ours) },
    ratio: peers ? { receive: around(1.5 * ours), generate: around(1), idle: around(1) } : null,
  };
  const ns = {
    receive: around(30 / machine / ours),
    decode: around(40 / machine / decode),
    encode: around(20 / machine),
  };
  return {
    modem: { shapes: [shape] },
    mcs: [{ qm: 4, codeRate: 0.5, ns }],
    idle: null,
    ldpc: null,
    rbs: null,
    images: null,
    fft: { sizes: [{ size: 256, ratioToFftw: peers ? around(2.3) : null }] },
  } as unknown as WholeSpeedReport;
}

test('a kept run on another machine: only what changed against the peers of its own run counts', () => {
  const verdicts = (old: WholeSpeedReport, fresh: WholeSpeedReport) =>
    Object.fromEntries(compareReports(old, fresh).map((r) => [r.what, r.verdict]));
  const faster = verdicts(report(1, 1, 1), report(3, 1, 1));
  assert.deepEqual([...new Set(Object.values(faster))], ['same'], 'three times the machine is no change');
  const planted = verdicts(report(1, 1, 1), report(3, 1.3, 0.7));
  assert.equal(planted['receive, 50 subbands / liquid-dsp'], 'better');
  assert.equal(planted['decode, 16-point modulation, rate 0.5'], 'worse');
  assert.equal(planted['encode, 16-point modulation, rate 0.5'], 'same');
  assert.equal(planted['FFT, 256 points / FFTW'], 'same');
  assert.deepEqual([...new Set(Object.values(verdicts(report(1, 1, 1), report(1, 1, 1, false))))], ['unknown']);
  assert.deepEqual([...new Set(Object.values(verdicts(report(1, 1, 1, false), report(1, 1, 1))))], ['unknown']);
});

test('the table has what became worse first, and counts', () => {
  const rows = [apartVerdict('b', around(1), around(2)), apartVerdict('a', around(2), around(1), 'a note')];
  const lines = comparedTable(rows).split('\n');
  assert.match(lines[1], /^a +0\.500 \(0\.480 to 0\.520\) +worse: a note$/);
  assert.match(lines[2], /better$/);
  assert.match(comparedTable(rows), /1 worse, 1 better, 0 same, 0 unknown/);
});

test('old and new in turns, with planted figures: what is faster, slower, alike, and not measured', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sct-planted-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [old, fresh] = ['planted-1.ts', 'planted-1.5.ts'].map((name) => join(folder, name));
  for (const path of [old, fresh]) await copyFile(join(root, 'test/bench/fixtures/planted-speeds.ts'), path);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const compared = COMPARED.filter((c) => ['4 subbands', 'LDPC, BG1 Z=384', 'live, 256x256'].includes(c.name));
  const rows = await comparePaired(old, fresh, { rounds: 5, compared });
  const verdict = (what: string) => rows.find((r) => r.what === what)?.verdict;
  assert.equal(verdict('receive, 4 subbands'), 'better');
  assert.equal(verdict('encode rate 0.50, LDPC, BG1 Z=384'), 'worse');
  const live = rows.find((r) => r.what === 'live, 256x256');
  assert.deepEqual([live?.verdict, live?.note], ['unknown', 'old: does not measure this']);
  const change = rows.find((r) => r.what === 'receive, 4 subbands')?.change;
  assert.ok(change && Math.abs(change.median - 1.5) < 0.06, String(change?.median));
});

test('what it cannot run on is an exit code 2 or 3; words are checked', async () => {
  const run = async (...words: string[]) => {
    const args = ['--import', 'tsx', 'bench/compare.ts', ...words];
    return await promisify(execFile)(process.execPath, args, { cwd: root }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );
  };
  const [revision, flag, rounds, file] = await Promise.all([
    run('no-such-revision'),
    run('--quack'),
    run('--rounds', '2'),
    run('--results', '/nonexistent/speed.json'),
  ]);
  assert.equal(revision.code, 2);
  assert.match(revision.stderr, /no-such-revision/);
  assert.equal(flag.code, 2);
  assert.match(rounds.stderr, /from 5 up/);
  assert.equal(file.code, 3);
  assert.match(file.stderr, /is not there; name a git revision/);
});
