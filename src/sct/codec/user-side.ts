import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError, inRange, UsageError } from '../../common/errors.ts';
import { MAX_SIDE_PX } from '../image/rgb-image.ts';
import { MAX_SFVS } from '../partition/label-map-code.ts';
import { decodePartition, type Partition } from '../partition/partition.ts';
import { gridOf, type PictureShape } from '../semantics/feature-map.ts';
import { MAX_NETWORK_PIXELS } from '../semantics/picture-tensor.ts';
import { SFV_SCALE_BITS } from './sfv-power.ts';

const BITS = { pair: 32, side: 13, csi: 8, symbols: 26, sfvs: 8, partition: 12 } as const;

/** Side information of a user's pair: which pair, how large, and how the symbols were divided. */
export interface UserSide extends PictureShape {
  /** First 32 bits of the hash over both networks. */
  readonly pairId: number;
  readonly csiCode: number;
  /** Complex symbols of the picture, N. */
  readonly symbols: number;
  /** For a pair with a grid; else the picture is one stream. */
  readonly partition: Partition | undefined;
  /** encodeSfvScale of each stream's root mean square, 0 = not sent. */
  readonly scales: Uint8Array; // [stream]
}

/**
 * Pair id 32 bits, width - 1 13, height - 1 13, CSI code 8, N 26, number of streams 8, bytes of the partition 12 (0 = none); 7 bits of
 * scale for each stream; zero bits to a whole byte; partition.
 *
 * @throws UsageError naming the field that is out of range
 */
export function encodeUserSide(side: UserSide): Uint8Array {
  const { partition, scales } = side;
  const bytes = partition?.bytes ?? new Uint8Array(0);
  if (scales.length !== (partition?.sfvs.length ?? 1)) {
    throw new UsageError(`${scales.length} scales: allowed one for each stream`);
  }
  const w = new BitWriter();
  w.write(side.pairId, BITS.pair);
  w.write(inRange('width', side.widthPx, 1, MAX_SIDE_PX, 'px') - 1, BITS.side);
  w.write(inRange('height', side.heightPx, 1, MAX_SIDE_PX, 'px') - 1, BITS.side);
  w.write(side.csiCode, BITS.csi);
  w.write(inRange('symbols', side.symbols, 1, 2 ** BITS.symbols - 1), BITS.symbols);
  w.write(scales.length, BITS.sfvs);
  w.write(inRange('partition bytes', bytes.length, 0, 2 ** BITS.partition - 1), BITS.partition);
  for (const code of scales) w.write(code, SFV_SCALE_BITS);
  const head = w.finish();
  const out = new Uint8Array(head.length + bytes.length);
  out.set(head);
  out.set(bytes, head.length);
  return out;
}

/** @throws FormatError naming the field */
export function decodeUserSide(bytes: Uint8Array): UserSide {
  const r = new BitReader(bytes);
  const pairId = r.read(BITS.pair, 'pair');
  const widthPx = r.read(BITS.side, 'width') + 1;
  const heightPx = r.read(BITS.side, 'height') + 1;
  if (widthPx * heightPx > MAX_NETWORK_PIXELS) {
    throw new FormatError('picture pixels', `${widthPx * heightPx}, allowed up to ${MAX_NETWORK_PIXELS}`);
  }
  const csiCode = r.read(BITS.csi, 'CSI code');
  const symbols = r.read(BITS.symbols, 'symbols');
  if (symbols < 1) throw new FormatError('symbols', 'there are none');
  const streams = r.read(BITS.sfvs, 'streams');
  const length = r.read(BITS.partition, 'partition bytes');
  if (streams < 1 || streams > MAX_SFVS || (length === 0 && streams !== 1)) {
    throw new FormatError('streams', `${streams} with a partition of ${length} bytes`);
  }
  const scales = Uint8Array.from({ length: streams }, () => r.read(SFV_SCALE_BITS, 'scale'));
  const spare = (8 - (r.position % 8)) % 8;
  if (r.read(spare, 'padding') !== 0) throw new FormatError('padding', 'is not zero');
  const head = r.position / 8;
  if (head + length !== bytes.length) {
    throw new FormatError('partition bytes', `${length}, there are ${bytes.length - head}`);
  }
  const partition = length === 0 ? undefined : decodePartition(bytes.slice(head), gridOf({ widthPx, heightPx }));
  if (partition && partition.sfvs.length !== streams) {
    throw new FormatError('streams', `the table has ${streams}, the partition ${partition.sfvs.length}`);
  }
  return { pairId, widthPx, heightPx, csiCode, symbols, partition, scales };
}
