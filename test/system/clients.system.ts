import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { smallPhoto } from '../e2e/small-photo.ts';
import { boardsOnTheBench, LINK_PPM, LOSS_DB, serialOf } from './bench.ts';
import { jumpsOf } from './counter-check.ts';
import { guestImage, runGuest, type StepResult } from './guest.ts';
import { readClientVectors, timeless, writeClientVectors } from './hackrf-vectors.ts';
import { IIO_STEPS, type IioSaid, readIioVectors, saidOf, writeIioVectors } from './iio-vectors.ts';
import { type Asked, RecordedDevice } from './recorder.ts';
import { guestSteps, IIO_BLOCK, IIO_SAMPLES, LINK_HZ, PLUTO_RATE_HZ, RX_SAMPLES, TOO_SLOW, TX_BYTES } from './steps.ts';

/** Functional: ten times what a busy machine with two cores needs. */
const BOOT_AND_STEPS_MS = 780_000;
/** Whether the recordings of the clients are written anew. */
const isRecording = process.env.SCT_SYSTEM_VECTORS === '1';
/** The picture takes twice as long as everything before it. */
const BEFORE_LINK_MS = 120_000;
const HACKRF_STEPS = ['hackrf_info', 'receive', 'transmit', 'sweep'] as const;

/** What test/system/guest-driver.js prints. */
interface DriverFacts {
  readonly heard: number;
  readonly rateHz: number;
  readonly jumps: readonly { readonly index: number; readonly missing: number }[];
  readonly records: readonly { readonly from: number; readonly to: number; readonly max: number }[];
}

/** Of what sct link says. */
interface LinkMetrics {
  readonly ok: boolean;
  readonly psnrDb: number;
  readonly cfoHz: number;
  readonly samples: number;
  readonly lostSamples: number;
}

/** Debian packages with their versions. */
function versionOf(...packages: string[]): string {
  const text = execFileSync('dpkg-query', ['-W', ...packages])
    .toString()
    .trim();
  return text.replaceAll('\t', ' ').replaceAll('\n', ', ');
}

/** Number of a sample of the Pluto, 11 bits in each of its 16-bit words. */
function numberAt(bytes: Buffer, sample: number): number {
  return bytes.readInt16LE(4 * sample) + 2 ** 11 * bytes.readInt16LE(4 * sample + 2);
}

type Bench = Awaited<ReturnType<typeof boardsOnTheBench>>;

