import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

// The clients of libiio-utils 0.24, as Debian ships them, prove the emulation. Time-outs are wide: the machine may be busy.
const TOOL_TIMEOUT_MS = 60_000;
const skip = missing();
const PHY = 'ad9361-phy';
/** Samples of a buffer. */
const BLOCK = 4096;

let server: ChildProcess;
let uri = '';

before(async () => {
  if (skip) return;
  const path = fileURLToPath(new URL('board-server.ts', import.meta.url));
  // A tenth of the speed of time: the board's samples are few enough for a busy machine.
  server = spawn(process.execPath, ['--import', 'tsx', path, '0.1'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(server.stdout!, 'data');
  uri = `ip:127.0.0.1:${/port (\d+)/.exec(String(line))![1]}`;
});

after(() => {
  server?.kill();
});

test('iio_info shows the context of a Pluto', { skip }, () => {
  const text = tool('iio_info').toString();
  assert.match(text, /Backend version: 0\.24 \(git tag: v0\.24/);
  assert.match(text, /IIO context has 4 devices:/);
  for (const name of [PHY, 'xadc', 'cf-ad9361-dds-core-lpc', 'cf-ad9361-lpc'])
    assert.match(text, new RegExp(`iio:device\\d: ${name}`));
  assert.match(text, /voltage0: {2}\(input, index: 0, format: le:S12\/16>>0\)/);
  assert.match(text, /voltage1: {2}\(output, index: 1, format: le:S16\/16>>0\)/);
  assert.match(text, /altvoltage0: RX_LO \(output\)/);
  assert.match(text, /direct_reg_access/);
  const errors = text.split('\n').filter((line) => line.includes('ERROR'));
  // As on a real Pluto: recall without profile, no tunable crystal, write-only tables, no pulse of a second.
  assert.deepEqual(errors.map((line) => /attr +\d+: (\w+)/.exec(line)![1]).sort(), [
    'dcxo_tune_coarse',
    'dcxo_tune_fine',
    'fastlock_recall',
    'fastlock_recall',
    'gain_table_config',
    'multichip_sync',
    'samples_pps',
    'samples_pps',
  ]);
});

test('iio_attr reads, writes, and hears of refusals', { skip }, () => {
  const attr = (...words: string[]) =>
    tool('iio_attr', ...words)
      .toString()
      .trim();
  assert.equal(attr('-c', PHY, 'altvoltage0', 'frequency', '915000000'), '915000000');
  assert.equal(attr('-c', PHY, 'RX_LO', 'frequency'), '915000000');
  assert.equal(attr('-c', '-i', PHY, 'voltage0', 'gain_control_mode', 'manual'), 'manual');
  assert.equal(attr('-c', '-i', PHY, 'voltage0', 'hardwaregain', '20'), '20.000000 dB');
  assert.equal(attr('-c', '-o', PHY, 'voltage0', 'hardwaregain', '--', '-20.3'), '-20.250000 dB');
  assert.match(refusal('-c', PHY, 'altvoltage0', 'frequency', '70000000'), /Invalid argument \(22\)/);
  assert.match(refusal('-c', '-i', PHY, 'voltage0', 'hardwaregain', '74'), /Invalid argument \(22\)/);
  assert.match(refusal('-c', '-i', PHY, 'voltage0', 'rssi', '1'), /Permission denied \(13\)/);
  assert.equal(attr('-d', PHY, 'xo_correction'), '40000000');
  assert.equal(attr('-D', 'cf-ad9361-lpc', 'direct_reg_access', '0x80000088'), '0x0');
});

test('what iio_writedev sends comes back through iio_readdev, bit for bit in the upper 12', { skip }, async () => {
  tool('iio_attr', '-c', '-i', PHY, 'voltage0', 'sampling_frequency', '3000000');
  tool('iio_attr', '-D', PHY, 'loopback', '1');
  const sent = Int16Array.from({ length: 2 * BLOCK }, (_, i) => ((i * 2_654_435_761) >>> 16) - 32_768);
  const writer = spawn(
    'iio_writedev',
    ['-u', uri, '-c', '-b', String(BLOCK), '-s', String(BLOCK), 'cf-ad9361-dds-core-lpc', 'voltage0', 'voltage1'],
    {
      stdio: ['pipe', 'ignore', 'inherit'],
    },
  );
  try {
    writer.stdin.end(Buffer.from(sent.buffer));
    const words = sent.map((v) => v >> 4);
    // Until the writer has begun, zeros come back.
    const blocks = () => {
      const got = readDevice(4 * BLOCK);
      return [0, 1, 2, 3].map((k) => got.subarray(2 * BLOCK * k, 2 * BLOCK * (k + 1)));
    };
    let got = blocks();
    for (let i = 0; i < 600 && !got[0].some((v) => v !== 0); i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      got = blocks();
    }
    // The first block may be older than the writer; between two the reader may have been late.
    for (const block of got.slice(1)) {
      const phase = words.findIndex((_, i) => i % 2 === 0 && isAt(words, i, block.subarray(0, 64)));
      assert.ok(phase >= 0, 'what came back is part of what was sent');
      assert.ok(isAt(words, phase, block), 'sample by sample');
    }
  } finally {
    writer.kill('SIGKILL');
    await once(writer, 'close');
  }
});

test('iio_reg clears the sticky bits of a DMA that is closed', { skip }, () => {
  const register = (...words: string[]) =>
    tool('iio_reg', 'cf-ad9361-lpc', '0x80000088', ...words)
      .toString()
      .trim();
  register('0x4');
  assert.equal(register(), '0x0');
});

test('a writer that is killed is silent; the counts of the board are whole', { skip }, async () => {
  let isSilent = false;
  for (let i = 0; i < 600 && !isSilent; i++) {
    isSilent = readDevice(2048).every((v) => v === 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(isSilent);
  server.stdin!.end();
  const chunks: string[] = [];
  server.stdout!.on('data', (chunk) => chunks.push(String(chunk)));
  await once(server, 'close');
  const { rx, tx } = JSON.parse(chunks.join('').trim().split('\n').pop()!);
  assert.ok(tx.playedSamples > 4096 && rx.capturedSamples >= 16_384);
});

/** Whether `part` is what a repeated buffer holds from word `from` on. */
function isAt(repeated: Int16Array, from: number, part: Int16Array): boolean {
  return part.every((value, k) => value === repeated[(from + k) % repeated.length]);
}

function readDevice(samples: number): Int16Array<ArrayBuffer> {
  const bytes = Uint8Array.from(
    tool('iio_readdev', '-b', String(Math.min(samples, BLOCK)), '-s', String(samples), 'cf-ad9361-lpc'),
  );
  assert.equal(bytes.length, 4 * samples);
  return new Int16Array(bytes.buffer);
}

function tool(name: string, ...words: string[]): Buffer {
  return execFileSync(name, ['-u', uri, ...words], { timeout: TOOL_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What iio_attr says when the board refuses. */
function refusal(...words: string[]): string {
  try {
    return tool('iio_attr', ...words).toString();
  } catch (error) {
    return String((error as { stdout?: Buffer }).stdout) + String((error as { stderr?: Buffer }).stderr);
  }
}

/** Why the clients cannot be run here; false where they can. */
function missing(): string | false {
  const { error, stdout } = spawnSync('iio_info', ['-h'], { timeout: TOOL_TIMEOUT_MS });
  if (error) return `libiio-utils cannot be run: ${error.message}`;
  const version = /Library version: (\S+)/.exec(String(stdout))?.[1];
  return version === '0.24' ? false : `iio_info is of libiio ${version ?? '(no version said)'}, not 0.24`;
}
