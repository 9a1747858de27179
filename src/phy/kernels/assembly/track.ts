// AssemblyScript, not TypeScript: WebAssembly kernel that follows a burst's pilots, made into ../track-wasm-binary.ts by
// `npm run build:kernels`. ../track-kernel.ts says what it computes, ../track-wasm.ts calls it.
//
// The Kalman filter in use follows symbol by symbol; all six then go over a stretch two a vector, so that none waits for its
// own last result. Everything but the pilots is in double precision. The tables of the compiler's logarithm stand below all that
// is named here.

/** Random walks of the filters, rad^2 a symbol. f64 [6] */
export const WALKS: usize = 17408;
/** Of all filters at the end of what they have seen: phase, step, p00, p01, p11. f64 [5][6] */
export const NOW: usize = 17472;
/** The same of the one in use, where it is now. f64 [5] */
export const USED: usize = 17728;
/** Innovations since the last score: product of s, logarithms of earlier products, sum of e^2 / s. f64 [3][6] */
export const LIKELIHOOD: usize = 17792;
/** Sums of a delay measurement: slope, curvature, weight, misfit, neighbours' re and im. f64 [6] */
export const SUMS: usize = 17984;
/** Carrier of the pilot within each subband. u32 [12] */
export const OFFSETS: usize = 18048;
/** f64 [nSubbands], at most 50 */
export const WEIGHTS: usize = 18112;
/** Signed carrier numbers. f64 [nCarriers] */
export const CARRIERS: usize = 18560;
/** Channel that pilots are measured against. f32 [nCarriers][re, im] */
export const REFERENCE: usize = 23360;
/** Least-squares channel of twelve symbols. f32 [nCarriers][re, im] */
const SLOT: usize = 28160;
/** Pilots as received, and without their phases. f32 [16][nSubbands][re, im] */
export const PILOTS: usize = 32960;
export const TURNED: usize = 39360;
/** Smoothed phases, as they are asked for. f64 [symbol] */
export const PHASES: usize = 45760;
/** Measured phase, its variance, and exp(i phase). f64 [symbol], [symbol], [symbol][2] */
const MEASURED: usize = 78528;
const VARIANCES: usize = 111296;
const UNITS: usize = 144064;
/** Filtered x0, x1, p00, p01, p11; what was predicted for a symbol follows from the one before. f64 [symbol][5][6] */
const STATES: usize = 209600;

/** Bytes from one row of six filters to the next, and of a symbol. */
const ROW: usize = 48;
const SYMBOL: usize = 240;
const STEP_WALK: f64 = 1e-8;
const TURN: f64 = 6.283185307179586;
const SUBBAND: usize = 12;

/** The filter in use begins where it stands in NOW. */
export function use(filter: usize): void {
  for (let i: usize = 0; i < 5; i++) store<f64>(USED + (i << 3), load<f64>(NOW + i * ROW + (filter << 3)));
}

/** Mean carrier number of the reference, weighted with its power. */
export function centre(carriers: usize): f64 {
  let powers = f64x2.splat(0);
  let moments = f64x2.splat(0);
  let h = REFERENCE;
  for (let k = CARRIERS, end = CARRIERS + (carriers << 3); k < end; k += 8, h += 8) {
    const x = f64x2.promote_low_f32x4(v128.load64_zero(h));
    const power = f64x2.mul(x, x);
    powers = f64x2.add(powers, power);
    moments = f64x2.add(moments, f64x2.mul(v128.load64_splat(k), power));
  }
  const sum = f64x2.extract_lane(powers, 0) + f64x2.extract_lane(powers, 1);
  return (f64x2.extract_lane(moments, 0) + f64x2.extract_lane(moments, 1)) / (sum + 1e-30);
}

