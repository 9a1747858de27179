import { FormatError } from '../common/errors.ts';
import { paddingSymbols } from '../phy/burst/transmit.ts';
import type { Extension } from '../phy/frame/extension.ts';
import { MODULATION_BITS } from '../phy/frame/extension.ts';
import { sideRePerSubband } from '../phy/frame/side-block.ts';
import { type Numerology, RB_DATA_RE } from '../phy/numerology.ts';
import { reserveLeading } from '../sct/allocation/burst-shape.ts';
import type { BurstShape, RbMap } from '../sct/allocation/rb-map.ts';
import { type Placement, placeSymbols, rbMapCrc16 } from '../sct/allocation/rb-map.ts';

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
 */
export function placeExtension(
  n: Numerology,
  slots: number,
  e: Extension,
): { positions: Uint32Array; start: Uint32Array } {
  const map = mapOfExtension(n, e);
  let total = 0;
  for (const s of e.streams) total += s.re;
  const reserved = sideReOf(n, e);
  if (reserved > slots * RB_DATA_RE) {
    throw new FormatError('sideBytes', `take ${reserved} RE of each subband, which has ${slots * RB_DATA_RE}`);
  }
  const room = (slots * RB_DATA_RE - reserved) * n.nSubbands;
  if (total > room) throw new FormatError('streams', `place ${total} RE in a burst of ${room}`);
  if (rbMapCrc16(map) !== e.mapCrc) throw new FormatError('mapCrc', 'does not match the map');
  const plain = e.interleaved && !e.order && new Set(map.sfvOrder).size === map.sfvOrder.length;
  const positions = plain
    ? interleavedPositions(n, slots, reserved).subarray(0, total)
    : positionsOf(placeSymbols(map, burstShape(n, slots, reserved)));
  return { positions, start: startsOf(e) };
}

const sequences = new Map<string, Uint32Array>();
/** Kept at once: a link sends bursts of few lengths; the longest takes 4 MB. */
const MAX_SEQUENCES = 8;

/**
 * The sequence that symbols go round in when they are interleaved (RbMap.layout), all RE of it: it depends on nothing but the burst's length and what side
 * information takes, so it is made once. Not to be written to.
 */
function interleavedPositions(n: Numerology, slots: number, reserved: number): Uint32Array {
  const key = `${n.id}/${slots}/${reserved}`;
  const known = sequences.get(key);
  if (known) return known;
  const positions = new Uint32Array((slots * RB_DATA_RE - reserved) * n.nSubbands);
  let at = 0;
  for (let k = 0; k < RB_DATA_RE; k++) {
    for (let slot = 0; slot < slots; slot++) {
      if (slot * RB_DATA_RE + k < reserved) continue;
      const first = slot * n.nSubbands * RB_DATA_RE + k;
      for (let subband = 0; subband < n.nSubbands; subband++) positions[at++] = first + subband * RB_DATA_RE;
    }
  }
  if (sequences.size >= MAX_SEQUENCES) sequences.clear();
  sequences.set(key, positions);
  return positions;
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
