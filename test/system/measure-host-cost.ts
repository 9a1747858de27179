// What a recording at 20 Msps costs the host: `sct record` against `hackrf_transfer -r` in the guest, one after the other on the same emulated
// board, over libusb and the kernel. Prints one line of JSON; bench/radios-clients.ts keeps it.
//   node --import tsx test/system/measure-host-cost.ts [RUNS]
// CPU seconds are those that the guest counts, user and system of all threads, for one second of samples: the difference of a long and a short
// recording, so that the start does not count. The guest's processor is emulated: the ratio is what can be said of a real one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WallAirClock } from '../../hardware/emulated/clock.ts';
import { UsbRedirServer } from '../../hardware/emulated/front-ends/usbredir.ts';
import { HackrfBoard } from '../../hardware/emulated/hackrf/hackrf-board.ts';
import { UsbPort } from '../../hardware/emulated/usb-port.ts';
import { serialOf } from './bench.ts';
import { guestImage, runGuest, type Step, whyNot } from './guest.ts';

const RATE_HZ = 20e6;
/** Slow enough for a guest without virtualisation to lose nothing on a machine that is not busy. */
const SPEED = 0.03;
/** Of samples; the short one is long enough for the code that runs all the time to be compiled. */
const [SHORT_S, LONG_S] = [0.3, 1.3];
const LONGEST_MS = 3_600_000;

const reason = await whyNot();
if (reason) {
  process.stderr.write(`host cost cannot be measured: ${reason}\n`);
  process.exit(1);
}
const runs = Number(process.argv[2] ?? 3);
const repository = fileURLToPath(new URL('../..', import.meta.url));
/** Each writes what it receives into the guest's memory. */
const CLIENTS: Readonly<Record<string, (samples: number) => string>> = {
  sct: (samples) =>
    `node ${repository}/bin/sct.js record --from hackrf -f 868.3M -s ${RATE_HZ} --samples ${samples} -o air --force -q`,
  hackrf_transfer: (samples) => `hackrf_transfer -f 868300000 -s ${RATE_HZ} -n ${samples} -r air.bin`,
};
const steps: Step[] = [];
for (let run = 0; run < runs; run++) {
  for (const [client, command] of Object.entries(CLIENTS)) {
    for (const [length, seconds] of [
      ['short', SHORT_S],
      ['long', LONG_S],
    ] as const) {
      const timed = `TIMEFORMAT="cpu %U %S"; time ${command(seconds * RATE_HZ)}; c=$?; rm -f air*; exit $c`;
      steps.push({ name: `${client}_${length}_${run}`, commands: timed });
    }
  }
}

const folder = await mkdtemp(join(tmpdir(), 'sct-host-cost-'));
const clock = new WallAirClock(SPEED);
const board = new HackrfBoard({ name: 'one', serial: serialOf(1), clock, air: null, rxCounter: true });
const path = join(folder, 'hackrf.sock');
const server = await UsbRedirServer.listen({ port: new UsbPort(board), at: { path } });
/** What the board lost in each step, by its own account. */
const lost = new Map<string, number>();
let step: string | null = null;
const lostNow = () => board.inspect().shortfalls.reduce((sum, { samples }) => sum + samples, 0);
try {
  const results = await runGuest({
    ...{ image: await guestImage(), results: folder, steps, usbredir: [path], hasNetwork: false },
    timeoutMs: LONGEST_MS,
    onStep: (next) => {
      if (step) lost.set(step, lostNow());
      step = next;
    },
  });
  /** User, system. */
  const cpuS = (name: string): [number, number] => {
    const { text = '', code = null } = results.get(name) ?? {};
    const times = /cpu ([\d.]+) ([\d.]+)/.exec(text);
    if (code !== 0 || !times) throw new Error(`${name} ended with ${code}: ${text}`);
    return [Number(times[1]), Number(times[2])];
  };
  const measured = Object.keys(CLIENTS).map((client) => {
    const each = Array.from({ length: runs }, (_, run) => {
      const [long, short] = [`${client}_long_${run}`, `${client}_short_${run}`];
      const [userS, systemS] = [0, 1].map((i) => (cpuS(long)[i] - cpuS(short)[i]) / (LONG_S - SHORT_S));
      return { cpuOfSecondS: userS + systemS, userS, systemS, lost: lost.get(long) ?? null };
    });
    const sorted = each.map(({ cpuOfSecondS }) => cpuOfSecondS).sort((a, b) => a - b);
    const medianCpuOfSecondS = (sorted[Math.floor((runs - 1) / 2)] + sorted[Math.floor(runs / 2)]) / 2;
    return { client, medianCpuOfSecondS, runs: each };
  });
  const [ours, theirs] = measured.map(({ medianCpuOfSecondS }) => medianCpuOfSecondS);
  const facts = { rateHz: RATE_HZ, speed: SPEED, secondsOfSamples: LONG_S - SHORT_S, processor: 'emulated (TCG)' };
  process.stdout.write(`${JSON.stringify({ ...facts, ratio: ours / theirs, measured })}\n`);
} finally {
  await server.close();
  await rm(folder, { recursive: true });
}
process.exit(0);
