import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { boardsOnTheBench, serialOf } from './bench.ts';
import { jumpsOf } from './counter-check.ts';
import { guestImage, runGuest, type StepResult } from './guest.ts';
import { readClientVectors, timeless, writeClientVectors } from './hackrf-vectors.ts';
import type { Asked } from './recorder.ts';
import { guestSteps, IIO_BLOCK, IIO_SAMPLES, RX_SAMPLES, TX_BYTES } from './steps.ts';

/** Functional: ten times what a busy machine with two cores needs. */
const BOOT_AND_STEPS_MS = 900_000;
const UNPLUGGED_MS = 3000;
const HACKRF_STEPS = ['hackrf_info', 'receive', 'transmit', 'sweep'] as const;

/** What test/system/guest-driver.js prints. */
interface DriverFacts {
  readonly heard: number;
  readonly rateHz: number;
  readonly jumps: readonly { readonly index: number; readonly missing: number }[];
  readonly records: readonly { readonly from: number; readonly to: number; readonly max: number }[];
}

type Bench = Awaited<ReturnType<typeof boardsOnTheBench>>;

describe('real clients in a guest, on emulated boards', () => {
  let bench: Bench;
  let results: ReadonlyMap<string, StepResult>;
  let tx: Buffer;
  /** What a step asked of the HackRF, and how the board stood when the step ended. */
  const asked = new Map<string, readonly Asked[]>();
  const stateAfter = new Map<string, ReturnType<Bench['hackrf']['inspect']>>();
  const sentIn = new Map<string, Buffer>();

  before(async () => {
    bench = await boardsOnTheBench();
    const { folder, recorded, hackrf, port } = bench;
    tx = Buffer.from(Uint8Array.from({ length: TX_BYTES }, (_, i) => (i * 7919) >> 5));
    await writeFile(join(folder, 'tx.bin'), tx);
    await writeFile(join(folder, 'iio-tx.bin'), tx.subarray(0, 4 * IIO_SAMPLES));
    let step: string | null = null;
    const steps = guestSteps(bench.usbipPort, fileURLToPath(new URL('../..', import.meta.url)));
    results = await runGuest({
      image: await guestImage(),
      results: folder,
      steps,
      usbredir: bench.usbredir,
      hasNetwork: true,
      timeoutMs: BOOT_AND_STEPS_MS,
      onLine: (line) => {
        const next = /^guest: (?:step (\w+)|script ended)/.exec(line);
        if (next) {
          if (step) {
            asked.set(step, recorded.asked.splice(0));
            sentIn.set(step, Buffer.concat(recorded.sent.splice(0)));
            stateAfter.set(step, hackrf.inspect());
          }
          step = next[1] ?? null;
        }
        if (line === 'guest: pull the cable') {
          port.unplug();
          setTimeout(() => port.plug(), UNPLUGGED_MS);
        }
      },
    });
  });

  after(async () => {
    await bench?.close();
    if (bench) await rm(bench.folder, { recursive: true });
  });

  const text = (step: string, code: number | null = 0): string => {
    const result = results.get(step);
    assert.ok(result, `the guest did not come to step ${step}`);
    assert.equal(result.code, code, result.text);
    return result.text;
  };

  it('the kernel of the guest and lsusb read all descriptors', () => {
    const bus = text('bus');
    assert.match(bus, /1d50:6089/);
    assert.match(bus, /0456:b673/);
    assert.match(bus, new RegExp(serialOf(1)));
    assert.match(bus, /Device Qualifier/);
    assert.deepEqual(bench.problems, []);
  });

  it('hackrf_info finds the board', () => {
    const info = text('hackrf_info');
    assert.match(info, new RegExp(`Serial number: ${serialOf(1)}`));
    assert.match(info, /Board ID Number: 2 \(HackRF One\)/);
    assert.match(info, /API:1\.07/);
  });

  it('hackrf_transfer receives every sample; what the board lost is missing where it says so', async () => {
    text('receive');
    const bytes = await readFile(join(bench.folder, 'rx.bin'));
    assert.equal(bytes.length, 2 * RX_SAMPLES);
    const state = stateAfter.get('receive');
    const lost = state?.shortfalls.filter((s) => s.atSample < RX_SAMPLES) ?? [];
    const expected = lost.map(({ atSample, samples }) => ({ atSample, missing: samples & 0xffff }));
    assert.deepEqual(jumpsOf(bytes), expected);
    assert.equal(state?.mode, 'off');
  });

  it('hackrf_transfer transmits the bytes of the file, zeros to 512 and its flush; then the board is silent', () => {
    text('transmit');
    const sent = sentIn.get('transmit') ?? Buffer.alloc(0);
    assert.deepEqual(sent.subarray(0, TX_BYTES), tx);
    const rest = sent.subarray(TX_BYTES);
    assert.equal(rest.length, ((512 - (TX_BYTES % 512)) % 512) + 32_768);
    assert.ok(rest.every((byte) => byte === 0));
    const state = stateAfter.get('transmit');
    assert.equal(state?.mode, 'off');
    assert.ok(state.emittedSamples > TX_BYTES / 2 / 2, `${state.emittedSamples} samples were on the air`);
    assert.equal(stateAfter.get('sweep')?.emittedSamples, state.emittedSamples);
  });

  it('hackrf_sweep covers the range once', () => {
    const rows = text('sweep')
      .split('\n')
      .filter((line) => /^\d{4}-/.test(line));
    const starts = rows.map((row) => Number(row.split(',')[2])).sort((a, b) => a - b);
    assert.deepEqual(
      starts,
      Array.from({ length: 20 }, (_, i) => 100e6 + 5e6 * i),
    );
  });

  it('the clients asked what the committed recordings say', () => {
    const clients = HACKRF_STEPS.map((command) => ({ command, asked: timeless(asked.get(command) ?? []) }));
    if (process.env.SCT_SYSTEM_VECTORS === '1') {
      const version = execFileSync('dpkg-query', ['-W', 'hackrf', 'libhackrf0']).toString().trim();
      writeClientVectors(version.replaceAll('\t', ' ').replaceAll('\n', ', '), clients);
    }
    for (const { command, asked: recorded } of readClientVectors()) {
      assert.deepEqual(clients.find((c) => c.command === command)?.asked, recorded, command);
    }
  });

  for (const [step, way] of [
    ['driver', 'over libusb and the kernel'],
    ['usbipd', "over its USB/IP client and Linux's own usbipd"],
  ]) {
    it(`our driver, ${way}, receives and reports every loss`, () => {
      const line = text(step)
        .split('\n')
        .find((l) => l.startsWith('{"uri"'));
      const facts = JSON.parse(line ?? '') as DriverFacts;
      assert.ok(facts.heard >= 400_000);
      assert.equal(facts.rateHz, 8e6);
      for (const { index, missing } of facts.jumps) {
        const told = facts.records.filter((r) => r.from <= index && index <= r.to);
        // The counter has 16 bits: whole turns more may be missing.
        assert.ok(
          told.some((r) => missing <= r.max),
          `${missing} samples are missing at ${index}: ${JSON.stringify(facts.records)}`,
        );
      }
    });
  }

  it('the cable is pulled in the middle of a transfer: the client ends, the board comes back', () => {
    const log = text('unplug');
    assert.match(log, /hackrf_transfer ended with \d+/);
    assert.match(log, new RegExp(`Serial number: ${serialOf(1)}`));
  });

  it('iio_info and iio_attr over USB', () => {
    const info = text('iio_info');
    assert.match(info, /0456:b673/);
    assert.match(info, /IIO context has 4 devices:/);
    assert.match(text('iio_attr'), /915000000/);
  });

  it('iio_readdev and iio_writedev over USB move every sample', async () => {
    text('iio_readdev');
    const bytes = await readFile(join(bench.folder, 'iio-rx.bin'));
    assert.equal(bytes.length, 4 * IIO_SAMPLES);
    assert.ok(
      bytes.some((byte) => byte !== 0),
      'noise, at least',
    );
    text('iio_writedev');
    const sent = Buffer.concat(bench.recordedPluto.sent);
    for (let at = 0; at < 4 * IIO_SAMPLES; at += 4 * IIO_BLOCK) {
      assert.ok(sent.includes(tx.subarray(at, at + 4 * IIO_BLOCK)), `the block from byte ${at} on came over the bus`);
    }
    // iio_writedev closes its buffer right after the last block: what was still queued then is cut off, and counted.
    const { playedSamples, cutSamples } = bench.pluto.statistics().tx;
    assert.equal(playedSamples + cutSamples, IIO_SAMPLES, `${playedSamples} played, ${cutSamples} cut off`);
  });

  it('the kernel imports a board over USB/IP', () => {
    const log = text('usbip');
    assert.match(log, /1-1: .*\(1d50:6089\)/);
    assert.match(log, new RegExp(`Serial number: ${serialOf(2)}`));
    assert.match(log, new RegExp(`Serial number: ${serialOf(1)}`));
  });
});
