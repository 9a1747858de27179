import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildChannel } from '../../../src/phy/channel/scenario.ts';
import { Host, type Rig, rig } from './helpers.ts';

const RATE_HZ = 3_840_000;

/** Both directions at one rate and carrier, receiver in manual gain. */
async function tuned(options: Parameters<typeof rig>[0], gainDb = 20): Promise<Rig & { host: Host }> {
  const r = rig(options);
  const host = new Host(r.iiod);
  await host.set('ad9361-phy INPUT voltage0 sampling_frequency', String(RATE_HZ));
  await host.set('ad9361-phy OUTPUT altvoltage0 frequency', '2400000000');
  await host.set('ad9361-phy OUTPUT altvoltage1 frequency', '2400000000');
  await host.set('ad9361-phy INPUT voltage0 gain_control_mode', 'manual');
  assert.equal(
    await host.set('ad9361-phy INPUT voltage0 hardwaregain', String(gainDb)),
    `${String(gainDb).length + 1}\n`,
  );
  return { ...r, host };
}

/** The next `samples` received samples, opened with one block. */
async function receive({ clock, iiod }: Rig, samples: number): Promise<Int16Array> {
  const host = new Host(iiod);
  await host.ask(`OPEN iio:device3 ${samples} 00000003\r\n`);
  await host.ask(`READBUF iio:device3 ${4 * samples}\r\n`);
  await clock.advance((samples + 10) / RATE_HZ);
  const reply = host.pipe.take();
  host.pipe.hangUp();
  await host.done;
  const head = Buffer.from(`${4 * samples}\n00000003\n`);
  assert.deepEqual(reply.subarray(0, head.length), head);
  const data = Uint8Array.from(reply.subarray(head.length));
  return new Int16Array(data.buffer);
}

const power = (iq: Int16Array) => iq.reduce((sum, v) => sum + v * v, 0) / (iq.length / 2);
const dbfs = (iq: Int16Array) => 10 * Math.log10(power(iq) / 2048 ** 2);

async function startCyclic(host: Host, iq: Int16Array): Promise<void> {
  assert.equal(await host.ask(`OPEN iio:device2 ${iq.length / 2} 00000003 CYCLIC\r\n`), '0\n');
  await host.ask(`WRITEBUF iio:device2 ${2 * iq.length}\r\n`);
  assert.equal(await host.ask(new Uint8Array(iq.buffer)), `${2 * iq.length}\n`);
}

// 7 dBm - 20 dB (gain) - 40 dB (path) = -53 dBm; full scale at a gain of 20 dB is 5.9 - 20 = -14.1 dBm: -38.9 dBFS. 0.1 dB of converter steps.
test('levels: greatest power, transmit gain, path, receive gain, full scale', async () => {
  const r = await tuned({ lossDb: 40 });
  assert.equal(await r.host.set('ad9361-phy OUTPUT voltage0 hardwaregain', '-20'), '4\n');
  await startCyclic(
    r.host,
    Int16Array.from({ length: 512 }, (_, i) => [32752, 0, 0, 32752, -32752, 0, 0, -32752][i % 8]),
  );
  const iq = await receive(r, 8192);
  assert.ok(Math.abs(dbfs(iq) + 38.9) < 0.1, `${dbfs(iq)} dBFS`);
  assert.equal(r.board.statistics().rx.clippedSamples, 0);
  await r.host.set('ad9361-phy INPUT voltage0 hardwaregain', '71');
  await receive(r, 512);
  assert.ok(r.board.statistics().rx.clippedSamples > 0, '12 dB above full scale');
});

// -173.98 dBm/Hz + 10 log10(3.84e6) + 3 dB = -105.1 dBm; full scale at 71 dB is -65.1 dBm: -40.0 dBFS. 32768 samples: 0.03 dB of spread.
test('thermal noise with the noise figure; none of it when the carrier is off', async () => {
  const r = await tuned({ lossDb: 40 }, 71);
  const noise = await receive(r, 32_768);
  assert.ok(Math.abs(dbfs(noise) + 40.0) < 0.15, `${dbfs(noise)} dBFS`);
  await r.host.set('ad9361-phy OUTPUT altvoltage0 powerdown', '1');
  assert.equal(power(await receive(r, 1024)), 0);
});

