import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { DeviceError } from '../../../src/common/errors.ts';
import { blockLength, type SampleBlock } from '../../../src/radio/radio.ts';
import { formatRadioUri, parseRadioUri } from '../../../src/radio/uri.ts';
import { UsbError } from '../../../src/radio/usb/usb.ts';
import { bench, passTime, SERIAL } from './emulated.ts';

/** Number of the converter's sample that stands in a block of the counter pattern, modulo 65 536. */
function numberAt(block: SampleBlock, sample: number): number {
  return (block.data[2 * sample] & 0xff) | ((block.data[2 * sample + 1] & 0xff) << 8);
}

test('settings: sent as hackrf_transfer sends them, reported as they are', async () => {
  const { open, requests } = bench();
  const radio = await open({ lnaDb: 16, vgaDb: 20, patienceMs: 60_000 });
  try {
    assert.equal(radio.facts.serial, SERIAL);
    assert.equal(radio.facts.api, '1.07');
    assert.equal(radio.facts.board, 'HackRF One');
    requests.length = 0;
    const rx = await radio.openRx({ frequencyHz: 915e6, rateHz: 8e6, gainsDb: { amp: 14 } });
    // hackrf_transfer -f 915000000 -s 8000000 -a 1 -p 0 -l 16 -g 20 -r FILE: 6, 7, 29, 16, 17, 23, 20, 19, 1; the overrun limit is ours.
    assert.deepEqual(requests.map(([request]) => request).slice(0, 10), [6, 7, 29, 16, 17, 23, 20, 19, 43, 1]);
    assert.equal(requests[0][3], '00127a0001000000');
    assert.deepEqual(rx.settings, {
      frequencyHz: 915e6,
      rateHz: 8e6,
      bandwidthHz: 6e6,
      gainsDb: { lna: 16, vga: 20, amp: 14 },
      format: 'ci8',
      fullScale: 128,
    });
    await assert.rejects(radio.openTx(), DeviceError);
    requests.length = 0;
    assert.deepEqual(await rx.setGains({ lna: 24 }), { lna: 24, vga: 20, amp: 14 });
    await assert.rejects(rx.setGains({ lna: 23 }), /steps of 8/);
    await rx.close();
    // Unchanged settings are not sent again; the amplifier and the bias tee go off unless named.
    requests.length = 0;
    const again = await radio.openRx({ frequencyHz: 915e6, rateHz: 8e6 });
    await again.close();
    assert.deepEqual(
      requests
        .filter(([request]) => request < 41)
        .map(([request, value]) => [request, value])
        .slice(0, 2),
      [
        [17, 0],
        [20, 0],
      ],
    );
  } finally {
    await radio.close();
  }
});

test('a clock error is taken out of rate and frequency', async () => {
  const { open, requests } = bench();
  const radio = await open({ ppm: 10, patienceMs: 60_000 });
  try {
    const rx = await radio.openRx({ frequencyHz: 1e9, rateHz: 8e6 });
    await rx.close();
    const frequency = Buffer.from(requests.find(([request]) => request === 16)![3], 'hex');
    assert.equal(frequency.readUInt32LE(0) * 1e6 + frequency.readUInt32LE(4), 999_990_000);
    assert.ok(Math.abs(rx.settings.frequencyHz - 1e9) < 1);
    assert.ok(Math.abs(rx.settings.rateHz - 8e6) <= 0.5);
  } finally {
    await radio.close();
  }
});

test('samples arrive in order, without a gap where the board has none', async () => {
  const clock = new ManualAirClock();
  const { open, emulated } = bench({ rxCounter: true }, { clock, nowNs: () => BigInt(Math.round(clock.nowS() * 1e9)) });
  const work = async (): Promise<void> => {
    const radio = await open({ patienceMs: 60_000 });
    const rx = await radio.openRx({ rateHz: 8e6 });
    let end = 0;
    for await (const block of rx) {
      assert.equal(block.lostBefore, null);
      assert.equal(block.index, end);
      const length = blockLength(block);
      for (let i = 0; i < length; i += 97) assert.equal(numberAt(block, i), (end + i) % 65_536);
      end += length;
      if (rx.counters.samples >= 1_000_000) break;
    }
    assert.ok(rx.counters.samples >= 1_000_000);
    assert.equal(rx.ended, 'closed');
    // 0x7f and 0x80 in the pattern are the converter's limits.
    assert.ok(rx.counters.clippedSamples > 0);
    assert.equal(rx.warning, null);
    assert.equal(emulated.inspect().mode, 'off');
    await radio.close();
  };
  await passTime(clock, work());
});

