import { CRC24A } from '../../common/crc.ts';
import { type ControlDecodeResult, controlInfoBits, decodeControl, encodeControl } from '../fec/control-code.ts';
import { type Numerology, RB_DATA_RE } from '../numerology.ts';

/**
 * Code rates of side information in the robust code, QPSK (index = the extension's sideRate). 1/6, the most robust, loses none
 * of 6000 blocks of 198 bytes on AWGN at -4 dB; 1/5 loses 72 % there (`bench/ldpc-bler.ts side`).
 */
export const SIDE_RATES = [1 / 6, 1 / 4, 1 / 3, 1 / 2] as const;

/**
 * Payload RE of every subband that side information takes: with K' bits over all its blocks, CRCs included, ceil(K' / (2 R)) QPSK
 * symbols, rounded up to a whole number a subband. 0 for 0 bytes.
 */
export function sideRePerSubband(n: Numerology, bytes: number, rate: number): number {
  if (bytes === 0) return 0;
  return Math.ceil(Math.ceil(controlInfoBits(bytes, CRC24A) / (2 * SIDE_RATES[rate])) / n.nSubbands);
}

/**
 * Payload RE of side information that takes `perSubband` RE of each subband: symbol i lies in subband i mod nSubbands, on its
 * RE floor(i / nSubbands) in the order of time. [symbol]
 */
export function sidePositions(n: Numerology, perSubband: number): Uint32Array {
  const { nSubbands } = n;
  const positions = new Uint32Array(perSubband * nSubbands);
  let i = 0;
  for (let k = 0; k < perSubband; k++) {
    const first = Math.floor(k / RB_DATA_RE) * nSubbands * RB_DATA_RE + (k % RB_DATA_RE);
    for (let subband = 0; subband < nSubbands; subband++) positions[i++] = first + subband * RB_DATA_RE;
  }
  return positions;
}

/** QPSK symbols of side information, as many as `perSubband` RE in each subband hold; [symbol][re, im]. */
export function encodeSide(n: Numerology, bytes: Uint8Array, perSubband: number): Float32Array {
  const bits = encodeControl(bytes, CRC24A, 2 * perSubband * n.nSubbands);
  const symbols = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) symbols[i] = (1 - 2 * bits[i]) * Math.SQRT1_2;
  return symbols;
}

/**
 * Adds the soft bits of one reception to those before: LLR = ln P(0)/P(1) of QPSK is 2 sqrt 2 (1 + snr) times the MMSE
 * equaliser's output snr / (1 + snr) (x + noise).
 *
 * @param symbols [symbol][re, im]
 * @param snr linear, [symbol]; 0 for what did not come
 * @param llr [symbol][b0, b1]
 */
export function addSideLlrs(symbols: Float32Array, snr: Float32Array, llr: Float32Array): void {
  for (let i = 0; i < snr.length; i++) {
    if (!(snr[i] > 0 && snr[i] < Number.POSITIVE_INFINITY)) continue;
    const scale = 2 * Math.SQRT2 * (1 + snr[i]);
    const re = scale * symbols[2 * i];
    const im = scale * symbols[2 * i + 1];
    if (Number.isFinite(re)) llr[2 * i] += re;
    if (Number.isFinite(im)) llr[2 * i + 1] += im;
  }
}

/** Decodes side information of known length from all its soft bits. */
export function decodeSide(llr: Float32Array, bytes: number): ControlDecodeResult {
  return decodeControl(llr, bytes, CRC24A);
}
