import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream } from '../../../src/common/random.ts';
import type { HackrfRadio } from '../../../src/radio/hackrf/hackrf-radio.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { type FaultPlan, NO_FAULTS, randomFaults } from '../../hardware/usb-faults.ts';
import { VirtualTime } from '../../hardware/virtual-time.ts';
import { FaultTally } from '../fault-tally.ts';
import { bench } from './emulated.ts';

/** Faults in all; a run of more: SCT_FAULTS=10000. */
const FAULTS = Number(process.env.SCT_FAULTS ?? 1000);
/** Longest call on the emulated clock; a step of it is up to 100 ms. */
const LONGEST_CALL_MS = 2000;

/** One session with a board whose bus goes wrong now and then, or at one step. */
class Trial {
  private readonly time: VirtualTime;
  private readonly tally: FaultTally;
  private readonly random: RandomStream;
  private readonly made: ReturnType<typeof bench>;
  private faulted = false;

  constructor(time: VirtualTime, seed: number, tally: FaultTally, plan?: FaultPlan) {
    this.time = time;
    this.tally = tally;
    this.random = new RandomStream(seed);
    const random = randomFaults({ seed, rate: 0.08, maxLateMs: this.random.uniform() < 0.2 ? 5000 : 20 });
    const faults = tally.counted(plan ?? random, () => {
      this.faulted = true;
    });
    const apiVersion = [0x0106, 0x0107, 0x0112][this.random.integer(3)];
    this.made = bench({ rxCounter: true, apiVersion }, { faults, clock: time.air });
  }

  async run(): Promise<void> {
    const radio = await this.tally.call('open', this.made.open());
    if (!radio) return;
    for (let i = 0; i < 3; i++) {
      if (this.random.uniform() < 0.5) await this.receive(radio);
      else await this.transmit(radio);
    }
    await this.tally.call('close', radio.close());
  }

  /** Steps on the bus so far. */
  get steps(): number {
    return this.made.bus.steps;
  }

  private async receive(radio: HackrfRadio): Promise<void> {
    const rx = await this.tally.call('openRx', radio.openRx({ rateHz: 2e6 }));
    if (!rx) return;
    const wanted = this.random.integer(8);
    const blocks = rx[Symbol.asyncIterator]();
    let end = 0;
    for (let i = 0; i < wanted; i++) {
      const next = await this.tally.call('block', blocks.next());
      if (!next || next.done) break;
      const { index, lostBefore } = next.value;
      assert.equal(index, end + (lostBefore?.min ?? 0));
      end = index + blockLength(next.value);
    }
    await this.tally.call('close rx', rx.close());
    assert.notEqual(rx.ended, null);
  }

  private async transmit(radio: HackrfRadio): Promise<void> {
    const tx = await this.tally.call('openTx', radio.openTx({ rateHz: 2e6 }));
    if (!tx) return;
    const bursts = 1 + this.random.integer(3);
    for (let i = 0; i < bursts; i++) {
      const burst = new Float32Array(2 * (1 + this.random.integer(30_000))).fill(0.5);
      await this.tally.call('write', tx.write(burst));
      if (this.random.uniform() < 0.3) await this.tally.call('drain', tx.drain());
    }
    if (this.random.uniform() < 0.2) await this.tally.call('abort', tx.abort());
    await this.tally.call('close tx', tx.close());
  }

  /** What the connector shows: nothing from here on; and the board is off, where the last requests could reach it. */
  async silentAfterwards(): Promise<void> {
    const { emulated, bus } = this.made;
    await this.time.pass(500); // the board's own limit, where no request reached it
    const before = emulated.inspect().emittedSamples;
    await this.time.pass(5000); // answers that come late are there, too
    assert.equal(emulated.inspect().emittedSamples, before);
    assert.deepEqual({ ...bus.held, timers: this.time.timers }, { boards: 0, transfers: 0, timers: 0 }, 'left behind');
    if (this.faulted) {
      bus.faults = NO_FAULTS;
      bus.plug(0);
      await this.time.until(this.made.open().then((radio) => radio.close()));
    }
    assert.equal(emulated.inspect().mode, 'off');
  }
}

/** Runs trials, each of which must end in time, leave nothing behind and the board silent. */
async function trials(next: (tally: FaultTally, last: Trial | null) => { seed: number; plan?: FaultPlan } | null) {
  const time = new VirtualTime();
  const tally = new FaultTally(time);
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    let trial: Trial | null = null;
    for (let one = next(tally, trial), n = 0; one; one = next(tally, trial), n++) {
      tally.session = n;
      trial = new Trial(time, one.seed, tally, one.plan);
      try {
        await time.until(trial.run());
        await trial.silentAfterwards();
      } catch (error) {
        throw new Error(`trial ${n}, ${tally.last}: ${(error as Error).message}`, { cause: error });
      }
    }
  } finally {
    time.restore();
    process.off('unhandledRejection', note);
  }
  assert.deepEqual(unhandled, []);
  if (process.env.SCT_FAULTS) console.log(tally.summary());
  assert.deepEqual(tally.over(LONGEST_CALL_MS), []);
  return tally;
}

test(`${FAULTS} faults of the bus: typed errors or counted losses, no hang, nothing left behind, silent`, async () => {
  let seed = 0;
  const tally = await trials(({ total }) => (total < FAULTS ? { seed: ++seed } : null));
  assert.ok(Object.keys(tally.errors).length >= 4 && Object.keys(tally.faults).length === 7, tally.summary());
});

test('unplugged at each step of a session, before and after it', async () => {
  const SEED = 2; // receives and transmits
  let [trial, steps] = [-1, 0];
  const tally = await trials((_, last) => {
    // The first without a fault: so many steps there are.
    if (!last) return { seed: SEED, plan: NO_FAULTS };
    if (trial < 0) steps = last.steps;
    const at = ++trial >> 1;
    const when = trial % 2 ? 'after' : 'before';
    return at < steps ? { seed: SEED, plan: ({ step }) => (step === at ? { kind: 'unplug', when } : null) } : null;
  });
  assert.ok(steps > 50 && tally.total === 2 * steps, tally.summary());
});