test('a bus too slow for the rate: what is lost is inside the bounds, and where it was is inside the spans', async () => {
  const { open, emulated } = bench({ busBytesPerS: 12e6 });
  const radio = await open({ patienceMs: 60_000 });
  try {
    const rx = await radio.openRx({ rateHz: 8e6 });
    let low = 0;
    let high = 0;
    let end = 0;
    /** Spans in samples delivered before them. */
    const spans: { from: number; to: number }[] = [];
    for await (const block of rx) {
      const lost = block.lostBefore;
      assert.equal(block.index, end + (lost?.min ?? 0));
      end = block.index + blockLength(block);
      if (!lost) continue;
      spans.push({ from: lost.from - low, to: lost.to - low - lost.min });
      const truth = emulated.inspect().shortfalls;
      const lostUntil = (sample: number): number =>
        truth.reduce((sum, { atSample, samples }) => sum + (atSample <= sample ? samples : 0), 0);
      const before = spans.at(-2)?.to ?? 0;
      low += lost.min;
      high += lost.max;
      // The record is told behind its span, not before: the truth up to there has at least what is certain.
      assert.ok(lostUntil(spans.at(-1)!.to) >= low, `at least ${low}`);
      assert.ok(lostUntil(before) <= high, `at most ${high}`);
      for (const { atSample } of truth) {
        if (atSample > spans.at(-1)!.to) continue;
        assert.ok(
          spans.some(({ from, to }) => atSample >= from && atSample <= to),
          `none at ${atSample}`,
        );
      }
      if (spans.length >= 3) break;
      assert.ok(rx.counters.samples < 40_000_000);
    }
    assert.ok(low > 0);
    // Leaving the loop closes the stream, and what was lost before the end of the last block is known then.
    const { lostMin, lostMax, gaps, samples } = rx.counters;
    assert.ok(lostMin >= low && lostMax >= high && gaps >= spans.length);
    const { shortfalls } = emulated.inspect();
    const truly = shortfalls.reduce((sum, loss) => sum + (loss.atSample < samples ? loss.samples : 0), 0);
    assert.ok(truly <= lostMax, `${truly} of at most ${lostMax}`);
  } finally {
    await radio.close();
  }
});

test('what the board discarded among the last blocks is told when the stream is closed', async () => {
  const clock = new ManualAirClock();
  // A bus at 3/8 of the rate: the board's buffer overflows 1 ms after it began, before the second transfer is full.
  const { open, emulated } = bench(
    { busBytesPerS: 6e6 },
    { clock, nowNs: () => BigInt(Math.round(clock.nowS() * 1e9)) },
  );
  const work = async (): Promise<void> => {
    const radio = await open({ patienceMs: 60_000 });
    const rx = await radio.openRx({ rateHz: 8e6 });
    for await (const block of rx) if (block.index > 0) break;
    const { samples, lostMin, lostMax, gaps } = rx.counters;
    const truth = emulated.inspect().shortfalls.filter(({ atSample }) => atSample < samples);
    const truly = truth.reduce((sum, loss) => sum + loss.samples, 0);
    assert.ok(truly > 0);
    assert.ok(lostMin <= truly && truly <= lostMax, `${truly} in ${lostMin} to ${lostMax}`);
    assert.equal(gaps, 1);
    assert.match(rx.warning ?? '', /discarded \d+ to \d+ samples at the very end/);
    await radio.close();
  };
  await passTime(clock, work());
});

for (const apiVersion of [0x0107, 0x0112]) {
  test(`amplifier and bias tee are set again for every stream: API ${apiVersion.toString(16)} forgets them`, async () => {
    const { open, requests } = bench({ apiVersion });
    const radio = await open({ patienceMs: 60_000 });
    const switches = (): string[] => {
      const seen = requests.filter(([request]) => request === 17 || request === 23 || request === 1);
      return seen.map(([request, value]) => `${request}:${value}`);
    };
    try {
      for (let i = 0; i < 2; i++) {
        requests.length = 0;
        const rx = await radio.openRx({ rateHz: 2e6, gainsDb: { amp: 14 }, biasTee: true });
        for await (const _ of rx) break;
        assert.deepEqual(switches(), ['17:1', '23:1', '1:1', '1:0']);
      }
      const tx = await radio.openTx({ rateHz: 2e6, gainsDb: { txamp: 14 }, biasTee: true });
      requests.length = 0;
      for (let i = 0; i < 2; i++) {
        await tx.write(new Float32Array(2));
        await tx.drain();
      }
      assert.deepEqual(switches(), ['1:2', '1:0', '17:1', '23:1', '1:2', '1:0']);
      await tx.close();
      requests.length = 0;
      await (await radio.openRx({ rateHz: 2e6 })).close();
      assert.deepEqual(switches().slice(0, 2), ['17:0', '23:0']);
    } finally {
      await radio.close();
    }
  });
}

