/**
 * Losses over many samples: node --import tsx test/radio/hackrf/measure-losses.ts [SAMPLES] (default 1e9, of each kind). An emulated board at
 * 20 Msps; first a bus that stalls, then a reader that sleeps. Every block and every record is compared with what the board really did; prints
 * figures, and ends with 1 where one is wrong.
 */
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { bench, passTime } from './emulated.ts';

const RATE_HZ = 20e6;
const samples = Number(process.argv[2] ?? 1e9);
const isWhole = samples >= 1e9;
const wrong: string[] = [];

type Board = { readonly clock: ManualAirClock } & ReturnType<typeof bench>;

function board(busBytesPerS?: number): Board {
  const clock = new ManualAirClock();
  const nowNs = (): bigint => BigInt(Math.round(clock.nowS() * 1e9));
  return { clock, ...bench({ rxCounter: true, ...(busBytesPerS ? { busBytesPerS } : {}) }, { clock, nowNs }) };
}

/** What happened, so that a measurement in which a kind of loss never did fails. */
interface Kinds {
  /** Shortfalls below 1 ms, and above 100 ms. */
  short: number;
  long: number;
  /** Records with one shortfall, and with more. */
  single: number;
  several: number;
  /** Before the second transfer; among the last blocks, which no record follows. */
  atStart: number;
  atEnd: number;
}

const NONE: Kinds = { short: 0, long: 0, single: 0, several: 0, atStart: 0, atEnd: 0 };
const happened: Kinds = { ...NONE };

/** Reads to the end and compares every block and record with what the board really did. */
async function compare(made: Board, wanted: number, nearEnd: () => void = () => undefined) {
  const { emulated, open } = made;
  const kinds: Kinds = { ...NONE };
  const figures = { records: 0, exact: 0, widestSpanMs: 0, lostTruly: 0, shortfalls: 0 };
  const radio = await open({ patienceMs: 60_000 });
  const rx = await radio.openRx({ rateHz: RATE_HZ });
  const truth = { next: 0, lost: 0 };
  let low = 0;
  let lostAtRecord = 0;
  let shortfallsAtRecord = 0;
  for await (const block of rx) {
    const position = rx.counters.samples - blockLength(block);
    const { shortfalls } = emulated.inspect();
    const known = truth.next;
    for (; truth.next < shortfalls.length && shortfalls[truth.next].atSample <= position; truth.next++) {
      const { samples, atSample } = shortfalls[truth.next];
      truth.lost += samples;
      if (samples < 1e-3 * RATE_HZ) kinds.short++;
      if (samples > 0.1 * RATE_HZ) kinds.long++;
      if (atSample < 2 * blockLength(block)) kinds.atStart++;
    }
    const number = (block.data[0] & 0xff) | ((block.data[1] & 0xff) << 8);
    if ((position + truth.lost) % 65_536 !== number) wrong.push(`sample ${number} at ${position}`);
    const record = block.lostBefore;
    if (record) {
      figures.records++;
      if (record.exact) figures.exact++;
      const from = record.from - low;
      low += record.min;
      figures.widestSpanMs = Math.max(figures.widestSpanMs, ((position - from) / RATE_HZ) * 1000);
      if (rx.counters.lostMin > truth.lost) wrong.push(`at least ${rx.counters.lostMin}, truly ${truth.lost}`);
      if (rx.counters.lostMax < lostAtRecord) wrong.push(`at most ${rx.counters.lostMax}, truly ${lostAtRecord}`);
      for (const { atSample } of shortfalls.slice(known, truth.next)) {
        if (atSample < from) wrong.push(`a loss at ${atSample} outside ${from} to ${position}`);
      }
      if (truth.next - shortfallsAtRecord > 1) kinds.several++;
      else kinds.single++;
      lostAtRecord = truth.lost;
      shortfallsAtRecord = truth.next;
    }
    if (rx.counters.samples >= wanted - 16 * blockLength(block)) nearEnd();
    if (rx.counters.samples >= wanted) break;
  }
  // Leaving the loop closed the stream: the counters know of the last blocks, too.
  const { samples, lostMin, lostMax } = rx.counters;
  const all = emulated.inspect().shortfalls.filter(({ atSample }) => atSample < samples);
  figures.lostTruly = all.reduce((sum, loss) => sum + loss.samples, 0);
  figures.shortfalls = all.length;
  kinds.atEnd = all.length - shortfallsAtRecord;
  if (figures.lostTruly < lostMin || figures.lostTruly > lostMax) {
    wrong.push(`${figures.lostTruly} lost, said: ${lostMin} to ${lostMax}`);
  }
  for (const kind of Object.keys(NONE) as (keyof Kinds)[]) happened[kind] += kinds[kind];
  await radio.close();
  return { ...rx.counters, ...figures, kinds };
}

