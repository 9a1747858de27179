// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of LDPC encoding, made into ../ldpc-encode-wasm-binary.ts by
// `npm run build:kernels`. ../ldpc-encode-kernel.ts says what it computes, ../ldpc-encode-wasm.ts calls it.
//
// One bit a byte, sixteen a vector. A column holds its Z bits twice in a row, so that a shift by s < Z is a plain unaligned read
// from s on; what lanes past Z compute is overwritten or never read.

/** Systematic and core parity columns, u8 [infoColumns + 4][stride] */
export const COLUMNS: usize = 1024;
/** Sums of the four core rows over the systematic columns, and their total. u8 [5][stride] */
const SUMS: usize = 22528;
/** Parity of all rows, u8 [rows][Z], and a vector more */
export const PARITY: usize = 27648;
/** Number of sources, then the address of each: four core rows' systematic ones, three core rows' parities, later rows. u32 */
export const TABLE: usize = 45568;

/** Bytes from one column to the next. */
export function stride(z: usize): usize {
  return (2 * z + 31) & ~15;
}

/** Sum of the sources named at `task` and of what stands at `to` already if `more`; returns the next task. */
function sum(task: usize, to: usize, z: usize, more: bool): usize {
  const first = task + 4;
  const end = first + 4 * <usize>load<u32>(task);
  for (let j: usize = 0; j < z; j += 16) {
    let bits = more ? v128.load(to + j) : i8x16.splat(0);
    for (let at = first; at < end; at += 4) bits = v128.xor(bits, v128.load(<usize>load<u32>(at) + j));
    v128.store(to + j, bits);
  }
  return end;
}

/** Makes the second copies of all systematic columns. */
export function double(columns: usize, z: usize): void {
  let column = COLUMNS;
  for (let c: usize = 0; c < columns; c++, column += stride(z)) memory.copy(column + z, column, z);
}

/** Parity of the first `rows` rows; the first parity column stands in the sum of the core rows shifted by coreShift. */
export function encode(infoColumns: usize, z: usize, rows: i32, coreShift: usize): void {
  const step = stride(z);
  let task = TABLE;
  const total = SUMS + 4 * step;
  memory.fill(total, 0, step);
  for (let r: usize = 0; r < 4; r++) {
    const row = SUMS + r * step;
    task = sum(task, row, z, false);
    for (let j: usize = 0; j < z; j += 16) v128.store(total + j, v128.xor(v128.load(total + j), v128.load(row + j)));
  }
  memory.copy(total + z, total, z);
  let column = COLUMNS + infoColumns * step;
  memory.copy(column, total + (coreShift === 0 ? 0 : z - coreShift), z);
  memory.copy(column + z, column, z);
  memory.copy(PARITY, column, z);
  let parity = PARITY + z;
  for (let r: usize = 0; r < 3; r++, parity += z) {
    const row = SUMS + r * step;
    task = sum(task, row, z, true);
    column += step;
    memory.copy(column, row, z);
    memory.copy(column + z, column, z);
    memory.copy(parity, column, z);
  }
  for (let r = 4; r < rows; r++, parity += z) task = sum(task, parity, z, false);
}
