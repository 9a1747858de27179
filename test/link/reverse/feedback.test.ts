import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { LocalFeedback, NoFeedback } from '../../../src/link/reverse/feedback.ts';
import { Transmitter, type TransmitterOptions } from '../../../src/link/transmitter.ts';
import { BytesCodec, blank, SMALL } from '../helpers.ts';

test('a message arrives after the latency, in order, and is the message as it was', () => {
  const feedback = new LocalFeedback({ latencyS: 0.02, random: new RandomStream(1) });
  const bytes = Uint8Array.of(1, 2, 3);
  feedback.send(bytes, 1);
  feedback.send(Uint8Array.of(4), 1.01);
  bytes.fill(0);
  assert.deepEqual(feedback.receive(1.0199), []);
  assert.deepEqual(feedback.receive(1.02), [Uint8Array.of(1, 2, 3)]);
  assert.deepEqual(feedback.receive(1.02), []);
  assert.deepEqual(feedback.receive(5), [Uint8Array.of(4)]);
  assert.equal(feedback.sentBytes, 4);
});

test('messages are lost with the stated probability; none come without feedback', () => {
  const feedback = new LocalFeedback({ loss: 0.25, random: new RandomStream(2) });
  for (let i = 0; i < 4000; i++) feedback.send(Uint8Array.of(1), 0);
  const arrived = feedback.receive(0).length / 4000;
  // Binomial: standard deviation 0.007.
  assert.ok(Math.abs(arrived - 0.75) < 0.03, `${arrived} arrived`);
  assert.throws(() => new LocalFeedback({ loss: 1.5, random: new RandomStream(1) }), UsageError);
  const none = new NoFeedback();
  none.send();
  assert.deepEqual(none.receive(), []);
});

const REPORT = { number: 7, session: 1, burst: 0, codes: new Uint8Array(6).fill(140) };

async function planWith(options: Partial<TransmitterOptions>, report: typeof REPORT | null, ageS: number) {
  const transmitter = new Transmitter({ numerology: SMALL, codec: new BytesCodec(), ...options });
  if (report) transmitter.takeReport(report, 10);
  return transmitter.send(blank(64, 64), 20_000, 10 + ageS);
}

test('a fresh report is used and named; an old one, none, or a foreign one means the robust map', async () => {
  const maxCsiAgeS = 0.05;
  const fresh = await planWith({ maxCsiAgeS }, REPORT, 0.05 - 1e-6);
  assert.equal(fresh.map, 'matched');
  assert.equal(fresh.csiNumber, 7);
  assert.ok(Math.abs(fresh.csiAgeS! - 0.05) < 1e-3);
  assert.deepEqual(fresh.reportedSnrDb, new Array(6).fill(15));

  const old = await planWith({ maxCsiAgeS }, REPORT, 0.051);
  assert.equal(old.map, 'robust');
  assert.equal(old.csiNumber, 0, 'the header names no report');
  assert.ok(old.csiAgeS! > 0.05, 'its age is still told');
  assert.equal(new Set(old.loading.qm).size, 1);
  assert.ok(old.loading.efficiency < fresh.loading.efficiency, 'an old report is trusted less');

  const none = await planWith({ assumedSnrDb: 5 }, null, 0);
  assert.equal(none.map, 'robust');
  assert.equal(none.csiAgeS, null);
  const foreign = await planWith({}, { ...REPORT, session: 2 }, 0);
  assert.equal(foreign.map, 'robust');
  const otherBand = await planWith({}, { ...REPORT, codes: new Uint8Array(25).fill(140) }, 0);
  assert.equal(otherBand.map, 'robust');
});

test('an explicit mapping holds even with an old report, but not without any', async () => {
  const forced = { mapping: 'worst', mappingForced: true, maxCsiAgeS: 0.05 } as const;
  const old = await planWith(forced, REPORT, 3);
  assert.equal(old.map, 'worst');
  assert.equal(old.csiNumber, 7);
  assert.equal((await planWith(forced, null, 0)).map, 'robust');
});

test('with fading the margin grows with the age of the report', async () => {
  const at = async (ageS: number) =>
    (await planWith({ dopplerHz: 10, maxCsiAgeS: 1 }, REPORT, ageS)).loading.efficiency;
  const [now, soon, late] = [await at(0), await at(0.01), await at(0.025)];
  assert.ok(now > soon && soon > late, `${now}, ${soon}, ${late}`);
});
