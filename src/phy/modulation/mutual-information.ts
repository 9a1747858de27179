import { UsageError } from '../../common/errors.ts';
import { INFORMATION_TABLES, TABLE_FIRST_DB, TABLE_STEP_DB } from './mutual-information-table.ts';
import { type ModulationOrder, requireModulationOrder } from './qam.ts';

/**
 * BICM mutual information of Gray QAM on AWGN at Es/N0 = snrDb, bits per symbol (0..Qm) [Caire et al. 1998].
 *
 * Linear between the table's points every 0.25 dB (error below 1e-3 bit); proportional to Es/N0 below -20 dB.
 * -Infinity gives 0; NaN is a UsageError.
 */
export function mutualInformation(qm: ModulationOrder, snrDb: number): number {
  if (Number.isNaN(snrDb)) throw new UsageError('SNR is not a number');
  const table = INFORMATION_TABLES[qm];
  const position = (snrDb - TABLE_FIRST_DB) / TABLE_STEP_DB;
  if (position <= 0) return 1e-6 * table[0] * 10 ** ((snrDb - TABLE_FIRST_DB) / 10);
  if (position >= table.length - 1) return qm;
  const i = Math.floor(position);
  return 1e-6 * (table[i] + (position - i) * (table[i + 1] - table[i]));
}

/**
 * The inverse: Es/N0 in dB at which a symbol of order Qm carries this many bits. 0 or less gives -Infinity; at Qm or
 * above the table's last point that still lies below Qm is returned (the function saturates).
 */
export function snrDbForInformation(qm: ModulationOrder, bitsPerSymbol: number): number {
  if (bitsPerSymbol <= 0) return Number.NEGATIVE_INFINITY;
  const table = INFORMATION_TABLES[qm];
  const wanted = 1e6 * bitsPerSymbol;
  if (wanted <= table[0]) return TABLE_FIRST_DB + 10 * Math.log10(wanted / table[0]);
  let low = 0;
  let high = table.findIndex((v) => v >= 1e6 * qm - 1);
  if (wanted >= table[high]) return TABLE_FIRST_DB + TABLE_STEP_DB * high;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (table[mid] <= wanted) low = mid;
    else high = mid;
  }
  return TABLE_FIRST_DB + TABLE_STEP_DB * (low + (wanted - table[low]) / (table[high] - table[low]));
}

export interface InformationSummary {
  /** Bits that all symbols together carry. */
  readonly bits: number;
  /** Coded bits sent on them: the sum of Qm. */
  readonly codedBits: number;
  /** bits / codedBits (0..1): compare with requiredMutualInformation. */
  readonly perCodedBit: number;
}

/**
 * Mutual information of a list of symbols or groups of them: snrDb[i] and qm[i] (0 = unused), weight[i] symbols each
 * (default 1).
 */
export function totalInformation(
  snrDb: ArrayLike<number>,
  qm: ArrayLike<number>,
  weight?: ArrayLike<number>,
): InformationSummary {
  if (snrDb.length !== qm.length || (weight && weight.length !== qm.length)) {
    throw new UsageError(`${snrDb.length} SNRs, ${qm.length} modulation orders and weights do not match`);
  }
  let bits = 0;
  let codedBits = 0;
  for (let i = 0; i < qm.length; i++) {
    if (qm[i] === 0) continue;
    const w = weight ? weight[i] : 1;
    bits += w * mutualInformation(requireModulationOrder(qm[i]), snrDb[i]);
    codedBits += w * qm[i];
  }
  return { bits, codedBits, perCodedBit: codedBits > 0 ? bits / codedBits : 0 };
}

/**
 * Mutual-information effective SNR in dB [Brueninghaus et al. 2005]: the one Es/N0 at which the same symbols, all alike,
 * would carry the same total. -Infinity when nothing is carried; at most 40 dB.
 */
export function effectiveSnrDb(snrDb: ArrayLike<number>, qm: ArrayLike<number>, weight?: ArrayLike<number>): number {
  const { bits } = totalInformation(snrDb, qm, weight);
  if (bits <= 0) return Number.NEGATIVE_INFINITY;
  // Symbols of each order, so that the bisection does not go through the list again.
  const count = new Map<ModulationOrder, number>();
  for (let i = 0; i < qm.length; i++) {
    if (qm[i] === 0) continue;
    const order = requireModulationOrder(qm[i]);
    count.set(order, (count.get(order) ?? 0) + (weight ? weight[i] : 1));
  }
  let low = -60;
  let high = 40;
  while (high - low > 1e-6) {
    const mid = (low + high) / 2;
    let carried = 0;
    for (const [order, n] of count) carried += n * mutualInformation(order, mid);
    if (carried < bits) low = mid;
    else high = mid;
  }
  return (low + high) / 2;
}
