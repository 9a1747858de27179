import { inRange, UsageError } from '../../common/errors.ts';
import type { ClassMap, GridShape } from '../semantics/feature-map.ts';
import {
  type CodedMap,
  DEFAULT_SFVS,
  decodeMap,
  encodeMap,
  type LabelSpace,
  latticeScale,
  MAX_SFVS,
  SPACES,
} from './label-map-code.ts';
import { paintLattice } from './paint.ts';
import { connectedRegions, groupRegions } from './regions.ts';
import { type LabelCosts, simplifyLabels } from './simplify.ts';

/** One semantic feature vector: the cells of an object. */
export interface Sfv {
  readonly id: number; // index in Partition.sfvs
  readonly label: number; // 0..42
  readonly cells: number;
}

/** Which SFV every cell of the grid belongs to; transmitter and receiver hold the same one. */
export interface Partition extends GridShape {
  readonly space: LabelSpace;
  readonly labels: Uint8Array; // [row][column], 0..42
  readonly sfvOf: Uint8Array; // [row][column], index in sfvs
  readonly sfvs: readonly Sfv[]; // 1..255
  /** As it is sent, without CRC and length. */
  readonly bytes: Uint8Array;
}

export interface PartitionOptions {
  /** Most SFVs, 1..255; default 32. */
  readonly maxSfvs?: number;
  /** Least share of the cells that keep their raw label where the lattice allows it, 0..1; default 0.95. */
  readonly agreement?: number;
  /** Bits that one more cell with its raw label is worth, before `agreement` asks for more; default 2. */
  readonly bitsPerCell?: number;
  /** Colours of the clusters, [32][r, g, b]: a wrong cluster of a similar colour is a little less wrong. */
  readonly clusterColours?: Uint8Array;
}

/** A partition made at the transmitter, and how far it is from the labels it was made of. */
export interface AdoptedPartition {
  readonly partition: Partition;
  /** Share of the cells whose label is the raw one. */
  readonly agreement: number;
}

/** Each try values a cell this much more; on a coarse lattice more bits soon bring nothing, so tries end earlier. */
const STEP = 1.2;
const MAX_BITS_PER_CELL = { fine: 60, coarse: 5 } as const;

/**
 * Simplifies a label map, writes it, and adopts what the receiver will read.
 *
 * The form is not a list of polygons: on a grid this coarse a boundary edge coded in the context of its neighbours costs
 * about a bit, a polygon's vertex some nine (docs/adr/0006). It stays independent of resolution all the same: labels
 * are sent on a lattice of at most 2048 cells, each `latticeScale` grid cells wide and high, and painted onto the grid
 * (paint.ts). Labels are simplified first (simplify.ts) for as long as `agreement` holds.
 *
 * @param raw 0..10 everywhere, or 11..42 everywhere
 * @throws UsageError for an option or a label out of range
 */
export function adoptPartition(raw: ClassMap, options: PartitionOptions = {}): AdoptedPartition {
  const maxSfvs = wholeInRange('SFVs', options.maxSfvs ?? DEFAULT_SFVS, 1, MAX_SFVS);
  const wanted = inRange('agreement', options.agreement ?? 0.95, 0, 1);
  let bitsPerCell = inRange('bits a cell', options.bitsPerCell ?? 2, 0.1, 100);
  const { rows, columns } = raw;
  const scale = latticeScale(rows, columns);
  const space = spaceOf(raw);
  const { costs, start } = costsOf(raw, space, scale, options.clusterColours);
  let labels = start;
  let agreement = 0;
  const most = scale === 1 ? MAX_BITS_PER_CELL.fine : MAX_BITS_PER_CELL.coarse;
  for (;;) {
    labels = fewerLabels(simplifyLabels(costs, start, bitsPerCell), costs, maxSfvs);
    agreement = agreementOf(raw, paintLattice(labels, scale, rows, columns));
    if (agreement >= wanted || bitsPerCell > most) break;
    bitsPerCell *= STEP;
  }
  const bytes = encodeMap({ space, maxSfvs, scale, labels }, columns);
  return { partition: fromMap({ space, maxSfvs, scale, labels }, rows, columns, bytes), agreement };
}

/**
 * The partition in bytes from the air. Any bytes give a complete partition of the grid: whether they are the right ones
 * is for the CRC around them to say.
 *
 * @throws UsageError when the grid is not 1x1 to 512x512 cells
 */
export function decodePartition(bytes: Uint8Array, { rows, columns }: GridShape): Partition {
  return fromMap(decodeMap(bytes, rows, columns), rows, columns, bytes);
}

