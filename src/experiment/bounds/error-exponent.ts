import { inRange, UsageError } from '../../common/errors.ts';
import { requireLength } from './limits.ts';

const MAX_ALPHABET = 64;

export interface Exponent {
  /** Error probability of the best code of length n is at most 2^(-n exponentBits). */
  readonly exponentBits: number;
  /** rho in [0, 1] that gives it; 1 below the critical rate. */
  readonly rho: number;
  readonly capacityBits: number;
  readonly criticalRateBits: number;
}

/**
 * Random-coding exponent E_r(R) = max over 0 <= rho <= 1 of E_0(rho) - rho R [Gallager65], for a concave E_0 with E_0(0) = 0 in nats: its derivative
 * falls, so rho comes by bisection. Above the critical rate the exponent is tight, and above capacity it is 0.
 *
 * @param e0 Gallager's function, nats
 * @param rateBits bits per channel use
 */
export function randomCodingExponent(e0: (rho: number) => number, rateBits: number): Exponent {
  inRange('rate', rateBits, 0, 1e6, 'bit');
  const rate = rateBits * Math.LN2;
  const slope = (rho: number) => derivative(e0, rho);
  const capacityBits = slope(0) / Math.LN2;
  const criticalRateBits = slope(1) / Math.LN2;
  let low = 0;
  let high = 1;
  if (slope(1) >= rate) low = 1;
  else if (slope(0) <= rate) high = 0;
  else {
    for (let i = 0; i < 60; i++) {
      const mid = (low + high) / 2;
      if (slope(mid) > rate) low = mid;
      else high = mid;
    }
  }
  const rho = high === 0 ? 0 : low;
  // E_0(0) is 0, and what quadrature makes of it is not.
  const exponent = rho === 0 ? 0 : Math.max(0, e0(rho) - rho * rate);
  return { exponentBits: exponent / Math.LN2, rho, capacityBits, criticalRateBits };
}

/** Five-point derivative; one-sided at the ends, so that e0 is never asked outside 0 to 1. */
function derivative(e0: (rho: number) => number, rho: number): number {
  const h = 1e-3;
  const at = Math.min(1 - 2 * h, Math.max(2 * h, rho));
  if (at === rho) return (e0(at - 2 * h) - 8 * e0(at - h) + 8 * e0(at + h) - e0(at + 2 * h)) / (12 * h);
  const d = rho < at ? h : -h;
  const f = (i: number) => e0(rho + i * d);
  return (-25 * f(0) + 48 * f(1) - 36 * f(2) + 16 * f(3) - 3 * f(4)) / (12 * d);
}

/**
 * E_0 of a discrete memoryless channel with input distribution q: -ln sum over y of (sum over x of q(x) P(y|x)^(1/(1+rho)))^(1+rho).
 *
 * @param channel P(y|x), [x][y]
 * @param q default uniform, which is best for symmetric channels
 */
export function e0Discrete(channel: readonly (readonly number[])[], q?: readonly number[]): (rho: number) => number {
  requireLength('channel inputs', channel, 1, MAX_ALPHABET);
  const outputs = requireLength('channel[0]', channel[0], 1, MAX_ALPHABET).length;
  const input = q ?? channel.map(() => 1 / channel.length);
  if (input.length !== channel.length)
    throw new UsageError(`input has ${input.length} elements: ${channel.length} needed`);
  for (const [name, row] of [...channel.map((r, x) => [`channel[${x}]`, r] as const), ['input', input] as const]) {
    if (name !== 'input' && row.length !== outputs)
      throw new UsageError(`${name} has ${row.length} elements: ${outputs} needed`);
    row.forEach((v, i) => {
      inRange(`${name}[${i}]`, v, 0, 1);
    });
    const total = row.reduce((a, b) => a + b, 0);
    if (Math.abs(total - 1) > 1e-9) throw new UsageError(`${name} adds up to ${total}: probabilities add up to 1`);
  }
  return (rho) => {
    let total = 0;
    for (let y = 0; y < outputs; y++) {
      const inner = channel.reduce((sum, row, x) => sum + input[x] * row[y] ** (1 / (1 + rho)), 0);
      total += inner ** (1 + rho);
    }
    return -Math.log(total);
  };
}

