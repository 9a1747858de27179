import { inRange, UsageError } from '../../common/errors.ts';
import { flatImage, type RgbImage } from '../image/rgb-image.ts';
import { resizeImage } from '../image/save.ts';
import { psnrDb } from '../quality/psnr.ts';
import {
  CLASSICAL_FORMATS,
  CLASSICAL_HEADER_BYTES,
  type ClassicalFormat,
  MAX_BODY_BYTES,
  readClassicalHeader,
  SCALES,
  scaledSize,
  writeClassicalHeader,
} from './classical-header.ts';
import type { ByteRange, Codec, DecodedImage, EncodedSource, ReceivedSource, SourcePlan } from './codec.ts';
import { DoesNotFit } from './does-not-fit.ts';
import { decodeBody, levelEncoder } from './file-formats.ts';
import { type LevelEncoder, searchLevel } from './quality-search.ts';

/** Options of the classical codec. */
export interface ClassicalOptions {
  /** `best` tries all three formats and keeps the highest PSNR. Default `avif`. */
  readonly format?: ClassicalFormat | 'best' | undefined;
  /** AV1 encoder effort 0 (fast) to 9; default by picture size. */
  readonly effort?: number | undefined;
}

/** One coding that fits its budget. */
export interface ClassicalCoding {
  readonly bytes: Uint8Array; // header and body
  readonly format: ClassicalFormat;
  readonly scale: number; // index into SCALES
  readonly level: number;
  readonly encodes: number;
}

/**
 * The conventional codec that every result is compared with: an image file at the largest quality that fits, as one
 * stream of bits. When even the lowest quality does not fit, the picture is coded at 3/4, 1/2, ... 1/16 of its size and
 * the receiver scales it up again.
 */
export class ClassicalCodec implements Codec {
  readonly name = 'classical';
  private readonly format: ClassicalFormat | 'best';
  private readonly effort: number | undefined;
  /** Codings made so far of a picture, so that a sweep over channels codes each level of it once. */
  private readonly known = new WeakMap<RgbImage, Map<string, MemoEncoder>>();

  constructor(options: ClassicalOptions = {}) {
    this.format = options.format ?? 'avif';
    if (this.format !== 'best' && !CLASSICAL_FORMATS.includes(this.format)) {
      throw new UsageError(`classical format ${this.format} is not one of ${CLASSICAL_FORMATS.join(', ')}, best`);
    }
    this.effort = options.effort === undefined ? undefined : inRange('AVIF effort', options.effort, 0, 9);
  }

  describe(): string {
    return `classical: ${this.format} at the largest quality that fits, smaller size when none does`;
  }

  async analyse(image: RgbImage): Promise<SourcePlan> {
    return {
      streams: [{ id: 0, kind: 'bits', score: 255, minSize: CLASSICAL_HEADER_BYTES + 1 }],
      sideInfoBytes: 0,
      encode: async (grants): Promise<EncodedSource> => {
        const grant = grants.find((g) => g.id === 0);
        if (!grant) throw new UsageError('the classical codec needs a grant for its stream 0');
        const coding = await this.encodeToBudget(image, grant.size);
        return {
          sideInfo: new Uint8Array(0),
          streams: [{ id: 0, kind: 'bits', payload: coding.bytes }],
          settings: {
            format: coding.format,
            scale: SCALES[coding.scale].join('/'),
            qualityLevel: coding.level,
            bytes: coding.bytes.length,
          },
        };
      },
    };
  }

  /**
   * Codes a picture into at most `budgetBytes` bytes, header included.
   *
   * @throws DoesNotFit with the bytes that would fit when nothing does
   */
  async encodeToBudget(image: RgbImage, budgetBytes: number): Promise<ClassicalCoding> {
    if (!(budgetBytes >= 0)) throw new UsageError(`budget ${budgetBytes} bytes is out of range: allowed 0 and up`);
    const formats = this.format === 'best' ? CLASSICAL_FORMATS : [this.format];
    let best: { coding: ClassicalCoding; psnr: number } | undefined;
    let smallest = Number.POSITIVE_INFINITY;
    for (const format of formats) {
      const result = await this.encodeFormat(image, format, budgetBytes);
      if (typeof result === 'number') smallest = Math.min(smallest, result);
      else if (formats.length === 1) return result;
      else {
        const psnr = psnrDb(image, (await decodeStream(result.bytes)).image!);
        if (!best || psnr > best.psnr) best = { coding: result, psnr };
      }
    }
    if (best) return best.coding;
    const factor = budgetBytes > 0 ? `, ${(smallest / budgetBytes).toFixed(2)} times this budget` : '';
    throw new DoesNotFit(
      `${image.width}x${image.height} does not fit into ${Math.floor(budgetBytes)} bytes as ${formats.join(', ')}`,
      `the least that fits is ${smallest} bytes${factor}: raise --cbr or --snr`,
      smallest,
    );
  }

