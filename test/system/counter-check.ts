/** A place where samples are missing in a received counter. */
export interface Jump {
  /** Samples before it in the file. */
  readonly atSample: number;
  /** Samples missing, modulo 65 536. */
  readonly missing: number;
}

/**
 * Where a capture of `rxCounter` (sample n is the bytes n mod 256, n / 256 mod 256) jumps.
 *
 * @param bytes [sample][low, high]
 */
export function jumpsOf(bytes: Uint8Array): Jump[] {
  const jumps: Jump[] = [];
  let expected = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const value = bytes[at] | (bytes[at + 1] << 8);
    if (value !== expected) jumps.push({ atSample: at / 2, missing: (value - expected) & 0xffff });
    expected = (value + 1) & 0xffff;
  }
  return jumps;
}
