import { FormatError } from '../common/errors.ts';
import { paddingSymbols } from '../phy/burst/transmit.ts';
import type { Extension } from '../phy/frame/extension.ts';
import { MODULATION_BITS } from '../phy/frame/extension.ts';
import { sideRePerSubband } from '../phy/frame/side-block.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { reserveLeading } from '../sct/allocation/burst-shape.ts';
import type { BurstShape, RbMap } from '../sct/allocation/rb-map.ts';
import { type Placement, placeInto, rbMapCrc16 } from '../sct/allocation/rb-map.ts';

/**
 * Shape of a burst's payload: every RB has the same number of data RE, but for the first `reserved` of each subband, which side
 * information takes. UsageError where a subband has fewer.
 */
export function burstShape(n: Numerology, slots: number, reserved = 0): BurstShape {
  const rePerRb = new Uint16Array(slots * n.nSubbands).fill(RB_DATA_RE);
  const shape = { nSubbands: n.nSubbands, nSlots: slots, rePerRb };
  return reserved === 0 ? shape : reserveLeading(shape, reserved);
}

/** RE of each subband that an extension's side information takes. */
export function sideReOf(n: Numerology, e: Pick<Extension, 'sideBytes' | 'sideRate'>): number {
  return sideRePerSubband(n, e.sideBytes, e.sideRate);
}

/** The RB map that an extension describes. */
export function mapOfExtension(n: Numerology, e: Extension): RbMap {
  const ascending = Uint8Array.from({ length: n.nSubbands }, (_, s) => s);
  return {
    layout: e.interleaved ? 'interleaved' : 'ordered',
    subbandOrder: e.order ? Uint8Array.from(e.order) : ascending,
    sfvOrder: Uint8Array.from(e.streams, (s) => s.id),
    reCounts: Uint32Array.from(e.streams, (s) => s.re),
  };
}

/**
 * Expands an extension's map to payload positions: element i of stream s is payload RE `positions[start[s] + i]`.
 * FormatError when the counts exceed the burst or the map's CRC does not hold.
 *
 * @param room where the positions are written if it is long enough: as many as the burst has RE always are
 */
export function placeExtension(
  n: Numerology,
  slots: number,
  e: Extension,
  room?: Uint32Array,
): { positions: Uint32Array; start: Uint32Array } {
  const map = mapOfExtension(n, e);
  let total = 0;
  for (const s of e.streams) total += s.re;
  const reserved = sideReOf(n, e);
  if (reserved > slots * RB_DATA_RE) {
    throw new FormatError('sideBytes', `take ${reserved} RE of each subband, which has ${slots * RB_DATA_RE}`);
  }
  const most = (slots * RB_DATA_RE - reserved) * n.nSubbands;
  if (total > most) throw new FormatError('streams', `place ${total} RE in a burst of ${most}`);
  if (rbMapCrc16(map) !== e.mapCrc) throw new FormatError('mapCrc', 'does not match the map');
  const positions = room && room.length >= total ? room.subarray(0, total) : new Uint32Array(total);
  const plain = e.interleaved && !e.order && new Set(map.sfvOrder).size === map.sfvOrder.length;
  if (plain) interleave(n, slots, reserved, positions);
  else placeInto(map, burstShape(n, slots, reserved), RB_DATA_RE, positions);
  return { positions, start: startsOf(e) };
}

/** The beginning of the sequence that symbols go round in when they are interleaved (RbMap.layout), without looking at each RB. */
function interleave(n: Numerology, slots: number, reserved: number, positions: Uint32Array): void {
  let at = 0;
  for (let k = 0; at < positions.length; k++) {
    // RE of a subband are reserved from the first slot on.
    const firstSlot = Math.max(0, Math.ceil((reserved - k) / RB_DATA_RE));
    for (let slot = firstSlot; slot < slots && at < positions.length; slot++) {
      const first = slot * n.nSubbands * RB_DATA_RE + k;
      const end = Math.min(positions.length, at + n.nSubbands);
      for (let p = first; at < end; p += RB_DATA_RE) positions[at++] = p;
    }
  }
}

export function positionsOf(placement: Placement): Uint32Array {
  const positions = new Uint32Array(placement.rb.length);
  for (let i = 0; i < positions.length; i++) positions[i] = placement.rb[i] * RB_DATA_RE + placement.re[i];
  return positions;
}

function startsOf(e: Extension): Uint32Array {
  const start = new Uint32Array(e.streams.length + 1);
  for (let i = 0; i < e.streams.length; i++) start[i + 1] = start[i] + e.streams[i].re;
  return start;
}

/** Bits of each of a stream's RE from its subband's modulation code; an unused or analog subband carries none. */
export function bitsAt(n: Numerology, modulation: readonly number[], positions: Uint32Array): Uint8Array {
  const qm = new Uint8Array(positions.length);
  const bits = Uint8Array.from({ length: n.nSubbands }, (_, s) => MODULATION_BITS[modulation[s]] ?? 0);
  if (bits.every((b) => b === bits[0])) return qm.fill(bits[0]);
  for (let i = 0; i < qm.length; i++) qm[i] = bits[Math.floor(positions[i] / RB_DATA_RE) % n.nSubbands];
  return qm;
}

/** G: coded bits that RE of `qm` bits hold. */
export function codedBitsOf(qm: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < qm.length; i++) total += qm[i];
  return total;
}

/** Payload of a burst: a stream's symbols on its RE, padding elsewhere. */
export function scatter(n: Numerology, slots: number, positions: Uint32Array, symbols: Float32Array): Float32Array {
  const payload = paddingSymbols(n, slots * n.nSubbands * RB_DATA_RE);
  for (let i = 0; i < positions.length; i++) {
    payload[2 * positions[i]] = symbols[2 * i];
    payload[2 * positions[i] + 1] = symbols[2 * i + 1];
  }
  return payload;
}
