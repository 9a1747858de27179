import { BitReader, BitWriter } from '../../common/bits.ts';
import { FormatError, inRange, UsageError } from '../../common/errors.ts';
import { CSI_MAX_CODE } from '../allocation/csi-code.ts';
import { decodeClassMap, encodeClassMap } from '../entropy/class-map-code.ts';
import { MAX_SIDE_PX } from '../image/rgb-image.ts';
import { MAX_SFVS } from '../partition/label-map-code.ts';
import { decodePartition, type Partition } from '../partition/partition.ts';
import { POWER_SCALE_MAX_CODE } from '../rate/power-scale.ts';
import { CELL_PX, type ClassMap, type GridShape, gridOf, type PictureShape } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables, THETA_LEVELS } from '../semantics/model-tables.ts';
import { MAX_NETWORK_PIXELS } from '../semantics/picture-tensor.ts';
import { SFV_NOT_SENT, SFV_SCALE_BITS, SFV_SCALE_MAX_CODE } from './sfv-power.ts';
import {
  applySelection,
  CLASS_BITS,
  flatClassMap,
  keptCount,
  knownClasses,
  readSelection,
  type Selection,
  selectionBits,
  withKnown,
  writeSelection,
} from './side-selection.ts';

/** Codecs that send side information, in the order of their code on the air. */
export const SIDE_KINDS = ['integrated', 'modular'] as const;
/** Modes, in the order of their code; `auto` is one of them by the time it is sent. */
export const SIDE_MODES = ['overall', 'selective'] as const;
export type SideMode = (typeof SIDE_MODES)[number];

/** Most bytes of side information; what is longer is not looked at. */
export const MAX_SIDE_BYTES = 2 ** 17;
/** Most bytes of a partition: 12 bits count them. */
export const MAX_PARTITION_BYTES = 4095;
/** Quantiser level that stands for an SFV that is not sent (modular). */
export const LEVEL_NOT_SENT = 31;

const BITS = {
  kind: 2,
  mode: 1,
  reference: 1,
  referenceId: 32,
  side: 13,
  sfvs: 8,
  csi: 8,
  theta: 6,
  scale: 8,
  level: 5,
  partition: 12,
} as const;

interface SideBase extends PictureShape {
  readonly mode: SideMode;
  /** CSI code (`encodeCsi`) that the sender's networks and choices saw. */
  readonly csiCode: number;
  /** First 32 bits of the hash of a reference picture that both ends hold; undefined: none. */
  readonly referenceId?: number | undefined;
  /** Which SFVs are streams; there in selective mode and in no other. */
  readonly selection?: Selection | undefined;
  /** With a selection: cut, and kept SFVs first. */
  readonly partition: Partition;
  readonly classMap: ClassMap;
}

export interface IntegratedSide extends SideBase {
  readonly kind: 'integrated';
  readonly thetaLevel: number; // 0..35
  readonly powerCode: number; // encodePowerScale over all symbols sent
  /** encodeSfvScale of each SFV against the picture, 0 = not sent. */
  readonly sfvScales: Uint8Array; // [SFV id]
  /** The class map's code where the sender has it already: it is not made again. */
  readonly classMapBytes?: Uint8Array | null | undefined;
}

export interface ModularSide extends SideBase {
  readonly kind: 'modular';
  /** Quantiser level of each SFV below the set's number of levels, 31 = not sent. */
  readonly levels: Uint8Array; // [SFV id]
  /** Even class of each SFV as a whole; `classMap` has it in every cell. */
  readonly classes: Uint8Array; // [SFV id]
}

/**
 * Side information of one picture: what a receiver needs beside the streams and the burst's own extension. Sent once, in the
 * robust code, whose CRC covers it.
 */
export type SideInfo = IntegratedSide | ModularSide;

/** Where the bytes of side information go. */
export interface SideSplit {
  readonly header: number;
  readonly sfvTable: number;
  readonly partition: number;
  readonly classMap: number;
  readonly total: number;
}

/** Bits before the SFV table, without and with the integrated codec's own fields. */
const COMMON_BITS = BITS.kind + BITS.mode + BITS.reference + 2 * BITS.side + BITS.sfvs + BITS.csi + BITS.partition;

/** What side information may carry beside what every picture has. */
export interface SideExtras {
  readonly selection?: { readonly kept: number; readonly rectangle: boolean } | undefined;
  readonly reference?: boolean | undefined;
}

/**
 * Bytes of side information by part; the header's and the table's bits share a byte, which counts for the table. A selection
 * counts for the table.
 */
export function sideSplit(
  kind: SideInfo['kind'],
  sfvs: number,
  partitionBytes: number,
  classMapBytes: number,
  { selection, reference }: SideExtras = {},
): SideSplit {
  const own = kind === 'integrated' ? BITS.theta + BITS.scale : 0;
  const headerBits = COMMON_BITS + own + (reference ? BITS.referenceId : 0);
  const entryBits = kind === 'integrated' ? SFV_SCALE_BITS : BITS.level + CLASS_BITS;
  const chosenBits = selection ? selectionBits(sfvs, selection.kept, selection.rectangle) : 0;
  const tableBits = chosenBits + (selection ? selection.kept : sfvs) * entryBits;
  const header = Math.floor(headerBits / 8);
  const sfvTable = Math.ceil((headerBits + tableBits) / 8) - header;
  const total = header + sfvTable + partitionBytes + classMapBytes;
  return { header, sfvTable, partition: partitionBytes, classMap: classMapBytes, total };
}

