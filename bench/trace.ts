/**
 * A recorded channel replayed: RB SNR of the replay against that of the recording.
 *
 *   node --import tsx bench/trace.ts [--records 6] [--replays 3] [--bursts 10] [--rows FILE] [--out bench/results/trace.json]
 *
 * Each record is a run of `sct sound` (4-slot bursts each 10 ms, default offsets) of its own seed; its capture is received
 * again, made a trace, and sent through with other seeds of noise and offsets, as `--channel trace:RUN` does. Compared are
 * the SNR of every subband of every burst, and of every RB, that was recorded at `fromDb` or more. JSON on stdout or to FILE.
 * --rows FILE keeps each row as it is finished and takes from it what an interrupted run of the same numbers had measured.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LinkInput, resolveLinkConfig } from '../src/experiment/config/link-config.ts';
import { setupLink } from '../src/experiment/config/link-setup.ts';
import { LoopbackExchange } from '../src/experiment/loopback/exchange.ts';
import { type Estimate, meanInterval } from '../src/experiment/metrics/stats.ts';
import { loadRecordedChannel } from '../src/experiment/replay/recorded-channel.ts';
import { Progress } from '../src/experiment/report/progress.ts';
import { gitFacts, packageRoot } from '../src/experiment/run/host-facts.ts';
import { runSound } from '../src/experiment/send/sound-run.ts';

const PERIOD_MS = 10;
const jammed = { kind: 'subband', centreHz: 637.5e3, widthHz: 360e3 } as const;

interface Case {
  readonly name: string;
  readonly input: LinkInput;
  readonly fromDb: number;
}

const CASES: readonly Case[] = [
  { name: 'AWGN 15 dB', input: { channel: 'awgn', snrDb: 15 }, fromDb: 10 },
  { name: 'EVA 70 Hz, 20 dB', input: { channel: 'eva', snrDb: 20 }, fromDb: 10 },
  { name: 'EVA 70 Hz, 20 dB, 50 subbands', input: { channel: 'eva', snrDb: 20, numerology: 50 }, fromDb: 10 },
  { name: 'EPA 5 Hz, 25 dB, 6 subbands', input: { channel: 'epa', snrDb: 25, numerology: 6 }, fromDb: 10 },
  { name: 'EVA 20 dB on a HackRF profile', input: { channel: 'eva', snrDb: 20, profile: 'hackrf' }, fromDb: 10 },
  {
    name: 'AWGN 20 dB, interferer on two subbands',
    input: { channel: 'awgn', snrDb: 20, jammer: { ...jammed, powerDb: -8 } },
    fromDb: -10,
  },
  {
    name: 'EVA 20 dB, interferer on two subbands',
    input: { channel: 'eva', snrDb: 20, jammer: { ...jammed, powerDb: -10 } },
    fromDb: 10,
  },
  { name: 'ETU 70 Hz, 20 dB (delays beyond the prefix)', input: { channel: 'etu', snrDb: 20 }, fromDb: 10 },
];

interface Heard {
  readonly burst: number;
  readonly rbSnrDb: ArrayLike<number>;
  readonly subbandSnrDb: ArrayLike<number>;
}

/** Replayed less recorded SNR, dB. */
class Differences {
  readonly values: number[] = [];

  add(got: ArrayLike<number>, want: ArrayLike<number>, fromDb: number): void {
    for (let i = 0; i < want.length; i++) {
      if (want[i] >= fromDb) this.values.push(got[i] - want[i]);
    }
  }

  get meanSquare(): number {
    return this.values.reduce((sum, v) => sum + v * v, 0) / this.values.length;
  }

  get mean(): number {
    return this.values.reduce((sum, v) => sum + v, 0) / this.values.length;
  }
}

