import { BitReader } from '../../common/bits.ts';
import { FormatError } from '../../common/errors.ts';

/**
 * A still AVIF file of the classical codec is 250 bytes of fixed boxes around one AV1 temporal unit; only the unit
 * goes over the air and the receiver puts the boxes back. The profile is fixed: 4:4:4, 8 bit, no alpha, no metadata.
 *
 * Sources: ISO/IEC 23008-12 (HEIF), AV1 Image File Format 1.1, AV1 specification §5.3-5.5, §7.5.
 */
const AV1C_FLAGS_444_8BIT = 0x02; // not monochrome, no subsampling, 8 bit, chroma sample position 2 as libheif writes

/** Bytes of the boxes that `wrapAvif` puts around a temporal unit. */
export const AVIF_BOX_BYTES = 250;

/**
 * The AV1 temporal unit of an AVIF file made by the classical codec's encoder.
 *
 * @throws FormatError when the file has no single `mdat` box
 */
export function unwrapAvif(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  while (at + 8 <= file.length) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > file.length) throw new FormatError('box size', `${size} at ${at} of ${file.length}`);
    if (view.getUint32(at + 4) === 0x6d646174) return file.subarray(at + 8, at + size); // 'mdat'
    at += size;
  }
  throw new FormatError('mdat', 'no such box');
}

/**
 * The AVIF file around a temporal unit.
 *
 * @param unit AV1 temporal unit
 * @param width @param height size of the coded picture
 * @param level AV1 seq_level_idx, as `checkTemporalUnit` found it
 */
export function wrapAvif(unit: Uint8Array, width: number, height: number, level: number): Uint8Array {
  const ftyp = box('ftyp', ascii('avif'), u32(0), ascii('mif1avifmiaf'));
  const hdlr = box('hdlr', u32(0), u32(0), ascii('pict'), new Uint8Array(13));
  const pitm = box('pitm', u32(0), u16(1));
  const iloc = box(
    'iloc',
    u32(0),
    [0x44, 0x40],
    u16(1),
    u16(1),
    u16(0),
    u32(AVIF_BOX_BYTES),
    u16(1),
    u32(0),
    u32(unit.length),
  );
  const infe = box('infe', u32(0x02000000), u16(1), u16(0), ascii('av01'), [0]);
  const iinf = box('iinf', u32(0), u16(1), infe);
  const av1C = box('av1C', [0x81, (1 << 5) | level, AV1C_FLAGS_444_8BIT, 0]);
  const ispe = box('ispe', u32(0), u32(width), u32(height));
  const pixi = box('pixi', u32(0), [3, 8, 8, 8]);
  const ipma = box('ipma', u32(0), u32(1), u16(1), [3, 0x81, 2, 3]);
  const iprp = box('iprp', box('ipco', av1C, ispe, pixi), ipma);
  const meta = box('meta', u32(0), hdlr, iloc, iinf, pitm, iprp);
  return join([ftyp, meta, box('mdat', unit)]);
}

/**
 * Checks that untrusted bytes are one temporal unit with one sequence header for a reduced still picture of exactly
 * width x height in the fixed profile, so that the AV1 decoder allocates no more than that; returns its level.
 *
 * @throws FormatError naming the field
 */
export function checkTemporalUnit(unit: Uint8Array, width: number, height: number): number {
  let level = -1;
  let at = 0;
  while (at < unit.length) {
    const header = unit[at++];
    const type = (header >> 3) & 15;
    if ((header & 0x87) !== 0x02 && (header & 0x87) !== 0x00)
      throw new FormatError('OBU header', 'extension or reserved bit');
    let size = unit.length - at;
    if (header & 2) {
      const announced = readLeb128(unit, at);
      at = announced.next;
      size = announced.value;
    }
    if (size > unit.length - at) throw new FormatError('OBU size', `${size} bytes announced, ${unit.length - at} left`);
    if (type === 1) {
      if (level >= 0) throw new FormatError('OBU', 'second sequence header');
      level = checkSequenceHeader(unit.subarray(at, at + size), width, height);
    } else if (![2, 3, 4, 5, 6, 15].includes(type)) {
      throw new FormatError('OBU type', `${type} does not belong into a still picture`);
    }
    at += size;
  }
  if (level < 0) throw new FormatError('OBU', 'no sequence header');
  return level;
}

function checkSequenceHeader(payload: Uint8Array, width: number, height: number): number {
  const r = new BitReader(payload);
  const profile = r.read(3, 'seq_profile');
  if (profile !== 1) throw new FormatError('seq_profile', `${profile} is not 1 (4:4:4)`);
  if (r.read(2, 'reduced_still_picture_header') !== 3) throw new FormatError('reduced_still_picture_header', 'not set');
  const level = r.read(5, 'seq_level_idx');
  const widthBits = r.read(4, 'frame_width_bits') + 1;
  const heightBits = r.read(4, 'frame_height_bits') + 1;
  const w = r.read(widthBits, 'max_frame_width') + 1;
  const h = r.read(heightBits, 'max_frame_height') + 1;
  if (w !== width || h !== height) throw new FormatError('frame size', `${w}x${h}, the header says ${width}x${height}`);
  return level;
}

function readLeb128(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    if (at >= bytes.length) break;
    const b = bytes[at++];
    value += (b & 0x7f) * 128 ** i;
    if (b < 0x80) return { value, next: at };
  }
  throw new FormatError('OBU size', 'not a number below 2^28');
}

function box(type: string, ...parts: ArrayLike<number>[]): Uint8Array {
  const body = join(parts);
  return join([u32(body.length + 8), ascii(type), body]);
}

function join(parts: readonly ArrayLike<number>[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function u16(v: number): number[] {
  return [v >>> 8, v & 255];
}

function u32(v: number): number[] {
  return [v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255];
}
