// AssemblyScript, not TypeScript: part of the WebAssembly kernel of the Fourier transform, fft.ts.
//
// How points come into vectors and out of them. Two types stand for the directions: forward is signed.

/** Real and imaginary part of four points times the four [re x 4, im x 4] at an address. */
export function turnedReal(re: v128, im: v128, by: usize): v128 {
  return f32x4.sub(f32x4.mul(re, v128.load(by)), f32x4.mul(im, v128.load(by, 16)));
}

export function turnedImag(re: v128, im: v128, by: usize): v128 {
  return f32x4.add(f32x4.mul(re, v128.load(by, 16)), f32x4.mul(im, v128.load(by)));
}

/** Every other float of two vectors [re, im]. */
export function real<Direction>(a: v128, b: v128): v128 {
  if (isSigned<Direction>()) return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
  return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
}

export function imag<Direction>(a: v128, b: v128): v128 {
  if (isSigned<Direction>()) return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
}

/** Four vectors, one a result r = 0..3 of four butterflies, to a vector of the four results of each. */
export function storeTransposed(y: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(y, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(y, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 32);
  v128.store(y, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5), 64);
  v128.store(y, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7), 96);
}

/** Four points as [re, im]. */
export function storeJoined<Direction>(y: usize, re: v128, im: v128): void {
  if (isSigned<Direction>()) {
    v128.store(y, v128.shuffle<f32>(re, im, 0, 4, 1, 5));
    v128.store(y, v128.shuffle<f32>(re, im, 2, 6, 3, 7), 16);
  } else {
    v128.store(y, v128.shuffle<f32>(re, im, 4, 0, 5, 1));
    v128.store(y, v128.shuffle<f32>(re, im, 6, 2, 7, 3), 16);
  }
}
