import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LARGEST_SETTINGS, ldpcPeerSpeeds } from '../../../../src/experiment/bench/ldpc/ldpc-peer.ts';
import { CodedModem } from '../../../../src/experiment/bench/speed/coded-speed.ts';
import { fftSpeeds } from '../../../../src/experiment/bench/speed/fft-speed.ts';
import { IdleReceiver } from '../../../../src/experiment/bench/speed/idle-speed.ts';
import { OurProcess } from '../../../../src/experiment/bench/speed/modem-speed-child.ts';
import { benchSpeed, parseSpeedParts, SPEED_SCHEMA } from '../../../../src/experiment/bench/speed/speed.ts';
import { wholeSpeedTable } from '../../../../src/experiment/bench/speed/speed-text.ts';
import { inTurns } from '../../../../src/experiment/bench/speed/speed-turns.ts';
import { spread, spreads, spreadText } from '../../../../src/experiment/bench/spread.ts';

const coded = { subbands: 4, slots: 2, bursts: 2, qm: 4, codeRate: 1 / 2, snrDb: 15 } as const;

test('medians and ranges by name', () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, low: 1, high: 3 });
  const both = spreads([
    { a: 1, b: 10 },
    { a: 3, b: 30 },
  ]);
  assert.deepEqual(both, { a: { median: 2, low: 1, high: 3 }, b: { median: 20, low: 10, high: 30 } });
  assert.deepEqual(spreads([]), {});
  assert.equal(spreadText({ median: 2, low: 1, high: 3 }, 1), '2.0 (1.0 to 3.0)');
});

test('coded bytes come through the measured chain; a channel that drowns them is no measurement', () => {
  const modem = new CodedModem(coded);
  assert.equal(modem.facts.infoBits % 16, 0);
  assert.ok(modem.facts.iterations >= 1 && modem.facts.codeBlocks >= 1);
  for (const [part, ns] of Object.entries(modem.measure())) assert.ok(ns > 0 && Number.isFinite(ns), part);
  assert.throws(() => new CodedModem({ ...coded, snrDb: 2 }), /was not decoded|received \d of 2/);
});

test('the idle receiver hears nothing in noise, at a device rate beside the modem rate', () => {
  const idle = new IdleReceiver({ subbands: 6, deviceRateHz: 8e6 });
  assert.ok(idle.facts.loOffsetHz > 0);
  const { idle: whole, down } = idle.measure();
  assert.ok(whole > 0 && down > 0);
});

test('subjects take turns in processes of their own', async () => {
  const subjects = [2, 4].map((qm) => ({ kind: 'coded' as const, ...coded, qm: qm as 2 | 4 }));
  const turned = await inTurns<{ codeBlocks: number }, 'receive'>('test', subjects, { rounds: 2 });
  assert.equal(turned.length, 2);
  for (const { facts, costs } of turned) {
    assert.ok(facts.codeBlocks >= 1);
    assert.ok(costs.receive.low <= costs.receive.median && costs.receive.median <= costs.receive.high);
  }
  const aborted = AbortSignal.abort();
  await assert.rejects(inTurns('test', subjects, { rounds: 1, signal: aborted }), { name: 'AbortError' });
  const ours = new OurProcess();
  try {
    await assert.rejects(ours.measureSubject(), /no subject is open/);
  } finally {
    ours.close();
  }
});

test('peers that are not there are null, and the reason is said', async () => {
  const fft = await fftSpeeds({ sizes: [64], rounds: 1, all: true, compilers: ['no-such-compiler'] });
  assert.match(fft.fftw.missing ?? '', /no C compiler/);
  const [row] = fft.sizes;
  assert.equal(row.ratioToFftw, null);
  assert.equal(row.met, null);
  assert.ok(row.kernelNs.median > 0 && row.copiedNs && row.plainNs && row.plainOverKernel);
  const settings = [{ ...LARGEST_SETTINGS[0], z: 8 }];
  const none = await ldpcPeerSpeeds({ tree: null, settings, rounds: 1 });
  assert.equal(none.srsran.missing, 'not asked for');
  assert.deepEqual([none.rows[0].ratio, none.rows[0].met], [null, null]);
  assert.ok(none.rows[0].oursMbps > 0);
  const wrong = await ldpcPeerSpeeds({ tree: '/nonexistent', settings, rounds: 1 });
  assert.match(wrong.srsran.missing ?? '', /no source tree of srsRAN_4G/);
});

test('FFTW is measured in the same rounds', async (t) => {
  const { fftw, sizes } = await fftSpeeds({ sizes: [64, 256], rounds: 1, all: false });
  if (fftw.missing !== null) {
    t.skip(fftw.missing);
    return;
  }
  assert.match(fftw.version ?? '', /fftw-3/);
  assert.equal(sizes[0].met, null, 'nothing is asked at 64 points');
  assert.equal(sizes[1].met, sizes[1].ratioToFftw!.median <= 2.4);
  assert.equal(sizes[1].plainNs, null);
});

test('the whole report: parts that were asked for, as JSON and as text', async () => {
  assert.deepEqual(parseSpeedParts('fft, ldpc'), ['fft', 'ldpc']);
  assert.throws(() => parseSpeedParts('fft,speed'), /"speed" is no part/);
  const report = await benchSpeed({ rounds: 1, only: ['fft', 'ldpc'], compilers: ['no-such-compiler'] });
  assert.equal(report.schema, SPEED_SCHEMA);
  assert.equal(report.modem, null);
  assert.equal(report.images, null);
  assert.equal(report.fft?.sizes.length, 3);
  const text = wholeSpeedTable(report);
  assert.match(text, /no ratio to FFTW: no C compiler/);
  assert.match(text, /BG1 Z=384 R=0\.500: [\d.]+ Mb\/s\n/);
  await assert.rejects(benchSpeed({ rounds: 1, signal: AbortSignal.abort() }), { name: 'AbortError' });
});
