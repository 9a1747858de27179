import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { AnswerPower } from '../../../src/experiment/ota/answer-power.ts';
import { gainForNoise } from '../../../src/experiment/ota/noise-gain.ts';
import { powerOf, WANTED_SNR_DB } from '../../../src/experiment/ota/power-keeper.ts';
import { radioEnd } from '../../../src/experiment/ota/radio-end.ts';
import { raisePower } from '../../../src/experiment/ota/set-gains.ts';
import type { BurstEvent } from '../../../src/link/receiver.ts';
import type { CsiReport } from '../../../src/link/reverse/reverse-messages.ts';
import type { SenderSession } from '../../../src/link/session/sender.ts';
import type { Radio, RxStream, SampleBlock } from '../../../src/radio/radio.ts';
import { encodeCsi } from '../../../src/sct/allocation/csi-code.ts';

const keeper = () =>
  powerOf(
    radioEnd(
      resolveLinkConfig({ codec: 'classical', format: 'jpeg', numerology: 6, frequencyHz: 868.3e6, cabledDb: 60 }),
      'hackrf:1',
      'tx',
      null,
    ),
    null,
  )!;

const report = (snrDb: number): CsiReport => ({
  number: 1,
  session: 1,
  burst: 0,
  codes: new Uint8Array(6).fill(encodeCsi(snrDb)),
});

test('a sender whose receiver is elsewhere raises its power by the reports, and where none comes', async () => {
  const power = keeper();
  const answers = [null, report(9), report(15), report(WANTED_SNR_DB + 1), report(40)];
  const set: number[] = [];
  const sender = { soundForReport: async () => answers.shift()! } as unknown as SenderSession;
  const tx = {
    setGains: async (gains: Readonly<Record<string, number>>) => {
      set.push(gains.txvga);
      return gains;
    },
  };
  await raisePower(sender, tx, power, 1);
  // Nothing heard: 6 dB; 9 dB: 6 of the 11 that are missing; 15 dB: 5.
  assert.deepEqual(set, [29, 35, 40]);
  assert.equal(answers.length, 1, 'nothing is sounded once the SNR is there');
  assert.match(power.facts().why, /^SNR 21\.0 dB/);
});

test('reverse bursts get stronger while the sender goes on without naming a report, and no further', async () => {
  const power = keeper();
  const answers = new AnswerPower(power);
  const heard = (csiNumber: number, sent: number) =>
    answers.heard({ record: { header: { csiNumber } } } as unknown as BurstEvent, sent);
  await heard(0, 0);
  assert.equal(power.gainsDb.txvga, 23, 'nothing was answered yet');
  await heard(0, 1);
  assert.equal(power.gainsDb.txvga, 29);
  for (let i = 0; i < 3; i++) await heard(0, 1);
  assert.equal(power.gainsDb.txvga, 29, 'a train of soundings counts once');
  await heard(0, 2);
  await heard(7, 3);
  await heard(0, 4);
  assert.equal(power.gainsDb.txvga, 35, 'a burst named a report: it is heard');
  assert.match(power.facts().why, /names one of our reports/);
});

test('the gain of a receiver is raised until noise moves its converter, within a few changes', async () => {
  const rateHz = 1e6;
  let totalDb = 0;
  const gains: number[] = [];
  const radio = {
    openRx: async (): Promise<RxStream> => {
      let index = 0;
      let open = true;
      const settings = { rateHz, fullScale: 128, gainsDb: { lna: 0, vga: 0, amp: 0 } };
      return {
        settings,
        close: async () => {
          open = false;
        },
        setGains: async (gainsDb: Record<string, number>) => {
          totalDb = gainsDb.lna + gainsDb.vga;
          gains.push(totalDb);
          return gainsDb;
        },
        async *[Symbol.asyncIterator]() {
          while (open) {
            // -76 dBFS without gain: 0.02 steps.
            const data = new Int8Array(20_000).map((_, i) =>
              Math.round(128 * 10 ** ((totalDb - 76) / 20) * (i % 4 < 2 ? 1 : -1)),
            );
            yield { data, fullScale: 128, format: 'ci8', index, lostBefore: null } as unknown as SampleBlock;
            index += data.length / 2;
          }
        },
      } as unknown as RxStream;
    },
  } as unknown as Radio;
  const stages = [
    { name: 'lna', direction: 'rx', min: 0, max: 40, step: 8, unit: 'dB' },
    { name: 'vga', direction: 'rx', min: 0, max: 62, step: 2, unit: 'dB' },
  ] as const;
  const found = await gainForNoise(radio, { rateHz }, stages, new AbortController().signal);
  assert.ok(gains.length >= 1 && gains.length <= 4, `${gains}`);
  assert.equal(found.gainsDb!.lna + found.gainsDb!.vga, totalDb);
  // 2 steps of RMS are -36 dBFS: 40 dB are missing, at most 20 at once.
  assert.ok(totalDb >= 37 && totalDb <= 44, `${totalDb} dB`);
  const aborted = AbortSignal.abort();
  assert.deepEqual(await gainForNoise(radio, { rateHz }, stages, aborted), { rateHz });
});
