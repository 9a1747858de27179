import type { RandomStream } from '../../src/common/random.ts';
import { type CodedPicture, codePicture } from '../../src/experiment/bench/models/models-awgn.ts';
import type { RgbImage } from '../../src/sct/image/rgb-image.ts';
import { psnrDb } from '../../src/sct/quality/psnr.ts';
import { decodePowerScale, encodePowerScale, powerScale } from '../../src/sct/rate/power-scale.ts';
import { type FeatureMap, flatPlane } from '../../src/sct/semantics/feature-map.ts';
import type { SemanticModels } from '../../src/sct/semantics/models.ts';

/** A picture as the shipped symbol encoder sends it, as one stream. */
export interface ModelStream {
  readonly image: RgbImage;
  readonly y: FeatureMap;
  readonly coded: CodedPicture;
  readonly zLength: number;
  /** Exactly unit mean power over the stream, [symbol][re, im]. */
  readonly symbols: Float32Array;
  /** Where re and im of each symbol stand in f_e's output: [symbol]; im is `cells` further on. */
  readonly place: Uint32Array;
  /** z / symbols: the exact root mean square, and the scale that the side information carries for it. */
  readonly rms: number;
  readonly scale: number;
}

/**
 * Encodes a picture for a budget. The symbols of a cell follow one another, cells in raster order; with `random` the stream's order is
 * then permuted, as an interleaver would.
 */
export async function modelStream(
  models: SemanticModels,
  image: RgbImage,
  cbr: number,
  snrDb: number,
  random: RandomStream | null,
): Promise<ModelStream> {
  const y = await models.analyse(image);
  const coded = codePicture(models, y, cbr, snrDb);
  const z = await models.encodeSymbols(y, coded.classMap, coded.symbols, flatPlane(y, snrDb));
  const cells = coded.symbols.data.length;
  const place = new Uint32Array(coded.payloadSymbols);
  let at = 0;
  for (let cell = 0; cell < cells; cell++) {
    for (let k = 0; k < coded.symbols.data[cell]; k++) place[at++] = cell + 2 * k * cells;
  }
  if (random) random.shuffle(place);
  const rms = powerScale(z, coded.symbols.data);
  const symbols = new Float32Array(2 * place.length);
  place.forEach((p, i) => {
    symbols[2 * i] = z[p] / rms;
    symbols[2 * i + 1] = z[p + cells] / rms;
  });
  const scale = decodePowerScale(encodePowerScale(rms));
  return { image, y, coded, zLength: z.length, symbols, place, rms, scale };
}

/**
 * PSNR of the picture that f_d and g_s make of the stream.
 *
 * @param received snr / (1 + snr) times each symbol and its error, [symbol][re, im]
 * @param snr linear SNR of each symbol; f_d gets one SNR a cell, the capacity-equivalent one of its symbols
 */
export async function modelPsnrDb(
  models: SemanticModels,
  stream: ModelStream,
  received: Float32Array,
  snr: ArrayLike<number>,
): Promise<number> {
  const { y, coded, place, rms, scale } = stream;
  const cells = coded.symbols.data.length;
  const z = new Float32Array(stream.zLength);
  const bits = new Float64Array(cells);
  place.forEach((p, i) => {
    z[p] = (received[2 * i] * rms) / scale;
    z[p + cells] = (received[2 * i + 1] * rms) / scale;
    bits[p % cells] += Math.log2(1 + snr[i]);
  });
  const known = flatPlane(y, 0);
  for (let c = 0; c < cells; c++) {
    const k = coded.symbols.data[c];
    known.data[c] = k > 0 ? 10 * Math.log10(Math.max(1e-2, 2 ** (bits[c] / k) - 1)) : -20;
  }
  const { yHat, quality } = await models.decodeSymbols(z, scale, coded.classMap, coded.symbols, known, y);
  return psnrDb(stream.image, await models.synthesise(yHat, quality));
}
