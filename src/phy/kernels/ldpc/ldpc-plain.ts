import type { LdpcCode } from '../../fec/ldpc-code.ts';
import { quantiseLlr } from '../../fec/llr-quantiser.ts';
import type { LdpcDecoderKernel } from './ldpc-kernel.ts';

/** Variable index of every edge: Uint16Array in the order base row, check z, edge of the row. */
function variableTable(code: LdpcCode): Uint16Array {
  const { rowStart, edgeColumn, edgeShift, rows, z } = code;
  const table = new Uint16Array(rowStart[rows] * z);
  for (let r = 0; r < rows; r++) {
    const first = rowStart[r];
    const degree = rowStart[r + 1] - first;
    for (let e = 0; e < degree; e++) {
      const base = edgeColumn[first + e] * z;
      let shifted = edgeShift[first + e];
      for (let i = 0; i < z; i++) {
        table[first * z + i * degree + e] = base + shifted;
        if (++shifted === z) shifted = 0;
      }
    }
  }
  return table;
}

const tables = new WeakMap<LdpcCode, Uint16Array>();

const EMPTY = new Uint16Array(0);

/**
 * The kernel in plain TypeScript, the reference of the others: one check at a time, its messages in a row, branch-free
 * minima.
 */
export class PlainLdpcKernel implements LdpcDecoderKernel {
  readonly name = 'typescript';
  private code: LdpcCode | undefined;
  private variables: Uint16Array = EMPTY;
  private readonly rows = new Uint8Array(46);
  private rowCount = 0;
  private readonly app = new Int8Array(68 * 384);
  /** Check-to-variable messages in the order of `variables`. */
  private readonly messages = new Int8Array(316 * 384);
  /** Messages to one check: Int32Array [largest degree 19], rounded up. */
  private readonly incoming = new Int32Array(32);

  load(code: LdpcCode, soft: Float32Array, heard: Uint8Array, reach = code.n): void {
    let variables = tables.get(code);
    if (!variables) {
      variables = variableTable(code);
      tables.set(code, variables);
    }
    this.code = code;
    this.variables = variables;
    const { app } = this;
    const { columns, n, z } = code;
    app.fill(0, 0, 2 * z);
    quantiseLlr(soft, app, 0, reach, 2 * z);
    app.fill(0, 2 * z + reach, 2 * z + n);
    for (let c = 0; c < columns; c++) {
      heard[c] = 0;
      for (let i = c * z, end = i + z; i < end && heard[c] === 0; i++) if (app[i] !== 0) heard[c] = 1;
    }
  }

  start(infoBits: number, rows: Uint8Array, rowCount: number, limits: Uint8Array): void {
    const { app } = this;
    const { columns, k, z } = this.code!;
    for (let c = 0; c < columns; c++) {
      const limit = limits[c];
      for (let i = c * z, end = i + z; i < end; i++) {
        if (app[i] > limit) app[i] = limit;
        else if (app[i] < -limit) app[i] = -limit;
      }
    }
    app.fill(127, infoBits, k);
    this.rows.set(rows.subarray(0, rowCount));
    this.rowCount = rowCount;
    this.messages.fill(0, 0, this.variables.length);
  }

  iterate(): void {
    const { rowStart, z } = this.code!;
    for (let i = 0; i < this.rowCount; i++) {
      const r = this.rows[i];
      this.updateRow(rowStart[r] * z, rowStart[r + 1] - rowStart[r], z);
    }
  }

  private updateRow(from: number, degree: number, z: number): void {
    const { variables, app, messages, incoming } = this;
    for (let k = from, end = from + degree * z; k < end; k += degree) {
      let min1 = 42;
      let min2 = 42;
      let sign = 0;
      for (let e = 0; e < degree; e++) {
        let v = app[variables[k + e]] - messages[k + e];
        if (v > 127) v = 127;
        else if (v < -128) v = -128;
        incoming[e] = v;
        sign ^= v;
        const negative = v >> 31;
        const m = (v ^ negative) - negative;
        // min2 = min(min2, max(min1, m)); min1 = min(min1, m)
        const d = m - min1;
        const below = d >> 31;
        const u = min1 + (d & ~below) - min2;
        min1 += d & below;
        min2 += u & (u >> 31);
      }
      const scaled1 = min1 - ((min1 + 3) >> 2);
      const scaled2 = min2 - ((min2 + 3) >> 2);
      for (let e = 0; e < degree; e++) {
        const v = incoming[e];
        const negative = v >> 31;
        const magnitude = (v ^ negative) - negative === min1 ? scaled2 : scaled1;
        const flip = (sign ^ v) >> 31;
        const c = (magnitude ^ flip) - flip;
        messages[k + e] = c;
        let a = v + c;
        if (a > 127) a = 127;
        else if (a < -128) a = -128;
        app[variables[k + e]] = a;
      }
    }
  }

  parityHolds(): boolean {
    const { variables, app } = this;
    const { rowStart, z, k: infoBits } = this.code!;
    for (let i = 0; i < this.rowCount; i++) {
      const r = this.rows[i];
      const degree = rowStart[r + 1] - rowStart[r];
      const end = rowStart[r + 1] * z;
      for (let k = rowStart[r] * z; k < end; k += degree) {
        let sign = 0;
        for (let e = 0; e < degree; e++) sign ^= app[variables[k + e]];
        if (sign < 0) return false;
      }
    }
    for (let i = 0; i < infoBits; i++) if (app[i] === 0) return false;
    return true;
  }

  hardDecisions(bits: Uint8Array, count: number): void {
    const { app } = this;
    for (let i = 0; i < count; i++) bits[i] = (app[i] >> 7) & 1;
  }
}