test('inside the chip looped back: what was sent arrives, its upper 12 of 16 bits, no other', async () => {
  const r = await tuned({ lossDb: 40 });
  const sent = Int16Array.from({ length: 512 }, (_, i) => ((i * 2654435761) >>> 16) - 32768);
  await r.host.set('ad9361-phy DEBUG loopback', '1');
  await startCyclic(r.host, sent);
  await r.clock.advance(1e-3);
  const got = await receive(r, 1024);
  const words = sent.map((v) => v >> 4);
  const start = got.findIndex((_, i) => i % 2 === 0 && words.every((w, k) => got[i + k] === w));
  assert.ok(start >= 0 && start < words.length, 'one period of the buffer');
  const expected = got.map((_, i) => words[(((i - start) % words.length) + words.length) % words.length]);
  assert.deepEqual(got, expected);
});

test('tones sound while no buffer is open: at their scale, not when raw is 0, again when a buffer was closed', async () => {
  const r = await tuned({ lossDb: 40 });
  const set = (tone: number, name: string, value: string) =>
    r.host.set(`cf-ad9361-dds-core-lpc OUTPUT altvoltage${tone} ${name}`, value);
  for (const [tone, phase] of [
    [0, 90_000],
    [2, 0],
  ]) {
    await set(tone, 'frequency', '100000');
    await set(tone, 'phase', String(phase));
    await set(tone, 'scale', '0.5');
  }
  // 7 - 10 (gain at first) - 6.02 (scale) - 40 = -49.0 dBm: -34.9 dBFS at 20 dB.
  assert.ok(Math.abs(dbfs(await receive(r, 8192)) + 34.9) < 0.1);
  await set(1, 'raw', '0');
  assert.ok(dbfs(await receive(r, 8192)) < -66, 'converter steps alone');
  await r.host.ask('OPEN iio:device2 64 00000003\r\nCLOSE iio:device2\r\n');
  assert.equal(await r.host.get('iio:device2 OUTPUT altvoltage0 raw'), '0');
  assert.ok(Math.abs(dbfs(await receive(r, 8192)) + 34.9) < 0.1, 'the driver goes back to the tones');
  for (const tone of [0, 2]) await set(tone, 'scale', '0');
  assert.ok(dbfs(await receive(r, 8192)) < -66);
});

test('a carrier that is down, or a chip that is not in FDD, sends nothing', async () => {
  const r = await tuned({ lossDb: 40 });
  await startCyclic(r.host, new Int16Array(512).fill(16000));
  await r.clock.advance(0.01);
  const before = r.board.statistics().tx.emittedSamples;
  assert.ok(before > 38_000);
  await r.host.set('ad9361-phy OUTPUT altvoltage1 powerdown', '1');
  const down = r.board.statistics().tx.emittedSamples;
  await r.clock.advance(0.1);
  assert.equal(r.board.statistics().tx.emittedSamples, down);
  await r.host.set('ad9361-phy OUTPUT altvoltage1 powerdown', '0');
  await r.host.set('ad9361-phy ensm_mode', 'alert');
  await r.clock.advance(0.1);
  assert.equal(r.board.statistics().tx.emittedSamples, down);
  assert.ok(r.board.statistics().tx.playedSamples > 380_000, 'the buffer plays on');
});

test('a burst is on the air for its samples, from first to last, at the true rate and carrier of the board', async () => {
  const r = await tuned({ clockErrorPpm: 10 });
  const iq = new Int16Array(2 * 4000).fill(16000);
  await r.host.ask('OPEN iio:device2 4000 00000003\r\n');
  await r.host.ask('WRITEBUF iio:device2 16000\r\n');
  await r.clock.advance(1e-3);
  await r.host.ask(new Uint8Array(iq.buffer));
  await r.clock.advance(0.1);
  const { emissions } = r.air;
  assert.equal(
    emissions.reduce((sum, { reIm }) => sum + reIm.length / 2, 0),
    4000,
  );
  for (const [i, { rateHz, frequencyHz, startS }] of emissions.entries()) {
    assert.ok(Math.abs(rateHz - RATE_HZ * (1 + 10e-6)) < 1);
    assert.ok(Math.abs(frequencyHz - 2.4e9 * (1 + 10e-6)) < 3);
    if (i) {
      const last = emissions[i - 1];
      assert.ok(Math.abs(startS - last.startS - last.reIm.length / 2 / rateHz) < 1e-9, 'no gap');
    }
  }
  // 20 000 ppb more in the driver's belief: the carrier follows.
  await r.host.set('ad9361-phy xo_correction', '40000400');
  assert.equal(await r.host.get('ad9361-phy xo_correction'), '40000400');
  assert.ok(Math.abs(r.board.chip.trueHz(2_400_000_000) - 2.4e9) < 1);
});

