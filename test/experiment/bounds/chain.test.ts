import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { FormatError, SctError } from '../../../src/common/errors.ts';
import { EventCounter, simulateUncoded, uncodedTheory } from '../../../src/experiment/bounds/error-event.ts';
import { type ChainLevel, runGaussianChain } from '../../../src/experiment/bounds/gaussian-chain.ts';
import { scalarGaussian } from '../../../src/experiment/bounds/gaussian-scalar.ts';
import { csvPoints, readPoints } from '../../../src/experiment/bounds/measured-points.ts';
import { clopperPearson } from '../../../src/experiment/metrics/stats.ts';
import { numerology } from '../../../src/phy/numerology.ts';
import { scratch } from '../../cli/helpers.ts';
import { edges } from './vectors.ts';

const INF = Number.POSITIVE_INFINITY;
const source = scalarGaussian(0.8, 1, 2);

function chain(level: ChainLevel, snrDb: number, seed: number) {
  return runGaussianChain({ source, level, numerology: numerology(6), snrDb, bursts: 24, slots: 2, seed });
}

test('the Gaussian test source through the mapping meets theory: varX / (1 + SNR), inside its interval', () => {
  for (const [snrDb, seed] of [
    [-2, 3],
    [1, 1],
    [10, 2],
    [25, 3],
  ]) {
    const p = chain('symbols', snrDb, seed);
    const dx = 2 / (1 + 10 ** (snrDb / 10));
    const ds = 0.36 + (0.64 / 2) * dx;
    // Four standard errors: a false alarm in 16 000.
    const half = (e: { high: number; low: number }) => 2 * (e.high - e.low) * 0.5;
    assert.ok(Math.abs(p.dx.value - dx) < half(p.dx), `${snrDb} dB: Dx ${p.dx.value}, theory ${dx}`);
    assert.ok(Math.abs(p.ds.value - ds) < half(p.ds), `${snrDb} dB: Ds ${p.ds.value}, theory ${ds}`);
    assert.ok(Math.abs(p.dx.value / dx - 1) < 0.03);
    assert.equal(p.k, 2 * 2 * 6 * 154);
    assert.equal(p.blocks.length, 24);
  }
});

test('the Gaussian test source through the whole modem stays within 0.25 dB of theory', () => {
  for (const snrDb of [3, 15]) {
    const p = chain('burst', snrDb, 1);
    const behindDb = snrDb - 10 * Math.log10(2 / p.dx.value - 1);
    assert.equal(p.lostBursts, 0);
    assert.ok(behindDb > -0.15 && behindDb < 0.25, `${snrDb} dB: behind by ${behindDb} dB`);
  }
});

test('the chain: the same seed gives the same figures; nothing found and sizes out of range are said', () => {
  assert.deepEqual(chain('symbols', 5, 7), chain('symbols', 5, 7));
  assert.throws(
    () =>
      runGaussianChain({ source, level: 'burst', numerology: numerology(6), snrDb: -30, bursts: 2, slots: 1, seed: 1 }),
    /0 of 2 bursts were found/,
  );
  assert.throws(
    () =>
      runGaussianChain({ source, level: 'symbols', numerology: numerology(6), snrDb: 5, bursts: 1, slots: 1, seed: 1 }),
    /bursts 1 is out of range: allowed whole numbers from 2 to 1000/,
  );
});

test('error event: intervals of Monte Carlo hold the exact probabilities, joint and marginals', () => {
  let outside = 0;
  const snrs = [7, 8, 9, 10, 11];
  for (const db of snrs) {
    const trial = { source, snr: 10 ** (db / 10), k: 40, blocks: 2000, seed: db };
    const event = simulateUncoded(trial, 0.5, 0.25);
    const exact = uncodedTheory(trial, 0.5, 0.25);
    for (const [e, p] of [
      [event.semantic!, exact.semantic],
      [event.pixel!, exact.pixel],
      [event.joint, exact.joint!],
    ] as const) {
      if (p < e.low || p > e.high) outside++;
      const wide = clopperPearson(Math.round(e.value * e.n), e.n, 0.9999);
      assert.ok(p >= wide.low && p <= wide.high, `${db} dB: ${e.value}, exact ${p}`);
    }
    assert.ok(exact.joint! >= exact.jointLow && exact.joint! <= exact.jointHigh);
    assert.ok(event.joint.value >= Math.max(event.semantic!.value, event.pixel!.value));
    assert.ok(event.joint.value <= event.semantic!.value + event.pixel!.value + 1e-12);
  }
  // 95 % intervals: of 15 at most 4 miss but once in a thousand.
  assert.ok(outside <= 4, `${outside} of ${3 * snrs.length} outside`);
});

test('error event: the joint probability as quadrature over the noncentral chi-square has it', () => {
  for (const [rho, snrDb, k, ds, dx, probability] of edges.jointEvent) {
    const { joint, jointLow, jointHigh } = uncodedTheory(
      { source: scalarGaussian(rho), snr: 10 ** (snrDb / 10), k },
      ds,
      dx,
    );
    assert.ok(Math.abs(joint! - probability) <= 1e-10, `${rho}, ${snrDb} dB, ${k}: ${joint}, not ${probability}`);
    assert.ok(joint! >= jointLow - 1e-12 && joint! <= jointHigh + 1e-12);
  }
  const at = (rho: number, ds: number, dx: number, k = 10) =>
    uncodedTheory({ source: scalarGaussian(rho), snr: 4, k }, ds, dx);
  // X says nothing of S: independent. X is S: the tighter limit. One limit alone: its marginal.
  const apart = at(0, 1.2, 0.25);
  assert.ok(Math.abs(apart.joint! - (1 - (1 - apart.semantic) * (1 - apart.pixel))) < 1e-14);
  assert.equal(at(1, 0.3, 0.25).joint, at(1, INF, 0.25).pixel);
  for (const k of [1, 10, 1000, 100_000]) {
    const [task, pixels] = [at(0.8, 0.5, INF, k), at(-0.8, INF, 0.21, k)];
    assert.ok(Math.abs(task.joint! - task.semantic) < 1e-9, `k ${k}: ${task.joint}, not ${task.semantic}`);
    assert.ok(Math.abs(pixels.joint! - pixels.pixel) < 1e-9, `k ${k}: ${pixels.joint}, not ${pixels.pixel}`);
  }
  assert.equal(at(0.99999, 0.3, 0.25, 1).joint, null);
});