/**
 * The bus stands still for up to 2 s, or stutters for a while; at the start and at the end in any case. Eight transfers under way last for 52 ms. More
 * samples than the board's counter of bytes holds: it wraps at 4 GiB.
 */
async function stallingBus(made: Board) {
  const { clock, emulated } = made;
  const random = new RandomStream(1);
  const bulkIn = emulated.bulkIn.bind(emulated);
  const pause = (seconds: number) => clock.at(clock.nowS() + seconds);
  let gate: Promise<unknown> = Promise.resolve();
  let stutters = 0;
  let calls = 0;
  let atEnd = false;
  const hold = (seconds: number) => {
    gate = gate.then(() => pause(seconds));
  };
  emulated.bulkIn = async (endpoint, length, signal) => {
    const kind = random.uniform();
    if (calls++ === 0) hold(0.1);
    else if (stutters > 0) {
      stutters--;
      hold(7e-3);
    } else if (kind < 0.015) hold(0.3 * random.uniform());
    else if (kind < 0.016) hold(2 * random.uniform());
    else if (kind < 0.02) stutters = 50;
    await gate;
    return bulkIn(endpoint, length, signal);
  };
  const figures = await compare(made, 2.2 * samples, () => {
    if (!atEnd) hold(0.08);
    atEnd = true;
  });
  return figures;
}

/** A bus a little slower than the rate: a loss in every buffer, more of them than 16 bits hold (the emulated board tells 100 000 apart). */
async function slowBus(made: Board) {
  const figures = await compare(made, 0.3 * samples);
  if (isWhole && figures.shortfalls <= 65_536) wrong.push(`${figures.shortfalls} losses: too few`);
  return figures;
}

/** The reader sleeps for up to 4 s; the ring holds 2 s. */
async function sleepingReader({ clock, emulated, open }: Board) {
  const random = new RandomStream(2);
  const radio = await open({ patienceMs: 60_000 });
  const rx = await radio.openRx({ rateHz: RATE_HZ });
  for await (const block of rx) {
    const number = (block.data[0] & 0xff) | ((block.data[1] & 0xff) << 8);
    if (block.index % 65_536 !== number) wrong.push(`index ${block.index} of sample ${number}`);
    if (block.lostBefore && !block.lostBefore.exact) wrong.push('a host-side loss that is not exact');
    if (random.uniform() < 0.002) await clock.at(clock.nowS() + 4 * random.uniform());
    if (rx.counters.samples >= samples) break;
  }
  if (emulated.inspect().lostSamples > 0)
    wrong.push('the board lost samples, too: the host was too slow for this test');
  await radio.close();
  return { ...rx.counters };
}

for (const part of [stallingBus, slowBus, sleepingReader]) {
  const started = process.cpuUsage();
  const made = board(part === slowBus ? 38e6 : undefined);
  const figures = await passTime<object>(made.clock, part(made));
  const { user, system } = process.cpuUsage(started);
  console.log(part.name, JSON.stringify({ ...figures, cpuS: Math.round((user + system) / 1e5) / 10 }));
}
for (const [kind, count] of Object.entries(happened)) {
  if (isWhole && count === 0) wrong.push(`no loss of the kind ${kind}: nothing was measured`);
}
for (const line of wrong.slice(0, 10)) console.log(`WRONG ${line}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
