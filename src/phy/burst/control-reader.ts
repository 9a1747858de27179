import { CRC16, CRC24A } from '../../common/crc.ts';
import { FormatError } from '../../common/errors.ts';
import type { PreambleEstimate } from '../channel-est/delay-window.ts';
import { decodeControl } from '../fec/control-code.ts';
import {
  AIR_INTERFACE_VERSION,
  decodeHeader,
  EXTENSION_UNIT_BYTES,
  HEADER_BYTES,
  type Header,
  headerVersion,
} from '../frame/header.ts';
import { type Numerology, SUBBAND_CARRIERS } from '../numerology.ts';
import { resourceGrid } from '../resource-grid.ts';
import type { Acquisition } from '../sync/acquire.ts';

/**
 * Soft bits of control symbols `first`.. (QPSK, scrambled): LLR = ln P(0)/P(1) in coded order, equalised with the
 * channel, [nCarriers][re, im] (one for all symbols, or each its own), turned by its phase.
 */
export function controlLlrs(
  n: Numerology,
  rows: Float32Array,
  first: number,
  count: number,
  channel: Float32Array | ((symbol: number) => Float32Array),
  { subbandNoise }: Pick<Acquisition, 'subbandNoise'>,
  { dof }: Pick<PreambleEstimate, 'dof'>,
  phases: Float64Array,
): Float32Array {
  // The channel's error acts like noise.
  const channelError = dof / (2 * n.nCarriers);
  const grid = resourceGrid(n);
  const llr = new Float32Array(2 * count * n.symbolDataRe);
  const weights = new Float64Array(2 * n.nCarriers);
  if (typeof channel !== 'function') weigh(channel, channelError, subbandNoise, weights);
  let at = 0;
  for (let symbol = first; symbol < first + count; symbol++) {
    if (typeof channel === 'function') weigh(channel(symbol), channelError, subbandNoise, weights);
    const rowAt = 2 * n.nCarriers * symbol;
    const pilot = grid.pilotOffset(symbol);
    at = symbolLlrs(rows, rowAt, weights, grid.scrambling, grid.scramblingAt(symbol), pilot, phases[symbol], llr, at);
  }
  return llr;
}

/** Conjugate channel over noise, [nCarriers][re, im]: for QPSK the LLR is 2 sqrt(2) Re(conj(h) y) / sigma^2. */
function weigh(channel: Float32Array, channelError: number, subbandNoise: ArrayLike<number>, out: Float64Array): void {
  for (let s = 0, c = 0; s < subbandNoise.length; s++) {
    const scale = (2 * Math.SQRT2) / (subbandNoise[s] * (1 + channelError) + 1e-30);
    for (const end = c + 2 * SUBBAND_CARRIERS; c < end; c += 2) {
      out[c] = scale * channel[c];
      out[c + 1] = -scale * channel[c + 1];
    }
  }
}

const backRe = new Float64Array(4);
const backIm = new Float64Array(4);

/** Of one symbol's data RE; returns the element behind them. */
function symbolLlrs(
  rows: Float32Array,
  rowAt: number,
  weights: Float64Array,
  turns: Uint8Array,
  turnsAt: number,
  pilot: number,
  phase: number,
  llr: Float32Array,
  at: number,
): number {
  // exp(-i phase) j^-q of the scrambling's quarter turns q: as they come at random, no branch could be foreseen.
  const cos = Math.cos(phase);
  const sin = Math.sin(phase);
  backRe[0] = backIm[3] = cos;
  backRe[1] = backIm[0] = -sin;
  backRe[2] = backIm[1] = -cos;
  backRe[3] = backIm[2] = sin;
  for (let k = 0, i = turnsAt; k < weights.length; ) {
    // The subband's data RE below the pilot, then those above.
    let end = k + 2 * pilot;
    const last = k + 2 * SUBBAND_CARRIERS;
    for (;;) {
      for (; k < end; k += 2, at += 2) {
        const yr = rows[rowAt + k];
        const yi = rows[rowAt + k + 1];
        const wr = weights[k];
        const wi = weights[k + 1];
        const a = wr * yr - wi * yi;
        const b = wr * yi + wi * yr;
        const quarter = turns[i++];
        const re = backRe[quarter];
        const im = backIm[quarter];
        llr[at] = a * re - b * im;
        llr[at + 1] = a * im + b * re;
      }
      if (end === last) break;
      k += 2;
      end = last;
    }
  }
  return at;
}

/** A header, or the air interface version that stands where this receiver's should; null when there is none. */
export type HeaderReading = Header | { readonly otherVersion: number } | null;

/** Decodes the header; null when parity, CRC or any field's bound fails, or it names another numerology. */
export function readHeader(n: Numerology, llr: Float32Array): HeaderReading {
  const result = decodeControl(llr, HEADER_BYTES, CRC16);
  if (!result.ok) return null;
  const version = headerVersion(result.bytes);
  if (version !== AIR_INTERFACE_VERSION) return { otherVersion: version };
  try {
    const header = decodeHeader(result.bytes);
    return header.numerology === n.id ? header : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/** Decodes an extension of the length the header gives; null when parity or CRC fails. */
export function readExtension(header: Header, llr: Float32Array): Uint8Array | null {
  const result = decodeControl(llr, header.extensionUnits * EXTENSION_UNIT_BYTES, CRC24A);
  return result.ok ? result.bytes : null;
}