test('8 samples of the chip a sample of the host below 2.083 Msps', async () => {
  const r = await tuned({ clockErrorPpm: 0 });
  assert.equal(await r.host.set('ad9361-phy INPUT voltage0 sampling_frequency', '960000'), '-22\n');
  assert.equal(await r.host.set('ad9361-phy INPUT voltage0 sampling_frequency', '7680000'), '8\n');
  assert.equal(await r.host.get('cf-ad9361-lpc INPUT voltage0 sampling_frequency_available'), '7680000 960000 ');
  assert.equal(
    await r.host.set('cf-ad9361-lpc INPUT voltage0 sampling_frequency', '1000000'),
    '8\n',
    'the nearest divider is 8',
  );
  assert.equal(await r.host.get('cf-ad9361-lpc INPUT voltage1 sampling_frequency'), '960000');
  assert.equal(await r.host.set('cf-ad9361-lpc INPUT voltage0 sampling_frequency', '3840000'), '-22\n');
  assert.equal(await r.host.get('cf-ad9361-dds-core-lpc OUTPUT voltage0 sampling_frequency'), '7680000');
  await r.host.ask('OPEN iio:device3 960 00000003\r\nREADBUF iio:device3 3840\r\n');
  await r.clock.advance(0.0009);
  const early = r.host.pipe.take();
  await r.clock.advance(0.0002);
  const { length } = r.host.pipe.take();
  assert.equal(early.toString(), '', 'a block of 1 ms');
  assert.equal(length, '3840\n00000003\n'.length + 3840);
});

test('gain control brings the level to -12 dBFS: at once, or a step a millisecond', async () => {
  const r = await tuned({ lossDb: 40 });
  await r.host.set('ad9361-phy OUTPUT voltage0 hardwaregain', '-10');
  await startCyclic(r.host, new Int16Array(512).fill(23_000));
  await r.host.set('ad9361-phy INPUT voltage0 gain_control_mode', 'fast_attack');
  await receive(r, 4096);
  assert.ok(Math.abs(dbfs(await receive(r, 4096)) + 12) < 1);
  const settled = Number.parseFloat(await r.host.get('ad9361-phy INPUT voltage0 hardwaregain'));
  await r.host.set('ad9361-phy INPUT voltage0 gain_control_mode', 'manual');
  await r.host.set('ad9361-phy INPUT voltage0 hardwaregain', String(settled - 10));
  await r.host.set('ad9361-phy INPUT voltage0 gain_control_mode', 'slow_attack');
  assert.equal(await r.host.set('ad9361-phy INPUT voltage0 hardwaregain', '10'), '-95\n');
  await receive(r, 4 * 3840);
  const after4ms = Number.parseFloat(await r.host.get('ad9361-phy INPUT voltage0 hardwaregain'));
  assert.equal(after4ms, settled - 6);
  await receive(r, 30 * 3840);
  assert.ok(Math.abs(dbfs(await receive(r, 4096)) + 12) < 1.5);
});

// Image of a carrier: |g/2 + j p/2| with g = 0.5 dB (0.0576), p = 3 degrees (0.0524): -28.2 dBc a converter, twice (both ends, in step): between
// 3 and 6 dB more or less. The constant part -30 dBFS of both ends; the sender's arrives attenuated.
test('faults of the mixers: image and constant part as asked for', async () => {
  const faults = (rateHz: number) => buildChannel({ rateHz, seed: 1, iqDb: 0.5, iqDeg: 3, dcDbfs: -30 });
  const r = await tuned({ lossDb: 20, rxFaults: faults, txFaults: faults }, 10);
  await startCyclic(
    r.host,
    Int16Array.from({ length: 128 }, (_, i) => 30_000 * Math.cos((Math.PI / 4) * (i >> 1) - (i & 1 ? Math.PI / 2 : 0))),
  );
  await receive(r, 64);
  const iq = await receive(r, 8192);
  const bin = (turns: number) => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < iq.length / 2; i++) {
      const angle = -2 * Math.PI * turns * i;
      re += iq[2 * i] * Math.cos(angle) - iq[2 * i + 1] * Math.sin(angle);
      im += iq[2 * i] * Math.sin(angle) + iq[2 * i + 1] * Math.cos(angle);
    }
    return 20 * Math.log10(Math.hypot(re, im) / (iq.length / 2) / 2048);
  };
  const image = bin(-1 / 8) - bin(1 / 8);
  assert.ok(image > -28.2 - 6 && image < -28.2 + 6.1, `${image} dBc`);
  assert.ok(Math.abs(bin(0) + 30) < 1.5, `${bin(0)} dBFS`);
});
