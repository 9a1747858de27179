import type { RandomStream } from '../../../common/random.ts';
import { LARGEST_BLOCK_BITS } from '../../../phy/fec/segmentation.ts';
import { encodeClassMap } from '../../../sct/entropy/class-map-code.ts';
import type { RgbImage } from '../../../sct/image/rgb-image.ts';
import { choiceForBudget, chooseClasses } from '../../../sct/rate/class-choice.ts';
import { decodePowerScale, encodePowerScale, powerScale } from '../../../sct/rate/power-scale.ts';
import { symbolRate, symbolSum } from '../../../sct/rate/symbol-rate.ts';
import { chooseThetaLevel } from '../../../sct/rate/theta-level.ts';
import { type ClassMap, type FeatureMap, flatPlane, type GridPlane } from '../../../sct/semantics/feature-map.ts';
import type { SemanticModels } from '../../../sct/semantics/models.ts';

/**
 * Bytes of side information beside the class map: model set id 4, picture size 4, number of symbols 3, power scale 1, theta
 * level and class-map form 1, the CSI value given to the networks 1, length of the class map 2; the CRC is counted with the code.
 */
export const SIDE_FIXED_BYTES = 16;

/** CRC-24A of the control code. */
const CRC_BITS = 24;

/**
 * Code rate of side information in the link's robust code, QPSK. The code takes any number of coded bits; the extension's 1/5
 * loses 72 % of blocks of 198 bytes on AWGN at -4 dB, where side information must still arrive (block error rate at most
 * 1e-3); 1/6 lost none of 6000 (at most 6.4e-4 with 95 %): `node --import tsx bench/ldpc-bler.ts side`.
 */
export const SIDE_CODE_RATE = 1 / 6;

/**
 * Complex symbols that `bytes` of side information take in the link's robust code (air-interface.md §6): CRC-24A, LDPC base
 * graph 2 of rate 1/6, QPSK: ceil(K' / (2 R)). From 480 bytes on two blocks with a CRC-24B each.
 */
export function sideInformationSymbols(bytes: number): number {
  const streamBits = 8 * bytes + CRC_BITS;
  const most = LARGEST_BLOCK_BITS[2];
  const blocks = streamBits <= most ? 1 : Math.ceil(streamBits / (most - CRC_BITS));
  const bits = blocks === 1 ? streamBits : blocks * (8 * Math.ceil(streamBits / 8 / blocks) + CRC_BITS);
  return Math.ceil(bits / (2 * SIDE_CODE_RATE));
}

/** One picture coded for a budget: what both ends hold. */
export interface CodedPicture {
  readonly classMap: ClassMap;
  readonly symbols: GridPlane; // k of each embedding
  readonly sideBytes: number;
  readonly sideSymbols: number;
  readonly payloadSymbols: number;
  /** (side information + payload) / (3 x pixels); never above what was asked for. */
  readonly cbr: number;
}

/**
 * Class map, side information and symbols of each embedding for a picture at a budget. The budget is 3 x pixels x cbr complex
 * symbols, side information first.
 */
export function codePicture(models: SemanticModels, y: FeatureMap, cbr: number, snrDb: number): CodedPicture {
  const pixels = y.widthPx * y.heightPx;
  const cells = y.rows * y.columns;
  const budget = Math.floor(3 * pixels * cbr);
  const classMap = chooseClasses(y, models.tables, choiceForBudget(budget / cells));
  const sideBytes = encodeClassMap(classMap, models.tables).length + SIDE_FIXED_BYTES;
  const sideSymbols = sideInformationSymbols(sideBytes);
  const left = Math.max(0, budget - sideSymbols);
  const thetaLevel = chooseThetaLevel(classMap.data, left, snrDb, models.tables);
  const k = symbolRate({ classes: classMap.data, thetaLevel, budget: left }, models.tables);
  const payloadSymbols = symbolSum(k);
  return {
    classMap,
    symbols: { rows: y.rows, columns: y.columns, data: Float32Array.from(k) },
    sideBytes,
    sideSymbols,
    payloadSymbols,
    cbr: (sideSymbols + payloadSymbols) / (3 * pixels),
  };
}

/** Symbols at the demapper of a receiver, and what it knows of them. */
export interface ReceivedSymbols {
  /** snr / (1 + snr) times the symbol, 0 where none was sent; [2 x 192][row][column]. */
  readonly received: Float32Array;
  /** Power scale as the side information carries it. */
  readonly scale: number;
  /** 1 / N0 in dB, what a receiver with pilots of unit power measures. */
  readonly knownSnrDb: number;
  /** Energies of the stream as it was simulated; their ratio is Es/N0. */
  readonly signalEnergy: number;
  readonly noiseEnergy: number;
}

/**
 * AWGN on the symbols of a picture. They are divided by the 8-bit power scale; N0 is set from the mean power that they then
 * really have, so Es/N0 is `snrDb` for every picture.
 *
 * @param z f_e's output, [2 x 192][row][column]
 */
export function receivedSymbols(
  z: Float32Array,
  { symbols }: Pick<CodedPicture, 'symbols'>,
  snrDb: number,
  random: RandomStream,
): ReceivedSymbols {
  const exact = powerScale(z, symbols.data);
  const scale = decodePowerScale(encodePowerScale(exact));
  const n0 = (exact / scale) ** 2 / 10 ** (snrDb / 10);
  const gain = 1 / (1 + n0); // snr / (1 + snr) with snr = 1 / N0
  const sigma = Math.sqrt(n0 / 2);
  const cells = symbols.data.length;
  const received = new Float32Array(z.length);
  let signalEnergy = 0;
  let noiseEnergy = 0;
  for (let cell = 0; cell < cells; cell++) {
    const end = 2 * symbols.data[cell] * cells;
    for (let at = cell; at < end; at += cells) {
      const x = z[at] / scale;
      const noise = sigma * random.normal();
      signalEnergy += x * x;
      noiseEnergy += noise * noise;
      received[at] = gain * (x + noise);
    }
  }
  return { received, scale, knownSnrDb: -10 * Math.log10(n0), signalEnergy, noiseEnergy };
}

/** The picture at the receiver of a link over AWGN: f_e, channel, f_d, g_s. */
export async function overAwgn(
  models: SemanticModels,
  y: FeatureMap,
  cbr: number,
  snrDb: number,
  random: RandomStream,
): Promise<{ image: RgbImage; coded: CodedPicture; stream: ReceivedSymbols }> {
  const coded = codePicture(models, y, cbr, snrDb);
  const { classMap, symbols } = coded;
  const z = await models.encodeSymbols(y, classMap, symbols, flatPlane(y, snrDb));
  const stream = receivedSymbols(z, coded, snrDb, random);
  const known = flatPlane(y, stream.knownSnrDb);
  const { yHat, quality } = await models.decodeSymbols(stream.received, stream.scale, classMap, symbols, known, y);
  return { image: await models.synthesise(yHat, quality), coded, stream };
}