/** `count` symbols of PILOTS from number `first` on, the pattern of the pilots from local symbol `pattern` on. */
export function follow(first: usize, count: usize, pattern: usize, subbands: usize, walk: f64, noise: f64): void {
  let phase = load<f64>(USED);
  let step = load<f64>(USED, 8);
  let p00 = load<f64>(USED, 16);
  let p01 = load<f64>(USED, 24);
  let p11 = load<f64>(USED, 32);
  let pilot = PILOTS;
  for (let i = first; i < first + count; i++, pattern++) {
    // Of p conj h: [pr hr, pi hi] and [pr hi, pi hr].
    let straight = f64x2.splat(0);
    let crossed = f64x2.splat(0);
    let powers = f64x2.splat(0);
    let at = REFERENCE + ((<usize>load<u32>(OFFSETS + ((pattern % SUBBAND) << 2))) << 3);
    for (let w = WEIGHTS, end = WEIGHTS + (subbands << 3); w < end; w += 8, pilot += 8, at += SUBBAND << 3) {
      const h = f64x2.promote_low_f32x4(v128.load64_zero(at));
      const weight = v128.load64_splat(w);
      const p = f64x2.mul(weight, f64x2.promote_low_f32x4(v128.load64_zero(pilot)));
      straight = f64x2.add(straight, f64x2.mul(p, h));
      crossed = f64x2.add(crossed, f64x2.mul(p, v128.shuffle<f64>(h, h, 1, 0)));
      powers = f64x2.add(powers, f64x2.mul(weight, f64x2.mul(h, h)));
    }
    const re = f64x2.extract_lane(straight, 0) + f64x2.extract_lane(straight, 1);
    const im = f64x2.extract_lane(crossed, 1) - f64x2.extract_lane(crossed, 0);
    const power = f64x2.extract_lane(powers, 0) + f64x2.extract_lane(powers, 1);
    const magnitude = sqrt(re * re + im * im);
    const inverse = magnitude > 0 ? 1 / magnitude : 0;
    store<f64>(UNITS + (i << 4), magnitude > 0 ? re * inverse : 1);
    store<f64>(UNITS + (i << 4), im * inverse, 8);
    const variance = min(noise / (2 * power + 1e-30) + 1e-5, 3);
    store<f64>(VARIANCES + (i << 3), variance);
    if (i > 0) {
      phase += step;
      p00 += 2 * p01 + p11 + walk;
      p01 += p11;
      p11 += STEP_WALK;
    }
    const turns = (NativeMath.atan2(im, re) - phase) * (1 / TURN);
    const error = TURN * (turns - nearest<f64>(turns));
    store<f64>(MEASURED + (i << 3), phase + error);
    const gain = 1 / (p00 + variance);
    const k0 = p00 * gain;
    const k1 = p01 * gain;
    phase += k0 * error;
    step += k1 * error;
    p11 -= k1 * p01;
    p01 -= k0 * p01;
    p00 -= k0 * p00;
  }
  store<f64>(USED, phase);
  store<f64>(USED, step, 8);
  store<f64>(USED, p00, 16);
  store<f64>(USED, p01, 24);
  store<f64>(USED, p11, 32);
}

/** The products so far become logarithms. */
function fold(): void {
  for (let f = LIKELIHOOD; f < LIKELIHOOD + ROW; f += 8) {
    store<f64>(f + ROW, load<f64>(f + ROW) + NativeMath.log(load<f64>(f)));
    store<f64>(f, 1);
  }
}

