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
const wrong: string[] = [];

type Board = { readonly clock: ManualAirClock } & ReturnType<typeof bench>;

function board(): Board {
  const clock = new ManualAirClock();
  const nowNs = (): bigint => BigInt(Math.round(clock.nowS() * 1e9));
  return { clock, ...bench({ rxCounter: true }, { clock, nowNs }) };
}

/** The bus stands still now and then for up to 300 ms; eight transfers under way last for 52 ms. */
async function stallingBus({ clock, emulated, open }: Board): Promise<Record<string, number>> {
  const random = new RandomStream(1);
  const bulkIn = emulated.bulkIn.bind(emulated);
  let gate: Promise<unknown> = Promise.resolve();
  emulated.bulkIn = async (endpoint, length, signal) => {
    if (random.uniform() < 0.02) gate = gate.then(() => clock.at(clock.nowS() + 0.3 * random.uniform()));
    await gate;
    return bulkIn(endpoint, length, signal);
  };
  const figures = { samples: 0, records: 0, exact: 0, lostMin: 0, lostMax: 0, lostTruly: 0, widestSpanMs: 0 };
  const radio = await open({ patienceMs: 60_000 });
  const rx = await radio.openRx({ rateHz: RATE_HZ });
  const truth = { next: 0, lost: 0 };
  let low = 0;
  let lostAtRecord = 0;
  for await (const block of rx) {
    const position = rx.counters.samples - blockLength(block);
    const { shortfalls } = emulated.inspect();
    const known = truth.next;
    for (; truth.next < shortfalls.length && shortfalls[truth.next].atSample <= position; truth.next++) {
      truth.lost += shortfalls[truth.next].samples;
    }
    const number = (block.data[0] & 0xff) | ((block.data[1] & 0xff) << 8);
    if ((position + truth.lost) % 65_536 !== number) wrong.push(`sample ${number} at ${position}`);
    const record = block.lostBefore;
    if (!record) continue;
    figures.records++;
    if (record.exact) figures.exact++;
    const from = record.from - low;
    low += record.min;
    const widthMs = ((position - from) / RATE_HZ) * 1000;
    figures.widestSpanMs = Math.max(figures.widestSpanMs, widthMs);
    if (rx.counters.lostMin > truth.lost) wrong.push(`at least ${rx.counters.lostMin}, truly ${truth.lost}`);
    if (rx.counters.lostMax < lostAtRecord) wrong.push(`at most ${rx.counters.lostMax}, truly ${lostAtRecord}`);
    for (const { atSample } of shortfalls.slice(known, truth.next)) {
      if (atSample < from) wrong.push(`a loss at ${atSample} outside ${from} to ${position}`);
    }
    lostAtRecord = truth.lost;
    if (rx.counters.samples >= samples) break;
  }
  Object.assign(figures, rx.counters, { lostTruly: truth.lost });
  await radio.close();
  return figures;
}

/** The reader sleeps for up to 4 s; the ring holds 2 s. */
async function sleepingReader({ clock, emulated, open }: Board): Promise<Record<string, number>> {
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

for (const part of [stallingBus, sleepingReader]) {
  const started = process.cpuUsage();
  const made = board();
  const figures = await passTime(made.clock, part(made));
  const { user, system } = process.cpuUsage(started);
  console.log(part.name, JSON.stringify({ ...figures, cpuS: Math.round((user + system) / 1e5) / 10 }));
}
for (const line of wrong.slice(0, 10)) console.log(`WRONG ${line}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
