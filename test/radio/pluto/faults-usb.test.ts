import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Iiod } from '../../../hardware/emulated/pluto/iiod/iiod.ts';
import { PlutoBoard } from '../../../hardware/emulated/pluto/pluto-board.ts';
import { PlutoUsb } from '../../../hardware/emulated/pluto/usb/pluto-usb.ts';
import { RandomStream } from '../../../src/common/random.ts';
import { usbLink } from '../../../src/radio/pluto/pluto-link.ts';
import { PlutoRadio } from '../../../src/radio/pluto/pluto-radio.ts';
import { PLUTO_USB } from '../../../src/radio/pluto/usb-transport.ts';
import { loadProfile } from '../../../src/radio/profile.ts';
import { blockLength } from '../../../src/radio/radio.ts';
import { LocalBoard } from '../../../src/radio/stream/local-board.ts';
import { openBoard } from '../../../src/radio/usb/bus.ts';
import { DirectUsbBus } from '../../hardware/direct-usb.ts';
import { Coil } from '../../hardware/pluto/coil.ts';
import { type FaultPlan, NO_FAULTS, randomFaults } from '../../hardware/usb-faults.ts';
import { VirtualTime } from '../../hardware/virtual-time.ts';
import { FaultTally } from '../fault-tally.ts';
import { counter, isSilent, SERIAL } from './rig.ts';

/** Faults in all; a run of more: SCT_FAULTS=10000. */
const FAULTS = Number(process.env.SCT_FAULTS ?? 300);
/** Longest call on the emulated clock. */
const LONGEST_CALL_MS = 2000;
const SPEC = { bus: { kind: 'libusb' }, wanted: [PLUTO_USB], serial: SERIAL.slice(-6), name: 'Pluto' } as const;
const TUNED = { frequencyHz: 915e6, rateHz: 300_000 } as const;

/** A board on a bus that goes wrong now and then, and sessions with it. */
class Bench {
  readonly bus: DirectUsbBus;
  private readonly time: VirtualTime;
  private readonly tally: FaultTally;
  private readonly board: PlutoBoard;

  constructor(time: VirtualTime, tally: FaultTally) {
    this.time = time;
    this.tally = tally;
    const air = new Coil(time.air, 30);
    const profile = loadProfile('pluto');
    this.board = new PlutoBoard({ name: 'pluto', serial: SERIAL, air, profile, source: counter });
    this.bus = new DirectUsbBus([new PlutoUsb(new Iiod(this.board))]);
  }

  /** Both directions and the radio itself are closed at its end, whatever went wrong. */
  async session(random: RandomStream): Promise<void> {
    const { tally } = this;
    const radio = await tally.call('open', this.open());
    if (!radio) return;
    const rx = await tally.call('openRx', radio.openRx(TUNED));
    const tx = await tally.call('openTx', radio.openTx({ ...TUNED, gainsDb: { tx: -10 } }));
    if (tx) await tally.call('write', tx.write(new Float32Array(600).fill(0.4)));
    const blocks = rx?.[Symbol.asyncIterator]();
    let end = 0;
    for (let wanted = random.integer(5); blocks && wanted > 0; wanted--) {
      const next = await tally.call('block', blocks.next());
      if (!next || next.done) break;
      const { index, lostBefore } = next.value;
      assert.equal(index, end + (lostBefore?.min ?? 0));
      end = index + blockLength(next.value);
    }
    if (rx && random.uniform() < 0.3) await tally.call('setGains', rx.setGains({ rx: random.integer(60) }));
    if (tx && random.uniform() < 0.7) await tally.call('drain', tx.drain());
    if (tx && random.uniform() < 0.2) await tally.call('cut', tx.cut());
    if (tx && random.uniform() < 0.5) await tally.call('close tx', tx.close());
    if (rx && random.uniform() < 0.5) await tally.call('close rx', rx.close());
    await tally.call('close', radio.close());
  }

  /** Nothing on the air from here on, nothing left open; and the board works again. */
  async afterwards(faulted: boolean): Promise<void> {
    const { board, bus, time } = this;
    const before = board.statistics().tx.emittedSamples;
    await time.pass(6000); // answers that come late are there, too
    assert.equal(board.statistics().tx.emittedSamples, before, 'something is still on the air');
    assert.deepEqual({ ...bus.held, timers: time.timers }, { boards: 0, transfers: 0, timers: 0 }, 'left behind');
    if (faulted) {
      bus.faults = NO_FAULTS;
      bus.plug();
      await time.until(this.open().then((radio) => radio.close()));
    }
    assert.ok(isSilent(board) && !board.rx.isOpen, 'buffers or tones are left');
  }

  private async open(): Promise<PlutoRadio> {
    const nowNs = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
    const link = await usbLink(SPEC, async (spec) => {
      const board = new LocalBoard(await openBoard(spec, this.bus), { nowNs });
      const start = board.startTask.bind(board);
      board.startTask = (request) => this.time.real(start(request)); // it loads the task's file
      return board;
    });
    return PlutoRadio.open('pluto:usb', link);
  }
}

/** Sessions, one after the other, with the seeds and faults that `next` gives; `last`: steps on the bus of the one before. */
async function sessions(next: (tally: FaultTally, last: number) => { seed: number; plan: FaultPlan } | null) {
  const time = new VirtualTime();
  const tally = new FaultTally(time);
  const bench = new Bench(time, tally);
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    let steps = 0;
    for (let one = next(tally, steps), n = 0; one; one = next(tally, steps), n++) {
      const { seed, plan } = one;
      tally.session = n;
      const before = bench.bus.steps;
      const faultsBefore = tally.total;
      bench.bus.faults = tally.counted((step) => plan({ ...step, step: step.step - before }));
      try {
        await time.until(bench.session(new RandomStream(seed)));
        steps = bench.bus.steps - before;
        await bench.afterwards(tally.total > faultsBefore);
      } catch (error) {
        throw new Error(`session ${n}, ${tally.last}: ${(error as Error).message}`, { cause: error });
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
  const tally = await sessions(({ total }) => {
    if (total >= FAULTS) return null;
    seed++;
    const maxLateMs = seed % 5 === 0 ? 5000 : 30;
    return { seed, plan: randomFaults({ seed, rate: [0.004, 0.02, 0.1][seed % 3], maxLateMs }) };
  });
  assert.ok(Object.keys(tally.errors).length >= 3 && Object.keys(tally.faults).length === 7, tally.summary());
});

test('unplugged at each step of a session, before and after it', async () => {
  const EVERY = process.env.SCT_FAULTS ? 1 : 9;
  let [trial, steps] = [-EVERY, 0];
  const tally = await sessions((_, last) => {
    // The first without a fault: so many steps there are.
    if (last === 0) return { seed: 1, plan: NO_FAULTS };
    if (trial < 0) steps = last;
    trial += EVERY;
    const at = trial >> 1;
    const when = trial % 2 ? 'after' : 'before';
    return at < steps ? { seed: 1, plan: ({ step }) => (step === at ? { kind: 'unplug', when } : null) } : null;
  });
  assert.ok(steps > 100 && tally.total >= Math.floor((2 * steps) / EVERY), tally.summary());
});
