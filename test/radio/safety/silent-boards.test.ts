// However a program that transmits ends, the emulated board behind USB/IP or TCP is silent afterwards. SIGKILL: nothing of the program runs any more. SIGSTOP:
// it neither runs nor lets go of the board; only the board itself can stop then (HackRF: underrun limit; Pluto: a buffer ends).
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WallAirClock } from '../../../hardware/emulated/clock.ts';
import { UsbIpServer } from '../../../hardware/emulated/front-ends/usbip.ts';
import { HackrfBoard } from '../../../hardware/emulated/hackrf/hackrf-board.ts';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { servePipes } from '../../../hardware/emulated/pluto/iiod/tcp-server.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { UsbPort } from '../../../hardware/emulated/usb-port.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { Coil } from '../../hardware/pluto/coil.ts';

const PROGRAM = fileURLToPath(new URL('./transmitting-process.ts', import.meta.url));
const SPEED = 0.1;
const DEADLINE_MS = 240_000;
/** Without anything on the air for so long, it is silent: ten blocks of the emulation. s of the air. */
const QUIET_S = 0.05;
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What stands at the antenna connector of a board. */
interface Probe {
  readonly uri: string;
  nowS(): number;
  /** End of the last samples that were not zero, s of the air; null: never. */
  lastEmissionS(): number | null;
  /** Whether the board still plays samples, silent ones or not. */
  playing(): boolean;
  unplug(): void;
  close(): Promise<void>;
}

/** @param left false: nobody resets the board when its program is gone, as with a cable of this machine; it must stop by itself */
async function hackrf(left = true): Promise<Probe> {
  const clock = new WallAirClock(SPEED);
  const serial = '0000000000000000457863c82f1a2b3c';
  const board = new HackrfBoard({ name: 'a', serial, air: null, clock });
  const port = new UsbPort(board, left);
  const server = await UsbIpServer.listen({ boards: [{ busId: '1-1', port }], at: { host: '127.0.0.1', port: 0 } });
  return {
    uri: `hackrf:${serial}?usbip=${server.address}`,
    nowS: () => clock.nowS(),
    lastEmissionS: () => board.inspect().lastEmissionS,
    playing: () => board.inspect().m0.activeMode !== 0,
    unplug: () => port.unplug(),
    close: () => server.close(),
  };
}

async function pluto(): Promise<Probe> {
  const clock = new WallAirClock(SPEED);
  const air = new Coil(clock, 30);
  const emitted = { lastS: null as number | null };
  const attach = air.attach.bind(air);
  air.attach = (...words: Parameters<typeof attach>) => {
    const antenna = attach(...words);
    const emit = antenna.emit.bind(antenna);
    antenna.emit = (emission) => {
      if (emission.reIm.some((x) => x !== 0))
        emitted.lastS = emission.startS + emission.reIm.length / 2 / emission.rateHz;
      emit(emission);
    };
    return antenna;
  };
  const board = new PlutoBoard({ name: 'p', serial: '10447', air, profile: loadProfile('pluto') });
  const iiod = new Iiod(board);
  const server = await servePipes((pipe) => void iiod.serve(pipe), { port: 0 });
  return {
    uri: `pluto:ip:127.0.0.1:${server.port}`,
    nowS: () => clock.nowS(),
    lastEmissionS: () => emitted.lastS,
    playing: () => false,
    unplug: () => {},
    close: () => server.close(),
  };
}

/** Starts the program, lets `end` end it once it is on the air, and waits until the board is silent. */
async function endWhileSending(
  probe: Probe,
  how: string,
  end: (child: ChildProcess) => void,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; said: string; silentAfterS: number }> {
  try {
    return await watch(probe, how, end);
  } finally {
    await probe.close();
  }
}

async function watch(probe: Probe, how: string, end: (child: ChildProcess) => void) {
  const until = performance.now() + DEADLINE_MS;
  const inTime = (what: string) => assert.ok(performance.now() < until, `${what} within ${DEADLINE_MS} ms; ${said}`);
  let said = '';
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, probe.uri, how], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  let running = true;
  void ended.then(() => (running = false));
  const onAir = () => {
    const last = probe.lastEmissionS();
    return last !== null && probe.nowS() - last < QUIET_S;
  };
  while (!(said.includes('sending') && onAir())) {
    inTime('on the air');
    assert.ok(running, `the program ended before it sent: ${said}`);
    await pause(20);
  }
  const endS = probe.nowS();
  end(child);
  // Not silent for a moment, but for good: quiet, and the program gone or frozen.
  for (let quietFromS: number | null = null; ; ) {
    inTime('silent');
    await pause(20);
    if (onAir() || probe.playing() || (running && how !== 'freeze')) quietFromS = null;
    else quietFromS ??= probe.nowS();
    if (quietFromS !== null && probe.nowS() - quietFromS > 4 * QUIET_S) break;
  }
  const silentAfterS = Math.max(0, probe.lastEmissionS()! - endS);
  if (how === 'freeze') child.kill('SIGKILL');
  const [code, signal] = await ended;
  children.delete(child);
  return { code, signal, said, silentAfterS };
}

describe('an emulated HackRF is silent', { concurrency: 3 }, () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`after ${signal}`, async () => {
      const ended = await endWhileSending(await hackrf(), 'signal', (child) => child.kill(signal));
      assert.equal(ended.code, code, ended.said);
    });
  }

  test('after an exception that nobody caught', async () => {
    const ended = await endWhileSending(await hackrf(), 'exception', (child) => child.kill('SIGUSR2'));
    assert.equal(ended.code, 1, ended.said);
    assert.match(ended.said, /Error: planned exception/);
  });

  test('after process.exit', async () => {
    const ended = await endWhileSending(await hackrf(), 'exit', (child) => child.kill('SIGUSR2'));
    assert.equal(ended.code, 7, ended.said);
  });

  for (const [left, how] of [
    [true, 'whose server then resets it'],
    [false, 'that nobody resets: at its underrun limit'],
  ] as const) {
    test(`after kill -9, on a port ${how}`, async () => {
      const ended = await endWhileSending(await hackrf(left), 'signal', (child) => child.kill('SIGKILL'));
      assert.equal(ended.signal, 'SIGKILL');
      assert.ok(ended.silentAfterS < 5, `${ended.silentAfterS} s`);
    });
  }

  test('where the host freezes: the board stops by itself, at its underrun limit', async () => {
    const ended = await endWhileSending(await hackrf(), 'freeze', (child) => child.kill('SIGSTOP'));
    // What was under way, then at most the limit of 0.25 s; zeros during the limit are no emission.
    assert.ok(ended.silentAfterS < 5, `${ended.silentAfterS} s`);
  });

  test('after it was pulled: the program is told and ends', async () => {
    const probe = await hackrf();
    const ended = await endWhileSending(probe, 'signal', () => probe.unplug());
    assert.equal(ended.code, 3, ended.said);
    assert.match(ended.said, /UsbError: /);
  });
});

describe('an emulated Pluto is silent', { concurrency: 3 }, () => {
  test('after SIGINT', async () => {
    const ended = await endWhileSending(await pluto(), 'signal', (child) => child.kill('SIGINT'));
    assert.equal(ended.code, 130, ended.said);
  });

  test('after kill -9', async () => {
    const ended = await endWhileSending(await pluto(), 'signal', (child) => child.kill('SIGKILL'));
    assert.equal(ended.signal, 'SIGKILL');
  });

  test('where the host freezes: its last buffer ends', async () => {
    await endWhileSending(await pluto(), 'freeze', (child) => child.kill('SIGSTOP'));
  });
});
