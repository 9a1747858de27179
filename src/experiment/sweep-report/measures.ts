import { FormatError } from '../../common/errors.ts';
import { asArray, asNumber, asObject, asString, type JsonObject, orNull } from '../../common/json-input.ts';

/** What a report says of each picture. Definitions: docs/metrics.md. */
export interface Measure {
  /** Field of the observations and of report.json. */
  readonly key: string;
  /** Word in the names of figures: "psnr" in psnr-snr. */
  readonly word: string;
  /** Axis of a plot, with its unit. */
  readonly label: string;
  /** mean: of a number of each picture. share: of pictures for which it is 1 rather than 0. ratio: of sums over pictures, `RATIO_PARTS`. */
  readonly kind: 'mean' | 'share' | 'ratio';
  /** Least and largest possible value; an interval never leaves them. */
  readonly range: readonly [number, number];
  /** Decimals in tables. */
  readonly digits: number;
  /** Also said as paired gain of one setting over another. */
  readonly gain: boolean;
  /** Also said as 10th percentile, because a mean hides the worst pictures. */
  readonly worst: boolean;
}

const ANY = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const SHARE = [0, 1] as const;
const FROM_ZERO = [0, Number.POSITIVE_INFINITY] as const;

function measure(key: string, word: string, label: string, more: Partial<Measure> = {}): Measure {
  return { kind: 'mean', range: ANY, digits: 2, gain: false, worst: false, ...more, key, word, label };
}

export const MEASURES: readonly Measure[] = [
  measure('psnrDb', 'psnr', 'PSNR, dB', { gain: true, worst: true }),
  measure('msSsim', 'ms-ssim', 'MS-SSIM', { range: [-1, 1], digits: 4, gain: true, worst: true }),
  measure('roiPsnrDb', 'roi-psnr', 'ROI-PSNR, dB', { gain: true, worst: true }),
  measure('importanceWeightedPsnrDb', 'weighted-psnr', 'PSNR by importance, dB', { gain: true }),
  measure('ssim', 'ssim', 'SSIM', { range: [-1, 1], digits: 4 }),
  measure('lpips', 'lpips', 'LPIPS', { digits: 4, gain: true }),
  measure('mIoU', 'miou', 'mIoU', { range: SHARE, digits: 4, gain: true, worst: true }),
  measure('judgeMIoU', 'judge-miou', 'mIoU of the judge', { range: SHARE, digits: 4, gain: true, worst: true }),
  measure('outage', 'outage', 'outage', { kind: 'share', range: SHARE, digits: 4 }),
  // Which of the two it was; absent from tables for people where every picture was sent.
  measure('outageAir', 'outage-air', 'lost on the air', { kind: 'share', range: SHARE, digits: 4 }),
  measure('outageBudget', 'outage-budget', 'did not fit its budget', { kind: 'share', range: SHARE, digits: 4 }),
  measure('bler', 'bler', 'BLER of first transmissions', { kind: 'ratio', range: SHARE, digits: 4 }),
  measure('sfvReceived', 'sfv-received', 'SFVs received', { range: SHARE, digits: 4 }),
  measure('sfvRepaired', 'sfv-repaired', 'SFVs repaired', { range: SHARE, digits: 4 }),
  measure('sfvSynthesised', 'sfv-synthesised', 'SFVs synthesised', { range: SHARE, digits: 4 }),
  measure('sfvLost', 'sfv-lost', 'SFVs lost', { range: SHARE, digits: 4 }),
  measure('sfvImportance', 'sfv-importance', 'importance received', { range: SHARE, digits: 4, gain: true }),
  measure('stoi', 'stoi', 'STOI of speech', { range: [-1, 1], digits: 4, gain: true, worst: true }),
  measure('segmentalSnrDb', 'segmental-snr', 'segmental SNR of speech, dB', { gain: true, worst: true }),
  measure('speechOutage', 'speech-outage', 'outage of speech', { kind: 'share', range: SHARE, digits: 4 }),
  measure('symbolsPerPixel', 'r', 'R, symbols a pixel', { range: FROM_ZERO, digits: 5 }),
  measure('cbr', 'cbr', 'CBR', { range: FROM_ZERO, digits: 5 }),
  measure('retransmissions', 'repeats', 'code blocks sent again', { range: FROM_ZERO }),
];

/** Of each picture beside its measures: numerator and denominator of `bler`. */
export const RATIO_PARTS = { errors: 'codeBlockErrors', trials: 'codeBlocks' } as const;

/** One number a measure, null where it was not measured. */
export type Figures = Readonly<Record<string, number | null>>;

const MAX_SFVS = 4096;
const STATES = ['received', 'repaired', 'synthesised', 'lost'] as const;

/**
 * The measures of a metrics object that someone else may have written.
 *
 * @param field where it stands, for errors
 * @throws FormatError naming field and value
 */
