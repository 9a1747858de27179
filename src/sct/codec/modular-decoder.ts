import { FormatError } from '../../common/errors.ts';
import { lostQuality } from '../correction/repair.ts';
import type { FeatureCoder } from '../entropy/feature-code.ts';
import { quantisedQuality } from '../entropy/quantise.ts';
import { CELL_PX, type ClassMap, type FeatureMap, type GridPlane } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import type { SemanticModels } from '../semantics/models.ts';
import type {
  ByteRange,
  DecodedImage,
  DecodeOptions,
  ReceivedSource,
  ReceivedStream,
  SfvOutcome,
  SfvState,
} from './codec.ts';
import { decodePacket } from './packet-decode.ts';
import { interleavedCells, MAX_STREAM_BYTES } from './packet-layout.ts';
import { outage, Stopwatch, showReceived } from './shown-picture.ts';
import { LEVEL_NOT_SENT, type ModularSide, readSide } from './side-info.ts';
import { keptCount } from './side-selection.ts';
import { cellsOfSfvs } from './symbol-order.ts';

type BitStream = Extract<ReceivedStream, { kind: 'bits' }>;

/** What came of the packets. */
interface Unpacked {
  /** Class of each cell: of the packet where it carries one and came, else of the SFV. */
  readonly classMap: ClassMap;
  readonly yHat: FeatureMap;
  readonly quality: GridPlane;
  readonly damage: Float32Array; // [row][column], 0 came, 1 did not
  /** Cells that came; [SFV id]. */
  readonly came: Uint32Array;
  /** Bytes of the packet that came; [SFV id]. */
  readonly bytes: Uint32Array;
  readonly scores: readonly (number | undefined)[];
  readonly faults: string[];
}

/**
 * The picture that came over the air. Side information that is missing or contradicts itself is an outage; a stream that contradicts
 * it counts as not received, and so does every segment that is not whole. Never throws for anything received.
 */
export async function decodeModular(
  models: SemanticModels,
  coder: FeatureCoder,
  { sideInfo, streams }: ReceivedSource,
  options: DecodeOptions,
): Promise<DecodedImage> {
  const side = readSide(sideInfo, 'modular', models.tables);
  if (typeof side === 'string') return outage(side);
  const watch = new Stopwatch();
  const unpacked = await watch.time('streams', () => unpackStreams(side, streams, coder, models.tables));
  const { damage, faults } = unpacked;
  const came = Array.from(unpacked.came, (n) => n > 0);
  const shown = await showReceived(models, side, { ...unpacked, came }, options, faults, watch);
  const sfvs = outcomes(side, unpacked, options.correction ?? true);
  const arrived = came.includes(true);
  const { rows, columns } = side.partition;
  return {
    ...shown,
    decodable: arrived,
    complete: arrived && sfvs.every((s) => !s.sent || s.damage === 0),
    mask: { cellPx: CELL_PX, rows, columns, damage },
    note: noteOf(sfvs, arrived, faults),
    sfvs,
    partition: side.partition,
    timingsMs: watch.timingsMs,
  };
}

/** All packets in one feature map; the embedding of a cell depends on nothing but its own SFV's packet. */
export function unpackStreams(
  side: ModularSide,
  streams: readonly ReceivedStream[],
  coder: FeatureCoder,
  tables: ModelTables,
): Unpacked {
  const { partition, widthPx, heightPx } = side;
  const classMap = { ...side.classMap, data: side.classMap.data.slice() };
  const { rows, columns } = partition;
  const { channels } = tables;
  const yHat = { channels, rows, columns, widthPx, heightPx, data: new Float32Array(channels * rows * columns) };
  const unknown = lostQuality(tables);
  const quality = Float32Array.from(classMap.data as ArrayLike<number>, (c) => unknown[c]);
  const damage = new Float32Array(rows * columns).fill(1);
  const cells = cellsOfSfvs(partition.sfvOf, partition.sfvs.length);
  const came = new Uint32Array(partition.sfvs.length);
  const bytes = new Uint32Array(partition.sfvs.length);
  const scores: (number | undefined)[] = partition.sfvs.map(() => undefined);
  const faults: string[] = [];
  const seen = new Set<number>();
  for (const stream of streams) {
    try {
      const packet = checkPacket(stream, side, seen);
      if (!packet) continue;
      const { id } = packet;
      const level = side.levels[id];
      scores[id] = packet.score;
      const sfv = { id, cells: interleavedCells(cells[id], columns), sfvClass: side.classes[id], level };
      const arrived = decodePacket(packet, sfv, { yHat, classMap }, coder, tables);
      const ofClass = quantisedQuality(tables, level);
      for (const at of arrived) {
        damage[at] = 0;
        quality[at] = ofClass[classMap.data[at]];
      }
      came[id] = arrived.length;
      bytes[id] = packet.payload.length - packet.missing.reduce((sum, r) => sum + r.to - r.from, 0);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      faults.push(error.message);
    }
  }
  return { classMap, yHat, quality: { rows, columns, data: quality }, damage, came, bytes, scores, faults };
}

