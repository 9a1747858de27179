// AssemblyScript, not TypeScript: WebAssembly SIMD kernel of LDPC decoding, made into ../ldpc-wasm-binary.ts by
// `npm run build:kernels`. ../ldpc-kernel.ts says what it computes, ../ldpc-wasm.ts calls it.
//
// Layout. Sixteen checks of one base row go side by side in the lanes of a vector, two vectors a turn. A column of the
// base graph holds its Z values (APP) twice in a row, so that a shift by s < Z is a plain unaligned read from s on and no
// index ever wraps. A row writes [s, s + Z) of each of its columns, and these are then the right ones. `follow` copies what
// the next row to read the column needs besides; `rejoin` makes both copies equal. Lanes past the last check compute
// rubbish from whatever they read: it lands only where these write or nobody looks.
// Messages lie in the order in which they are used: [row][32 checks][edge][check].

/** 1 for each base column with a channel value that is not 0. u8 [columns] */
export const HEARD: usize = 4096;
/** Largest channel magnitude of each base column. u8 [columns] */
export const LIMITS: usize = 4224;
/** i8 [columns][2 Z + slack] */
export const APP: usize = 8192;
/** Hard decisions. u8 [columns x Z] */
export const BITS: usize = 65536;
/** Check-to-variable messages. i8, at most 316 edges x 384 */
export const MESSAGES: usize = 92160;
/** Soft buffer: LLRs of the columns from the third on. f32 [N] */
export const SOFT: usize = 213504;
/**
 * Rows in use: degree, then (address of the column + shift, shift, shift of the row that uses the column next, the first
 * following the last) of each edge. u32
 */
export const TABLE: usize = 315392;
/** Columns of these rows: number, then (address, shift of the first row that uses it) of each. u32 */
export const COLUMNS: usize = 319488;

/** MASKS + 16 n: a vector whose first n lanes are all ones, n = 0..16. */
const MASKS: usize = 4352;
/** Messages to the checks of one turn: i8 [edge of the row][32]. */
const INCOMING: usize = 4736;

/** Bytes from one base column to the next: two copies and what a turn may read and write behind them. */
export function stride(z: usize): usize {
  return (2 * z + 47) & ~15;
}

export function makeMasks(): void {
  for (let n: usize = 0; n <= 16; n++) {
    for (let lane: usize = 0; lane < 16; lane++) store<u8>(MASKS + 16 * n + lane, lane < n ? 0xff : 0);
  }
}

/** Ones in the lanes below n; all for n >= 16. */
function firstLanes(n: usize): v128 {
  return v128.load(MASKS + 16 * min<usize>(n, 16));
}

/** 1.5 x 2^23: added to a small float it leaves the nearest integer (of two the even one) in the last bits of the sum. */
const ROUNDING: f32 = 12582912;

/**
 * Four LLRs to integers: floor(x scale + 1/2), clipped, NaN to 0. Exact: what a rounded number differs from itself has no
 * rounding error, and a half that went down to the even integer goes up again.
 */
function quantise4(from: usize, scale: v128, clip: v128): v128 {
  // pmin and pmax give their first argument when a NaN is compared.
  const x = f32x4.pmax(f32x4.pmin(f32x4.mul(v128.load(from), scale), clip), f32x4.neg(clip));
  const rounding = f32x4.splat(ROUNDING);
  const sum = f32x4.add(x, rounding);
  const up = f32x4.ge(f32x4.sub(x, f32x4.sub(sum, rounding)), f32x4.splat(0.5));
  const q = i32x4.sub(i32x4.sub(sum, rounding), up);
  return v128.and(q, f32x4.eq(x, x));
}

/** Whether `z` LLRs, rounded up to 16, are all 0; what stands behind them may say no although they are. */
function silent(from: usize, z: usize): bool {
  let any = i8x16.splat(0);
  for (const end = from + 4 * z; from < end; from += 64) {
    const low = v128.or(v128.load(from), v128.load(from, 16));
    any = v128.or(any, v128.or(low, v128.or(v128.load(from, 32), v128.load(from, 48))));
  }
  return !v128.any_true(any);
}

