/**
 * Seeded random streams. One experiment has one seed; every stage forks its own stream by name, so that adding a
 * stage never shifts the numbers another stage draws.
 *
 * Generator: xoshiro128** 1.1 [Blackman & Vigna 2018], seeded through splitmix32; period 2^128 - 1.
 */
export class RandomStream {
  private a = 0;
  private b = 0;
  private c = 0;
  private d = 0;
  private spare = Number.NaN;
  private readonly seedText: string;

  constructor(seed: number | string) {
    this.seedText = String(seed);
    let h = hash32(this.seedText);
    const next = () => {
      h = (h + 0x9e3779b9) | 0;
      let t = h ^ (h >>> 16);
      t = Math.imul(t, 0x21f0aaad);
      t ^= t >>> 15;
      t = Math.imul(t, 0x735a2d97);
      return t ^ (t >>> 15);
    };
    this.a = next();
    this.b = next();
    this.c = next();
    this.d = next();
    if ((this.a | this.b | this.c | this.d) === 0) this.a = 1;
  }

  /** An independent stream for one named stage. */
  fork(name: string): RandomStream {
    return new RandomStream(`${this.seedText}/${name}`);
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const b = this.b;
    let r = Math.imul(b, 5);
    r = Math.imul((r << 7) | (r >>> 25), 9);
    const t = b << 9;
    this.c ^= this.a;
    this.d ^= b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return r >>> 0;
  }

  /** Uniform in [0, 1) with 32 bits of resolution. */
  uniform(): number {
    return this.uint32() * 2.3283064365386963e-10;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Uniform integer in [0, n), without modulo bias for n < 2^32. */
  integer(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let v = this.uint32();
    while (v >= limit) v = this.uint32();
    return v % n;
  }

  /** Standard normal deviate (polar Box-Muller; the second value of each pair is kept). */
  normal(): number {
    if (!Number.isNaN(this.spare)) {
      const s = this.spare;
      this.spare = Number.NaN;
      return s;
    }
    let u: number;
    let v: number;
    let q: number;
    do {
      u = this.uint32() * 4.656612873077393e-10 - 1;
      v = this.uint32() * 4.656612873077393e-10 - 1;
      q = u * u + v * v;
    } while (q >= 1 || q === 0);
    const f = Math.sqrt((-2 * Math.log(q)) / q);
    this.spare = v * f;
    return u * f;
  }

  /**
   * Adds circular complex Gaussian noise of the given variance E|n|^2 to interleaved re, im samples: the same numbers
   * as from `normal`, drawn pair by pair with the generator's state in local variables.
   */
  addComplexNoise(reIm: Float32Array, variance: number, from = 0, to = reIm.length): void {
    const sigma = Math.sqrt(variance / 2);
    let i = from;
    if (i < to && !Number.isNaN(this.spare)) reIm[i++] += sigma * this.normal();
    let { a, b, c, d } = this;
    for (; i + 1 < to; i += 2) {
      let u: number;
      let v: number;
      let q: number;
      do {
        let r = Math.imul(b, 5);
        r = Math.imul((r << 7) | (r >>> 25), 9);
        let t = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = (d << 11) | (d >>> 21);
        u = (r >>> 0) * 4.656612873077393e-10 - 1;
        r = Math.imul(b, 5);
        r = Math.imul((r << 7) | (r >>> 25), 9);
        t = b << 9;
        c ^= a;
        d ^= b;
        b ^= c;
        a ^= d;
        c ^= t;
        d = (d << 11) | (d >>> 21);
        v = (r >>> 0) * 4.656612873077393e-10 - 1;
        q = u * u + v * v;
      } while (q >= 1 || q === 0);
      const f = Math.sqrt((-2 * Math.log(q)) / q);
      reIm[i] += sigma * (u * f);
      reIm[i + 1] += sigma * (v * f);
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
    if (i < to) reIm[i] += sigma * this.normal();
  }

  /** Writes the generator's state to `state` [4] for a kernel that draws whole pairs; false where half a pair of `normal` is left, and nothing is written. */
  save(state: Uint32Array): boolean {
    if (!Number.isNaN(this.spare)) return false;
    state[0] = this.a;
    state[1] = this.b;
    state[2] = this.c;
    state[3] = this.d;
    return true;
  }

  /** Goes on from a state [4] that was saved, and moved on. */
  restore(state: Uint32Array): void {
    this.a = state[0] | 0;
    this.b = state[1] | 0;
    this.c = state[2] | 0;
    this.d = state[3] | 0;
  }

  bytes(n: number): Uint8Array {
    const out = new Uint8Array(n);
    for (let i = 0; i < n; i++) out[i] = this.uint32() >>> 24;
    return out;
  }

  /** In-place Fisher-Yates shuffle. */
  shuffle<T extends { length: number; [i: number]: number }>(array: T): T {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const t = array[i];
      array[i] = array[j];
      array[j] = t;
    }
    return array;
  }
}

/** 32-bit FNV-1a with a final avalanche; only for seeding. */
function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  return h | 0;
}
