/**
 * Continuous reception at the modem's highest rate: zero lost samples at the pace of a board, and how much faster it could go.
 *
 *   node --import tsx bench/realtime.ts [--minutes 10] [--quick] [-o FILE]
 *
 * A recording of some 1 s of bursts back to back (50 subbands, 16-QAM rate 1/2, 20 dB AWGN) is made by the transmitter and played again and again,
 * each time as new data, through the receive pipeline with every block decoded: at its own pace as a board delivers it (nothing waits for the receiver),
 * as fast as it goes, the same from an 8-bit device of 20 Msps that is resampled, and with a decoder made too slow. Each in a process of its own.
 * JSON on stdout and in bench/results/realtime.json (--quick: on stdout alone).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostFacts, programFacts } from '../src/experiment/run/host-facts.ts';
import { numerology } from '../src/phy/numerology.ts';
import type { MeasuredRuns, RunFigure } from './chapters/real-time.ts';
import { type Received, type ReceivingSpec, receive } from './realtime/receiving.ts';
import { describeRecording, type Recording, type RecordingSpec, writeRecording } from './realtime/recording.ts';
import { benchWords, numberIn } from './words.ts';

const SUBBANDS = 50;
const COMMON = { subbands: SUBBANDS, budgetRe: 100_000, assumedSnrDb: 7.15, snrDb: 20, bursts: 40 } as const;
const SPECS: readonly { readonly name: string; readonly asked: number; readonly spec: RecordingSpec }[] = [
  { name: '15.36 Msps, 16 bits a component', asked: 1.3, spec: { ...COMMON, rateHz: 15.36e6, format: 'ci16_le' } },
  { name: '20 Msps, 8 bits, resampled to 15.36', asked: 1, spec: { ...COMMON, rateHz: 20e6, format: 'ci8' } },
];

const unslowed = { subbands: SUBBANDS, slowMs: 0 } as const;

const FILE = import.meta.filename;
const { values } = benchWords(FILE, {
  options: {
    minutes: { type: 'string', default: '10' },
    quick: { type: 'boolean', default: false },
    output: { type: 'string', short: 'o' },
    receive: { type: 'string' },
  },
});
const minutes = numberIn(FILE, '--minutes', values.minutes, 0.1, false);

if (values.receive) {
  process.stdout.write(`${JSON.stringify(await receive(JSON.parse(values.receive) as ReceivingSpec))}\n`);
} else {
  const text = `${JSON.stringify(await bench(values.quick ? 0.2 : minutes, values.quick), null, 2)}\n`;
  const output =
    values.output ?? (values.quick ? null : fileURLToPath(new URL('results/realtime.json', import.meta.url)));
  if (output) writeFileSync(output, text);
  process.stdout.write(text);
}

async function bench(minutes: number, quick: boolean): Promise<MeasuredRuns> {
  const folder = mkdtempSync(join(tmpdir(), 'sct-realtime-'));
  const load = loadavg()[0];
  const runs: MeasuredRuns['runs'][number][] = [];
  try {
    for (const { name, asked, spec } of SPECS) {
      const path = join(folder, `at-${spec.rateHz}`);
      const recording = await writeRecording(path, spec);
      const about = describeRecording(numerology(SUBBANDS), recording);
      const loopsFor = (seconds: number) => Math.max(1, Math.round(seconds / recording.durationS));
      const free = loopsFor(quick ? 5 : 30);
      const fast: Received[] = [];
      for (let i = 0; i < (quick ? 1 : 5); i++)
        fast.push(await inChild({ ...unslowed, uri: `file:${path}?loop=${free}` }));
      runs.push({
        name: `As fast as it goes: ${name}`,
        about: `${about}, ${free} times ${recording.durationS.toFixed(2)} s; median of ${fast.length} runs, lowest and highest`,
        figures: speedFigures(fast, recording, free, asked),
        ...{ recording, received: fast },
      } as MeasuredRuns['runs'][number]);
      const loops = loopsFor(60 * (asked > 1 ? minutes : Math.min(minutes, 2)));
      const paced = await inChild({ ...unslowed, uri: `file:${path}?pace=1&loop=${loops}` });
      runs.push({
        name: `At the pace of a board: ${name}`,
        about: `${about}, ${(paced.streamS / 60).toFixed(1)} minutes; the source does not wait`,
        figures: pacedFigures(paced, recording, loops),
        ...{ recording, received: paced },
      } as MeasuredRuns['runs'][number]);
      if (asked === 1) continue;
      const few = loopsFor(quick ? 6 : 20);
      const burstMs = (1e3 * recording.durationS) / recording.bursts;
      const slow = await inChild({ ...unslowed, slowMs: 2 * burstMs, uri: `file:${path}?pace=1&loop=${few}` });
      runs.push({
        name: `A decoder half as fast as the bursts: ${name}`,
        about: `${about}; each burst costs the decoder ${(2 * burstMs).toFixed(0)} ms more, ${burstMs.toFixed(1)} ms are there`,
        figures: overloadFigures(slow, recording, few),
        ...{ recording, received: slow },
      } as MeasuredRuns['runs'][number]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    schema: 'sct.bench.realtime/1',
    quick,
    command: `node --import tsx bench/realtime.ts${quick ? ' --quick' : ` --minutes ${minutes}`}`,
    machine: hostFacts(),
    program: await programFacts(),
    node: process.version,
    load: [load, loadavg()[0]],
    method:
      'A recording is played again and again through the receive pipeline (one thread demodulates, one reads the file, decodes and counts), every burst as new data; real-time factor = time of the stream / time taken, with unpaced input',
    runs,
  } as MeasuredRuns;
}

async function inChild(spec: ReceivingSpec): Promise<Received> {
  const script = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, ['--import', 'tsx', script, '--receive', JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const part of child.stdout) text += part;
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`the receiving process ended with ${code}`);
  return JSON.parse(text) as Received;
}

function speedFigures(all: readonly Received[], { bursts }: Recording, loops: number, asked: number): RunFigure[] {
  const factors = all.map((r) => r.streamS / r.wallS).sort((a, b) => a - b);
  const factor = factors[factors.length >> 1];
  const busiest = all.map((r) => r.streamS / (r.threadsCpuS[0] || Number.NaN)).sort((a, b) => a - b);
  const decoded = all.reduce((sum, r) => sum + r.decoded, 0);
  const sent = all.length * bursts * loops;
  const range = { low: factors[0], high: factors.at(-1)! };
  return [
    { what: 'real-time factor', value: factor, unit: '', ...range, asked: `>= ${asked}`, met: factor >= asked },
    { what: 'stream time over CPU time of the busiest thread', value: busiest[busiest.length >> 1], unit: '' },
    { what: 'cores used', value: all[0].cpuS / all[0].wallS, unit: '' },
    { what: 'bursts decoded, of those played', value: decoded / sent, unit: '', asked: '1', met: decoded === sent },
  ];
}

function pacedFigures(r: Received, { bursts }: Recording, loops: number): RunFigure[] {
  const rss = (atS: number) => {
    const near = r.memory.find((m) => m.atS >= atS) ?? r.memory.at(-1)!;
    return near.rssMiB;
  };
  const times = [60, 300, 600].filter((t) => t <= r.wallS + 5);
  const zero = (what: string, value: number): RunFigure => ({ what, value, unit: '', asked: '0', met: value === 0 });
  const sent = bursts * loops;
  return [
    zero('samples lost', r.lostSamples),
    zero('bursts dropped', r.dropped),
    { what: 'bursts played', value: sent, unit: '' },
    { what: 'bursts decoded, all blocks', value: r.decoded, unit: '', asked: `${sent}`, met: r.decoded === sent },
    { what: 'of these as new data', value: r.fresh, unit: '' },
    { what: 'cores used', value: r.cpuS / r.wallS, unit: '' },
    { what: 'most samples that waited', value: r.mostQueuedMs, unit: 'ms' },
    { what: 'most bursts that waited', value: r.mostQueuedBursts, unit: '' },
    ...times.map((t) => ({ what: `memory after ${t / 60} min`, value: rss(t), unit: 'MiB' })),
    { what: 'memory at the end', value: r.memory.at(-1)!.rssMiB, unit: 'MiB' },
    // Flat: what the first minute took is what the whole takes, but for what the collector leaves for later.
    ...(times.length > 1 ? [grown(r.memory.at(-1)!.rssMiB / rss(60))] : []),
  ];
}

function grown(ratio: number): RunFigure {
  return {
    what: 'memory at the end over that after 1 min',
    value: ratio,
    unit: '',
    asked: '<= 1.1',
    met: ratio <= 1.1,
  };
}

function overloadFigures(r: Received, { bursts, samples }: Recording, loops: number): RunFigure[] {
  const sent = bursts * loops;
  const played = samples * loops;
  const accounted = r.samples + r.lostSamples;
  return [
    { what: 'bursts played', value: sent, unit: '' },
    { what: 'decoded', value: r.decoded, unit: '' },
    { what: 'dropped whole and located', value: r.dropped, unit: '' },
    { what: 'damaged', value: r.damaged, unit: '' },
    {
      what: 'unaccounted for',
      value: sent - r.decoded - r.dropped - r.damaged,
      unit: '',
      asked: '0 unless samples were lost',
    },
    { what: 'samples lost, located', value: r.lostSamples, unit: '' },
    { what: 'samples unaccounted for', value: played - accounted, unit: '', asked: '0', met: played === accounted },
  ];
}
