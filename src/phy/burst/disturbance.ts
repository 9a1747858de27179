import { DC_STRETCH } from '../kernels/dc/dc-kernel.ts';
import { type Numerology, SLOT_SYMBOLS } from '../numerology.ts';
import { locateSymbols } from '../sync/locate-symbols.ts';
import type { BurstRecord } from './record.ts';

/** A slot is disturbed when its noise is this much more than the preamble's, and this share of the signal's power. */
const NOISE_FACTOR = 6;
const SIGNAL_SHARE = 0.1;
/** SNR (dB) of a slot below which a record may be cut off, a header that never was, or hide a stronger burst. */
const DOUBTFUL_SNR_DB = -2;
/** The signal has gone where a slot is below that although the preamble had this much, dB. */
const CLEAR_SNR_DB = 12;
/** Jumps of fewer samples are fading or noise. */
const LEAST_JUMP = 0.6;
/** A stretch is silent whose samples differ by less than this share of the noise. */
const SILENCE = 1e-3;

/** A burst in its samples, with what the preamble and the slots showed. */
export interface ExaminedBurst {
  readonly numerology: Numerology;
  /** [..][re, im]; the preamble starts at sample `start`. */
  readonly samples: Float32Array;
  readonly start: number;
  /** How much each stretch of DC_STRETCH samples from `start` on changes, as DcKernel.sums tells. */
  readonly changes: Float32Array;
  readonly cfo: number;
  readonly backoff: number;
  /** Sample-clock difference, parts of one. */
  readonly clockOffset: number;
  readonly controlSymbols: number;
  readonly slots: number;
  /** Of the preamble: noise variance of one RE, mean |H|^2, and channel [nCarriers][re, im]. */
  readonly noiseVariance: number;
  readonly power: number;
  readonly preambleChannel: Float32Array;
  readonly rbSnrDb: Float32Array;
  /** Noise variance [slot x nSubbands + subband], channel in the middle of each slot [slot][nCarriers][re, im]. */
  readonly rbNoise: Float32Array;
  readonly slotChannels: Float32Array;
  /** First symbol of the slot in which the clock seems to have jumped. */
  readonly clockJumpAt: number | null;
}

/**
 * What speaks against a burst's slots, in words; null when nothing does: samples of silence inside, samples missing
 * without the source having said so, or another signal on top. Costs little unless there is something.
 */
export function suspicion(burst: ExaminedBurst): string | null {
  const silent = silentSamples(burst);
  if (silent > 0) return `about ${silent} samples of silence inside`;
  const { clockJumpAt, controlSymbols, numerology, rbNoise, noiseVariance, power } = burst;
  const limit = Math.max(NOISE_FACTOR * noiseVariance, SIGNAL_SHARE * power);
  const disturbed = slotsWhere(numerology, rbNoise, 1, limit);
  if (!disturbed && clockJumpAt === null) return signalLoss(burst);
  // The clock's line shows a small jump in the slot of the jump or in the one behind it.
  const seen = clockJumpAt === null ? 0 : Math.floor((clockJumpAt - controlSymbols) / SLOT_SYMBOLS);
  const slot = disturbed?.first ?? Math.max(0, seen - 1);
  const jump = sampleJump(burst, slot, disturbed ? slot + 1 : seen + 1);
  // Without noise in the slots, only a jump within the prefix can have happened.
  if (jump !== null && (disturbed || Math.abs(jump) < burst.numerology.cpLength)) {
    const count = Math.max(1, Math.round(Math.abs(jump)));
    const where = disturbed || slot === seen ? `slot ${slot}` : `slot ${slot} or ${seen}`;
    return `${count} samples ${jump < 0 ? 'missing' : 'too many'} in ${where}, unknown to the source`;
  }
  return disturbed ? `${slotsText(disturbed)} disturbed` : signalLoss(burst);
}

/** Slots in which a clear signal has gone: the burst was cut off, or faded away altogether. */
function signalLoss({ numerology, rbSnrDb, power, noiseVariance }: ExaminedBurst): string | null {
  if (power < noiseVariance * 10 ** (CLEAR_SNR_DB / 10)) return null;
  const faint = slotsWhere(numerology, rbSnrDb, -1, DOUBTFUL_SNR_DB);
  return faint && `${slotsText(faint)} without signal`;
}

