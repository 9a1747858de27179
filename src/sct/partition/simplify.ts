import { LabelBits, type LatticeLooks, looksOf } from './label-bits.ts';
import type { LabelSpace } from './label-map-code.ts';
import { SPACES } from './label-map-code.ts';

/** What a cell costs when it takes a label; [label of the space][cell], units of 1/16 of a wrong grid cell. */
export interface LabelCosts {
  readonly rows: number;
  readonly columns: number;
  readonly space: LabelSpace;
  readonly data: Uint16Array;
}

const SWEEPS = 8;
/** Regions above this many cells are never given another label as a whole. */
const MAX_REGION = 40;

/**
 * The label map that is cheapest in bits and wrong cells together: minimises bits(map) + rate x wrong cells by giving cells
 * and small regions the label of a neighbour while that helps (iterated conditional modes [Besag86], the bits from the
 * static counts of the label model). Whole numbers in a fixed order: every machine makes the same map.
 *
 * @param start labels to begin with; [row][column]; not changed
 * @param bitsPerCell what a wrong grid cell is worth, bits
 */
export function simplifyLabels(costs: LabelCosts, start: Uint8Array, bitsPerCell: number): Uint8Array {
  const map = new Simplifier(costs, start, bitsPerCell);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const changed = map.sweepCells() + map.sweepRegions();
    if (changed === 0) break;
  }
  return map.labels;
}

const STATIC_BITS = { street: new LabelBits('street'), codebook: new LabelBits('codebook') } as const;

/**
 * How far a choice looks: at the bits of cells up to 2 rows below, 1 column left and 2 right, and each of them looks 2 rows up, 2 columns
 * left and 1 right.
 */
const REACH_ROWS = 2;
const REACH_COLUMNS = 3;

/** Working memory of a map, used again by the next: so many numbers for each cell. */
const PARTS = 7;
let memory = new Uint32Array(0);
/** Labels around a cell or a region. */
const around = new Uint8Array(256);

function workingMemory(cells: number): Uint32Array[] {
  if (memory.length < PARTS * cells) memory = new Uint32Array(PARTS * cells);
  memory.fill(0, 0, PARTS * cells);
  return Array.from({ length: PARTS }, (_, part) => memory.subarray(part * cells, (part + 1) * cells));
}

/** One map at a time. */
class Simplifier {
  readonly labels: Uint8Array;
  private regionsNoted = 0;
  /** Counts changes of labels. */
  private clock = 1;
  /** The clock at the last change within reach of a cell, and at the last choice for it, alone and as the first of its region. */
  private readonly touched: Uint32Array;
  private readonly chosen: Uint32Array;
  private readonly regionChosen: Uint32Array;
  private readonly costs: LabelCosts;
  private readonly first: number;
  private readonly weight: number; // bits x 256 for each unit of cost
  private readonly bits: LabelBits;
  private readonly looks: LatticeLooks;
  /** Cells of a region; cells whose bits its label changes, and the last region that each of them was noted for. */
  private readonly region: Uint32Array;
  private readonly lookers: Uint32Array;
  private readonly notedFor: Uint32Array;
  private readonly seen: Uint32Array;
  /** Of the region. */
  private labelsAround = 0;

  constructor(costs: LabelCosts, start: Uint8Array, bitsPerCell: number) {
    this.costs = costs;
    this.labels = start.slice();
    const parts = workingMemory(start.length);
    [this.touched, this.chosen, this.regionChosen, this.region, this.lookers, this.notedFor, this.seen] = parts;
    this.touched.fill(1);
    this.first = SPACES[costs.space].first;
    this.weight = Math.round((256 * bitsPerCell) / 16);
    this.bits = STATIC_BITS[costs.space];
    this.looks = looksOf(costs.rows, costs.columns);
  }

  private costOf(at: number, label: number): number {
    return this.weight * this.costs.data[(label - this.first) * this.labels.length + at];
  }

  /** A label has changed: what looks at it must be chosen again. */
  private touch(at: number): void {
    const { rows, columns } = this.costs;
    const [row, column] = [Math.floor(at / columns), at % columns];
    const bottom = Math.min(rows - 1, row + REACH_ROWS);
    const left = Math.max(0, column - REACH_COLUMNS);
    const right = Math.min(columns - 1, column + REACH_COLUMNS);
    this.clock++;
    for (let r = Math.max(0, row - REACH_ROWS); r <= bottom; r++) {
      this.touched.fill(this.clock, r * columns + left, r * columns + right + 1);
    }
  }

  /**
   * What a cell costs with a label, and the bits of all that look at it: what its label does not change is left out. Bits are never
   * below 0, so once it is no less than `limit` the rest does not matter.
   */
  private costWith(at: number, label: number, limit = Number.POSITIVE_INFINITY): number {
    const { labels, looks, bits } = this;
    const { lookers, lookersFrom } = looks;
    const own = labels[at];
    labels[at] = label;
    let cost = this.costOf(at, label);
    for (let i = lookersFrom[at]; i < lookersFrom[at + 1] && cost < limit; i++)
      cost += bits.of(labels, looks, lookers[i]);
    labels[at] = own;
    return cost;
  }