/** Soft buffer to the first copy of every column; the first two columns and those from `sent` on were not sent. Fills HEARD. */
export function quantise(columns: i32, sent: i32, z: usize, scale: f32, clip: f32): void {
  const scales = f32x4.splat(scale);
  const clips = f32x4.splat(clip);
  const step = stride(z);
  memory.fill(APP, 0, 2 * step);
  store<u16>(HEARD, 0);
  let from = SOFT;
  let column = APP + 2 * step;
  for (let c = 2; c < columns; c++, from += 4 * z, column += step) {
    if (c >= sent || silent(from, z)) {
      memory.fill(column, 0, (z + 15) & ~15);
      store<u8>(HEARD + c, 0);
      continue;
    }
    let any = i8x16.splat(0);
    for (let j: usize = 0; j < z; j += 16) {
      const f = from + 4 * j;
      const low = i16x8.narrow_i32x4_s(quantise4(f, scales, clips), quantise4(f + 16, scales, clips));
      const high = i16x8.narrow_i32x4_s(quantise4(f + 32, scales, clips), quantise4(f + 48, scales, clips));
      const q = i8x16.narrow_i16x8_s(low, high);
      v128.store(column + j, q);
      any = v128.or(any, v128.and(q, firstLanes(z - j)));
    }
    store<u8>(HEARD + c, v128.any_true(any) ? 1 : 0);
  }
}

/** Applies LIMITS, sets the fillers [infoBits, k), makes the second copies and clears the messages. */
export function start(columns: i32, z: usize, infoBits: usize, k: usize, edges: usize): void {
  const step = stride(z);
  let column = APP;
  for (let c = 0; c < columns; c++) {
    const limit = i8x16.splat(load<i8>(LIMITS + c));
    const least = i8x16.neg(limit);
    for (let j: usize = 0; j < z; j += 16) {
      v128.store(column + j, i8x16.max_s(least, i8x16.min_s(limit, v128.load(column + j))));
    }
    const at = c * z;
    const from = max<usize>(infoBits, at);
    const to = min<usize>(k, at + z);
    if (from < to) memory.fill(column + (from - at), 127, to - from);
    for (let j: usize = 0; j < z; j += 16) v128.store(column + z + j, v128.load(column + j));
    column += step;
  }
  memory.fill(MESSAGES, 0, edges * ((z + 31) & ~31));
  joined = true;
}

/** floor(0.75 m) of m = 0..42. */
function scaled(m: v128): v128 {
  const quarter = i16x8.shr_u(i8x16.add(m, i8x16.splat(3)), 2);
  return i8x16.sub(m, v128.and(quarter, i8x16.splat(0x3f)));
}

/** After [shift, shift + z) of a column was right, makes [next, next + z) right. */
function follow(column: usize, shift: usize, next: usize, z: usize): void {
  if (next > shift) {
    const end = column + next;
    for (let at = column + shift; at < end; at += 16) v128.store(at + z, v128.load(at));
  } else {
    // From the end on down: what is written beyond must not be right ones.
    const end = column + next;
    for (let at = column + shift; at > end; ) {
      at -= 16;
      v128.store(at, v128.load(at + z));
    }
  }
}

/** Both copies of all columns in use are equal. */
let joined = false;

/** Makes both copies of all columns in use equal. */
function rejoinAll(z: usize): void {
  if (joined) return;
  joined = true;
  let entry = COLUMNS + 4;
  for (const end = entry + 8 * <usize>load<u32>(COLUMNS); entry < end; entry += 8) {
    rejoin(load<u32>(entry), load<u32>(entry, 4), z);
  }
}

/** Makes both copies of a column equal after [shift, shift + z) was written. */
function rejoin(column: usize, shift: usize, z: usize): void {
  const copy = column + z;
  let j: usize = 0;
  for (; j + 16 <= shift; j += 16) v128.store(column + j, v128.load(copy + j));
  // Where this vector reaches over the first copy's end it holds what stands there already.
  const mixed = v128.bitselect(v128.load(copy + j), v128.load(column + j), firstLanes(shift - j));
  v128.store(column + j, mixed);
  v128.store(copy + j, mixed);
  for (j += 16; j < z; j += 16) v128.store(copy + j, v128.load(column + j));
}

