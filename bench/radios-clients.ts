/**
 * Host cost of a recording: `sct record` beside Debian's `hackrf_transfer`, alternating, on the same emulated board.
 *
 *   npm run build && node --import tsx bench/radios-clients.ts [--pairs 5] [--out bench/results/radios-clients.json]
 *
 * Needs `hackrf_transfer` (Debian: hackrf) and a C compiler. The board is `sct emulate` in a process of its own, behind USB/IP on a local
 * socket: `sct` speaks that itself, `hackrf_transfer` with Debian's libhackrf over bench/peers/libusb-usbip in the place of libusb and kernel.
 * CPU seconds are user and system of all threads for one second of samples: a long recording less a short one, so that the start does not count.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';

const root = await packageRoot();
const run = promisify(execFile);
const SCT = join(root, 'bin/sct.js');
const folder = mkdtempSync(join(tmpdir(), 'sct-bench-clients-'));
/** Seconds of samples. */
const [SHORT_S, LONG_S] = [1, 4];

interface Client {
  readonly name: 'sct' | 'hackrf_transfer';
  readonly file: string;
  command(rateHz: number, samples: number): readonly string[];
}

const CLIENTS: readonly Client[] = [
  {
    name: 'sct',
    file: 'ours.sigmf-data',
    command: (rateHz, samples) =>
      [
        process.execPath,
        SCT,
        'record',
        '--from',
        'hackrf:1?usbip=unix:./boards',
        '-f',
        '868.3M',
        '-s',
        `${rateHz}`,
      ].concat(['--samples', `${samples}`, '-o', 'ours', '--force', '--json', '-q']),
  },
  {
    name: 'hackrf_transfer',
    file: 'theirs',
    command: (rateHz, samples) => [
      'hackrf_transfer',
      '-f',
      '868300000',
      '-s',
      `${rateHz}`,
      '-n',
      `${samples}`,
      '-r',
      'theirs',
    ],
  },
];

/** The stand-in for libusb, in the folder. */
async function compile(): Promise<void> {
  const peers = join(root, 'bench/peers/libusb-usbip');
  const sources = ['transfers.c', 'devices.c'].map((name) => join(peers, name));
  const flags = ['-O2', '-shared', '-fPIC', '-pthread', '-Wl,-soname,libusb-1.0.so.0'];
  const headers = join(root, 'node_modules/usb/libusb/libusb');
  await run('cc', [...flags, '-I', headers, ...sources, '-o', join(folder, 'libusb-1.0.so.0')]);
}

/** A board that counts, while `use` runs. */
async function withBoard<T>(speed: number, use: () => Promise<T>): Promise<T> {
  rmSync(join(folder, 'boards'), { force: true });
  const words = ['emulate', 'hackrf', '--counter', '--speed', `${speed}`, '--usbip', './boards'];
  const board = spawn(process.execPath, [SCT, ...words], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => board.on('close', resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      board.stderr.on('data', (text) => /between them/.test(String(text)) && resolve());
      board.on('close', (code) => reject(new Error(`sct emulate ended with ${code}`)));
    });
    return await use();
  } finally {
    board.kill('SIGINT');
    await ended;
  }
}

/** One recording, looked through and deleted. */
async function record(client: Client, rateHz: number, seconds: number): Promise<{ cpuS: number; breaks: number }> {
  const shell = 'TIMEFORMAT="CPU %U %S"; time "$@"';
  const env = { ...process.env, USBIP_SOCKET: './boards' };
  const searched = client.name === 'sct' ? {} : { LD_LIBRARY_PATH: folder };
  const { stderr } = await run('bash', ['-c', shell, '-', ...client.command(rateHz, seconds * rateHz)], {
    cwd: folder,
    env: { ...env, ...searched },
    maxBuffer: 1e8,
  });
  const times = /CPU ([\d.]+) ([\d.]+)/.exec(stderr);
  if (!times) throw new Error(`${client.name} says no times: ${stderr}`);
  const breaks = breaksIn(join(folder, client.file), seconds * rateHz);
  rmSync(join(folder, client.file));
  return { cpuS: Number(times[1]) + Number(times[2]), breaks };
}

/** Places where sample n of a board that counts, n and n/256 modulo 256, does not follow the one before it. */
function breaksIn(path: string, samples: number): number {
  const file = openSync(path, 'r');
  const bytes = new Uint8Array(2 ** 20);
  let [read, next, breaks] = [0, 0, 0];
  for (let n = readSync(file, bytes); n > 0; n = readSync(file, bytes)) {
    for (let i = 0; i + 1 < n; i += 2, read++) {
      const number = bytes[i] | (bytes[i + 1] << 8);
      if (number !== next) breaks++;
      next = (number + 1) & 0xffff;
    }
  }
  closeSync(file);
  if (read !== samples) throw new Error(`${path}: ${read} samples in place of ${samples}`);
  return breaks;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

/** Both clients in turn, `pairs` times. */
async function compare(rateHz: number, speed: number, pairs: number) {
  const cpuOfSecondS: Record<Client['name'], number[]> = { sct: [], hackrf_transfer: [] };
  const breaks: Record<Client['name'], number> = { sct: 0, hackrf_transfer: 0 };
  const load: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    for (const client of CLIENTS) {
      const short = await record(client, rateHz, SHORT_S);
      const long = await record(client, rateHz, LONG_S);
      cpuOfSecondS[client.name].push((long.cpuS - short.cpuS) / (LONG_S - SHORT_S));
      breaks[client.name] += short.breaks + long.breaks;
    }
    load.push(loadavg()[0]);
    process.stderr.write(`${rateHz / 1e6} Msps ${JSON.stringify(cpuOfSecondS)}\n`);
  }
  const [ours, theirs] = [median(cpuOfSecondS.sct), median(cpuOfSecondS.hackrf_transfer)];
  const medianCpuOfSecondS = { sct: ours, hackrf_transfer: theirs };
  return {
    rateHz,
    speed,
    seconds: LONG_S - SHORT_S,
    ratio: ours / theirs,
    medianCpuOfSecondS,
    cpuOfSecondS,
    breaks,
    load,
  };
}

function flag(name: string, standard: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? standard : process.argv[at + 1];
}

try {
  const [pairs, git] = [Number(flag('pairs', '5')), await gitFacts(root)];
  await compile();
  const measured = [];
  for (const [rateHz, speed] of [
    [8e6, 0.5],
    [20e6, 0.2],
  ]) {
    measured.push(await withBoard(speed, () => compare(rateHz, speed, pairs)));
  }
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const command = 'node --import tsx bench/radios-clients.ts';
  const file = { schema: 'sct.bench.radios-clients/2', command, machine, git, measured };
  writeFileSync(join(root, flag('out', 'bench/results/radios-clients.json')), `${JSON.stringify(file, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
