/**
 * Blind estimation and correction of receiver DC and IQ imbalance from the second moments of the samples.
 *
 * Model: I' = I + dcRe, Q' = g (Q cos phi - I sin phi) + dcIm, with I and Q of equal power and uncorrelated (true for
 * OFDM). Then g^2 = E[Q'^2]/E[I'^2] and sin phi = -E[I'Q']/sqrt(E[I'^2] E[Q'^2]) about the mean (Gram-Schmidt).
 * Source: [Valkama01], [Tubbax03]. It works on device samples before any frequency shift: the image is mirrored at the LO.
 */
export interface DcIqEstimate {
  dcRe: number;
  dcIm: number;
  /** DC power relative to full scale (1), dB. */
  dcDbfs: number;
  gainDb: number;
  phaseDeg: number;
  /** Standard errors from the spread between segments: they include the samples' own correlation. */
  gainDbError: number;
  phaseDegError: number;
  /** Estimated image power relative to the signal, dB; -Infinity for none. */
  imageDb: number;
  samples: number;
  /** True where the imbalance stands out of its own error (and enough samples were seen): only then is it corrected. */
  iqSignificant: boolean;
  dcSignificant: boolean;
}

const SEGMENTS = 32;
/** Fewer samples than this are never acted on. */
export const MIN_DC_IQ_SAMPLES = 4096;
/** An estimate must exceed this many standard errors (false alarm about 1e-6 for Gaussian errors, 32 segments). */
const SIGNIFICANCE = 6;

/** Moments of one segment: sums of I, Q, I^2, Q^2, IQ. */
const MOMENTS = 5;

/** Estimates DC and IQ imbalance over one block of device samples [n][re, im]. Allocates little; not per symbol. */
export function estimateDcIq(block: Float32Array): DcIqEstimate {
  const n = block.length >> 1;
  const per = Math.floor(n / SEGMENTS);
  const sums = new Float64Array(SEGMENTS * MOMENTS);
  const total = new Float64Array(MOMENTS);
  for (let s = 0; s < SEGMENTS; s++) {
    let si = 0;
    let sq = 0;
    let sii = 0;
    let sqq = 0;
    let siq = 0;
    for (let k = 2 * s * per; k < 2 * (s + 1) * per; k += 2) {
      const i = block[k];
      const q = block[k + 1];
      si += i;
      sq += q;
      sii += i * i;
      sqq += q * q;
      siq += i * q;
    }
    sums.set([si, sq, sii, sqq, siq], s * MOMENTS);
    for (let m = 0; m < MOMENTS; m++) total[m] += sums[s * MOMENTS + m];
  }
  const used = per * SEGMENTS;
  const dcRe = used > 0 ? total[0] / used : 0;
  const dcIm = used > 0 ? total[1] / used : 0;
  // Powers about the common mean, whole block.
  const pI = total[2] - used * dcRe * dcRe;
  const pQ = total[3] - used * dcIm * dcIm;
  const r = total[4] - used * dcRe * dcIm;
  const usable = pI > 0 && pQ > 0;
  const gain = usable ? Math.sqrt(pQ / pI) : 1;
  const sinPhi = usable ? Math.max(-0.99, Math.min(0.99, -r / Math.sqrt(pI * pQ))) : 0;

  // Spread between segments of the linearised estimates d(pI - pQ), d r and of the means.
  let varDiff = 0;
  let varCross = 0;
  let varDc = 0;
  for (let s = 0; s < SEGMENTS; s++) {
    const [si, sq, sii, sqq, siq] = sums.subarray(s * MOMENTS, (s + 1) * MOMENTS);
    const aI = sii - 2 * dcRe * si + per * dcRe * dcRe;
    const aQ = sqq - 2 * dcIm * sq + per * dcIm * dcIm;
    const cross = siq - dcRe * sq - dcIm * si + per * dcRe * dcIm;
    varDiff += (aQ / pQ - aI / pI) ** 2;
    varCross += (cross / Math.sqrt(pI * pQ) - (r / Math.sqrt(pI * pQ)) * ((aI + aQ) / (pI + pQ))) ** 2;
    varDc += (si / per - dcRe) ** 2 + (sq / per - dcIm) ** 2;
  }
  const spread = SEGMENTS / (SEGMENTS - 1);
  // Each sum above is of SEGMENTS independent shares of the whole, so its variance is that of the whole estimate.
  const gainError = 0.5 * Math.sqrt(spread * varDiff);
  const phaseError = Math.sqrt(spread * varCross);
  const dcError = Math.sqrt((spread * varDc) / SEGMENTS / SEGMENTS);

  const phi = Math.asin(sinPhi);
  const c = Math.cos(phi);
  const image = (1 - 2 * gain * c + gain * gain) / (1 + 2 * gain * c + gain * gain);
  const deviation = Math.hypot(Math.log(gain) / gainError, sinPhi / phaseError);
  const enough = n >= MIN_DC_IQ_SAMPLES && usable;
  const dcPower = dcRe * dcRe + dcIm * dcIm;
  return {
    dcRe,
    dcIm,
    dcDbfs: 10 * Math.log10(dcPower),
    gainDb: 20 * Math.log10(gain),
    phaseDeg: (phi * 180) / Math.PI,
    gainDbError: (20 / Math.LN10) * gainError,
    phaseDegError: (phaseError * 180) / Math.PI,
    imageDb: 10 * Math.log10(Math.max(0, image)),
    samples: n,
    iqSignificant: enough && deviation > SIGNIFICANCE,
    dcSignificant: n >= MIN_DC_IQ_SAMPLES && Math.sqrt(dcPower) > SIGNIFICANCE * dcError,
  };
}

/**
 * Applies a correction: out = ((I' - dcRe), ((Q' - dcIm)/g + (I' - dcRe) sin phi)/cos phi), scaled so that the mean
 * power of a circular signal stays what it was. `update` only replaces what its new estimate finds significant.
 */
export class DcIqCorrector {
  private dcRe = 0;
  private dcIm = 0;
  private gain = 1;
  private phi = 0;

  /** Takes over an estimate where it is significant; returns whether anything was taken over. */
  update(estimate: DcIqEstimate): boolean {
    if (estimate.dcSignificant) {
      this.dcRe = estimate.dcRe;
      this.dcIm = estimate.dcIm;
    }
    if (estimate.iqSignificant) {
      this.gain = 10 ** (estimate.gainDb / 20);
      this.phi = (estimate.phaseDeg * Math.PI) / 180;
    }
    return estimate.dcSignificant || estimate.iqSignificant;
  }

  /** Corrects input [n][re, im] into output of the same length (may be the same array). */
  apply(input: Float32Array, output: Float32Array): void {
    const { dcRe, dcIm, gain, phi } = this;
    const scale = Math.sqrt((1 + gain * gain) / 2);
    const a = (scale * Math.sin(phi)) / Math.cos(phi);
    const b = scale / (gain * Math.cos(phi));
    for (let k = 0; k + 1 < input.length; k += 2) {
      const i = input[k] - dcRe;
      output[k] = scale * i;
      output[k + 1] = b * (input[k + 1] - dcIm) + a * i;
    }
  }

  reset(): void {
    this.dcRe = 0;
    this.dcIm = 0;
    this.gain = 1;
    this.phi = 0;
  }

  describe(): string {
    const gainDb = (20 * Math.log10(this.gain)).toFixed(3);
    const phaseDeg = ((this.phi * 180) / Math.PI).toFixed(3);
    return `DC ${this.dcRe.toExponential(2)} ${this.dcIm.toExponential(2)}, IQ ${gainDb} dB ${phaseDeg} deg removed`;
  }
}