/**
 * The bytes, most significant bit first: kind 2 bits, mode 1, reference 1, width - 1 13, height - 1 13, SFVs - 1 8, CSI code 8,
 * bytes of the partition 12; where there is a reference its id 32; integrated: theta level 6, power scale 8; selective: the
 * selection (side-selection.ts); the SFV table (integrated: 7 bits of scale each; modular: 5 of quantiser level, 3 of half the class),
 * kept SFVs only; zero bits to a whole byte; partition; integrated: class map to the end, kept cells only.
 *
 * @throws UsageError naming the field that is out of range
 */
export function encodeSideInfo(side: SideInfo, tables: ModelTables): Uint8Array {
  const { partition, classMap } = side;
  const grid = gridOf(side);
  if (partition.rows !== grid.rows || partition.columns !== grid.columns) {
    throw new UsageError(`a partition of ${partition.rows}x${partition.columns} cells is not one of the picture`);
  }
  const table = side.kind === 'integrated' ? side.sfvScales : side.levels;
  if (table.length !== partition.sfvs.length) {
    throw new UsageError(`SFV table has ${table.length} entries: allowed ${partition.sfvs.length}, one for each SFV`);
  }
  const { selection } = side;
  if ((side.mode === 'selective') !== (selection !== undefined)) {
    throw new UsageError(`mode ${side.mode} ${selection ? 'with' : 'without'} a selection: allowed in selective only`);
  }
  const sent = selection ? keptCount(selection) : table.length;
  const w = new BitWriter();
  w.write(inRange('kind', SIDE_KINDS.indexOf(side.kind), 0, SIDE_KINDS.length - 1), BITS.kind);
  w.write(inRange('mode', SIDE_MODES.indexOf(side.mode), 0, SIDE_MODES.length - 1), BITS.mode);
  w.write(side.referenceId === undefined ? 0 : 1, BITS.reference);
  w.write(inRange('width', side.widthPx, 1, MAX_SIDE_PX, 'px') - 1, BITS.side);
  w.write(inRange('height', side.heightPx, 1, MAX_SIDE_PX, 'px') - 1, BITS.side);
  w.write(inRange('SFVs', table.length, 1, MAX_SFVS) - 1, BITS.sfvs);
  w.write(inRange('CSI code', side.csiCode, 0, CSI_MAX_CODE), BITS.csi);
  w.write(inRange('partition bytes', partition.bytes.length, 0, MAX_PARTITION_BYTES), BITS.partition);
  if (side.referenceId !== undefined) {
    w.write(inRange('reference id', side.referenceId, 0, 2 ** 32 - 1), BITS.referenceId);
  }
  if (side.kind === 'integrated') {
    w.write(inRange('theta level', side.thetaLevel, 0, THETA_LEVELS - 1), BITS.theta);
    w.write(inRange('power scale code', side.powerCode, 0, POWER_SCALE_MAX_CODE), BITS.scale);
  }
  if (selection) writeSelection(w, selection);
  for (const [id, entry] of table.subarray(0, sent).entries()) {
    if (side.kind === 'integrated') {
      w.write(inRange('SFV scale code', entry, 0, SFV_SCALE_MAX_CODE), SFV_SCALE_BITS);
    } else {
      if (entry !== LEVEL_NOT_SENT) inRange('quantiser level', entry, 0, tables.levels - 1);
      w.write(entry, BITS.level);
      w.write(evenClass(side.classes[id]) / 2, CLASS_BITS);
    }
  }
  const head = w.finish();
  const known = selection && knownClasses(partition, selection);
  const map =
    side.kind === 'modular'
      ? new Uint8Array(0)
      : (side.classMapBytes ?? encodeClassMap(known ? withKnown(classMap, known) : classMap, tables, known));
  const out = new Uint8Array(head.length + partition.bytes.length + map.length);
  out.set(head);
  out.set(partition.bytes, head.length);
  out.set(map, head.length + partition.bytes.length);
  return out;
}

/**
 * Side information from the air. Every length is bounded before anything is allocated for it, and the parts must agree: the class map
 * must end where its cells end, the SFV table must have an entry for each SFV of the partition.
 *
 * @throws FormatError naming the field
 */
