import type { FeatureMap } from '../semantics/feature-map.ts';
import type { DecodeOptions } from './codec.ts';

/**
 * A reference helps where its features are nearer to the picture's than this, as a share of the picture's own power (a lost cell is
 * zeros to the receiver). Up to it every one of 107 references tried raised PSNR, by 2.1 dB at least; beyond it some lower it
 * (docs/adr/0019-local-knowledge.md).
 */
const NEAR = 0.5;

/**
 * The reference picture to name to the receiver: of those that both ends hold the one whose features y' are nearest to the picture's
 * y, where sum (y' - y)^2 <= 0.5 sum y^2; none where it would mislead.
 *
 * @param ids candidates, by the first 32 bits of their hashes
 * @param featuresOf undefined for one that is not held here
 */
export async function referenceToName(
  y: FeatureMap,
  ids: readonly number[],
  featuresOf: DecodeOptions['reference'],
): Promise<number | undefined> {
  if (ids.length === 0) return undefined;
  const power = y.data.reduce((sum, v) => sum + v * v, 0);
  let [best, least]: [number | undefined, number] = [undefined, NEAR * power];
  for (const id of ids) {
    const other = await featuresOf?.(id);
    if (other?.rows !== y.rows || other.columns !== y.columns || other.channels !== y.channels) continue;
    const distance = other.data.reduce((sum, v, i) => sum + (v - y.data[i]) ** 2, 0);
    if (distance > least) continue;
    [best, least] = [id, distance];
  }
  return best;
}