/** One iteration over the rows of TABLE. */
export function iterate(rows: i32, z: usize): void {
  const top = i8x16.splat(42);
  const zero = i8x16.splat(0);
  joined = false;
  let message = MESSAGES;
  let row = TABLE;
  for (let r = 0; r < rows; r++) {
    const degree = <usize>load<u32>(row);
    row += 4;
    const end = INCOMING + 32 * degree;
    for (let b: usize = 0; b < z; b += 32) {
      let least = top;
      let second = top;
      let sign = zero;
      let least2 = top;
      let second2 = top;
      let sign2 = zero;
      let edge = row;
      let m = message;
      for (let v = INCOMING; v < end; v += 32) {
        const app = <usize>load<u32>(edge) + b;
        const x = i8x16.sub_sat_s(v128.load(app), v128.load(m));
        const y = i8x16.sub_sat_s(v128.load(app, 16), v128.load(m, 16));
        v128.store(v, x);
        v128.store(v, y, 16);
        sign = v128.xor(sign, x);
        sign2 = v128.xor(sign2, y);
        const ax = i8x16.abs(x);
        const ay = i8x16.abs(y);
        second = i8x16.min_u(second, i8x16.max_u(least, ax));
        second2 = i8x16.min_u(second2, i8x16.max_u(least2, ay));
        least = i8x16.min_u(least, ax);
        least2 = i8x16.min_u(least2, ay);
        m += 32;
        edge += 12;
      }
      const toOthers = scaled(least);
      const toOthers2 = scaled(least2);
      // What the least one gets differs from that by these bits.
      const toLeast = v128.xor(scaled(second), toOthers);
      const toLeast2 = v128.xor(scaled(second2), toOthers2);
      edge = row;
      m = message;
      for (let v = INCOMING; v < end; v += 32) {
        const app = <usize>load<u32>(edge) + b;
        const x = v128.load(v);
        const y = v128.load(v, 16);
        const gx = v128.xor(toOthers, v128.and(toLeast, i8x16.eq(i8x16.abs(x), least)));
        const gy = v128.xor(toOthers2, v128.and(toLeast2, i8x16.eq(i8x16.abs(y), least2)));
        // The sign by comparison: shifting bytes is slow on x86.
        const fx = i8x16.lt_s(v128.xor(sign, x), zero);
        const fy = i8x16.lt_s(v128.xor(sign2, y), zero);
        const cx = i8x16.sub(v128.xor(gx, fx), fx);
        const cy = i8x16.sub(v128.xor(gy, fy), fy);
        v128.store(m, cx);
        v128.store(m, cy, 16);
        v128.store(app, i8x16.add_sat_s(x, cx));
        v128.store(app, i8x16.add_sat_s(y, cy), 16);
        m += 32;
        edge += 12;
      }
      message = m;
    }
    for (let e: usize = 0; e < degree; e++) {
      const shift = <usize>load<u32>(row, 4);
      follow(<usize>load<u32>(row) - shift, shift, load<u32>(row, 8), z);
      row += 12;
    }
  }
}

/** Whether all checks of the row at an address hold. */
function rowHolds(row: usize, z: usize): bool {
  const end = row + 4 + 12 * <usize>load<u32>(row);
  for (let b: usize = 0; b < z; b += 16) {
    let sign = i8x16.splat(0);
    for (let edge = row + 4; edge < end; edge += 12) sign = v128.xor(sign, v128.load(<usize>load<u32>(edge) + b));
    if (i8x16.bitmask(v128.and(sign, firstLanes(z - b))) !== 0) return false;
  }
  return true;
}

/** 1 when every check of the rows holds and no APP of the first infoColumns columns is 0. */
export function parityHolds(rows: i32, z: usize, infoColumns: i32): i32 {
  const zero = i8x16.splat(0);
  let row = TABLE;
  // What the first row reads is right without joining: while errors are left, it mostly has some of them.
  if (!rowHolds(row, z)) return 0;
  rejoinAll(z);
  for (let r = 1; r < rows; r++) {
    row += 4 + 12 * <usize>load<u32>(row);
    if (!rowHolds(row, z)) return 0;
  }
  const step = stride(z);
  let column = APP;
  for (let c = 0; c < infoColumns; c++) {
    for (let j: usize = 0; j < z; j += 16) {
      if (v128.any_true(v128.and(i8x16.eq(v128.load(column + j), zero), firstLanes(z - j)))) return 0;
    }
    column += step;
  }
  return 1;
}

/** Hard decisions of the first columns to BITS, one a byte. */
export function hardDecisions(columns: i32, z: usize): void {
  rejoinAll(z);
  const zero = i8x16.splat(0);
  const one = i8x16.splat(1);
  const step = stride(z);
  let column = APP;
  let bits = BITS;
  for (let c = 0; c < columns; c++) {
    for (let j: usize = 0; j < z; j += 16) {
      v128.store(bits + j, v128.and(i8x16.lt_s(v128.load(column + j), zero), one));
    }
    column += step;
    bits += z;
  }
}
