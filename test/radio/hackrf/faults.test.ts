import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { ManualAirClock } from '../../../hardware/emulated/clock.ts';
import { SctError } from '../../../src/common/errors.ts';
import { RandomStream } from '../../../src/common/random.ts';
import type { HackrfRadio } from '../../../src/radio/hackrf/hackrf-radio.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { type FaultPlan, NO_FAULTS, randomFaults, type UsbFault } from '../../hardware/usb-faults.ts';
import { bench } from './emulated.ts';

/** Faults in all; a run of more: SCT_FAULTS=10000. */
const FAULTS = Number(process.env.SCT_FAULTS ?? 1000);
/** Longest call: a stream that went silent is given up after 1.5 s, stopping it takes up to three attempts, 0.5 s together; and two steps of time. */
const LONGEST_CALL_MS = 2200;

/** One clock for timers, performance.now() and the emulated board, which moves when told. */
class VirtualTime {
  readonly air = new ManualAirClock();
  private readonly realNow = performance.now;
  nowMs = this.realNow.call(performance);

  constructor() {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    performance.now = () => this.nowMs;
  }

  /** Lets time pass until the work is done; fails where it never is. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = (): void => {
      done = true;
    };
    work.then(end, end);
    const startMs = this.nowMs;
    for (let turn = 0; !done; turn++) {
      // Small steps while things happen, larger ones while everybody waits.
      await this.pass(Math.min(100, 2 * 1.1 ** Math.max(0, turn - 60)));
      assert.ok(this.nowMs - startMs < 20_000, 'it hangs');
    }
    return work;
  }

  async pass(ms: number): Promise<void> {
    await this.air.advance(ms / 1000);
    this.nowMs += ms;
    mock.timers.tick(ms);
  }

  restore(): void {
    mock.timers.reset();
    performance.now = this.realNow;
  }
}

interface Tally {
  faults: number;
  errors: Record<string, number>;
  longestMs: number;
}

/** One session with a board whose bus goes wrong now and then. */
class Trial {
  private readonly time: VirtualTime;
  private readonly made: ReturnType<typeof bench>;
  private readonly random: RandomStream;
  private readonly tally: Tally;
  faulted = false;

  constructor(time: VirtualTime, seed: number, tally: Tally) {
    this.time = time;
    this.tally = tally;
    this.random = new RandomStream(seed);
    const plan = randomFaults({ seed, rate: 0.08, maxLateMs: this.random.uniform() < 0.2 ? 5000 : 20 });
    const faults: FaultPlan = (step) => this.count(plan(step));
    const apiVersion = [0x0106, 0x0107, 0x0112][this.random.integer(3)];
    this.made = bench({ rxCounter: true, apiVersion }, { faults, clock: time.air });
  }

  private count(fault: UsbFault | null): UsbFault | null {
    if (!fault) return null;
    this.faulted = true;
    this.tally.faults++;
    return fault;
  }

  /** A call must end in time, well or with a typed error. Null: it failed. */
  private async call<T>(work: Promise<T>): Promise<T | null> {
    const startMs = this.time.nowMs;
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      const name = 'kind' in error ? `UsbError ${error.kind}` : error.name;
      this.tally.errors[name] = (this.tally.errors[name] ?? 0) + 1;
      return null;
    } finally {
      this.tally.longestMs = Math.max(this.tally.longestMs, this.time.nowMs - startMs);
    }
  }

  async run(): Promise<void> {
    const radio = await this.call(this.made.open());
    if (radio) {
      for (let i = 0; i < 3; i++) {
        if (this.random.uniform() < 0.5) await this.receive(radio);
        else await this.transmit(radio);
      }
      await this.call(radio.close());
    }
  }

  private async receive(radio: HackrfRadio): Promise<void> {
    const rx = await this.call(radio.openRx({ rateHz: 2e6 }));
    if (!rx) return;
    const wanted = this.random.integer(8);
    const blocks = rx[Symbol.asyncIterator]();
    let end = 0;
    for (let i = 0; i < wanted; i++) {
      const next = await this.call(blocks.next());
      if (!next || next.done) break;
      const { index, lostBefore } = next.value;
      assert.equal(index, end + (lostBefore?.min ?? 0));
      end = index + blockLength(next.value);
    }
    await this.call(rx.close());
    assert.notEqual(rx.ended, null);
  }

  private async transmit(radio: HackrfRadio): Promise<void> {
    const tx = await this.call(radio.openTx({ rateHz: 2e6 }));
    if (!tx) return;
    const bursts = 1 + this.random.integer(3);
    for (let i = 0; i < bursts; i++) {
      await this.call(tx.write(new Float32Array(2 * (1 + this.random.integer(30_000))).fill(0.5)));
      if (this.random.uniform() < 0.3) await this.call(tx.drain());
    }
    if (this.random.uniform() < 0.2) await tx.abort();
    await this.call(tx.close());
  }

  /** What the connector shows: nothing from here on; and the board is off, where the last requests could reach it. */
  async silentAfterwards(): Promise<void> {
    await this.time.pass(500); // the board's own limit, where no request reached it
    const before = this.made.emulated.inspect().emittedSamples;
    await this.time.pass(1000);
    assert.equal(this.made.emulated.inspect().emittedSamples, before);
    if (this.faulted) {
      this.made.bus.faults = NO_FAULTS;
      this.made.bus.plug(0);
      await this.time.until(this.made.open().then((radio) => radio.close()));
    }
    assert.equal(this.made.emulated.inspect().mode, 'off');
  }
}

test(`${FAULTS} faults of the bus: typed errors or counted losses, no hang, silent afterwards`, async () => {
  const time = new VirtualTime();
  const tally: Tally = { faults: 0, errors: {}, longestMs: 0 };
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    for (let seed = 1; tally.faults < FAULTS; seed++) {
      const trial = new Trial(time, seed, tally);
      try {
        await time.until(trial.run());
        await trial.silentAfterwards();
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  } finally {
    time.restore();
    process.off('unhandledRejection', note);
  }
  assert.deepEqual(unhandled, []);
  assert.ok(tally.longestMs <= LONGEST_CALL_MS, `a call took ${tally.longestMs} ms`);
  assert.ok(Object.keys(tally.errors).length >= 4, JSON.stringify(tally));
  if (process.env.SCT_FAULTS) console.log(JSON.stringify(tally));
});
