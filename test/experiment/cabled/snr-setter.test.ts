// The SNR of a link on a cable, set by an attenuator: a cable and a receiver as formulas, whose SNR is limited at the top as real boards' is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmulatedCdcAttenuator } from '../../../hardware/emulated/instruments/attenuators.ts';
import { serveInstrument } from '../../../hardware/emulated/instruments/instrument-model.ts';
import { fromDb, toDb } from '../../../src/common/units.ts';
import { describeSnrSetting, SnrSetter, type SoundedLink } from '../../../src/experiment/cabled/snr-setter.ts';
import { checkSnrList, sweepSnr } from '../../../src/experiment/cabled/snr-sweep.ts';
import type { BurstTrace } from '../../../src/experiment/metrics/burst-trace.ts';
import type { Attenuator } from '../../../src/radio/instruments/attenuator.ts';
import { ATTENUATOR_MODELS } from '../../../src/radio/instruments/attenuator-models.ts';
import { CdcAttenuator } from '../../../src/radio/instruments/cdc-attenuator.ts';
import { Exchange } from '../../../src/radio/instruments/exchange.ts';
import { wire } from '../../radio/instruments/wire.ts';
import { io } from '../link-helpers.ts';
import '../../fixed-seed.js';

/** Heard down to here, dB. */
const HEARD_DB = -3;

interface Cable {
  /** SNR by thermal noise alone with the attenuator at 0 dB. */
  readonly topSnrDb: number;
  /** SNR that the boards' own faults allow. */
  readonly limitDb: number;
}

function bench({ topSnrDb, limitDb }: Cable, model = ATTENUATOR_MODELS[1]) {
  const box = new EmulatedCdcAttenuator(model);
  const { host, device } = wire();
  serveInstrument(box, device, device);
  const attenuator: Attenuator = new CdcAttenuator(new Exchange(host, 'wire'), model);
  const bursts: BurstTrace[] = [];
  const trueSnrDb = () => -toDb(fromDb(box.attenuationDb - topSnrDb) + fromDb(-limitDb));
  let regained = 0;
  const link: SoundedLink = {
    trace: { bursts },
    air: {} as SoundedLink['air'],
    regain: async () => void regained++,
    sender: {
      soundOnce: async (_seconds, heard) => {
        const burst = bursts.length;
        const snrDb = trueSnrDb();
        if (snrDb >= HEARD_DB) bursts.push({ burst, use: 'sounding', snrDb } as BurstTrace);
        heard(burst);
      },
    },
  };
  return { box, attenuator, link, trueSnrDb, regained: () => regained };
}

test('the SNR is the wanted one to half a step, though the first setting is off by what limits the reference', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 20, max: 60, noNaN: true }),
      fc.double({ min: 25, max: 45, noNaN: true }),
      fc.integer({ min: -2, max: 18 }),
      async (topSnrDb, limitDb, wantedDb) => {
        const { attenuator, box, link, trueSnrDb } = bench({ topSnrDb, limitDb });
        const setter = new SnrSetter(attenuator, 'att:x', wantedDb);
        await setter.open();
        assert.equal(box.attenuationDb, 0);
        await setter.settle(link);
        const facts = setter.facts()!;
        assert.equal(facts.attenuationDb, box.attenuationDb);
        assert.ok(Math.abs(trueSnrDb() - wantedDb) <= 0.13, `${trueSnrDb()} for ${wantedDb}`);
        assert.ok(Math.abs(facts.measuredSnrDb! - trueSnrDb()) < 1e-9);
        await attenuator.close();
      },
    ),
    { numRuns: 40 },
  );
});

test('gains are set anew after each change; too weak to be heard is said, not corrected', async () => {
  const heard = bench({ topSnrDb: 40, limitDb: 60 });
  const setter = new SnrSetter(heard.attenuator, 'att:x', 10);
  await setter.open();
  await setter.settle(heard.link);
  assert.equal(heard.regained(), 1, 'the reference was limited by noise alone: one setting is enough');
  assert.match(describeSnrSetting(setter.facts()!), /^SNR 10\.0 dB \(wanted 10 dB\) with DC-6GHZ-90DB-V3 at 30 dB$/);
  const weak = bench({ topSnrDb: 40, limitDb: 60 });
  const deaf = new SnrSetter(weak.attenuator, 'att:x', -20);
  await deaf.open();
  await deaf.settle(weak.link);
  assert.equal(deaf.facts()!.measuredSnrDb, null);
  assert.equal(weak.box.attenuationDb, 60);
});

test('what cannot be had is refused with what can', async () => {
  const { attenuator, link } = bench({ topSnrDb: 18, limitDb: 60 });
  const setter = new SnrSetter(attenuator, 'att:x', 25);
  await setter.open();
  await assert.rejects(setter.settle(link), { name: 'UsageError', hint: /SNRs on this cable: -77\.\d\d to 18\.00 dB/ });
  const silent = bench({ topSnrDb: -30, limitDb: 60 });
  await assert.rejects(new SnrSetter(silent.attenuator, 'att:x', 5).settle(silent.link), {
    name: 'NoSignalError',
    message: /nothing is heard with DC-6GHZ-90DB-V3 at 0 dB/,
  });
});

test('a list without an attenuator is a run each; one SNR twice is refused', async () => {
  const asked: (number | null)[] = [];
  const sweep = await sweepSnr([5, 10], null, io('o'), async (snrDb, setter, { outputDirectory }) => {
    asked.push(snrDb);
    assert.equal(setter, null);
    return { exitCode: snrDb === 5 ? 4 : 0, outputDirectory };
  });
  assert.deepEqual(asked, [5, 10]);
  assert.equal(sweep.exitCode, 4, 'one that failed counts');
  assert.deepEqual(
    sweep.points.map((p) => p.result.outputDirectory),
    ['o/snr5', 'o/snr10'],
  );
  assert.throws(() => checkSnrList([5, 5]), /twice/);
  assert.throws(() => checkSnrList(Array.from({ length: 65 }, (_, i) => i)), /at most 64/);
});
