import type { StreamGrant } from '../../src/sct/codec/codec.ts';
import type { ModularPlan } from '../../src/sct/codec/modular.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';
import type { ModelTables } from '../../src/sct/semantics/model-tables.ts';

/** Bytes of each SFV in proportion to what the level at which the picture comes nearest to the budget takes. */
export function grantsByRate({ parts }: ModularPlan, bytes: number, { bitsOf, levels }: ModelTables): StreamGrant[] {
  const { classMap, partition } = parts;
  const at = (level: number) => {
    const sums = new Array<number>(partition.sfvs.length).fill(0);
    classMap.data.forEach((c, cell) => {
      sums[partition.sfvOf[cell]] += bitsOf[16 * level + c];
    });
    return sums;
  };
  const sum = (v: readonly number[]) => v.reduce((a, b) => a + b, 0);
  let level = 0;
  while (level < levels - 1 && sum(at(level)) / 128 > bytes) level++;
  const shares = at(level);
  const all = sum(shares);
  return shares.map((s, id) => ({ id, size: Math.floor((bytes * s) / all) })).filter((g) => g.size > 0);
}

/** Symbols a picture of so many bits a pixel takes at 2 bits each: what the choice of classes is told. */
export const hint = (image: RgbImage, bpp: number) => ({ symbols: (image.width * image.height * bpp) / 2 });
