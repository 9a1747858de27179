/**
 * Cyclic shifts of Z-bit blocks, 32 bits at a time: a block is stored twice in a row (bit j at word j >> 5, bit
 * j & 31), so that its rotation by s is a plain funnel shift that starts at bit s.
 */

/** Words that one result block of z bits needs. */
export function blockWords(z: number): number {
  return (z + 31) >> 5;
}

/** Words that one doubled block of z bits needs, with room for reads past its end. */
export function doubledWords(z: number): number {
  return ((z + 31) >> 5) + ((z + 31) >> 5) + 2;
}

/** Packs bits[from..from+z) (0 or 1 an element) into the doubled block at words[at..at+doubledWords(z)). */
export function packDoubled(bits: Uint8Array, from: number, z: number, words: Int32Array, at: number): void {
  const whole = z >> 5;
  let p = from;
  for (let i = 0; i < whole; i++) {
    let w = 0;
    for (let k = 31; k >= 0; k--) w = (w << 1) | bits[p + k];
    words[at + i] = w;
    p += 32;
  }
  const rest = z & 31;
  if (rest > 0) {
    let w = 0;
    for (let k = rest - 1; k >= 0; k--) w = (w << 1) | bits[p + k];
    words[at + whole] = w;
  }
  doubleBlock(z, words, at);
}

/** Appends to the z bits at words[at..] their own copy, starting at bit z. Bits past z must be zero. */
export function doubleBlock(z: number, words: Int32Array, at: number): void {
  const n = blockWords(z);
  const whole = z >> 5;
  const offset = z & 31;
  for (let i = at + n; i < at + doubledWords(z); i++) words[i] = 0;
  if (offset === 0) {
    for (let i = 0; i < n; i++) words[at + whole + i] = words[at + i];
    return;
  }
  // The block's own tail word also receives the first copied bits, above its own: the mask gives the tail back.
  for (let i = 0; i < n; i++) {
    const w = i === whole ? words[at + i] & ((1 << offset) - 1) : words[at + i];
    words[at + whole + i] |= w << offset;
    words[at + whole + i + 1] |= w >>> (32 - offset);
  }
}

/** target[t..] ^= block at words[at..] rotated left by shift (0 <= shift < z): target bit j ^= bit (j + shift) mod z. */
export function xorRotated(
  target: Int32Array,
  t: number,
  words: Int32Array,
  at: number,
  shift: number,
  n: number,
): void {
  let p = at + (shift >> 5);
  const right = shift & 31;
  if (right === 0) {
    for (let i = 0; i < n; i++) target[t + i] ^= words[p + i];
    return;
  }
  const left = 32 - right;
  let low = words[p];
  for (let i = 0; i < n; i++) {
    const high = words[++p];
    target[t + i] ^= (low >>> right) | (high << left);
    low = high;
  }
}

/** Clears the bits past z in the last word of a result block. */
export function maskTail(z: number, words: Int32Array, at: number): void {
  const rest = z & 31;
  if (rest > 0) words[at + (z >> 5)] &= (1 << rest) - 1;
}

/** Writes the z bits at words[at..] one an element to bits[to..to+z). */
export function unpackBlock(words: Int32Array, at: number, z: number, bits: Uint8Array, to: number): void {
  for (let j = 0; j < z; j += 32) {
    let w = words[at + (j >> 5)];
    const end = to + (z - j < 32 ? z - j : 32);
    for (; to < end; to++) {
      bits[to] = w & 1;
      w >>>= 1;
    }
  }
}
