import { CRC16, CRC24A } from '../../common/crc.ts';
import { FormatError } from '../../common/errors.ts';
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

/** j^-q of the scrambling's quarter turns q. */
const BACK_RE = Float64Array.of(1, 0, -1, 0);
const BACK_IM = Float64Array.of(0, -1, 0, 1);

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
  // For QPSK the LLR is 2 sqrt(2) Re(conj(h) y) / sigma^2.
  const scales = Float64Array.from(subbandNoise, (v) => (2 * Math.SQRT2) / (v * (1 + channelError) + 1e-30));
  let at = 0;
  for (let symbol = first; symbol < first + count; symbol++) {
    const turns = grid.turnsOf(symbol);
    const cos = Math.cos(phases[symbol]);
    const sin = Math.sin(phases[symbol]);
    const channel = channelAt(symbol);
    const pilot = grid.pilotOffset(symbol);
    let i = 0;
    for (let s = 0, c = 0, y = 2 * n.nCarriers * symbol; s < n.nSubbands; s++) {
      const scale = scales[s];
      for (let k = 0; k < SUBBAND_CARRIERS; k++, c += 2, y += 2) {
        if (k === pilot) continue;
        const hr = channel[c] * cos - channel[c + 1] * sin;
        const hi = channel[c] * sin + channel[c + 1] * cos;
        const re = scale * (hr * rows[y] + hi * rows[y + 1]);
        const im = scale * (hr * rows[y + 1] - hi * rows[y]);
        const quarter = turns[i++];
        llr[at++] = BACK_RE[quarter] * re - BACK_IM[quarter] * im;
        llr[at++] = BACK_RE[quarter] * im + BACK_IM[quarter] * re;
      }
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