/**
 * A stream that fits the side information; undefined for one that was not sent by it.
 *
 * @throws FormatError `streams` when it belongs to no SFV, stands twice, is of the wrong kind, or misses bytes that it does not
 *   have
 */
export function checkPacket(stream: ReceivedStream, side: ModularSide, seen: Set<number>): BitStream | undefined {
  const { id } = stream;
  const all = side.partition.sfvs.length;
  const count = side.selection ? keptCount(side.selection) : all;
  if (!Number.isInteger(id) || id < 0 || id >= count) {
    const kept = count < all ? ` and ${count} are kept` : '';
    throw new FormatError('streams', `stream ${id} belongs to no SFV, there are ${all}${kept}`);
  }
  if (seen.has(id)) throw new FormatError('streams', `stream ${id} stands twice`);
  seen.add(id);
  if (stream.kind !== 'bits') throw new FormatError('streams', `stream ${id} is analog, SFVs have coded bits`);
  const { length } = stream.payload;
  if (length > MAX_STREAM_BYTES) {
    throw new FormatError('streams', `stream ${id} has ${length} bytes, allowed up to ${MAX_STREAM_BYTES}`);
  }
  if (!disjoint(stream.missing, length)) {
    throw new FormatError('streams', `stream ${id} misses bytes that it does not have`);
  }
  return side.levels[id] === LEVEL_NOT_SENT ? undefined : stream;
}

function disjoint(ranges: readonly ByteRange[], length: number): boolean {
  return ranges.every(
    ({ from, to }, i) => from >= (i === 0 ? 0 : ranges[i - 1].to) && to >= from && to <= length && Number.isInteger(to),
  );
}

function outcomes({ partition, levels }: ModularSide, { came, bytes }: Unpacked, correction: boolean): SfvOutcome[] {
  return partition.sfvs.map(({ id, label, cells }) => {
    let state: SfvState = 'received';
    if (came[id] === 0) state = correction ? 'synthesised' : 'lost';
    else if (came[id] < cells && correction) state = 'repaired';
    const sent = levels[id] !== LEVEL_NOT_SENT;
    const damage = 1 - came[id] / cells;
    return { id, label, cells, state, sent, symbols: 0, bytes: bytes[id], snrDb: null, damage };
  });
}

function noteOf(sfvs: readonly SfvOutcome[], arrived: boolean, faults: readonly string[]): string | undefined {
  const parts: string[] = [];
  if (!arrived) parts.push('nothing but the side information arrived: the picture is made up from labels');
  else {
    const lost = sfvs.filter((s) => s.sent && s.damage === 1).length;
    const hurt = sfvs.filter((s) => s.damage > 0 && s.damage < 1).length;
    if (lost > 0) parts.push(`${lost} of ${sfvs.length} SFVs did not arrive`);
    if (hurt > 0) parts.push(`${hurt} arrived in part`);
  }
  if (faults.length > 0) {
    parts.push(`refused: ${faults[0]}${faults.length > 1 ? ` and ${faults.length - 1} more` : ''}`);
  }
  return parts.length > 0 ? parts.join('; ') : undefined;
}
