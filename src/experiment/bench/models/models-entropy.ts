import { decodeClassMap, encodeClassMap } from '../../../sct/entropy/class-map-code.ts';
import { FeatureCoder } from '../../../sct/entropy/feature-code.ts';
import { quantise } from '../../../sct/entropy/quantise.ts';
import { RANS_FLUSH_BYTES } from '../../../sct/entropy/rans.ts';
import { chooseClasses } from '../../../sct/rate/class-choice.ts';
import type { SemanticModels } from '../../../sct/semantics/models.ts';
import { mean } from '../../metrics/stats.ts';
import { kodakPictures } from './models-data.ts';
import { ENTROPY_EXCESS } from './models-published.ts';
import { atMost, type ModelRow, shown } from './models-row.ts';

/** Quantiser levels measured: fine, middle, coarse. */
const LEVELS = [1, 6, 10];
/** CRC-24A of each packet. */
const CRC_BYTES = 3;

/**
 * Entropy coder against its tables on Kodak: bytes of the rANS code less its flush, over the bits that the tables give to the
 * same symbols; flush and CRC apart. Everything coded is decoded again and compared.
 */
export async function measureEntropy(
  sets: ReadonlyMap<string, SemanticModels>,
  dir: string,
  { quick, progress }: { readonly quick: boolean; readonly progress: (what: string) => void },
): Promise<{ rows: ModelRow[] }> {
  const part = 'entropy' as const;
  const pictures = await kodakPictures(dir, quick ? 12 : 3);
  const rows: ModelRow[] = [];
  for (const [set, models] of sets) {
    const coder = new FeatureCoder(models.tables);
    const excess: number[][] = LEVELS.map(() => []);
    const rate: number[][] = LEVELS.map(() => []);
    let wrong = 0;
    let mapBits = 0;
    for (const [n, { image }] of pictures.entries()) {
      progress(`entropy ${set}: picture ${n + 1} of ${pictures.length}`);
      const y = await models.analyse(image);
      const classMap = chooseClasses(y, models.tables, { coarse: false, smoothing: 0 });
      const mapBytes = encodeClassMap(classMap, models.tables);
      mapBits += (8 * mapBytes.length) / classMap.data.length / pictures.length;
      const decodedMap = decodeClassMap(mapBytes, y, models.tables);
      if (!decodedMap.ok || !same(decodedMap.value.data, classMap.data)) wrong++;
      const cells = Array.from({ length: y.rows * y.columns }, (_, i) => i);
      LEVELS.forEach((level, l) => {
        const symbols = quantise(y, cells, level, models.tables);
        const layout = { cells, level, classMap };
        const bytes = coder.encode(layout, symbols);
        const bits = coder.bits(layout, symbols);
        excess[l].push((8 * (bytes.length - RANS_FLUSH_BYTES)) / bits - 1);
        rate[l].push((8 * bytes.length) / (image.width * image.height));
        const decoded = coder.decode(layout, bytes);
        if (!decoded.ok || !same(decoded.value, symbols)) wrong++;
      });
    }
    LEVELS.forEach((level, l) => {
      const worst = excess[l].reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      const where = `${set}, level ${level} of ${models.tables.levels - 1}`;
      rows.push(
        atMost('limit', 100 * ENTROPY_EXCESS, {
          part,
          what: `${where}: coded size off the tables' own estimate, worst picture`,
          unit: '%',
          value: 100 * Math.abs(worst),
        }),
        shown({ part, what: `${where}: rate of the embeddings`, unit: 'bit/pixel', value: mean(rate[l]) }),
      );
    });
    rows.push(
      shown({ part, what: `${set}: class map, 16 classes, not smoothed`, unit: 'bit/embedding', value: mapBits }),
      atMost('limit', 0, { part, what: `${set}: pictures whose decoded integers differ`, value: wrong }),
    );
  }
  rows.push(shown({ part, what: 'flush of a coded SFV, at most', unit: 'bytes', value: RANS_FLUSH_BYTES }));
  rows.push(shown({ part, what: 'CRC of a coded SFV', unit: 'bytes', value: CRC_BYTES }));
  return { rows };
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