async function record(input: LinkInput, directory: string, count: number): Promise<Heard[]> {
  const config = { ...resolveLinkConfig(input), count, periodMs: PERIOD_MS, tx: 'loopback', rx: 'loopback' };
  await runSound(config, {
    progress: new Progress({ stream: { write: () => undefined }, now: () => 0, plain: 'none' }),
    argv: ['bench/trace.ts'],
    now: () => new Date(),
    outputDirectory: directory,
    json: true,
    signal: new AbortController().signal,
  });
  return readFileSync(join(directory, 'frames.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Heard);
}

async function measure({ name, input, fromDb }: Case, records: number, replays: number, bursts: number) {
  const subband = { meanSquares: [] as number[], means: [] as number[], compared: 0 };
  const block = { meanSquares: [] as number[], means: [] as number[], compared: 0 };
  let lost = 0;
  let traceSnrDb = 0;
  for (let seed = 1; seed <= records; seed++) {
    const directory = mkdtempSync(join(tmpdir(), 'sct-bench-trace-'));
    try {
      const before = await record({ ...input, seed }, directory, bursts);
      const recorded = await loadRecordedChannel(directory);
      traceSnrDb += recorded.facts.snrDb / records;
      const bySubband = new Differences();
      const byBlock = new Differences();
      for (let replay = 1; replay <= replays; replay++) {
        const { channel: _channel, snrDb: _snrDb, jammer: _jammer, ...rest } = input;
        const config = resolveLinkConfig({ ...rest, channel: `trace:${directory}`, seed: 1000 * seed + replay });
        const exchange = new LoopbackExchange(config, setupLink(config, recorded));
        await exchange.open();
        await exchange.sound(bursts, PERIOD_MS / 1e3, () => false);
        await exchange.close();
        for (const was of before) {
          const is = exchange.trace.bursts.find((b) => b.burst === was.burst);
          if (!is) {
            lost++;
            continue;
          }
          bySubband.add(is.subbandSnrDb, was.subbandSnrDb, fromDb);
          byBlock.add(is.rbSnrDb, was.rbSnrDb, fromDb);
        }
      }
      for (const [sums, differences] of [
        [subband, bySubband],
        [block, byBlock],
      ] as const) {
        sums.meanSquares.push(differences.meanSquare);
        sums.means.push(differences.mean);
        sums.compared += differences.values.length;
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  const figures = (sums: typeof subband) => ({
    compared: sums.compared,
    rmsDb: rooted(meanInterval(sums.meanSquares)),
    biasDb: interval(meanInterval(sums.means)),
  });
  return {
    name,
    input,
    fromDb,
    records,
    replays,
    bursts,
    lost,
    traceSnrDb,
    subband: figures(subband),
    rb: figures(block),
  };
}

function interval({ value, low, high }: Estimate) {
  return { value, low, high };
}

/** Root of a mean square and of its interval over the records. */
function rooted({ value, low, high }: Estimate) {
  return { value: Math.sqrt(value), low: Math.sqrt(Math.max(0, low)), high: Math.sqrt(high) };
}

function flag(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

const [records, replays, bursts] = [flag('records') ?? 6, flag('replays') ?? 3, flag('bursts') ?? 10].map(Number);
if (![records, replays, bursts].every((v) => Number.isInteger(v) && v >= 1 && v <= 1000) || records < 2) {
  process.stderr.write('usage: bench/trace.ts [--records N >= 2] [--replays N] [--bursts N] [--out FILE]\n');
  process.exit(2);
}
type Row = Awaited<ReturnType<typeof measure>>;
const rowsFile = flag('rows');
const known: Row[] =
  rowsFile && existsSync(rowsFile)
    ? readFileSync(rowsFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Row)
        .filter((row) => row.records === records && row.replays === replays && row.bursts === bursts)
    : [];
const git = await gitFacts(await packageRoot());
const out = flag('out');
const rows: Row[] = [];
for (const one of CASES) {
  const before = known.find((row) => row.name === one.name);
  const row = before ?? (await measure(one, records, replays, bursts));
  rows.push(row);
  if (!before) process.stderr.write(`${JSON.stringify(row)}\n`);
  if (!before && rowsFile) appendFileSync(rowsFile, `${JSON.stringify(row)}\n`);
  if (out) writeFileSync(out, report());
}
if (!out) process.stdout.write(report());

/** The rows so far; `missing` names those that are still to be measured. */
function report(): string {
  // Adding 0 makes -0 of a small negative one 0.
  const two = (v: number) => (Math.round(100 * v) / 100 + 0).toFixed(2);
  const digits = (v: { value: number; low: number; high: number }) =>
    `${two(v.value)} (${two(v.low)} to ${two(v.high)})`;
  const result = {
    schema: 'sct.bench.trace/1',
    command: `node --import tsx bench/trace.ts --records ${records} --replays ${replays} --bursts ${bursts}`,
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
    git,
    missing: CASES.slice(rows.length).map((one) => one.name),
    rows,
    lines: [
      `RB SNR of a replay (\`--channel trace:RUN\`, other noise and offsets) less that of its recording, ${records} recordings of ${bursts} four-slot bursts, ${replays} replays each, 95 % interval over the recordings:`,
      '',
      '| recorded | from, dB | subbands compared | RMS, dB | bias, dB | RMS of single RBs, dB |',
      '|---|---|---|---|---|---|',
      ...rows.map(
        (r) =>
          `| ${r.name} | ${r.fromDb} | ${r.subband.compared} | ${digits(r.subband.rmsDb)} | ${digits(r.subband.biasDb)} | ${digits(r.rb.rmsDb)} |`,
      ),
    ],
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}