export function decodeSideInfo(bytes: Uint8Array, tables: ModelTables): SideInfo {
  if (bytes.length > MAX_SIDE_BYTES) {
    throw new FormatError('side information', `${bytes.length} bytes, allowed up to ${MAX_SIDE_BYTES}`);
  }
  const r = new BitReader(bytes);
  const kind = SIDE_KINDS[bounded('kind', r.read(BITS.kind, 'kind'), SIDE_KINDS.length - 1)];
  const mode = SIDE_MODES[r.read(BITS.mode, 'mode')];
  const hasReference = r.read(BITS.reference, 'reference') === 1;
  const widthPx = r.read(BITS.side, 'width') + 1;
  const heightPx = r.read(BITS.side, 'height') + 1;
  const sfvs = bounded('SFVs', r.read(BITS.sfvs, 'SFVs') + 1, MAX_SFVS);
  const csiCode = r.read(BITS.csi, 'CSI code');
  const partitionBytes = r.read(BITS.partition, 'partition bytes');
  const grid = gridOf({ widthPx, heightPx });
  const cells = grid.rows * grid.columns;
  bounded('picture pixels', cells * CELL_PX * CELL_PX, MAX_NETWORK_PIXELS);
  if (sfvs > cells) throw new FormatError('SFVs', `${sfvs} of them on ${cells} cells`);
  const referenceId = hasReference ? r.read(BITS.referenceId, 'reference id') : undefined;
  const own = kind === 'integrated' ? readIntegrated(r) : { kind };
  const selection = mode === 'selective' ? readSelection(r, sfvs, grid) : undefined;
  const sent = selection ? keptCount(selection) : sfvs;
  const classes = new Uint8Array(sfvs);
  const table = new Uint8Array(sfvs).fill(kind === 'integrated' ? SFV_NOT_SENT : LEVEL_NOT_SENT);
  for (let i = 0; i < sent; i++) {
    if (kind === 'integrated') table[i] = r.read(SFV_SCALE_BITS, 'SFV scale');
    else {
      table[i] = r.read(BITS.level, 'quantiser level');
      if (table[i] !== LEVEL_NOT_SENT) bounded('quantiser level', table[i], tables.levels - 1);
      classes[i] = 2 * r.read(CLASS_BITS, 'class of an SFV');
    }
  }
  const spare = (8 - (r.position % 8)) % 8;
  if (r.read(spare, 'padding') !== 0) throw new FormatError('padding', 'is not zero');
  const head = r.position / 8;
  if (head + partitionBytes > bytes.length) {
    throw new FormatError('partition bytes', `${partitionBytes}, only ${bytes.length - head} left`);
  }
  const partition = partitionOf(bytes.slice(head, head + partitionBytes), grid, sfvs, selection);
  const rest = bytes.subarray(head + partitionBytes);
  if (selection) classes.set(selection.classes, sent);
  const classMap =
    kind === 'modular' ? flatClassMap(partition, classes) : classMapOf(rest, partition, selection, tables);
  if (kind === 'modular' && rest.length > 0) throw new FormatError('partition bytes', `${rest.length} are left over`);
  const base = {
    mode,
    widthPx,
    heightPx,
    csiCode,
    partition,
    classMap,
    ...(referenceId === undefined ? {} : { referenceId }),
    ...(selection ? { selection } : {}),
  };
  return own.kind === 'integrated'
    ? { ...base, ...own, sfvScales: table }
    : { ...base, ...own, levels: table, classes };
}

function classMapOf(bytes: Uint8Array, partition: Partition, selection: Selection | undefined, tables: ModelTables) {
  const map = decodeClassMap(bytes, partition, tables, selection && knownClasses(partition, selection));
  if (!map.ok) throw new FormatError('class map', map.reason);
  return map.value;
}

function evenClass(k: number): number {
  if (k % 2 === 1) throw new UsageError(`class ${k} of an SFV is odd: allowed even ones`);
  return inRange('class of an SFV', k, 0, CLASSES - 2);
}

function readIntegrated(r: BitReader) {
  const thetaLevel = bounded('theta level', r.read(BITS.theta, 'theta level'), THETA_LEVELS - 1);
  return { kind: 'integrated' as const, thetaLevel, powerCode: r.read(BITS.scale, 'power scale') };
}

/** The partition that both ends use, of as many SFVs as the table says. */
function partitionOf(bytes: Uint8Array, grid: GridShape, sfvs: number, selection: Selection | undefined): Partition {
  const sent = decodePartition(bytes, grid);
  try {
    const partition = selection ? applySelection(sent, selection).partition : sent;
    if (partition.sfvs.length === sfvs) return partition;
    throw new FormatError('SFVs', `the table has ${sfvs}, the partition ${partition.sfvs.length}`);
  } catch (error) {
    if (error instanceof UsageError) throw new FormatError('SFVs', error.message);
    throw error;
  }
}

function bounded(field: string, value: number, max: number): number {
  if (value > max) throw new FormatError(field, `${value}, allowed up to ${max}`);
  return value;
}

/** Side information of this kind as it came over the air, or one line that says why there is none. */
export function readSide<K extends SideInfo['kind']>(
  bytes: Uint8Array | undefined,
  kind: K,
  tables: ModelTables,
): Extract<SideInfo, { kind: K }> | string {
  if (bytes === undefined) return 'side information did not arrive';
  try {
    const side = decodeSideInfo(bytes, tables);
    if (side.kind !== kind) throw new FormatError('kind', `${side.kind}, the burst says ${kind}`);
    return side as Extract<SideInfo, { kind: K }>;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `side information not usable: ${error.message}`;
  }
}
