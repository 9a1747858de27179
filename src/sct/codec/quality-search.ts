/** Bytes of the picture at one quality level, coded quickly (an estimate) or as it will be sent. */
export interface LevelEncoder {
  /** Levels 0..levels-1, coarse to fine. */
  readonly levels: number;
  /** Size in bytes of a fast, less efficient coding of the same level; undefined when there is nothing faster. */
  estimate: ((level: number) => Promise<number>) | undefined;
  encode(level: number): Promise<Uint8Array>;
}

/** Outcome of a search: the finest level that fits, or the smallest coding there is. */
export interface SearchResult {
  readonly fits: boolean;
  readonly level: number;
  readonly bytes: Uint8Array;
  /** Number of full encodes. */
  readonly encodes: number;
}

/** A level whose size is estimated to pass the budget by more than this factor is not tried. */
const ESTIMATE_MARGIN = 1.02;

/**
 * Finds the finest level whose coding is at most `budgetBytes` long, assuming sizes grow with the level. Without an
 * estimate it is plain bisection. With one, bisection runs on the estimate scaled by the last known ratio of full to
 * estimated size, and full encodes only confirm: 1 to 3 of them, since the ratio hardly changes between neighbours.
 */
export async function searchLevel(encoder: LevelEncoder, budgetBytes: number): Promise<SearchResult> {
  const estimates = new Map<number, number>();
  const estimateOf = async (level: number): Promise<number> => {
    let size = estimates.get(level);
    if (size === undefined) {
      size = await encoder.estimate!(level);
      estimates.set(level, size);
    }
    return size;
  };
  let ratio = 1; // full size over estimated size, refined by every full encode
  let low = -1; // fits
  let high = encoder.levels; // does not fit
  let best: Uint8Array | undefined;
  let smallest: Uint8Array | undefined;
  let encodes = 0;
  while (high - low > 1) {
    const guess = encoder.estimate ? await pick(estimateOf, ratio, budgetBytes, low, high) : (low + high) >> 1;
    const bytes = await encoder.encode(guess);
    encodes++;
    if (encoder.estimate) ratio = bytes.length / (await estimateOf(guess));
    if (bytes.length <= budgetBytes) {
      low = guess;
      best = bytes;
      const next = low + 1;
      if (encoder.estimate && next < high && (await estimateOf(next)) * ratio > budgetBytes * ESTIMATE_MARGIN)
        high = next;
    } else {
      high = guess;
      if (guess === 0) smallest = bytes;
    }
  }
  if (best) return { fits: true, level: low, bytes: best, encodes };
  return { fits: false, level: 0, bytes: smallest!, encodes };
}

/** Largest level strictly between low and high whose scaled estimate fits; low + 1 when none does. */
async function pick(
  estimateOf: (level: number) => Promise<number>,
  ratio: number,
  budgetBytes: number,
  low: number,
  high: number,
): Promise<number> {
  let a = low + 1;
  let b = high - 1;
  while (a < b) {
    const middle = (a + b + 1) >> 1;
    if ((await estimateOf(middle)) * ratio <= budgetBytes) a = middle;
    else b = middle - 1;
  }
  return a;
}
