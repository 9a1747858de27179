import { CRC16, CRC24A } from '../../common/crc.ts';
import { FormatError } from '../../common/errors.ts';
import { equalise } from '../equalise.ts';
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
import { resourceGrid, turn } from '../resource-grid.ts';

/**
 * Soft bits of control symbols `first`.. (QPSK, scrambled): LLR = ln P(0)/P(1) in coded order, equalised with the
 * channel at the symbol, [nCarriers][re, im], turned by its phase. `channelError`: variance of the channel's error over
 * that of the noise. `subbandNoise`: noise variance of one RE, [nSubbands].
 */
export function controlLlrs(
  n: Numerology,
  rows: Float32Array,
  first: number,
  count: number,
  channelAt: (symbol: number) => Float32Array,
  channelError: number,
  subbandNoise: ArrayLike<number>,
  phases: Float64Array,
): Float32Array {
  const grid = resourceGrid(n);
  const llr = new Float32Array(2 * count * n.symbolDataRe);
  const pair = new Float32Array(2);
  let at = 0;
  for (let symbol = first; symbol < first + count; symbol++) {
    const carriers = grid.dataCarriersOf(symbol);
    const turns = grid.turnsOf(symbol);
    const cos = Math.cos(phases[symbol]);
    const sin = Math.sin(phases[symbol]);
    const row = 2 * n.nCarriers * symbol;
    const channel = channelAt(symbol);
    for (let i = 0; i < carriers.length; i++) {
      const c = 2 * carriers[i];
      const sigma2 = subbandNoise[Math.floor(carriers[i] / SUBBAND_CARRIERS)] * (1 + channelError) + 1e-30;
      const hr = channel[c];
      const hi = channel[c + 1];
      const snr = equalise(rows[row + c], rows[row + c + 1], hr * cos - hi * sin, hr * sin + hi * cos, sigma2, pair, 0);
      turn(pair, 0, (4 - turns[i]) & 3);
      // For QPSK the LLR is 2 sqrt(2) Re(conj(h) y) / sigma^2; `pair` holds conj(h) y / (|h|^2 + sigma^2).
      const scale = 2 * Math.SQRT2 * (1 + snr);
      llr[at++] = scale * pair[0];
      llr[at++] = scale * pair[1];
    }
  }
  return llr;
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
