import type { AnalogCombiner } from '../../../src/link/harq/analog-combiner.ts';

/** What a combiner holds: linear SNRs [symbol], and symbols as an MMSE equaliser gives them [symbol][re, im]. */
export function combined(combiner: AnalogCombiner): { readonly snr: Float32Array; readonly mmse: Float32Array } {
  const mmse = new Float32Array(2 * combiner.length);
  const snrDb = new Float32Array(combiner.length);
  combiner.read(mmse, snrDb);
  return { snr: snrDb.map((db) => 10 ** (db / 10)), mmse };
}