/** Complex AWGN with Gaussian input: E_0 = rho ln(1 + snr / (1 + rho)). Without the power constraint on every code word it is not the best. */
export function e0AwgnGaussian(snr: number): (rho: number) => number {
  return (rho) => rho * Math.log1p(snr / (1 + rho));
}

/**
 * Exponent of the complex AWGN channel with code words of equal power ([Gallager68] §7.4, eq. 7.4.33 and below), in closed form. Two real uses
 * of SNR A = snr each make a complex one. With beta = e^(2R), R in nats per real use, between critical rate and capacity
 *
 *   E = A/(4 beta) [(beta + 1) - (beta - 1) q] + 1/2 ln(beta - A (beta - 1)/2 (q - 1)),   q = sqrt(1 + 4 beta / (A (beta - 1))),
 *
 * below it E = 1 - beta + A/2 + 1/2 ln(beta - A/2) + 1/2 ln(beta) - R with beta = (1 + A/2 + sqrt(1 + A^2/4)) / 2. Both are computed in forms without
 * differences of nearly equal numbers, which at 60 dB would leave three digits: with q - 1 = z / (q + 1), z = 4 beta / (A (beta - 1)), the first is
 * A/(2 beta) - 1/(1 + q) + R + 1/2 ln(z / (1 + q)^2).
 */
export function awgnExponent(snr: number, rateBits: number): Exponent {
  inRange('rate', rateBits, 0, 1e6, 'bit');
  const a = snr;
  const r = (rateBits * Math.LN2) / 2;
  const root = Math.sqrt(1 + (a * a) / 4);
  const capacity = 0.5 * Math.log1p(a);
  const critical = 0.5 * Math.log(0.5 + a / 4 + root / 2);
  const perUse = (e: number) => (2 * Math.max(0, e)) / Math.LN2;
  const rates = { capacityBits: (2 * capacity) / Math.LN2, criticalRateBits: (2 * critical) / Math.LN2 };
  if (r >= capacity) return { exponentBits: 0, rho: 0, ...rates };
  if (r <= critical) {
    const beta = (1 + a / 2 + root) / 2;
    const less = (1 + 1 / (root + a / 2)) / 2; // beta - A/2
    const e = a / (4 * beta) + 0.5 * Math.log(less * beta) - r;
    return { exponentBits: perUse(e), rho: 1, ...rates };
  }
  const beta = Math.exp(2 * r);
  const z = (4 * beta) / (a * Math.expm1(2 * r));
  const q = Math.sqrt(1 + z);
  const e = a / (2 * beta) - 1 / (1 + q) + r + 0.5 * Math.log(z / (1 + q) ** 2);
  const rho = (a / (2 * beta)) * (1 + q) - 1;
  return { exponentBits: perUse(e), rho: Math.min(1, Math.max(0, rho)), ...rates };
}

/** Nodes of the midpoint rule over g = tan-like map; the integrand is smooth and falls exponentially. */
const FADING_NODES = 400;

/**
 * Rayleigh fading, new at every symbol and known to the receiver, Gaussian input: E_0 = -ln E[(1 + snr g / (1 + rho))^-rho], g exponential
 * [Ericson70]. No elementary closed form: integrated with u = exp(-g) replaced by a double exponential rule.
 */
export function e0Rayleigh(snr: number): (rho: number) => number {
  const h = 8 / FADING_NODES;
  const nodes = Array.from({ length: FADING_NODES + 1 }, (_, i) => {
    // g = exp(t - exp(-t)), t from -4 to 4: both ends of the half line at double exponential speed.
    const t = -4 + i * h;
    const g = Math.exp(t - Math.exp(-t));
    return { g, weight: h * g * (1 + Math.exp(-t)) * Math.exp(-g) };
  });
  return (rho) => {
    let mean = 0;
    for (const { g, weight } of nodes) mean += weight * (1 + (snr * g) / (1 + rho)) ** -rho;
    return -Math.log(mean);
  };
}
