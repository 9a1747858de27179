import type { MomentSink, SampleCorrection } from '../kernels/resample/resample-kernel.ts';

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
  /** Variance of the means of 32 stretches over the variance of the samples, 0 to 1: some 32 / samples in noise. */
  wander: number;
  /** True where the imbalance stands out of its own error (and enough samples were seen): only then is it corrected. */
  iqSignificant: boolean;
  dcSignificant: boolean;
}

/** Stretches that a window is cut into. */
const SEGMENTS = 32;
/** Fewer samples than this are never acted on. */
export const MIN_DC_IQ_SAMPLES = 4096;
/** An estimate must exceed this many standard errors (false alarm about 1e-6 for Gaussian errors, 32 segments). */
const SIGNIFICANCE = 6;

/** Moments of one segment: sums of I, Q, I^2, Q^2, IQ. */
const MOMENTS = 5;

/** Moments of the last samples of a stream, until there are enough of them for an estimate. */
export class DcIqWindow implements MomentSink {
  readonly samples: number;
  private readonly perSegment: number;
  /** [SEGMENTS][MOMENTS] */
  private readonly sums = new Float64Array(SEGMENTS * MOMENTS);
  private filled = 0;

  /** @param samples a multiple of 32 */
  constructor(samples: number) {
    if (samples < SEGMENTS || samples % SEGMENTS !== 0)
      throw new RangeError(`a window of ${samples} samples: allowed are multiples of ${SEGMENTS} from there on`);
    this.samples = samples;
    this.perSegment = samples / SEGMENTS;
  }

  get full(): boolean {
    return this.filled === this.samples;
  }

  /** What the segment lacks; Infinity when full. */
  get wanted(): number {
    return this.full ? Number.POSITIVE_INFINITY : this.perSegment - (this.filled % this.perSegment);
  }

  /** Adds the moments of the next `samples` samples; a full window takes no more. */
  add(moments: Float64Array, samples: number): void {
    if (this.full) return;
    const at = MOMENTS * Math.floor(this.filled / this.perSegment);
    for (let m = 0; m < MOMENTS; m++) this.sums[at + m] += moments[m];
    this.filled += samples;
  }

  clear(): void {
    this.sums.fill(0);
    this.filled = 0;
  }

  /** Of a full window. */
  estimate(): DcIqEstimate {
    return estimateFrom(this.sums, this.perSegment, this.samples);
  }
}

/** Estimates DC and IQ imbalance over one block of device samples [n][re, im]. Allocates little; not per symbol. */
export function estimateDcIq(block: Float32Array): DcIqEstimate {
  const n = block.length >> 1;
  const per = Math.floor(n / SEGMENTS);
  const sums = new Float64Array(SEGMENTS * MOMENTS);
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
  }
  return estimateFrom(sums, per, n);
}

/** sums: [SEGMENTS][MOMENTS] over segments of `per` samples each, of n samples in all. */
function estimateFrom(sums: Float64Array, per: number, n: number): DcIqEstimate {
  const total = new Float64Array(MOMENTS);
  for (let k = 0; k < sums.length; k++) total[k % MOMENTS] += sums[k];
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
  let ofMeans = 0;
  for (let s = 0; s < SEGMENTS; s++) {
    const [si, sq, sii, sqq, siq] = sums.subarray(s * MOMENTS, (s + 1) * MOMENTS);
    const aI = sii - 2 * dcRe * si + per * dcRe * dcRe;
    const aQ = sqq - 2 * dcIm * sq + per * dcIm * dcIm;
    const cross = siq - dcRe * sq - dcIm * si + per * dcRe * dcIm;
    varDiff += (aQ / pQ - aI / pI) ** 2;
    varCross += (cross / Math.sqrt(pI * pQ) - (r / Math.sqrt(pI * pQ)) * ((aI + aQ) / (pI + pQ))) ** 2;
    varDc += (si / per - dcRe) ** 2 + (sq / per - dcIm) ** 2;
    ofMeans += (si * si + sq * sq) / per;
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
  const mean = used * (dcRe * dcRe + dcIm * dcIm);
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
    wander: (ofMeans - mean) / (total[2] + total[3] - mean),
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

  /** The correction as it is applied to samples. */
  get correction(): SampleCorrection {
    const { dcRe, dcIm, gain, phi } = this;
    const reGain = Math.sqrt((1 + gain * gain) / 2);
    const reToIm = (reGain * Math.sin(phi)) / Math.cos(phi);
    const imGain = reGain / (gain * Math.cos(phi));
    return { reGain, imGain, reToIm, reOffset: -reGain * dcRe, imOffset: -imGain * dcIm - reToIm * dcRe };
  }

  /** Corrects input [n][re, im] into output of the same length (may be the same array). */
  apply(input: Float32Array, output: Float32Array): void {
    const { reGain, imGain, reToIm, reOffset, imOffset } = this.correction;
    for (let k = 0; k + 1 < input.length; k += 2) {
      const i = input[k];
      output[k] = reGain * i + reOffset;
      output[k + 1] = imGain * input[k + 1] + reToIm * i + imOffset;
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