test('what a URI names holds for every stream: bias tee, filter, trigger, mixer, clocks', async () => {
  const uri = parseRadioUri('hackrf?bias=1&filter=2.5M&trigger=1&clkin=1&clkout=1&path=high-pass&if=2.6G&lna=8&ppm=10');
  assert.ok(uri.kind === 'hackrf');
  assert.deepEqual(parseRadioUri(formatRadioUri(uri)), uri);
  const { open, requests, emulated } = bench({ clkinPpm: 10, rxCounter: true });
  const radio = await open({ ...uri.options, patienceMs: 60_000 });
  try {
    const rx = await radio.openRx({ frequencyHz: 5.8e9, rateHz: 4e6 });
    assert.equal(rx.settings.bandwidthHz, 2.5e6);
    // Asked for 10 ppm less than 5.8 GHz, to the Hz: what comes is read back.
    assert.ok(Math.abs(rx.settings.frequencyHz - 5.8e9) < 1);
    const { frequencyHz, filterHz, biasTee, hardwareTrigger, clkout } = emulated.settings;
    const nominalHz = Math.round(5.8e9 / (1 + 10e-6));
    assert.deepEqual(
      { frequencyHz, filterHz, biasTee, hardwareTrigger, clkout },
      { frequencyHz: nominalHz, filterHz: 2.5e6, biasTee: true, hardwareTrigger: true, clkout: true },
    );
    assert.ok(requests.some(([request]) => request === 24) && !requests.some(([request]) => request === 16));
    await rx.close();
    await assert.rejects(radio.openRx({ frequencyHz: 2.4e9 }), /hackrf LO/);
    const tx = await radio.openTx({ frequencyHz: 5.8e9, rateHz: 4e6 });
    assert.deepEqual([emulated.settings.biasTee, emulated.settings.hardwareTrigger], [true, true]);
    await tx.close();
  } finally {
    await radio.close();
  }
  await assert.rejects(bench().open({ clockIn: true }), /no clock at CLKIN/);
  await assert.rejects(bench().open({ filterHz: 2e6 }), /1\.75, 2\.5, 3\.5/);
  await assert.rejects(bench().open({ path: 'low-pass', ifHz: 1e9 }), /hackrf IF/);
});

test('a board without a bias tee refuses to switch it, which matters only where it was asked for', async () => {
  const { open, emulated } = bench();
  const control = emulated.control.bind(emulated);
  emulated.control = (setup, data) => (setup.request === 23 ? 'stall' : control(setup, data));
  const radio = await open({ patienceMs: 60_000 });
  try {
    await (await radio.openRx({ rateHz: 2e6 })).close();
    await assert.rejects(radio.openRx({ rateHz: 2e6, biasTee: true }), /ANTENNA_ENABLE/);
  } finally {
    await radio.close();
  }
});

test('unplugged: a typed error, and the same board again by its serial', async () => {
  const { open, bus } = bench();
  const radio = await open({ patienceMs: 60_000 });
  try {
    const rx = await radio.openRx({ rateHz: 2e6 });
    const started = performance.now();
    setTimeout(() => bus.unplug(0), 50);
    await assert.rejects(
      async () => {
        for await (const _ of rx);
      },
      (error: unknown) => error instanceof UsbError && error.kind === 'gone',
    );
    assert.ok(performance.now() - started < 10_000);
    assert.equal(rx.ended, 'source-silent');
    await assert.rejects(radio.openRx({}), UsbError);
    bus.plug(0);
    const again = await radio.openRx({ rateHz: 2e6 });
    for await (const block of again) {
      assert.ok(blockLength(block) > 0);
      break;
    }
  } finally {
    await radio.close();
  }
});

test('a trigger that does not come is no error; what comes after it starts at 0', async () => {
  const { open, emulated } = bench({ rxCounter: true });
  const radio = await open({ patienceMs: 60_000 });
  try {
    const rx = await radio.openRx({ rateHz: 2e6, hardwareTrigger: true });
    setTimeout(() => emulated.trigger(), 100);
    for await (const block of rx) {
      assert.equal(block.index, 0);
      assert.equal(numberAt(block, 0), 0);
      break;
    }
  } finally {
    await radio.close();
  }
});
