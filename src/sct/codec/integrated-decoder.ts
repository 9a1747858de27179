import { FormatError } from '../../common/errors.ts';
import { blankLost, LOST_DAMAGE } from '../correction/repair.ts';
import { decodePowerScale } from '../rate/power-scale.ts';
import { symbolRate } from '../rate/symbol-rate.ts';
import { CELL_PX, type GridPlane } from '../semantics/feature-map.ts';
import type { SemanticModels } from '../semantics/models.ts';
import { emptyPlanes, type ReceivedPlanes, receivedLength, type StreamFigures } from './analog-stream.ts';
import type { DecodedImage, DecodeOptions, ReceivedSource, ReceivedStream, SfvOutcome, SfvState } from './codec.ts';
import { decodeSfvScale, SFV_NOT_SENT } from './sfv-power.ts';
import { outage, Stopwatch, showReceived } from './shown-picture.ts';
import { type IntegratedSide, readSide } from './side-info.ts';
import { keptCount } from './side-selection.ts';
import { StreamUnpacker } from './stream-unpacker.ts';
import { cellsOfSfvs, MAX_STREAM_SYMBOLS } from './symbol-order.ts';

type AnalogStream = Extract<ReceivedStream, { kind: 'analog' }>;

/** Longest `received` planes that wait for their next picture, and how many: those of 1024 x 1024 pixels. */
const MOST_KEPT = receivedLength({ rows: 64, columns: 64 });
const MOST_SPARE = 2;

/** This thread's memory for what f_d is given: planes that no picture uses, and sums, which none needs for longer than a call. */
const spare: Float32Array[] = [];
const unpacker = new StreamUnpacker();

/**
 * The picture that came over the air. Side information that is missing or contradicts itself is an outage; a stream that contradicts
 * it counts as not received. Never throws for anything received.
 */
export async function decodeIntegrated(
  models: SemanticModels,
  { sideInfo, streams }: ReceivedSource,
  options: DecodeOptions,
): Promise<DecodedImage> {
  const side = readSide(sideInfo, 'integrated', models.tables);
  if (typeof side === 'string') return outage(side);
  const watch = new Stopwatch();
  const grid = { rows: side.partition.rows, columns: side.partition.columns };
  const plane = (data: Float32Array): GridPlane => ({ ...grid, data });
  const planes = emptyPlanes(grid, spareOf(receivedLength(grid)));
  const { damage } = planes;
  const { figures, scores, faults } = await watch.time('streams', () => place(side, streams, models, planes));
  const decoded = await watch.time('symbolDecoder', () =>
    models.decodeSymbols(
      planes.received,
      decodePowerScale(side.powerCode),
      side.classMap,
      plane(planes.symbols),
      plane(planes.snrDb),
      side,
    ),
  );
  if (planes.received.length <= MOST_KEPT && spare.length < MOST_SPARE) spare.push(planes.received);
  const blank = blankLost(decoded, damage, side.classMap, models.tables);
  const came = figures.map((f) => f !== undefined);
  const shown = await showReceived(models, side, { ...blank, damage, came, scores }, options, faults, watch);

  const sfvs = outcomes(side, figures, damage, options.correction ?? true);
  const whole = sfvs.every((s) => !s.sent || s.damage === 0);
  const arrived = came.includes(true);
  return {
    ...shown,
    decodable: arrived,
    complete: arrived && whole,
    mask: { cellPx: CELL_PX, ...grid, damage },
    note: noteOf(sfvs, arrived, faults),
    sfvs,
    partition: side.partition,
    timingsMs: watch.timingsMs,
  };
}

/** Memory of this length that no picture uses. */
function spareOf(length: number): Float32Array {
  const at = spare.findIndex((buffer) => buffer.length === length);
  return at < 0 ? new Float32Array(length) : spare.splice(at, 1)[0];
}

