// AssemblyScript, not TypeScript: complex numbers in double precision, for the kernels that turn carriers (ofdm.ts, equalise-turns.ts).

/** Real part of a product, of two side by side. */
export function timesRe(aRe: v128, aIm: v128, bRe: v128, bIm: v128): v128 {
  return f64x2.sub(f64x2.mul(aRe, bRe), f64x2.mul(aIm, bIm));
}

export function timesIm(aRe: v128, aIm: v128, bRe: v128, bIm: v128): v128 {
  return f64x2.add(f64x2.mul(aRe, bIm), f64x2.mul(aIm, bRe));
}

/**
 * exp(i x) of two angles to an address: x less its quarter turns, then polynomials of degree 13 and 14, exact to some 1e-15 for x
 * of a few turns. It takes long, but not for the one before: so those of several symbols come one after the other.
 */
export function turnsOf(x: v128, to: usize): void {
  const quarters = f64x2.nearest(f64x2.mul(x, f64x2.splat(0.6366197723675814)));
  const rough = f64x2.sub(x, f64x2.mul(quarters, f64x2.splat(1.5707963267948966)));
  const r = f64x2.sub(rough, f64x2.mul(quarters, f64x2.splat(6.123233995736766e-17)));
  const z = f64x2.mul(r, r);
  let sin = f64x2.add(f64x2.splat(-2.505210838544172e-8), f64x2.mul(z, f64x2.splat(1.6059043836821613e-10)));
  sin = f64x2.add(f64x2.splat(2.7557319223985893e-6), f64x2.mul(z, sin));
  sin = f64x2.add(f64x2.splat(-1.984126984126984e-4), f64x2.mul(z, sin));
  sin = f64x2.add(f64x2.splat(8.333333333333333e-3), f64x2.mul(z, sin));
  sin = f64x2.add(f64x2.splat(-0.16666666666666666), f64x2.mul(z, sin));
  sin = f64x2.add(r, f64x2.mul(f64x2.mul(r, z), sin));
  let cos = f64x2.add(f64x2.splat(2.08767569878681e-9), f64x2.mul(z, f64x2.splat(-1.1470745597729725e-11)));
  cos = f64x2.add(f64x2.splat(-2.755731922398589e-7), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(2.48015873015873e-5), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(-1.388888888888889e-3), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(4.1666666666666664e-2), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(-0.5), f64x2.mul(z, cos));
  cos = f64x2.add(f64x2.splat(1), f64x2.mul(z, cos));
  // Of both numbers of quarter turns the last two bits, at the top of a lane of 64.
  const whole = i32x4.trunc_sat_f64x2_s_zero(quarters);
  const count = v128.shuffle<i32>(whole, whole, 0, 0, 1, 1);
  const top = i64x2.splat(0x8000000000000000);
  const odd = i32x4.shr_s(i32x4.shl(count, 31), 31);
  const re = v128.bitselect(sin, cos, odd);
  const im = v128.bitselect(cos, sin, odd);
  const reSign = v128.and(i32x4.shl(i32x4.add(count, i32x4.splat(1)), 30), top);
  const imSign = v128.and(i32x4.shl(count, 30), top);
  v128.store(to, v128.xor(re, reSign));
  v128.store(to, v128.xor(im, imSign), 16);
}
