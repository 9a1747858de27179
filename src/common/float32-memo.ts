const SLOT_BITS = 10;

const value = new Float32Array(1);
const word = new Uint32Array(value.buffer);

/**
 * A function of single-precision numbers that remembers what it gave for some thousand of them: for long arrays of few different values, whose
 * logarithms or powers take most of the time. The same result as without.
 */
export class Float32Memo {
  private readonly of: (x: number) => number;
  /** Number that a slot remembers, as its bits, and what the function gives for it. */
  private readonly keys = new Uint32Array(1 << SLOT_BITS);
  private readonly results = new Float64Array(1 << SLOT_BITS);

  /** @param of always the same for the same number */
  constructor(of: (x: number) => number) {
    this.of = of;
    this.results.fill(of(0));
  }

  /** of(x); x is a number of single precision. */
  at(x: number): number {
    value[0] = x;
    const key = word[0];
    const slot = Math.imul(key, 0x9e3779b1) >>> (32 - SLOT_BITS); // Fibonacci hashing
    if (this.keys[slot] !== key) {
      this.keys[slot] = key;
      this.results[slot] = this.of(x);
    }
    return this.results[slot];
  }
}