test('error event: degenerate limits are the marginals', () => {
  const trial = { source, snr: 10, k: 20, blocks: 500, seed: 1 };
  const task = simulateUncoded(trial, 0.45, INF);
  assert.deepEqual(task.joint, task.semantic);
  assert.equal(task.pixel!.value, 0);
  const pixels = simulateUncoded(trial, INF, 0.2);
  assert.deepEqual(pixels.joint, pixels.pixel);
  assert.throws(() => simulateUncoded(trial, INF, INF), /both inf/);
  assert.throws(() => simulateUncoded({ ...trial, k: 1e5, blocks: 1e5 }, 1, 1), /blocks x k .* allowed up to/);
  assert.throws(() => simulateUncoded({ ...trial, blocks: 0 }, 1, 1), /blocks 0/);
});

test('error event: a block whose semantic distortion was not measured does not count for it', () => {
  const counter = new EventCounter(0.5, 0.1);
  counter.add(0.6, 0.05);
  counter.add(0.4, 0.2);
  counter.add(0.4, 0.05);
  counter.add(null, 0.2);
  const { joint, semantic, pixel } = counter.result();
  assert.deepEqual([joint.value, joint.n], [2 / 3, 3]);
  assert.deepEqual([semantic!.value, semantic!.n], [1 / 3, 3]);
  assert.deepEqual([pixel!.value, pixel!.n], [0.5, 4]);
  const none = new EventCounter(0.5, 0.1);
  none.add(null, 0.2);
  assert.throws(() => none.result(), /no block has both distortions/);
});

test('measured points: a CSV, a run, a folder of runs', async (t) => {
  const folder = await scratch(t);
  assert.deepEqual(csvPoints('f', 'label,snr_db,ds,dx\n a , 3 ,,0.5\nb,-1e1,0.25,0\n'), [
    { label: 'a', snrDb: 3, rateBits: null, ds: null, dx: 0.5, n: null, error: null },
    { label: 'b', snrDb: -10, rateBits: null, ds: 0.25, dx: 0, n: null, error: null },
  ]);
  for (const [name, metrics] of [
    ['one', { psnrDb: 20, snrDb: 5, mIoU: 0.75 }],
    ['two', { psnrDb: 30, snrDb: 9, mIoU: null }],
  ] as const) {
    await mkdir(join(folder, 'runs', name), { recursive: true });
    await writeFile(join(folder, 'runs', name, 'metrics.json'), JSON.stringify(metrics));
  }
  const points = await readPoints(join(folder, 'runs'));
  assert.deepEqual(
    points.map(({ snrDb, ds, dx }) => [snrDb, ds, Number(dx!.toFixed(9))]),
    [
      [5, 0.25, 0.01],
      [9, null, 0.001],
    ],
  );
  assert.equal((await readPoints(join(folder, 'runs', 'one'))).length, 1);
  await assert.rejects(readPoints(join(folder, 'none')), /no such file or folder/);
  await mkdir(join(folder, 'empty'));
  await assert.rejects(readPoints(join(folder, 'empty')), /no run in it/);
});

test('measured points: what is no table is refused with line and column', () => {
  for (const [text, says] of [
    ['', /no header line/],
    ['dx\n', /no header line/],
    ['x,dx\n1,2\n', /column "x" is not one of/],
    ['label,snr_db\na,1\n', /has no column ds, dx, rate_bits/],
    ['rate_bits,n\n1,0.5\n', /line 2, n: "0.5" is not a finite number from 1 to 1000000000/],
    ['rate_bits,error\n1,2\n', /line 2, error: "2" is not a finite number from 0 to 1/],
    ['snr_db,dx\n-1e999,2\n', /line 2, snr_db: "-1e999" is not a finite number$/],
    ['ds,dx\n1\n', /line 2 has 1 cells, the header 2/],
    ['ds,dx\n1,abc\n', /line 2, dx: "abc"/],
    ['ds,dx\n1,-1\n', /line 2, dx: "-1" is not a finite number from 0/],
    ['dx\n1\n1e999\n', /line 3, dx/],
  ] as [string, RegExp][]) {
    assert.throws(
      () => csvPoints('f', text),
      (e) => e instanceof FormatError && says.test(e.message),
    );
  }
  // Whatever the bytes: points or an error of ours.
  let state = 7;
  const next = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const alphabet = 'ds,dx\n0123456789.e-"label snr_db\r\t';
  for (let i = 0; i < 500; i++) {
    const text = Array.from({ length: Math.floor(40 * next()) }, () => alphabet[Math.floor(alphabet.length * next())]);
    try {
      csvPoints('f', `ds,dx\n${text.join('')}`);
    } catch (error) {
      assert.ok(error instanceof SctError, String(error));
    }
  }
});