/** The streams in the planes that f_d takes. */
function place(
  side: IntegratedSide,
  streams: readonly ReceivedStream[],
  models: SemanticModels,
  planes: ReceivedPlanes,
) {
  const { partition, classMap, sfvScales } = side;
  const cells = cellsOfSfvs(partition.sfvOf, partition.sfvs.length);
  const figures: (StreamFigures | undefined)[] = partition.sfvs.map(() => undefined);
  const scores: (number | undefined)[] = partition.sfvs.map(() => undefined);
  const faults: string[] = [];
  const seen = new Set<number>();
  for (const stream of streams) {
    try {
      const analog = checkStream(stream, side, seen);
      if (!analog) continue;
      const { id } = analog;
      scores[id] = analog.score;
      const classes = cells[id].map((at) => classMap.data[at]);
      const budget = analog.snrDb.length;
      const k = symbolRate({ classes, thetaLevel: side.thetaLevel, budget }, models.tables);
      if (k.every((v) => v === 0)) throw new FormatError('streams', `${budget} symbols carry nothing of SFV ${id}`);
      const sfv = { cells: cells[id], classes, k };
      const came = unpacker.unpack(analog, sfv, decodeSfvScale(sfvScales[id]), planes);
      if (came.arrived > 0) figures[id] = came;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      faults.push(error.message);
    }
  }
  for (const { id } of partition.sfvs) {
    if (figures[id]) continue;
    for (const at of cells[id]) {
      planes.damage[at] = 1;
      planes.symbols[at] = 0;
    }
  }
  return { figures, scores, faults };
}

/**
 * A stream that fits the side information; undefined for one that is only padding.
 *
 * @throws FormatError `streams` when it belongs to no SFV, stands twice, is of the wrong kind or has no sensible length
 */
export function checkStream(stream: ReceivedStream, side: IntegratedSide, seen: Set<number>): AnalogStream | undefined {
  const { id } = stream;
  const all = side.partition.sfvs.length;
  const count = side.selection ? keptCount(side.selection) : all;
  if (!Number.isInteger(id) || id < 0 || id >= count) {
    const kept = count < all ? ` and ${count} are kept` : '';
    throw new FormatError('streams', `stream ${id} belongs to no SFV, there are ${all}${kept}`);
  }
  if (seen.has(id)) throw new FormatError('streams', `stream ${id} stands twice`);
  seen.add(id);
  if (stream.kind !== 'analog') throw new FormatError('streams', `stream ${id} has coded bits, SFVs are analog`);
  const n = stream.snrDb.length;
  if (n < 1 || n > MAX_STREAM_SYMBOLS || stream.symbolsReIm.length !== 2 * n) {
    throw new FormatError('streams', `stream ${id} has ${stream.symbolsReIm.length} numbers for ${n} symbols`);
  }
  return side.sfvScales[id] === SFV_NOT_SENT ? undefined : stream;
}

function outcomes(
  { partition, sfvScales }: IntegratedSide,
  figures: readonly (StreamFigures | undefined)[],
  damage: Float32Array,
  correction: boolean,
): SfvOutcome[] {
  const sums = new Float64Array(partition.sfvs.length);
  damage.forEach((d, at) => {
    sums[partition.sfvOf[at]] += d;
  });
  return partition.sfvs.map(({ id, label, cells }) => {
    const came = figures[id];
    const mean = sums[id] / cells;
    let state: SfvState = 'received';
    if (!came || mean >= LOST_DAMAGE) state = correction ? 'synthesised' : 'lost';
    else if (mean > 0 && correction) state = 'repaired';
    const sent = sfvScales[id] !== SFV_NOT_SENT;
    return { id, label, cells, state, sent, symbols: came?.arrived ?? 0, snrDb: came?.snrDb ?? null, damage: mean };
  });
}

function noteOf(sfvs: readonly SfvOutcome[], arrived: boolean, faults: readonly string[]): string | undefined {
  const parts: string[] = [];
  if (!arrived) parts.push('nothing but the side information arrived: the picture is made up from labels');
  else {
    const lost = sfvs.filter((s) => s.sent && (s.state === 'synthesised' || s.state === 'lost')).length;
    const hurt = sfvs.filter((s) => s.damage > 0).length - sfvs.filter((s) => !s.sent).length - lost;
    if (lost > 0) parts.push(`${lost} of ${sfvs.length} SFVs did not arrive`);
    if (hurt > 0) parts.push(`${hurt} arrived in part`);
  }
  if (faults.length > 0)
    parts.push(`refused: ${faults[0]}${faults.length > 1 ? ` and ${faults.length - 1} more` : ''}`);
  return parts.length > 0 ? parts.join('; ') : undefined;
}
