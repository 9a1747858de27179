import { UsageError } from '../../common/errors.ts';
import { BASE_GRAPH_1_TEXT } from './ldpc-base-graph-1.ts';
import { BASE_GRAPH_2_TEXT } from './ldpc-base-graph-2.ts';

/** 1 for long blocks and high rates, 2 for short blocks and low rates (TS 38.212 §6.2.2). */
export type BaseGraphId = 1 | 2;

/** One base graph with all eight shift sets (TS 38.212 tables 5.3.2-2 and 5.3.2-3). */
export interface BaseGraph {
  readonly id: BaseGraphId;
  readonly rows: number;
  readonly columns: number;
  /** Systematic columns: 22 or 10. */
  readonly infoColumns: number;
  readonly edges: number;
  /** First edge of each row, then the number of edges: Int32Array [rows + 1]. */
  readonly rowStart: Int32Array;
  /** Column of each edge, ascending inside a row: Uint8Array [edges]. */
  readonly edgeColumn: Uint8Array;
  /** Shift values V: Uint16Array [edges][8 sets]. */
  readonly shifts: Uint16Array;
}

/**
 * The quasi-cyclic parity-check matrix of one base graph and lifting size. Check z of base row i meets variable
 * (z + shift) mod Z of base column j. The first 2Z variables are never sent, so N = (columns - 2) Z.
 */
export interface LdpcCode {
  readonly graph: BaseGraph;
  readonly baseGraph: BaseGraphId;
  /** Lifting size Z. */
  readonly z: number;
  readonly rows: number;
  readonly columns: number;
  /** Information bits K (with fillers): infoColumns x Z. */
  readonly k: number;
  /** Coded bits N of TS 38.212 §5.3.2: (columns - 2) x Z. */
  readonly n: number;
  readonly rowStart: Int32Array;
  readonly edgeColumn: Uint8Array;
  /** Shift of each edge, already modulo Z: Uint16Array [edges]. */
  readonly edgeShift: Uint16Array;
}

function parseGraph(id: BaseGraphId, text: string, columns: number, infoColumns: number): BaseGraph {
  const lines = text.trim().split('\n');
  const rowStart = new Int32Array(lines.length + 1);
  const column: number[] = [];
  const shifts: number[] = [];
  lines.forEach((line, row) => {
    for (const edge of line.split(' ')) {
      const [c, values] = edge.split(':');
      column.push(Number(c));
      for (const v of values.split(',')) shifts.push(Number(v));
    }
    rowStart[row + 1] = column.length;
  });
  return {
    id,
    rows: lines.length,
    columns,
    infoColumns,
    edges: column.length,
    rowStart,
    edgeColumn: Uint8Array.from(column),
    shifts: Uint16Array.from(shifts),
  };
}

let graph1: BaseGraph | undefined;
let graph2: BaseGraph | undefined;

/** The base graph of that number, parsed once. */
export function baseGraph(id: BaseGraphId): BaseGraph {
  if (id === 1) return (graph1 ??= parseGraph(1, BASE_GRAPH_1_TEXT, 68, 22));
  return (graph2 ??= parseGraph(2, BASE_GRAPH_2_TEXT, 52, 10));
}

/** The a of Z = a 2^j for the sets iLS = 0..7 (TS 38.212 table 5.3.2-1). */
const SET_ROOTS = [2, 3, 5, 7, 9, 11, 13, 15];

/** All 51 lifting sizes, ascending (TS 38.212 table 5.3.2-1). */
export const LIFTING_SIZES: readonly number[] = SET_ROOTS.flatMap((a) => {
  const sizes: number[] = [];
  for (let z = a; z <= 384; z *= 2) sizes.push(z);
  return sizes;
}).sort((x, y) => x - y);

/** Set index iLS of a lifting size, or -1 if there is no such size (TS 38.212 table 5.3.2-1). */
export function liftingSet(z: number): number {
  if (!Number.isInteger(z) || z < 2 || z > 384) return -1;
  for (let i = 0; i < 8; i++) {
    let size = SET_ROOTS[i];
    while (size < z) size *= 2;
    if (size === z) return i;
  }
  return -1;
}

const codes = new Map<number, LdpcCode>();

/**
 * The LDPC code of a base graph and lifting size, made once and kept (at most 102 of them exist).
 *
 * TS 38.212 §5.3.2: shift = V(iLS) mod Z. A lifting size outside table 5.3.2-1 is a UsageError.
 */
export function ldpcCode(id: BaseGraphId, z: number): LdpcCode {
  const key = 1000 * id + z;
  const known = codes.get(key);
  if (known) return known;
  if (id !== 1 && id !== 2) throw new UsageError(`base graph ${id} does not exist: allowed 1 and 2`);
  const set = liftingSet(z);
  if (set < 0) throw new UsageError(`lifting size ${z} does not exist: allowed ${LIFTING_SIZES.join(', ')}`);
  const graph = baseGraph(id);
  const edgeShift = new Uint16Array(graph.edges);
  for (let e = 0; e < graph.edges; e++) edgeShift[e] = graph.shifts[8 * e + set] % z;
  const code: LdpcCode = {
    graph,
    baseGraph: id,
    z,
    rows: graph.rows,
    columns: graph.columns,
    k: graph.infoColumns * z,
    n: (graph.columns - 2) * z,
    rowStart: graph.rowStart,
    edgeColumn: graph.edgeColumn,
    edgeShift,
  };
  codes.set(key, code);
  return code;
}
