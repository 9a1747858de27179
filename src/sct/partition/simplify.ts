import type { LabelSpace } from './label-map-code.ts';
import { SPACES } from './label-map-code.ts';
import { flagContext, LabelCounts, lookAround, newNeighbourhood } from './label-model.ts';

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

/** Bits by the static counts, x 256. */
class StaticBits {
  private readonly yes: Int32Array;
  private readonly no: Int32Array;
  private readonly named: number;
  private readonly around = newNeighbourhood();

  constructor(space: LabelSpace) {
    const counts = new LabelCounts(space);
    const bits = (part: number, whole: number) => Math.round(256 * Math.log2(whole / part));
    this.yes = Int32Array.from(counts.yes, (y, i) => bits(y, y + counts.no[i]));
    this.no = Int32Array.from(counts.no, (n, i) => bits(n, n + counts.yes[i]));
    this.named = Math.round(256 * Math.log2(SPACES[space].count));
  }

  of(labels: Uint8Array, columns: number, row: number, column: number): number {
    const around = this.around;
    lookAround(labels, columns, row, column, around);
    const label = labels[row * columns + column];
    let bits = 0;
    for (let i = 0; i < around.count; i++) {
      const context = flagContext(around, i);
      if (around.candidates[i] === label) return bits + this.yes[context];
      bits += this.no[context];
    }
    return bits + this.named;
  }
}

const STATIC_BITS = { street: new StaticBits('street'), codebook: new StaticBits('codebook') } as const;

/**
 * How far a choice looks: the bits of a box (boxBits) are those of cells up to 2 rows below, 1 column left and 2 right of it, and each of
 * them looks 2 rows up, 2 columns left and 1 right.
 */
const REACH_ROWS = 2;
const REACH_COLUMNS = 3;

class Simplifier {
  readonly labels: Uint8Array;
  /** Counts changes of labels. */
  private clock = 1;
  /** The clock at the last change within reach of a cell, and at the last choice for it, alone and as the first of its region. */
  private readonly touched: Uint32Array;
  private readonly chosen: Uint32Array;
  private readonly regionChosen: Uint32Array;
  private readonly costs: LabelCosts;
  private readonly first: number;
  private readonly weight: number; // bits x 256 for each unit of cost
  private readonly bits: StaticBits;

  constructor(costs: LabelCosts, start: Uint8Array, bitsPerCell: number) {
    this.costs = costs;
    this.labels = start.slice();
    this.touched = new Uint32Array(start.length).fill(1);
    this.chosen = new Uint32Array(start.length);
    this.regionChosen = new Uint32Array(start.length);
    this.first = SPACES[costs.space].first;
    this.weight = Math.round((256 * bitsPerCell) / 16);
    this.bits = STATIC_BITS[costs.space];
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

  /** Bits of the cells of a box and of all that look at them. */
  private boxBits(top: number, left: number, bottom: number, right: number): number {
    const { rows, columns } = this.costs;
    let sum = 0;
    for (let r = top; r <= Math.min(rows - 1, bottom + 2); r++) {
      const to = Math.min(columns - 1, right + 2);
      for (let c = Math.max(0, left - 1); c <= to; c++) sum += this.bits.of(this.labels, columns, r, c);
    }
    return sum;
  }

  /**
   * Each cell takes the best label among its own and its eight neighbours'. One within whose reach nothing has changed since it was
   * chosen would be chosen again. Returns the number of changes.
   */
  sweepCells(): number {
    const { rows, columns } = this.costs;
    const { labels, touched, chosen } = this;
    const tried: number[] = [];
    let changed = 0;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const at = r * columns + c;
        if (touched[at] <= chosen[at]) continue;
        chosen[at] = this.clock;
        const own = labels[at];
        tried.length = 0;
        let best = own;
        let bestCost = -1;
        for (let nr = Math.max(0, r - 1); nr <= Math.min(rows - 1, r + 1); nr++) {
          for (let nc = Math.max(0, c - 1); nc <= Math.min(columns - 1, c + 1); nc++) {
            const label = labels[nr * columns + nc];
            if (label === own || tried.includes(label)) continue;
            tried.push(label);
            if (bestCost < 0) bestCost = this.costOf(at, own) + this.boxBits(r, c, r, c);
            labels[at] = label;
            const cost = this.costOf(at, label) + this.boxBits(r, c, r, c);
            labels[at] = own;
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
    const { rows, columns } = this.costs;
    const { labels } = this;
    const seen = new Uint8Array(labels.length);
    let changed = 0;
    for (let start = 0; start < labels.length; start++) {
      if (seen[start]) continue;
      const own = labels[start];
      const cells = [start];
      const around: number[] = [];
      seen[start] = 1;
      let [top, bottom, left, right] = [rows, 0, columns, 0];
      for (let i = 0; i < cells.length; i++) {
        const at = cells[i];
        const [r, c] = [Math.floor(at / columns), at % columns];
        [top, bottom] = [Math.min(top, r), Math.max(bottom, r)];
        [left, right] = [Math.min(left, c), Math.max(right, c)];
        for (const to of [
          r > 0 ? at - columns : -1,
          c > 0 ? at - 1 : -1,
          c + 1 < columns ? at + 1 : -1,
          r + 1 < rows ? at + columns : -1,
        ]) {
          if (to < 0) continue;
          if (labels[to] !== own) {
            if (!around.includes(labels[to])) around.push(labels[to]);
          } else if (!seen[to]) {
            seen[to] = 1;
            cells.push(to);
          }
        }
      }
      if (cells.length > MAX_REGION || !this.touchedSince(this.regionChosen[start], top, left, bottom, right)) continue;
      this.regionChosen[start] = this.clock;
      const costWith = (label: number) => {
        let cost = 0;
        for (const at of cells) {
          labels[at] = label;
          cost += this.costOf(at, label);
        }
        return cost + this.boxBits(top, left, bottom, right);
      };
      let best = own;
      let bestCost = costWith(own);
      for (const label of around) {
        const cost = costWith(label);
        if (cost < bestCost) {
          best = label;
          bestCost = cost;
        }
      }
      for (const at of cells) labels[at] = best;
      if (best === own) continue;
      for (const at of cells) this.touch(at);
      changed++;
    }
    return changed;
  }

  /** Whether anything within reach of a box has changed since. */
  private touchedSince(since: number, top: number, left: number, bottom: number, right: number): boolean {
    const { columns } = this.costs;
    for (let r = top; r <= bottom; r++) {
      for (let at = r * columns + left; at <= r * columns + right; at++) if (this.touched[at] > since) return true;
    }
    return false;
  }
}
