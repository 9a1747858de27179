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
import { equaliserOf } from './burst-equaliser.ts';

/** Soft bits read last: headers, which come again and again, are of one length. */
let latest = new Float32Array(0);

/**
 * Soft bits of control symbols `first`.. (QPSK, scrambled): LLR = ln P(0)/P(1) in coded order, equalised with the
 * channel, [nCarriers][re, im] (one for all symbols, or each its own), turned by its phase. Valid until the next call.
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
  const row = 2 * n.nCarriers;
  const alone = typeof channel !== 'function';
  const weights = new Float32Array(alone ? row : row * count);
  const pilots = new Uint32Array(count);
  if (alone) weigh(channel, channelError, subbandNoise, weights, 0);
  for (let i = 0; i < count; i++) {
    pilots[i] = grid.pilotOffset(first + i);
    if (!alone) weigh(channel(first + i), channelError, subbandNoise, weights, row * i);
  }
  const length = 2 * count * n.symbolDataRe;
  if (latest.length !== length) latest = new Float32Array(length);
  const its = first === 0 && rows.length === row * count ? rows : rows.subarray(row * first, row * (first + count));
  const turned = phases.subarray(first, first + count);
  equaliserOf(n).controlLlrs({ count, symbol: first, rows: its, weights, phases: turned, pilots }, latest);
  return latest;
}

/** Conjugate channel over noise, [nCarriers][re, im]: for QPSK the LLR is 2 sqrt(2) Re(conj(h) y) / sigma^2. */
function weigh(
  channel: Float32Array,
  channelError: number,
  subbandNoise: ArrayLike<number>,
  out: Float32Array,
  at: number,
): void {
  for (let s = 0, c = 0; s < subbandNoise.length; s++) {
    const scale = (2 * Math.SQRT2) / (subbandNoise[s] * (1 + channelError) + 1e-30);
    for (const end = c + 2 * SUBBAND_CARRIERS; c < end; c += 2) {
      out[at + c] = scale * channel[c];
      out[at + c + 1] = -scale * channel[c + 1];
    }
  }
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