  /** A coding of one format, or the bytes of the smallest one when none fits. */
  private async encodeFormat(
    image: RgbImage,
    format: ClassicalFormat,
    budgetBytes: number,
  ): Promise<ClassicalCoding | number> {
    const bodyBudget = Math.min(Math.floor(budgetBytes) - CLASSICAL_HEADER_BYTES, MAX_BODY_BYTES);
    let smallest = Number.POSITIVE_INFINITY;
    let encodes = 0;
    for (let scale = 0; scale < SCALES.length; scale++) {
      const size = scaledSize(image.width, image.height, scale);
      const found = await searchLevel(await this.encoderFor(image, format, scale, size), bodyBudget);
      encodes += found.encodes;
      smallest = Math.min(smallest, found.bytes.length + CLASSICAL_HEADER_BYTES);
      if (!found.fits) continue;
      const { width, height } = image;
      const header = writeClassicalHeader({ format, scale, width, height, bodyBytes: found.bytes.length });
      const bytes = new Uint8Array(header.length + found.bytes.length);
      bytes.set(header);
      bytes.set(found.bytes, header.length);
      return { bytes, format, scale, level: found.level, encodes };
    }
    return smallest;
  }

  private async encoderFor(
    image: RgbImage,
    format: ClassicalFormat,
    scale: number,
    size: { width: number; height: number },
  ): Promise<LevelEncoder> {
    let encoders = this.known.get(image);
    if (!encoders) {
      encoders = new Map();
      this.known.set(image, encoders);
    }
    const key = `${format}/${scale}`;
    let encoder = encoders.get(key);
    if (!encoder) {
      const reduced = await resizeImage(image, size.width, size.height);
      encoder = new MemoEncoder(levelEncoder(reduced, format, this.effort));
      encoders.set(key, encoder);
    }
    return encoder;
  }

  async decode(received: ReceivedSource): Promise<DecodedImage> {
    const stream = received.streams.find((s) => s.id === 0 && s.kind === 'bits');
    if (stream?.kind !== 'bits') return lost(undefined, 'the stream did not arrive');
    return decodeStream(stream.payload, stream.missing);
  }
}

/**
 * Decodes a classical stream of which some byte ranges may be missing. Only the bytes before the first gap are used:
 * a JPEG or WebP is then shown as far as it goes, an AVIF cannot be decoded. Never throws.
 *
 * @returns mid-grey of the announced size when the header arrived and the picture cannot be decoded; no picture at all
 *   when the header did not
 */
export async function decodeStream(bytes: Uint8Array, missing: readonly ByteRange[] = []): Promise<DecodedImage> {
  const intact = missing.reduce((n, gap) => (gap.to > gap.from ? Math.min(n, gap.from) : n), bytes.length);
  if (!(intact >= CLASSICAL_HEADER_BYTES)) return lost(undefined, 'the header did not arrive');
  let size: { width: number; height: number } | undefined;
  try {
    const header = readClassicalHeader(bytes);
    size = { width: header.width, height: header.height };
    const end = CLASSICAL_HEADER_BYTES + header.bodyBytes;
    const complete = intact >= end;
    const body = bytes.subarray(CLASSICAL_HEADER_BYTES, complete ? end : intact);
    const coded = scaledSize(header.width, header.height, header.scale);
    const decoded = await decodeBody(body, header.bodyBytes, header.format, coded.width, coded.height);
    const image = await resizeImage(decoded, header.width, header.height);
    const note = complete ? undefined : `only the first ${body.length} of ${header.bodyBytes} bytes arrived`;
    return { image, decodable: true, complete, mask: complete ? wholeMask(size, 0) : undefined, note };
  } catch (error) {
    return lost(size, `not decodable: ${String((error as Error).message).split('\n')[0]}`);
  }
}

function lost(size: { width: number; height: number } | undefined, note: string): DecodedImage {
  return {
    image: size && flatImage(size.width, size.height),
    decodable: false,
    complete: false,
    mask: size && wholeMask(size, 1),
    note,
  };
}

/** One cell for the whole picture: an image file has no places that fail alone. */
function wholeMask(size: { width: number; height: number }, damage: number) {
  return {
    cellPx: Math.max(size.width, size.height),
    columns: 1,
    rows: 1,
    damage: Float32Array.of(damage),
  };
}

/** Codings remembered a picture, format and scale: at 512x768 a few megabytes. */
const MAX_KNOWN_BYTES = 32 * 2 ** 20;

/** A level encoder that makes each level once, as long as its memory lasts. */
class MemoEncoder implements LevelEncoder {
  readonly levels: number;
  readonly estimate: LevelEncoder['estimate'];
  private readonly inner: LevelEncoder;
  private readonly bodies = new Map<number, Uint8Array>();
  private readonly sizes = new Map<number, number>();
  private heldBytes = 0;

  constructor(inner: LevelEncoder) {
    this.inner = inner;
    this.levels = inner.levels;
    const { estimate } = inner;
    this.estimate =
      estimate &&
      (async (level) => {
        const size = this.sizes.get(level) ?? (await estimate(level));
        this.sizes.set(level, size);
        return size;
      });
  }

  async encode(level: number): Promise<Uint8Array> {
    const known = this.bodies.get(level);
    if (known) return known;
    const body = await this.inner.encode(level);
    if (this.heldBytes + body.length <= MAX_KNOWN_BYTES) {
      this.bodies.set(level, body);
      this.heldBytes += body.length;
    }
    return body;
  }
}
