/**
 * Radios, emulated: cost of recording, a blocked program, losses over 1e9 samples, turnaround, pictures against `sct loopback`.
 *
 *   npm run build && node --import tsx bench/radios.ts [--only record,blocked,losses,turnaround,pictures] [--seeds 3] [--out bench/results/radios.json]
 *
 * Boards are `sct emulate` in a process of its own, behind USB/IP on a local socket; ours is the built program, or its modules in this
 * process. Parts not asked for keep what the file says. Figures of a busy machine are those of a busy machine: `load` is its average over a minute.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { openHackrf } from '../src/radio/hackrf/open-hackrf.ts';
import { measureTurnaround } from '../src/radio/hackrf/turnaround.ts';
import { blockLength } from '../src/radio/radio.ts';
import { parseRadioUri } from '../src/radio/uri.ts';

const root = await packageRoot();
const run = promisify(execFile);
const SCT = join(root, 'bin/sct.js');
const folder = mkdtempSync(join(tmpdir(), 'sct-bench-radios-'));
const board = (n: number) => `hackrf:${`e5c700000000000${n}`.padStart(32, '0')}?usbip=unix:./boards`;

/** Boards while `use` runs; the working directory of everything is the temporary folder, where their socket is. */
async function withBoards<T>(words: readonly string[], use: () => Promise<T>): Promise<T> {
  rmSync(join(folder, 'boards'), { force: true });
  const boards: ChildProcess = spawn(process.execPath, [SCT, 'emulate', ...words, '--usbip', './boards'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await new Promise<void>((resolve, reject) => {
      boards.stderr!.on('data', (text) => /between them/.test(String(text)) && resolve());
      boards.on('close', (code) => reject(new Error(`sct emulate ended with ${code}`)));
    });
    return await use();
  } finally {
    boards.removeAllListeners('close');
    const ended = new Promise((resolve) => boards.on('close', resolve));
    boards.kill('SIGINT');
    await ended;
  }
}

/** The built program to its end: its JSON, and CPU seconds, user and system, of all its threads. */
async function sct(words: readonly string[]): Promise<{ json: Record<string, unknown>; cpuS: number }> {
  const shell = 'TIMEFORMAT="CPU %U %S"; time "$@"';
  const { stdout, stderr } = await run('bash', ['-c', shell, '-', process.execPath, SCT, ...words, '--json', '-q'], {
    cwd: folder,
    maxBuffer: 1e8,
  });
  const times = /CPU ([\d.]+) ([\d.]+)/.exec(stderr);
  return { json: JSON.parse(stdout), cpuS: Number(times?.[1]) + Number(times?.[2]) };
}

/** CPU seconds for one second of samples: the difference of a long and a short recording, so that the start does not count. */
async function record() {
  const rows = [];
  for (const [rateHz, speed, seconds] of [
    [8e6, 0.5, 10],
    [20e6, 0.2, 5],
  ]) {
    rows.push(
      await withBoards(['hackrf', '--counter', '--speed', String(speed)], async () => {
        const of = (s: number, name: string) =>
          sct(
            ['record', '--from', board(1), '-f', '868.3M', '-s', String(rateHz), '-o', name].concat(
              '--samples',
              String(s * rateHz),
            ),
          );
        const short = await of(1, `short-${rateHz}`);
        const long = await of(1 + seconds, `long-${rateHz}`);
        const { lostSamples } = long.json as { lostSamples: { max: number } };
        const load = loadavg()[0];
        return {
          rateHz,
          speed,
          seconds,
          cpuOfSecondS: (long.cpuS - short.cpuS) / seconds,
          lost: lostSamples.max,
          load,
        };
      }),
    );
  }
  return rows;
}

/**
 * The main thread stands still for a second of the board's time, again and again, while 5 Msps come: in real time, and slower, where a busy
 * machine starves neither the emulation nor the worker.
 */
async function blocked() {
  return [await blockedAt(1, 6, true), await blockedAt(1, 6, false), await blockedAt(0.25, 4, true)];
}

/** @param still false: the same without standing still, to compare with */
async function blockedAt(speed: number, times: number, still: boolean) {
  const rateHz = 5e6;
  return withBoards(['hackrf', '--counter', '--speed', String(speed)], async () => {
    const radio = await open();
    const rx = await radio.openRx({ frequencyHz: 868.3e6, rateHz });
    const word = new Int32Array(new SharedArrayBuffer(4));
    let [done, nextAt] = [0, rateHz];
    let wrong: number[] = [];
    for await (const block of rx) {
      // Every sample of the board counts on; what the board itself lost is known within bounds, and so is the index.
      const number = (block.data[0] & 0xff) | ((block.data[1] & 0xff) << 8);
      const { samples, lostMin, lostMax } = rx.counters;
      if ((((number - block.index) % 65_536) + 65_536) % 65_536 > lostMax - lostMin) wrong.push(block.index);
      // A loss lies somewhere in the span of its record: blocks there may be behind it.
      const { lostBefore } = block;
      if (lostBefore) wrong = wrong.filter((index) => index < lostBefore.from);
      if (samples < nextAt) continue;
      if (done === times) break;
      if (still) Atomics.wait(word, 0, 0, 1000 / speed);
      done++;
      nextAt = samples + blockLength(block) + 1.5 * rateHz;
    }
    const { samples, lostMin, lostMax } = rx.counters;
    await radio.close();
    return { rateHz, speed, still, times, samples, lostMin, lostMax, wrong: wrong.length, load: loadavg()[0] };
  });
}

function open() {
  const uri = parseRadioUri(board(1));
  if (uri.kind !== 'hackrf') throw new Error('not a HackRF');
  process.chdir(folder);
  return openHackrf(uri);
}

/** The measurements of the tests, over 1e9 samples each: true losses of the emulation against what was said. */
async function losses() {
  const tsx = (...words: string[]) =>
    run(process.execPath, ['--import', 'tsx', ...words], { cwd: root, maxBuffer: 1e8 }).then((r) => r.stdout.trim());
  const hackrf = await tsx('test/radio/hackrf/measure-losses.ts', '1e9');
  const parts = hackrf.split('\n').map((line) => {
    const [, name, json] = /^(\w+) (\{.*\})$/.exec(line) ?? [];
    return { name, ...(JSON.parse(json) as Record<string, number>) };
  });
  const worker = await tsx('test/radio/stream/measure.ts', 'losses', '2e9');
  // Ends with an error where one loss is outside what was said.
  await tsx('--test', '--test-name-pattern=1.2e9 samples', 'test/radio/pluto/loss-tracker.test.ts');
  return { hackrf: parts, worker, plutoSamples: 1.2e9 };
}

async function turnaround() {
  return withBoards(['hackrf'], async () => {
    const radio = await open();
    const report = await measureTurnaround(radio, { count: 100, frequencyHz: 868.3e6, rateHz: 8e6 });
    await radio.close();
    return { ...report, load: loadavg()[0] };
  });
}

interface Metrics {
  readonly psnrDb: number;
  readonly cfoHz: number;
  readonly cbr: number;
  readonly lostSamples: number;
  readonly rbSnrDb: readonly number[];
}

const metricsOf = (json: Record<string, unknown>) => {
  const { psnrDb, cfoHz, cbr, lostSamples, rbSnrDb } = json as unknown as Metrics;
  return { psnrDb, cfoHz, cbr, lostSamples, snrDb: rbSnrDb.reduce((a, b) => a + b) / rbSnrDb.length };
};

/** The demo photo over two boards, and over a loopback with the SNR that the boards' receiver measured. */
async function pictures(seeds: number) {
  const [ppm, carrierHz, speed] = [35, 868.3e6, 0.1];
  const rows = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const words = ['hackrf', 'hackrf', '--ppm', '20,-15', '--faults', '--path-loss', '60', '--speed', String(speed)];
    const boards = await withBoards([...words, '--seed', String(seed)], async () => {
      const ends = ['--tx', board(1), '--rx', board(2), '--cabled', '60', '--tx-gain', '40', '--max-csi-age', '60000'];
      return sct(['link', '--demo', ...ends, '-f', '868.3M', '--seed', String(seed), '-o', `boards-${seed}`]);
    });
    const air = metricsOf(boards.json);
    const offsets = ['--cfo', String(carrierHz * ppm * 1e-6), '--sfo', String(ppm)];
    const faults = ['--iq', '0.5,3', '--dc', '-20', '--phase-noise', 'hackrf', '--bits', '8'];
    const own = ['loopback', '--demo', '--profile', 'hackrf', '-f', '868.3M', '--snr', air.snrDb.toFixed(2)];
    const loopback = metricsOf(
      (await sct([...own, ...offsets, ...faults, '--seed', String(seed), '-o', `own-${seed}`])).json,
    );
    rows.push({ seed, speed, boards: air, loopback, differenceDb: air.psnrDb - loopback.psnrDb });
  }
  return rows;
}

function flag(name: string, standard: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? standard : process.argv[at + 1];
}

const PARTS: Record<string, () => Promise<unknown>> = {
  record,
  blocked,
  losses,
  turnaround,
  pictures: () => pictures(Number(flag('seeds', '3'))),
};
const out = join(root, flag('out', 'bench/results/radios.json'));
const only = flag('only', Object.keys(PARTS).join()).split(',');
if (!only.every((name) => name in PARTS)) throw new Error(`--only: of ${Object.keys(PARTS).join()}`);
const parts = existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')).parts : {};
const [machine, git] = [{ cpu: cpus()[0]?.model, cores: cpus().length, node: process.version }, await gitFacts(root)];
const command = 'node --import tsx bench/radios.ts';
try {
  for (const name of only) {
    parts[name] = { measured: await PARTS[name](), machine, git };
    process.stderr.write(`${name} ${JSON.stringify(parts[name].measured)}\n`);
    writeFileSync(out, `${JSON.stringify({ schema: 'sct.bench.radios/1', command, machine, git, parts }, null, 2)}\n`);
  }
} finally {
  process.chdir(root);
  rmSync(folder, { recursive: true, force: true });
}
