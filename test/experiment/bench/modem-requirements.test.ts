import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import { receiveTrial, type TrialSignal } from '../../../src/experiment/bench/modem/modem-trial.ts';
import { requirementsPlan } from '../../../src/experiment/bench/modem/plan.ts';
import { benchRequirements, parseModemParts } from '../../../src/experiment/bench/modem/requirements.ts';
import { MODEM_PARTS } from '../../../src/experiment/bench/modem/row.ts';
import { MeasurementStore, partHash, sourceHash } from '../../../src/experiment/bench/modem/store.ts';
import { requirementsTable } from '../../../src/experiment/bench/modem/text.ts';

const dir = mkdtempSync(join(tmpdir(), 'sct-modem-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** A receiver that hears 2 dB more noise than there is at an SNR of 6 dB, more than anything may cost. */
function deaf(signal: TrialSignal) {
  const samples = signal.samples.slice();
  const noise = new RandomStream(`deaf/${signal.options.seed}`);
  noise.addComplexNoise(samples, (10 ** 0.2 - 1) * signal.noiseVariance);
  return receiveTrial({ ...signal, samples });
}

test('every requirement, with few trials: no row is missed', async () => {
  const notes: string[] = [];
  const report = await benchRequirements({ quick: true, command: 'test', note: (what) => notes.push(what) });
  assert.equal(report.schema, 'sct.bench.modem/2');
  assert.deepEqual(
    report.rows.filter((r) => r.state === 'missed').map((r) => r.name),
    [],
  );
  assert.equal(report.failed, 0);
  assert.equal(report.ratioToLiquid, null);
  assert.equal(report.passed + report.open, report.rows.length);
  for (const part of MODEM_PARTS)
    assert.ok(
      report.rows.some((r) => r.part === part),
      part,
    );
  for (const r of report.rows) {
    assert.ok(r.trials > 0 && r.seeds !== '' && r.asked !== '', r.name);
    if (r.low !== null && r.high !== null && r.value !== null) assert.ok(r.low <= r.value && r.value <= r.high, r.name);
  }
  for (const subbands of [6, 15, 25, 50]) {
    for (const part of ['detection', 'false-headers', 'no-gap', 'fading']) {
      assert.ok(
        report.rows.some((r) => r.part === part && r.subbands === subbands),
        `${part} at ${subbands}`,
      );
    }
  }
  assert.equal(notes.length, requirementsPlan(true).length);
  assert.match(requirementsTable(report), /met {4}burst found/);
  assert.doesNotThrow(() => JSON.parse(JSON.stringify(report)));
});

test('a planted fault makes its rows missed', async () => {
  const [loss] = requirementsPlan(true).filter((m) => m.id === 'loss-6-awgn-16-qam-1-2');
  const { rows } = await loss.run({ receive: deaf, step: async () => {} });
  const missed = rows.filter((r) => r.state === 'missed').map((r) => r.name);
  assert.ok(
    missed.some((name) => name.startsWith('SNR lost to the genie at BLER 0.1')),
    missed.join(),
  );
  const [detection] = requirementsPlan(true).filter((m) => m.id === 'detection-6');
  const nothing = await detection.run({ receive: () => [], step: async () => {} });
  assert.equal(nothing.rows[0].state, 'missed');
});

test('a run goes on where another stopped, and measures anew what other code made', async () => {
  const options = { quick: true, command: 'test', out: dir, only: parseModemParts('dc, no-gap') };
  const done: string[] = [];
  const stop = new AbortController();
  const first = benchRequirements({
    ...options,
    signal: stop.signal,
    progress: () => stop.abort(),
    note: (what) => done.push(what),
  });
  await first.catch((error: Error) => assert.equal(error.name, 'AbortError'));
  const rows = join(dir, 'rows');
  assert.ok(!readdirSync(rows).some((name) => name.endsWith('.claim')));
  const whole = await benchRequirements({ ...options, note: (what) => done.push(what) });
  assert.equal(new Set(done).size, done.length);
  assert.equal(done.length, 6);
  assert.equal(whole.pending, 0);
  assert.deepEqual(JSON.parse(readFileSync(join(dir, 'modem.json'), 'utf8')), whole);

  // What is stored is used; what has another key, is damaged or is claimed by a living process is not.
  const again = await benchRequirements({ ...options, note: () => assert.fail('nothing is left to do') });
  assert.deepEqual(again.rows, whole.rows);
  const path = join(rows, 'no-gap-6.json');
  const stored = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...stored, key: 'other code' }));
  writeFileSync(join(rows, 'no-gap-15.json'), '{"schema"');
  writeFileSync(join(rows, 'dc-6.json'), '{}');
  writeFileSync(join(rows, 'dc-6.claim'), String(process.ppid));
  writeFileSync(join(rows, 'no-gap-6.claim'), '999999999');
  const redone: string[] = [];
  const last = await benchRequirements({ ...options, note: (what) => redone.push(what.split(':')[0]) });
  assert.deepEqual(redone.sort(), ['no-gap-15', 'no-gap-6']);
  assert.equal(last.pending, 1);
  assert.deepEqual(
    last.rows.filter((r) => r.part === 'no-gap'),
    whole.rows.filter((r) => r.part === 'no-gap'),
  );
});

test('parts are checked words', () => {
  assert.deepEqual(parseModemParts('loss,detection'), ['detection', 'loss']);
  assert.throws(() => parseModemParts('loss,speed'), /"speed" is no part/);
});

test('the hash names the code, and a store keeps what it was given', () => {
  assert.match(sourceHash(), /^[0-9a-f]{64}$/);
  assert.equal(sourceHash(), sourceHash());
  assert.equal(new Set(['faults', 'rb-snr', 'loss'].map((part) => partHash(part as 'faults'))).size, 3);
  assert.equal(partHash('dc'), partHash('faults'));
  const store = new MeasurementStore(join(dir, 'store'));
  assert.equal(store.load('a', 'key'), null);
  store.save('a', 'key', { cpuSeconds: 1, rows: [], curves: [] });
  assert.equal(store.load('a', 'key')?.cpuSeconds, 1);
  assert.equal(store.load('a', 'other'), null);
});
