import { fadingPredictor, usableSnapshots } from '../../phy/channel-est/fading-prediction.ts';
import { besselJ0 } from '../../phy/channel-est/time-basis.ts';
import type { Mapping } from '../../sct/allocation/allocate.ts';
import { decodeCsi } from '../../sct/allocation/csi-code.ts';
import { USUAL_BURST_S } from '../reverse/csi-history.ts';
import type { CsiReport } from '../reverse/reverse-messages.ts';
import { chooseLoading, chooseUniformLoading, type Loading, MARGIN_DB } from './adaptation.ts';
import { loadPower } from './power-loading.ts';

/** Block error rate that the first transmission aims at. */
export const TARGET_BLER = 1e-3;
/** Information bits of a usual code block, for the decoder's gap to capacity. */
export const TYPICAL_BITS = 7000;

/** Back-off of the robust map from the mean of an old report, dB. */
const STALE_MARGIN_DB = 4;
/** Back-off for a report that fading has wholly outdated, dB; scaled by the prediction error for a younger one. */
const AGING_MARGIN_DB = 4;

/**
 * Share of a picture's budget that is kept for repetitions when they are allowed: a few blocks on a known channel, and
 * the more the less a report can predict, because a fade takes most blocks at once. Chosen by a few trials on one photo
 * (docs/adr/0004-repetitions-inside-the-budget.md), not optimal in any sense.
 */
const RESERVE = { least: 0.08, perUncertainty: 0.45, robust: 0.12 } as const;

/** What a transmitter goes by when it picks map and loading. */
export interface ChannelPolicy {
  readonly mapping: Mapping;
  /** The mapping holds even when the report is too old. */
  readonly mappingForced: boolean;
  readonly maxCsiAgeS: number;
  readonly harq: number;
  readonly dopplerHz: number | null;
  /** How long the picture's budget is on the air, s: the channel fades meanwhile. */
  readonly airS: number;
  readonly assumedSnrDb: number;
  /** Whether a picture's budget can spare this share for repetitions. */
  readonly canSpare: (share: number) => boolean;
  /** Water-filling over the subbands of a fresh report. */
  readonly powerLoading: boolean;
}

/** A report and when the burst it was measured on was on the air. */
export interface DatedReport {
  readonly report: CsiReport;
  readonly measuredAtS: number;
  /** Soundings up to that one, oldest first: what the receiver can have predicted from. Absent: it alone. */
  readonly soundings?: readonly Sounding[];
}

/** A sounding burst: its end on the air, and the mean SNR (linear) that was reported of it, if it was. */
export interface Sounding {
  readonly endS: number;
  readonly snr: number | null;
}

/** Mean SNR of a report over the subbands, linear. */
export function meanSnr({ codes }: CsiReport): number {
  return codes.reduce((sum, code) => sum + 10 ** (decodeCsi(code) / 10), 0) / codes.length;
}

/** What the transmitter knows of the channel, and the loading that follows from it. */
export interface ChannelKnowledge {
  readonly map: 'matched' | 'uniform' | 'random' | 'worst' | 'robust';
  readonly number: number;
  readonly ageS: number | null;
  /** Codes of a fresh report, from which the map is made; null for the robust map. */
  readonly codes: Uint8Array | null;
  /** Relative error of what a fresh report predicts, 0 to 1; 1 without one. */
  readonly uncertainty: number;
  /** What was taken off for it in codedSnrDb, dB. */
  readonly agingDb: number;
  /** As reported, dB; null without a report. */
  readonly snrDb: number[] | null;
  /** What to expect of each subband at its power, dB; the assumed SNR without a report. [nSubbands] */
  readonly expectedSnrDb: readonly number[];
  /** The same with margins taken off, for coded bits. */
  readonly codedSnrDb: readonly number[];
  /** Modulation and code rate for blocks that are spread over the whole band. */
  readonly loading: Loading;
  /** Power level of each subband as the extension says it; null for equal power. */
  readonly power: readonly number[] | null;
  /** Share of the budget to keep for repetitions, 0 to 1. */
  readonly reserve: number;
}

/**
 * A fresh report gives the wanted mapping with bit loading; an old one, or none, the robust map with one modulation: the
 * mean of the old report or the assumed SNR is all that is left to go by (design §4).
 */