/** All filters go over the symbols from `first` on. */
export function catchUp(first: usize, end: usize): void {
  const stepWalk = f64x2.splat(STEP_WALK);
  const one = f64x2.splat(1);
  for (let i = first; i < end; i++) {
    const measured = v128.load64_splat(MEASURED + (i << 3));
    const variance = v128.load64_splat(VARIANCES + (i << 3));
    for (let f: usize = 0; f < ROW; f += 16) {
      const now = NOW + f;
      const state = STATES + i * SYMBOL + f;
      let phase = v128.load(now);
      let step = v128.load(now + ROW);
      let p00 = v128.load(now + 2 * ROW);
      let p01 = v128.load(now + 3 * ROW);
      let p11 = v128.load(now + 4 * ROW);
      if (i > 0) {
        phase = f64x2.add(phase, step);
        p00 = f64x2.add(p00, f64x2.add(f64x2.add(p01, p01), f64x2.add(p11, v128.load(WALKS + f))));
        p01 = f64x2.add(p01, p11);
        p11 = f64x2.add(p11, stepWalk);
      }
      const error = f64x2.sub(measured, phase);
      const s = f64x2.add(p00, variance);
      const gain = f64x2.div(one, s);
      const k0 = f64x2.mul(p00, gain);
      const k1 = f64x2.mul(p01, gain);
      phase = f64x2.add(phase, f64x2.mul(k0, error));
      step = f64x2.add(step, f64x2.mul(k1, error));
      p11 = f64x2.sub(p11, f64x2.mul(k1, p01));
      p01 = f64x2.sub(p01, f64x2.mul(k0, p01));
      p00 = f64x2.sub(p00, f64x2.mul(k0, p00));
      v128.store(state, phase);
      v128.store(state + ROW, step);
      v128.store(state + 2 * ROW, p00);
      v128.store(state + 3 * ROW, p01);
      v128.store(state + 4 * ROW, p11);
      v128.store(now, phase);
      v128.store(now + ROW, step);
      v128.store(now + 2 * ROW, p00);
      v128.store(now + 3 * ROW, p01);
      v128.store(now + 4 * ROW, p11);
      const product = LIKELIHOOD + f;
      v128.store(product, f64x2.mul(v128.load(product), s));
      const squares = product + 2 * ROW;
      v128.store(squares, f64x2.add(v128.load(squares), f64x2.mul(f64x2.mul(error, error), gain)));
    }
    // s of 32 symbols: products of 1e-160 or more.
    if (((i - first) & 31) === 31) fold();
  }
  fold();
}

/** Smoothed phases of symbols [first, end) by one filter, to PHASES. */
export function smooth(first: usize, end: usize, filter: usize): void {
  let f = STATES + (end - 1) * SYMBOL + (filter << 3);
  const walk = load<f64>(WALKS + (filter << 3));
  let x0 = load<f64>(f);
  let x1 = load<f64>(f, ROW);
  let out = PHASES + ((end - 1 - first) << 3);
  store<f64>(out, x0);
  while (out > PHASES) {
    f -= SYMBOL;
    out -= 8;
    const phase = load<f64>(f);
    const step = load<f64>(f, ROW);
    // Gain C = P_f F' P_p^-1 with F = [1 1; 0 1], P_p = F P_f F' and the walks.
    const b = load<f64>(f, 3 * ROW);
    const d = load<f64>(f, 4 * ROW);
    const p00 = load<f64>(f, 2 * ROW);
    const a = p00 + b;
    const c = b + d;
    const q00 = p00 + (b + b + (d + walk));
    const q01 = c;
    const q11 = d + STEP_WALK;
    const inverse = 1 / (q00 * q11 - q01 * q01);
    const g00 = (a * q11 - b * q01) * inverse;
    const g01 = (b * q00 - a * q01) * inverse;
    const g10 = (c * q11 - d * q01) * inverse;
    const g11 = (d * q00 - c * q01) * inverse;
    // What does not wait for the symbol behind comes first.
    const predicted = phase + step;
    const next = phase - g00 * predicted - g01 * step + g01 * x1 + g00 * x0;
    x1 = step - g10 * predicted - g11 * step + g10 * x0 + g11 * x1;
    x0 = next;
    store<f64>(out, x0);
  }
}

/** `count` rows of PILOTS, symbols from `first` on, less the phases in PHASES, to TURNED. */
export function turnBack(first: usize, count: usize, subbands: usize): void {
  let from = PILOTS;
  let to = TURNED;
  for (let t: usize = 0; t < count; t++) {
    // What was measured stands there as a unit vector; what smoothing has changed is a small angle.
    const unit = UNITS + ((first + t) << 4);
    const angle = load<f64>(PHASES + (t << 3)) - load<f64>(MEASURED + ((first + t) << 3));
    const z = angle * angle;
    let c: f64 = 0;
    let s: f64 = 0;
    if (z < 0.05) {
      c = 1 - z * (0.5 - z * (1.0 / 24 - z / 720));
      s = angle * (1 - z * (1.0 / 6 - z * (1.0 / 120 - z / 5040)));
    } else {
      c = NativeMath.cos(angle);
      s = NativeMath.sin(angle);
    }
    const unitRe = load<f64>(unit);
    const unitIm = load<f64>(unit, 8);
    const cos = <f32>(unitRe * c - unitIm * s);
    const sin = <f32>(unitRe * s + unitIm * c);
    const straight = f32x4.splat(cos);
    const crossed = f32x4(sin, -sin, sin, -sin);
    // An odd number of subbands: the last vector's second half is the next row's first.
    const end = from + (subbands << 3);
    for (let p = from, o = to; p < end; p += 16, o += 16) {
      const x = v128.load(p);
      const y = v128.shuffle<f32>(x, x, 1, 0, 3, 2);
      v128.store(o, f32x4.add(f32x4.mul(x, straight), f32x4.mul(y, crossed)));
    }
    from = end;
    to += subbands << 3;
  }
}

