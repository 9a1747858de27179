import { NUMEROLOGIES, numerology } from '../../../phy/numerology.ts';
import { channelsMeasurement } from './channels.ts';
import { QAM16_1_2, QAM64_2_3, QAM64_3_4, QPSK_1_2 } from './coded-burst.ts';
import { detectionMeasurement, fadingDetectionMeasurement } from './detection.ts';
import { falseHeaderMeasurement, gaplessMeasurement, hidingMeasurement } from './false-headers.ts';
import { dcMeasurement, faultMeasurement } from './faults.ts';
import { lossMeasurement } from './loss.ts';
import type { Measurement } from './measurement.ts';
import { offsetLossMeasurement, trackingMeasurement } from './offsets.ts';
import { jammerMeasurement, rbSnrFadingMeasurement, rbSnrMeasurement } from './rb-snr.ts';

const FADING = ['epa', 'eva', 'tdl-c'] as const;
const MCS = [QPSK_1_2, QAM16_1_2, QAM64_3_4] as const;
/** The numerologies of design §4: 6, 15, 25, 50 subbands. */
const FOUR = NUMEROLOGIES.filter((n) => n.nSubbands >= 6);
const NARROW = numerology(6);
const MIDDLE = numerology(25);
const WIDE = numerology(50);

/** Every measurement of the requirements table, in its order, with the trial numbers of the full run or of the quick one. */
export function requirementsPlan(quick: boolean): Measurement[] {
  const trials = (few: number, full: number) => (quick ? few : full);
  return [
    ...FOUR.map((n) => detectionMeasurement(n, trials(50, 10_000))),
    ...FOUR.map((n) => falseHeaderMeasurement(n, trials(1, 60))),
    ...FOUR.map((n) => hidingMeasurement(n, trials(30, 2000))),
    ...FOUR.map((n) => gaplessMeasurement(n, trials(50, 10_000))),
    ...FOUR.flatMap((n) => FADING.map((c) => fadingDetectionMeasurement(n, c, trials(26, 1300)))),
    trackingMeasurement(NARROW, trials(4, 300)),
    trackingMeasurement(MIDDLE, trials(2, 100)),
    trackingMeasurement(WIDE, trials(2, 40)),
    offsetLossMeasurement(NARROW, trials(16, 1000)),
    ...(quick ? [] : [offsetLossMeasurement(MIDDLE, 150)]),
    dcMeasurement(NARROW, trials(3, 100)),
    dcMeasurement(WIDE, trials(2, 30)),
    ...faultPlan(quick),
    ...lossPlan(quick),
    rbSnrMeasurement(NARROW, trials(4, 300)),
    rbSnrMeasurement(MIDDLE, trials(2, 100)),
    rbSnrMeasurement(WIDE, trials(2, 50)),
    ...[NARROW, WIDE].map((n) => rbSnrFadingMeasurement(n, 'eva', trials(14, n === NARROW ? 1400 : 350))),
    jammerMeasurement(NARROW, trials(6, 2000)),
    jammerMeasurement(WIDE, trials(4, 100)),
    channelsMeasurement(trials(300, 10_000)),
  ];
}

/** Codes whose BLER reaches 1e-2 near 15 dB: 64-QAM 2/3 on AWGN, 16-QAM 1/2 on EVA. */
function faultPlan(quick: boolean): Measurement[] {
  const evmBursts = quick ? 6 : 200;
  const settings = [
    [6, 'awgn', 'hackrf', QAM64_2_3, quick ? 24 : 1000],
    [25, 'awgn', 'hackrf', QAM64_2_3, quick ? 8 : 250],
    [25, 'awgn', 'pluto', QAM64_2_3, quick ? 8 : 250],
    [6, 'eva', 'hackrf', QAM16_1_2, quick ? 40 : 5000],
    [25, 'eva', 'hackrf', QAM16_1_2, quick ? 20 : 2000],
  ] as const;
  return settings.map(([subbands, channel, profile, mcs, bursts]) =>
    faultMeasurement({ subbands, channel, profile, mcs, bursts, evmBursts, checkEvery: quick ? 20 : 50 }),
  );
}

function lossPlan(quick: boolean): Measurement[] {
  return [NARROW, WIDE].flatMap((n) =>
    ['awgn', ...FADING].flatMap((channel) =>
      MCS.map((mcs) => {
        const narrow = n === NARROW;
        const full = channel === 'awgn' && !narrow ? 1500 : 10_000;
        return lossMeasurement({
          subbands: n.nSubbands,
          channel,
          mcs,
          bursts: quick ? (narrow ? 60 : 16) : full,
          checkEvery: quick ? 20 : 50,
          bareBlocks: quick ? 200 : 20_000,
        });
      }),
    ),
  );
}
