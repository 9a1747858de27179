import { UsageError } from '../../common/errors.ts';
import { CLASSES, type ModelTables, THETA_LEVELS } from '../semantics/model-tables.ts';

/** theta of a level: 10^(-3.5 + 3.5 i / 35). */
export function thetaOf(level: number): number {
  return 10 ** (-3.5 + (3.5 * level) / (THETA_LEVELS - 1));
}

/**
 * Above this SNR theta stays: the shipped code no longer gains the bits that the capacity grows by, and a lower theta spreads the
 * symbols too evenly over the classes. On eight training photographs (CBR 1/16) the bound is worth 0.10 dB at 17 and 20 dB and
 * removes the steps at which a picture got worse with more SNR; 12, 14 and 16 dB are the same within 0.01 dB.
 */
export const MOST_THETA_SNR_DB = 12;

/**
 * The encoder's theta level (it is sent, so floats may choose it): the level at which the classes' rates, summed over the
 * embeddings, come nearest to the capacity of the budget, symbols x log2(1 + snr), the SNR bounded by MOST_THETA_SNR_DB.
 *
 * @param classes class of each embedding
 * @param symbols complex symbols for all of them
 * @throws UsageError for an SNR or budget that is no number
 */
export function chooseThetaLevel(
  classes: ArrayLike<number>,
  symbols: number,
  snrDb: number,
  tables: ModelTables,
): number {
  if (Number.isNaN(snrDb)) throw new UsageError('SNR is NaN: allowed any number of dB');
  if (!(symbols >= 0)) throw new UsageError(`budget ${symbols} symbols is out of range: allowed numbers from 0`);
  const bits = symbols * Math.log2(1 + 10 ** (Math.min(snrDb, MOST_THETA_SNR_DB) / 10));
  const histogram = new Float64Array(CLASSES);
  for (let i = 0; i < classes.length; i++) histogram[classes[i]]++;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let level = 0; level < THETA_LEVELS; level++) {
    let rate = 0;
    for (let c = 0; c < CLASSES; c++) rate += (histogram[c] * tables.symbolRate[level * CLASSES + c]) / 16;
    const distance = Math.abs(rate - bits);
    if (distance < least) {
      least = distance;
      best = level;
    }
  }
  return best;
}