describe('real clients in a guest, on emulated boards', () => {
  let bench: Bench;
  let results: ReadonlyMap<string, StepResult>;
  let tx: Buffer;
  /** What a step asked of the HackRF, and how the board stood when the step ended. */
  const asked = new Map<string, readonly Asked[]>();
  const stateAfter = new Map<string, ReturnType<Bench['hackrf']['inspect']>>();
  /** From the boot to the picture. */
  let beforeLinkMs = 0;
  const sentIn = new Map<string, Buffer>();
  /** What a step sent and said to the Pluto. */
  const dataIn = new Map<string, Buffer>();
  const saidIn = new Map<string, IioSaid>();

  before(async () => {
    bench = await boardsOnTheBench();
    const { folder, recorded, recordedPluto, hackrf, port } = bench;
    tx = Buffer.from(Uint8Array.from({ length: TX_BYTES }, (_, i) => (i * 7919) >> 5));
    await writeFile(join(folder, 'tx.bin'), tx);
    await smallPhoto(join(folder, 'photo.png'), 64, 48);
    await writeFile(join(folder, 'iio-tx.bin'), tx.subarray(0, 4 * IIO_SAMPLES));
    let step: string | null = null;
    const tookS: string[] = [];
    const bootedMs = performance.now();
    let beganMs = bootedMs;
    const image = await guestImage();
    const steps = guestSteps({
      usbipPort: bench.usbipPort,
      iiod: image.iiod,
      repository: fileURLToPath(new URL('../..', import.meta.url)),
      link: { tx: `hackrf:${serialOf(4)}`, rx: `pluto:usb?serial=${serialOf(5)}`, lossDb: LOSS_DB },
    });
    results = await runGuest({
      image,
      results: folder,
      steps,
      usbredir: bench.usbredir,
      hasNetwork: true,
      timeoutMs: BOOT_AND_STEPS_MS,
      onStep: (next) => {
        const nowMs = performance.now();
        if (step) {
          tookS.push(`${step} ${((nowMs - beganMs) / 1e3).toFixed(1)}`);
          asked.set(step, recorded.asked.splice(0));
          sentIn.set(step, RecordedDevice.bytesOf(recorded.sent.splice(0)));
          const pluto = recordedPluto.sent.splice(0);
          dataIn.set(step, RecordedDevice.bytesOf(pluto));
          saidIn.set(step, saidOf(recordedPluto.asked.splice(0), pluto));
          stateAfter.set(step, hackrf.inspect());
        }
        step = next;
        beganMs = nowMs;
        if (next === 'link') beforeLinkMs = nowMs - bootedMs;
        if (beforeLinkMs > BEFORE_LINK_MS) writeFileSync(join(folder, TOO_SLOW), '');
      },
      onLine: (line) => {
        if (line === 'guest: pull the cable') port.unplug();
        if (line === 'guest: plug it in') port.plug();
        if (line === 'guest: boards for a picture') for (const cable of bench.linkPorts) cable.plug();
      },
    });
    process.stdout.write(`seconds: ${tookS.join(', ')}\n`);
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
    // The counter has 16 bits: whole turns are not seen in it.
    const expected = lost
      .map(({ atSample, samples }) => ({ atSample, missing: samples & 0xffff }))
      .filter(({ missing }) => missing > 0);
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
    if (isRecording) writeClientVectors(versionOf('hackrf', 'libhackrf0'), clients);
    for (const { command, asked: recorded } of readClientVectors()) {
      assert.deepEqual(clients.find((c) => c.command === command)?.asked, recorded, command);
    }
  });

  for (const [step, rate, way] of [
    ['driver', 8e6, 'of the HackRF, over libusb and the kernel'],
    ['usbipd', 8e6, "of the HackRF, over its USB/IP client and Linux's own usbipd"],
    ['pluto', PLUTO_RATE_HZ, 'of the Pluto, over libusb and the kernel'],
    ['iiod', PLUTO_RATE_HZ, "of the Pluto, over TCP and libiio's own server"],
  ] as const) {
    it(`our driver ${way}, receives and reports every loss`, () => {
      const line = text(step)
        .split('\n')
        .find((l) => l.startsWith('{"uri"'));
      const facts = JSON.parse(line ?? '') as DriverFacts;
      assert.ok(facts.heard >= 400_000);
      assert.ok(Math.abs(facts.rateHz - rate) <= 1, `${facts.rateHz} Hz`);
      for (const { index, missing } of facts.jumps) {
        const told = facts.records.filter((r) => r.from <= index && index <= r.to);
        // The counters have 16 and 22 bits: whole turns more may be missing.
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
    // Blocks may be missing between two that came; inside a block every sample is there.
    for (let n = 1; n < IIO_SAMPLES; n++) {
      if (n % IIO_BLOCK) assert.equal(numberAt(bytes, n), (numberAt(bytes, n - 1) + 1) % 2 ** 22, `sample ${n}`);
    }
    text('iio_writedev');
    const sent = dataIn.get('iio_writedev') ?? Buffer.alloc(0);
    for (let at = 0; at < 4 * IIO_SAMPLES; at += 4 * IIO_BLOCK) {
      assert.ok(sent.includes(tx.subarray(at, at + 4 * IIO_BLOCK)), `the block from byte ${at} on came over the bus`);
    }
    // iio_writedev closes its buffer right after the last block: what was still queued then is cut off, and counted.
    const { playedSamples, cutSamples } = bench.pluto.statistics().tx;
    assert.equal(playedSamples + cutSamples, IIO_SAMPLES, `${playedSamples} played, ${cutSamples} cut off`);
  });

  it('the clients of libiio said what the committed recordings say', () => {
    const clients = IIO_STEPS.map((command) => ({ command, said: saidIn.get(command) ?? { controls: [], pipes: {} } }));
    if (isRecording) writeIioVectors(versionOf('libiio-utils', 'libiio0'), clients);
    assert.deepEqual(clients, readIioVectors());
  });

  it('the kernel imports a board over USB/IP', () => {
    const log = text('usbip');
    assert.match(log, /1-1: .*\(1d50:6089\)/);
    assert.match(log, new RegExp(`Serial number: ${serialOf(2)}`));
    assert.match(log, new RegExp(`Serial number: ${serialOf(1)}`));
  });

  it("a picture comes from a HackRF to a Pluto by sct link in the guest, over the kernel's USB", async (t) => {
    if (existsSync(join(bench.folder, TOO_SLOW))) {
      t.skip(
        `the steps before took ${(beforeLinkMs / 1e3).toFixed(0)} s: a picture would take a guest this slow too long`,
      );
      return;
    }
    text('link');
    const metrics = JSON.parse(await readFile(join(bench.folder, 'link.json'), 'utf8')) as LinkMetrics;
    const { psnrDb, samples, lostSamples } = metrics;
    process.stdout.write(`picture in the guest: ${psnrDb.toFixed(1)} dB, ${samples} samples, ${lostSamples} lost\n`);
    assert.equal(metrics.ok, true);
    assert.ok(metrics.psnrDb > 30, `${metrics.psnrDb} dB`);
    const cfoHz = LINK_HZ * (LINK_PPM.tx - LINK_PPM.rx) * 1e-6;
    assert.ok(Math.abs(metrics.cfoHz - cfoHz) < 100, `CFO ${metrics.cfoHz} Hz, the clocks say ${cfoHz} Hz`);
  });
});