export function figuresOf(field: string, metrics: JsonObject): Figures {
  const derived = { ...sfvShares(field, metrics.sfvs, lostWhole(metrics)), ...outageCauses(field, metrics) };
  const all = { ...metrics, ...speechNumbers(field, metrics.speech) };
  const entries = MEASURES.map(({ key, range, kind }): [string, number | null] => {
    if (Object.hasOwn(derived, key)) return [key, derived[key]];
    const value = orNull(`${field}: ${key}`, all[key], asNumber);
    if (value !== null && !(value >= range[0] && value <= range[1])) {
      throw new FormatError(`${field}: ${key}`, `${value} is out of range: allowed ${range[0]} to ${range[1]}`);
    }
    if (kind === 'share' && value !== null && value !== 0 && value !== 1) {
      throw new FormatError(`${field}: ${key}`, `${value} is neither 0 nor 1`);
    }
    return [key, value];
  });
  return { ...Object.fromEntries(entries), ...ratioParts(field, metrics) };
}

/** What stands below `speech` of a sending that had any. */
function speechNumbers(field: string, speech: unknown): JsonObject {
  if (speech === undefined || speech === null) return { stoi: null, segmentalSnrDb: null, speechOutage: null };
  const { stoi, segmentalSnrDb, outage } = asObject(`${field}: speech`, speech);
  return { stoi, segmentalSnrDb, speechOutage: outage };
}

/**
 * An outage by its cause: the sender kept back a picture that no coding brings into its budget, or what it sent was lost. A version that does not say
 * (`unsent` is missing) gave no result at all for a picture that was not sent.
 */
function outageCauses(field: string, { outage, unsent }: JsonObject): Record<string, number | null> {
  if (outage !== 0 && outage !== 1) return { outageAir: null, outageBudget: null };
  const why = orNull(`${field}: unsent`, unsent ?? null, asString);
  if (why !== null && why !== 'budget') throw new FormatError(`${field}: unsent`, 'must be budget or null');
  if (why !== null && outage === 0)
    throw new FormatError(`${field}: unsent`, 'a picture that was not sent is an outage');
  return { outageAir: why === null ? outage : 0, outageBudget: why === null ? 0 : outage };
}

const MAX_BLOCKS = 1e9;

/** Blocks of a picture and how many failed; null where they were not counted. */
function ratioParts(field: string, metrics: JsonObject): Figures {
  const [errors, trials] = [RATIO_PARTS.errors, RATIO_PARTS.trials].map((key) => {
    const value = orNull(`${field}: ${key}`, metrics[key], asNumber);
    if (value === null || (Number.isInteger(value) && value >= 0 && value <= MAX_BLOCKS)) return value;
    throw new FormatError(`${field}: ${key}`, `${value} is out of range: allowed 0 to ${MAX_BLOCKS}, whole`);
  });
  if (errors === null || trials === null) return { [RATIO_PARTS.errors]: null, [RATIO_PARTS.trials]: null };
  if (errors > trials) throw new FormatError(`${field}: ${RATIO_PARTS.errors}`, `${errors} of ${trials} blocks`);
  return { [RATIO_PARTS.errors]: errors, [RATIO_PARTS.trials]: trials };
}

/** Whether a picture that had SFVs (their codecs have a mode) was lost with its side information: none of them came, however many there were. */
function lostWhole({ outage, mode }: JsonObject): boolean {
  return outage === 1 && typeof mode === 'string';
}

/** Shares of the SFVs in each state, and of the importance that was received; null for a picture without SFVs. */
function sfvShares(field: string, sfvs: unknown, lost: boolean): Record<string, number | null> {
  const list = sfvs === undefined || sfvs === null ? [] : asArray(`${field}: sfvs`, sfvs, MAX_SFVS);
  const counts = { received: 0, repaired: 0, synthesised: 0, lost: 0 };
  let [came, whole] = [0, 0];
  list.forEach((value, i) => {
    const at = `${field}: sfvs[${i}]`;
    const sfv = asObject(at, value);
    const state = STATES.find((s) => s === asString(`${at}.state`, sfv.state, 32));
    if (!state) throw new FormatError(`${at}.state`, `must be one of ${STATES.join(', ')}`);
    counts[state]++;
    const importance = orNull(`${at}.importance`, sfv.importance, asNumber) ?? 0;
    if (importance < 0) throw new FormatError(`${at}.importance`, `${importance} must not be below 0`);
    whole += importance;
    if (state === 'received') came += importance;
  });
  if (list.length === 0 && lost) {
    return { sfvReceived: 0, sfvRepaired: 0, sfvSynthesised: 0, sfvLost: 1, sfvImportance: 0 };
  }
  const share = (count: number) => (list.length > 0 ? count / list.length : null);
  return {
    sfvReceived: share(counts.received),
    sfvRepaired: share(counts.repaired),
    sfvSynthesised: share(counts.synthesised),
    sfvLost: share(counts.lost),
    sfvImportance: whole > 0 ? Math.min(1, came / whole) : null,
  };
}