function slotsText({ first, last }: { first: number; last: number }): string {
  return first === last ? `slot ${first}` : `slots ${first} to ${last}`;
}

/**
 * First and last slot in which the (lower) median of the subbands' values, [slot x nSubbands + subband], is above a limit, or
 * with `side` -1 below it: narrow interference, which the receiver weighs anyway, does not count.
 */
function slotsWhere(n: Numerology, values: Float32Array, side: 1 | -1, limit: number) {
  const { nSubbands } = n;
  const middle = (nSubbands - 1) >> 1;
  // So many values beyond the limit put the median beyond it.
  const needed = side > 0 ? nSubbands - middle : middle + 1;
  let first = -1;
  let last = -1;
  for (let slot = 0; (slot + 1) * nSubbands <= values.length; slot++) {
    let beyond = 0;
    for (let i = slot * nSubbands; i < (slot + 1) * nSubbands; i++) if (side * (values[i] - limit) > 0) beyond++;
    if (beyond < needed) continue;
    if (first < 0) first = slot;
    last = slot;
  }
  return first < 0 ? null : { first, last };
}

/** Samples of the burst in stretches where nothing changes, not even by noise: a source that filled a gap with zeros. */
function silentSamples(burst: ExaminedBurst): number {
  const { numerology: n, samples, start, changes, controlSymbols, slots, noiseVariance } = burst;
  const length = n.preambleLength + (controlSymbols + slots * SLOT_SYMBOLS) * n.symbolLength;
  const count = Math.floor(Math.min(samples.length / 2 - start, length) / DC_STRETCH);
  const limit = SILENCE * noiseVariance * DC_STRETCH;
  let silent = 0;
  for (let i = 0; i < count; i++) if (changes[i] <= limit) silent++;
  return silent * DC_STRETCH;
}

/**
 * Samples by which the burst's clock jumps between slots `slot` and `behind`: negative where they are missing. Null where
 * there is no jump, or where what follows cannot be found. The symbols of the half slot before `behind`, else those of
 * `behind`, are located and compared with those before.
 */
function sampleJump(burst: ExaminedBurst, slot: number, behind: number): number | null {
  const { numerology: n, controlSymbols, slots } = burst;
  const reference =
    slot === 0
      ? burst.preambleChannel
      : burst.slotChannels.subarray(2 * n.nCarriers * (slot - 1), 2 * n.nCarriers * slot);
  const symbols = controlSymbols + slots * SLOT_SYMBOLS;
  // Delay of a symbol beyond what the clock's line says.
  const locate = (first: number, count: number): number | null => {
    const elapsed = n.preambleLength + first * n.symbolLength;
    const at = burst.start + elapsed;
    const found = locateSymbols({ ...burst, at, first, count, symbols, reference });
    return found === null ? null : found - burst.clockOffset * elapsed;
  };
  const first = controlSymbols + slot * SLOT_SYMBOLS;
  const before = slot === 0 ? 0 : locate(first - SLOT_SYMBOLS, SLOT_SYMBOLS - 2);
  if (before === null) return null;
  const last = controlSymbols + behind * SLOT_SYMBOLS;
  // The half slot first: far behind a long gap another burst's symbols could be taken for this one's.
  for (const count of [SLOT_SYMBOLS / 2, SLOT_SYMBOLS]) {
    const from = count === SLOT_SYMBOLS ? last : last - count;
    const after = from < symbols ? locate(from, count) : null;
    if (after !== null && Math.abs(after - before) >= LEAST_JUMP) return after - before;
  }
  return null;
}

/** Whether another burst may lie inside what a record covers, so that it should be searched again. */
export function hidesOthers(n: Numerology, record: BurstRecord): boolean {
  if (record.suspect !== null || !record.extensionOk) return true;
  return slotsWhere(n, record.rbSnrDb, -1, DOUBTFUL_SNR_DB) !== null;
}