export function channelKnowledge(
  dated: DatedReport | null,
  nowS: number,
  nSubbands: number,
  policy: ChannelPolicy,
): ChannelKnowledge {
  const { mapping, mappingForced, maxCsiAgeS, assumedSnrDb } = policy;
  const ageS = dated ? nowS - dated.measuredAtS : null;
  const reported = dated ? Array.from(dated.report.codes, decodeCsi) : null;
  const fresh = reported !== null && ageS !== null && (ageS <= maxCsiAgeS || mappingForced);
  const uncertainty = fresh ? predictionError(policy, dated!, ageS) : 0;
  const share = fresh ? RESERVE.least + RESERVE.perUncertainty * uncertainty : RESERVE.robust;
  const repeats = policy.harq > 0 && policy.canSpare(share);
  const least = repeats ? MARGIN_DB.withRepetition : MARGIN_DB.without;
  const reserve = repeats ? share : 0;
  if (!fresh) {
    // A stale report still tells the mean; fading may have taken any subband anywhere since.
    const mean = reported ?? new Array<number>(nSubbands).fill(assumedSnrDb);
    const margin = least + (reported ? STALE_MARGIN_DB : 0);
    const snr = mean.map((v) => v - margin);
    return {
      map: 'robust',
      number: 0,
      ageS,
      codes: null,
      uncertainty: 1,
      agingDb: 0,
      snrDb: reported,
      expectedSnrDb: mean,
      codedSnrDb: snr,
      loading: chooseUniformLoading(snr, TYPICAL_BITS, TARGET_BLER),
      power: null,
      reserve,
    };
  }
  const agingDb = AGING_MARGIN_DB * uncertainty;
  const margin = least + agingDb;
  const power = policy.powerLoading ? loadPower(reported, uncertainty) : null;
  const expectedSnrDb = power?.snrDb ?? reported;
  const snr = expectedSnrDb.map((v) => v - margin);
  return {
    map: mapping,
    number: dated!.report.number,
    ageS,
    codes: dated!.report.codes,
    uncertainty,
    agingDb,
    snrDb: reported,
    expectedSnrDb,
    codedSnrDb: snr,
    loading: chooseLoading(snr, TYPICAL_BITS, TARGET_BLER),
    power: power?.levels ?? null,
    reserve,
  };
}

/**
 * Error variance of a sounding's channel estimate over the noise variance: what the estimator has left of delays and time is some
 * 5 + 0.36 n parameters in n subbands, found from 56 n pilots (four slots of 14). Fewer pilots find fewer delays, so that a narrow
 * band's estimate is not 25/n but 2.1 times as bad at 6 subbands. Measured against the channel (test/experiment/sounding-error.test.ts).
 */
export function soundingError(nSubbands: number): number {
  return (5 + 0.36 * nSubbands) / (56 * nSubbands);
}

/**
 * Relative error of the best prediction for the picture to come, in Jakes fading, at the end of a usual burst or the middle of a longer
 * time on the air t: of one sounding the report says what was measured, sqrt(1 - J0(2 pi fd (age + t))^2); of several the receiver
 * has predicted (CsiHistory), and the root of that prediction's mean square error is left: relative to the channel's mean power, so
 * that it is larger for a channel that is expected below it. 0 where no Doppler is known.
 */
function predictionError(
  { dopplerHz, airS }: ChannelPolicy,
  { report, measuredAtS, soundings = [] }: DatedReport,
  ageS: number,
): number {
  if (!dopplerHz) return 0;
  const horizonS = ageS + Math.max(USUAL_BURST_S, airS / 2);
  const ends = soundings.map((s) => s.endS);
  const used = soundings.slice(soundings.length - usableSnapshots(ends, dopplerHz));
  if (used.length < 2) {
    const rho = besselJ0(2 * Math.PI * dopplerHz * horizonS);
    return Math.sqrt(Math.max(0, 1 - rho ** 2));
  }
  const expected = meanSnr(report);
  const heard = used.flatMap(({ snr }) => snr ?? []);
  const usual = heard.length > 0 ? heard.reduce((a, b) => a + b) / heard.length : expected;
  const times = used.map((s) => s.endS);
  const errors = times.map(() => soundingError(report.codes.length) / usual);
  const { residual } = fadingPredictor(times, errors, dopplerHz, measuredAtS + horizonS);
  return Math.sqrt(Math.min(1, residual * Math.max(1, usual / expected)));
}