/** Slope of TURNED's phases against the reference, `count` symbols with the pattern from local symbol `pattern` on. */
export function slope(count: usize, pattern: usize, subbands: usize): void {
  // Products as in `follow`.
  let crossed = f64x2.splat(0);
  let straight = f64x2.splat(0);
  let powers = f64x2.splat(0);
  let misfits = f64x2.splat(0);
  let p = TURNED;
  for (let t: usize = 0; t < count; t++) {
    const offset = <usize>load<u32>(OFFSETS + (((pattern + t) % SUBBAND) << 2));
    let carrier = CARRIERS + (offset << 3);
    let h = REFERENCE + (offset << 3);
    for (let w = WEIGHTS, end = WEIGHTS + (subbands << 3); w < end; w += 8, p += 8, h += 96, carrier += 96) {
      const y = f64x2.promote_low_f32x4(v128.load64_zero(p));
      const x = f64x2.promote_low_f32x4(v128.load64_zero(h));
      const k = v128.load64_splat(carrier);
      const weight = v128.load64_splat(w);
      const wk = f64x2.mul(weight, k);
      const wkk = f64x2.mul(wk, k);
      const misfit = f64x2.sub(y, x);
      crossed = f64x2.add(crossed, f64x2.mul(wk, f64x2.mul(y, v128.shuffle<f64>(x, x, 1, 0))));
      straight = f64x2.add(straight, f64x2.mul(wkk, f64x2.mul(y, x)));
      powers = f64x2.add(powers, f64x2.mul(wkk, f64x2.mul(x, x)));
      misfits = f64x2.add(misfits, f64x2.mul(weight, f64x2.mul(misfit, misfit)));
    }
  }
  store<f64>(SUMS, f64x2.extract_lane(crossed, 1) - f64x2.extract_lane(crossed, 0));
  store<f64>(SUMS, f64x2.extract_lane(straight, 0) + f64x2.extract_lane(straight, 1), 8);
  store<f64>(SUMS, f64x2.extract_lane(powers, 0) + f64x2.extract_lane(powers, 1), 16);
  store<f64>(SUMS, f64x2.extract_lane(misfits, 0) + f64x2.extract_lane(misfits, 1), 24);
}

/** sum w g_(c+1) conj(g_c) over neighbouring carriers of TURNED's first twelve symbols, those of a slot. */
export function neighbours(subbands: usize): void {
  let p = TURNED;
  for (let t: usize = 0; t < SUBBAND; t++) {
    let c = SLOT + ((<usize>load<u32>(OFFSETS + (t << 2))) << 3);
    for (const end = p + (subbands << 3); p < end; p += 8, c += 96) store<u64>(c, load<u64>(p));
  }
  const middle = SLOT + ((subbands * SUBBAND) << 2);
  let re: f64 = 0;
  let im: f64 = 0;
  for (let s: usize = 0; s < subbands; s++) {
    const first = SLOT + s * 96;
    let sumRe: f64 = 0;
    let sumIm: f64 = 0;
    for (let c = s === 0 ? first + 8 : first; c < first + 96; c += 8) {
      // No neighbours across the empty carrier at DC.
      if (c === middle) continue;
      const gr = <f64>load<f32>(c);
      const gi = <f64>load<f32>(c, 4);
      const hr = <f64>load<f32>(c - 8);
      const hi = <f64>load<f32>(c - 8, 4);
      sumRe += gr * hr + gi * hi;
      sumIm += gi * hr - gr * hi;
    }
    const w = load<f64>(WEIGHTS + (s << 3));
    re += w * sumRe;
    im += w * sumIm;
  }
  store<f64>(SUMS, re, 32);
  store<f64>(SUMS, im, 40);
}