  /**
   * Each cell takes the best label among its own and its eight neighbours'. One within whose reach nothing has changed since it was
   * chosen would be chosen again. Returns the number of changes.
   */
  sweepCells(): number {
    const { rows, columns } = this.costs;
    const { labels, touched, chosen } = this;
    const tried = around;
    let changed = 0;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const at = r * columns + c;
        if (touched[at] <= chosen[at]) continue;
        chosen[at] = this.clock;
        const own = labels[at];
        let count = 0;
        let best = own;
        let bestCost = -1;
        for (let nr = Math.max(0, r - 1); nr <= Math.min(rows - 1, r + 1); nr++) {
          for (let nc = Math.max(0, c - 1); nc <= Math.min(columns - 1, c + 1); nc++) {
            const label = labels[nr * columns + nc];
            if (label === own || has(tried, count, label)) continue;
            tried[count++] = label;
            if (bestCost < 0) bestCost = this.costWith(at, own);
            const cost = this.costWith(at, label, bestCost);
            if (cost < bestCost) {
              best = label;
              bestCost = cost;
            }
          }
        }
        if (best !== own) {
          labels[at] = best;
          this.touch(at);
          changed++;
        }
      }
    }
    return changed;
  }

  /** Each small region, as a whole, takes the best label among those around it. Returns the number of changes. */
  sweepRegions(): number {
    const { labels, region, seen } = this;
    seen.fill(0);
    let changed = 0;
    for (let start = 0; start < labels.length; start++) {
      if (seen[start]) continue;
      const own = labels[start];
      const count = this.regionFrom(start);
      if (count > MAX_REGION || !this.touchedSince(this.regionChosen[start], count)) continue;
      this.regionChosen[start] = this.clock;
      const looking = this.lookersOfRegion(count);
      let best = own;
      let bestCost = this.regionCostWith(own, count, looking);
      for (let i = 0; i < this.labelsAround; i++) {
        const cost = this.regionCostWith(around[i], count, looking, bestCost);
        if (cost < bestCost) {
          best = around[i];
          bestCost = cost;
        }
      }
      for (let i = 0; i < count; i++) labels[region[i]] = best;
      if (best === own) continue;
      for (let i = 0; i < count; i++) this.touch(region[i]);
      changed++;
    }
    return changed;
  }

  /** Puts the cells of the region of `start` into `region` and the labels around it into `around`; returns how many cells. */
  private regionFrom(start: number): number {
    const { rows, columns } = this.costs;
    const { region } = this;
    region[0] = start;
    this.seen[start] = 1;
    this.labelsAround = 0;
    let count = 1;
    for (let i = 0; i < count; i++) {
      const at = region[i];
      const column = at % columns;
      if (at >= columns) count = this.visit(at - columns, count);
      if (column > 0) count = this.visit(at - 1, count);
      if (column + 1 < columns) count = this.visit(at + 1, count);
      if (at + columns < rows * columns) count = this.visit(at + columns, count);
    }
    return count;
  }

  /** A neighbour of the region joins it, or its label is one of those around. */
  private visit(to: number, count: number): number {
    const { labels, region, seen } = this;
    if (labels[to] !== labels[region[0]]) {
      if (!has(around, this.labelsAround, labels[to])) around[this.labelsAround++] = labels[to];
      return count;
    }
    if (seen[to]) return count;
    seen[to] = 1;
    region[count] = to;
    return count + 1;
  }

  /** Puts the cells whose bits the region's label changes into `lookers`; returns how many. */
  private lookersOfRegion(count: number): number {
    const { region, lookers, notedFor, looks } = this;
    const mark = ++this.regionsNoted;
    let looking = 0;
    for (let i = 0; i < count; i++) {
      for (let j = looks.lookersFrom[region[i]]; j < looks.lookersFrom[region[i] + 1]; j++) {
        const cell = looks.lookers[j];
        if (notedFor[cell] === mark) continue;
        notedFor[cell] = mark;
        lookers[looking++] = cell;
      }
    }
    return looking;
  }

  /** As costWith, of the whole region, whose cells keep the label. */
  private regionCostWith(label: number, count: number, looking: number, limit = Number.POSITIVE_INFINITY): number {
    const { labels, region, lookers, looks, bits } = this;
    let cost = 0;
    for (let i = 0; i < count; i++) {
      labels[region[i]] = label;
      cost += this.costOf(region[i], label);
    }
    for (let i = 0; i < looking && cost < limit; i++) cost += bits.of(labels, looks, lookers[i]);
    return cost;
  }

  /** Whether anything within reach of the region's box has changed since. */
  private touchedSince(since: number, count: number): boolean {
    const { rows, columns } = this.costs;
    let [top, bottom, left, right] = [rows, 0, columns, 0];
    for (let i = 0; i < count; i++) {
      const [r, c] = [Math.floor(this.region[i] / columns), this.region[i] % columns];
      [top, bottom] = [Math.min(top, r), Math.max(bottom, r)];
      [left, right] = [Math.min(left, c), Math.max(right, c)];
    }
    for (let r = top; r <= bottom; r++) {
      for (let at = r * columns + left; at <= r * columns + right; at++) if (this.touched[at] > since) return true;
    }
    return false;
  }
}

function has(labels: Uint8Array, count: number, label: number): boolean {
  for (let i = 0; i < count; i++) if (labels[i] === label) return true;
  return false;
}