function fromMap(map: CodedMap, rows: number, columns: number, bytes: Uint8Array): Partition {
  const labels = paintLattice(map.labels, map.scale, rows, columns);
  const regions = connectedRegions(labels, rows, columns);
  const sfvOfRegion = groupRegions(regions, rows, columns, map.maxSfvs);
  const sfvs: { id: number; label: number; cells: number }[] = [];
  sfvOfRegion.forEach((id, region) => {
    sfvs[id] ??= { id, label: regions.labels[region], cells: 0 };
    sfvs[id].cells += regions.cells[region];
  });
  const sfvOf = new Uint8Array(regions.regionOf.length);
  for (let at = 0; at < sfvOf.length; at++) sfvOf[at] = sfvOfRegion[regions.regionOf[at]];
  return { rows, columns, space: map.space, labels, sfvOf, sfvs, bytes };
}

function agreementOf(raw: ClassMap, labels: Uint8Array): number {
  let same = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === raw.data[i]) same++;
  return same / labels.length;
}

function spaceOf(raw: ClassMap): LabelSpace {
  if (raw.data.length !== raw.rows * raw.columns) {
    throw new UsageError(`label map of ${raw.rows}x${raw.columns} cells has ${raw.data.length} labels`);
  }
  const space: LabelSpace = raw.data[0] < SPACES.codebook.first ? 'street' : 'codebook';
  const { first, count } = SPACES[space];
  for (const label of raw.data) {
    if (label < first || label >= first + count) {
      throw new UsageError(
        `label ${label} is out of range: allowed ${first} to ${first + count - 1} beside the others`,
      );
    }
  }
  return space;
}

/** Costs stand here until the next partition is made. */
let costRoom = new Uint16Array(0);

/** Cost of each label in each lattice cell, 16 for each grid cell that would be wrong (12 at the nearest colour). */
function costsOf(
  raw: ClassMap,
  space: LabelSpace,
  scale: number,
  colours: Uint8Array | undefined,
): { costs: LabelCosts; start: Uint8Array } {
  const { first, count } = SPACES[space];
  const rows = Math.ceil(raw.rows / scale);
  const columns = Math.ceil(raw.columns / scale);
  const cells = rows * columns;
  if (costRoom.length < count * cells) costRoom = new Uint16Array(count * cells);
  const data = costRoom.subarray(0, count * cells).fill(0);
  const wrong = wrongness(count, space === 'codebook' ? colours : undefined);
  for (let at = 0; at < raw.data.length; at++) {
    const r = Math.floor(Math.floor(at / raw.columns) / scale);
    const cell = r * columns + Math.floor((at % raw.columns) / scale);
    const label = raw.data[at] - first;
    for (let l = 0; l < count; l++) data[l * cells + cell] += wrong[label * count + l];
  }
  const start = new Uint8Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    let best = 0;
    for (let l = 1; l < count; l++) if (data[l * cells + cell] < data[best * cells + cell]) best = l;
    start[cell] = best + first;
  }
  return { costs: { rows, columns, space, data }, start };
}

/** 0 for the label itself, else 12..16 by distance of the colours; [label][other]. */
function wrongness(count: number, colours: Uint8Array | undefined): Uint8Array {
  const out = new Uint8Array(count * count).fill(16);
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      if (a === b) out[a * count + b] = 0;
      else if (colours) {
        let distance = 0;
        for (let c = 0; c < 3; c++) distance += Math.abs(colours[3 * a + c] - colours[3 * b + c]);
        out[a * count + b] = 12 + Math.min(4, Math.floor(distance / 32));
      }
    }
  }
  return out;
}

/** At most `maxSfvs` labels: the rarest takes, cell by cell, the cheapest of the others until they are few enough. */
function fewerLabels(labels: Uint8Array, costs: LabelCosts, maxSfvs: number): Uint8Array {
  const { first, count } = SPACES[costs.space];
  if (maxSfvs >= count) return labels;
  const cells = new Array<number>(count).fill(0);
  for (const label of labels) cells[label - first]++;
  let present = Array.from(cells.keys()).filter((l) => cells[l] > 0);
  present.sort((a, b) => cells[b] - cells[a] || a - b);
  if (present.length <= maxSfvs) return labels;
  present = present.slice(0, maxSfvs);
  return labels.map((label, at) => {
    if (present.includes(label - first)) return label;
    let best = present[0];
    for (const l of present) if (costs.data[l * labels.length + at] < costs.data[best * labels.length + at]) best = l;
    return best + first;
  });
}

function wholeInRange(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value))
    throw new UsageError(`${name} ${value} is not a whole number: allowed ${min} to ${max}`);
  return inRange(name, value, min, max);
}
