import { mean } from '../../src/experiment/metrics/stats.ts';
import { FeatureCoder } from '../../src/sct/entropy/feature-code.ts';
import { dequantise, quantisedQuality } from '../../src/sct/entropy/quantise.ts';
import { QuantiserFit } from '../../src/sct/entropy/quantiser-fit.ts';
import { loadImage } from '../../src/sct/image/load.ts';
import { psnrDb } from '../../src/sct/quality/psnr.ts';
import { chooseClasses } from '../../src/sct/rate/class-choice.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';

const BIT_WEIGHT = 0.1;
/** What is added to the plane of expected error that g_s gets, log10. */
const SHIFTS = [-0.3, 0, 0.3];

/**
 * Every level for whole pictures: rate, PSNR, that of the feature map alone (KLT channels that are not coded left out of both), and how
 * much g_s gains or loses when it is told a smaller or larger error than the tables say.
 */
export async function measureLevels(models: SemanticModels, paths: readonly string[], print: (text: string) => void) {
  const { tables } = models;
  const coder = new FeatureCoder(tables);
  const rows = Array.from({ length: tables.levels }, () => ({
    bpp: [] as number[],
    psnr: SHIFTS.map(() => [] as number[]),
  }));
  for (const path of paths) {
    const image = await loadImage(path);
    const y = await models.analyse(image);
    const classMap = chooseClasses(y, tables, { coarse: true, smoothing: 4 });
    const cells = Uint32Array.from(classMap.data.keys());
    for (let level = 0; level < tables.levels; level++) {
      const fit = new QuantiserFit(tables, coder, { cells, level, classMap }, y);
      rows[level].bpp.push(fit.point(BIT_WEIGHT).bits / (image.width * image.height));
      const yHat = { ...y, data: new Float32Array(y.data.length) };
      dequantise(fit.symbolsAt(BIT_WEIGHT), cells, level, tables, yHat);
      const ofClass = quantisedQuality(tables, level);
      for (const [i, shift] of SHIFTS.entries()) {
        const data = Float32Array.from(classMap.data as ArrayLike<number>, (k) => ofClass[k] + shift);
        const shown = await models.synthesise(yHat, { rows: y.rows, columns: y.columns, data });
        rows[level].psnr[i].push(psnrDb(image, shown));
      }
    }
  }
  rows.forEach(({ bpp, psnr }, level) => {
    const [less, own, more] = psnr.map(mean);
    print(
      `level ${level}: ${mean(bpp).toFixed(4)} bit/pixel, ${own.toFixed(2)} dB; quality -0.3: ${(less - own).toFixed(2)}, +0.3: ${(more - own).toFixed(2)} dB`,
    );
  });
}
