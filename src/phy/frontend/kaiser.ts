/** Kaiser-window design of linear-phase filters and fractional delays. Source: [Kaiser74], [Oppenheim10] §7.5. */

/** sin(pi x) / (pi x). */
export function sinc(x: number): number {
  if (Math.abs(x) < 1e-9) return 1;
  const a = Math.PI * x;
  return Math.sin(a) / a;
}

/** Modified Bessel function of the first kind, order 0, by its power series (relative error < 1e-15 for x < 30). */
export function besselI0(x: number): number {
  const q = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 100 && term > 1e-17 * sum; k++) {
    term *= q / (k * k);
    sum += term;
  }
  return sum;
}

/** Window shape for a stop-band attenuation in dB. [Oppenheim10] eq. 7.75 */
export function kaiserBeta(attenuationDb: number): number {
  if (attenuationDb > 50) return 0.1102 * (attenuationDb - 8.7);
  if (attenuationDb >= 21) return 0.5842 * (attenuationDb - 21) ** 0.4 + 0.07886 * (attenuationDb - 21);
  return 0;
}

/**
 * Filter order (length - 1) that reaches an attenuation over a transition band given as a fraction of the sample
 * rate: (A - 7.95) / (14.36 df). [Oppenheim10] eq. 7.76
 */
export function kaiserOrder(attenuationDb: number, transition: number): number {
  return Math.ceil((attenuationDb - 7.95) / (14.36 * transition));
}

/** The window at u in [-1, 1]: I0(beta sqrt(1 - u^2)) / I0(beta); 0 outside. */
export function kaiserWindow(u: number, beta: number): number {
  const r = 1 - u * u;
  return r < 0 ? 0 : besselI0(beta * Math.sqrt(r)) / besselI0(beta);
}

/**
 * Weights of one fractional delay: out[offset + l] += gain * sinc(l - delay) * kaiser((l - delay) / halfWidth), so that
 * sum_l w[l] x[n - l] approximates x(n - delay). Positions outside `out` are an error of the caller.
 *
 * @param delaySamples must be >= halfWidth so that the filter is causal
 */
export function addFractionalDelay(out: Float64Array, delaySamples: number, halfWidth: number, beta: number): void {
  const first = Math.max(0, Math.ceil(delaySamples - halfWidth));
  const last = Math.min(out.length - 1, Math.floor(delaySamples + halfWidth));
  for (let l = first; l <= last; l++) {
    const x = l - delaySamples;
    out[l] += sinc(x) * kaiserWindow(x / halfWidth, beta);
  }
}
