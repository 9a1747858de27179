/** exp(i angle k) of the occupied carriers k = -half..-1, 1..half, ramp[2 half][re, im]. */
export function fillRamp(angle: number, ramp: Float64Array): void {
  const stepRe = Math.cos(angle);
  const stepIm = Math.sin(angle);
  let re = stepRe;
  let im = stepIm;
  for (let above = ramp.length / 2, below = above - 2; below >= 0; above += 2, below -= 2) {
    ramp[above] = ramp[below] = re;
    ramp[above + 1] = im;
    ramp[below + 1] = -im;
    const next = re * stepRe - im * stepIm;
    im = re * stepIm + im * stepRe;
    re = next;
  }
}

/** Multiplies `count` complex elements from element `at` by those of `ramp` at first, first + stride, ... */
export function multiply(
  array: Float32Array,
  at: number,
  count: number,
  ramp: Float64Array,
  first: number,
  stride: number,
): void {
  for (let i = 0, j = at, r = 2 * first; i < count; i++, j += 2, r += 2 * stride) {
    const re = array[j];
    array[j] = re * ramp[r] - array[j + 1] * ramp[r + 1];
    array[j + 1] = re * ramp[r + 1] + array[j + 1] * ramp[r];
  }
}
