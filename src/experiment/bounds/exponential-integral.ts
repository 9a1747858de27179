const EULER_GAMMA = 0.5772156649015329;

/**
 * exp(x) E1(x) for x > 0, E1(x) = integral from x of exp(-t) / t dt [Abramowitz64] 5.1: the power series 5.1.11 up to 1, the continued fraction
 * 5.1.22 (modified Lentz) above. 14 digits; without the factor it would underflow at x = 745.
 */
export function scaledE1(x: number): number {
  if (!(x > 0)) throw new RangeError(`E1 of ${x}: allowed above 0`);
  if (x <= 1) {
    let term = 1;
    let sum = 0;
    for (let k = 1; k < 60 && Math.abs(term) > 1e-18; k++) {
      term *= -x / k;
      sum -= term / k;
    }
    return Math.exp(x) * (-EULER_GAMMA - Math.log(x) + sum);
  }
  // 1/(x + 1 - 1/(x + 3 - 4/(x + 5 - ...)))
  let b = x + 1;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 500; i++) {
    const a = -i * i;
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    const delta = c * d;
    h *= delta;
    if (Math.abs(delta - 1) < 1e-16) break;
  }
  return h;
}
