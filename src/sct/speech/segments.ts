import { inRange } from '../../common/errors.ts';
import { BAND_IMPORTANCE, BANDS } from './bands.ts';
import { frameLabel, type SpeechLabel } from './voicing.ts';

/** Most SFVs of a source. */
export const MAX_SPEECH_SFVS = 255;
/** Frames of a block on average: 240 ms, in which the spectrum's shape is taken to stay. */
export const FRAMES_PER_BLOCK = 12;
/** Levels further below the loudest are alike, octaves of power. */
const RANGE_OCTAVES = 14;
/** Squared distance between voiced and unvoiced, or either and silence, in squared octaves of power. */
const LABEL_DISTANCE = 6;

/** A stretch of frames that sound alike: one semantic feature vector. */
export interface SpeechSfv {
  readonly label: SpeechLabel;
  /** Frames of its blocks, in order: at least one block of at least one frame. */
  readonly blocks: readonly number[];
}

interface Cluster {
  frames: number;
  /** Means of the coordinates. */
  centre: Float64Array;
  labels: SpeechLabel[];
  /** Frames of the blocks in it; empty until blocks are made. */
  blocks: number[];
}

/**
 * Cuts frames into blocks and blocks into at most `most` SFVs: neighbours are merged that add the least to the squared distance of
 * frames from their stretch's mean, n m / (n + m) |a - b|^2 [Ward63], first down to a block for every 12 frames, then to the SFVs. Coordinates are
 * the bands' levels (octaves of power, weighed by importance) and the frame's label. Ties: the earlier pair. O(frames^2).
 *
 * @param powers [frame][band]
 * @throws UsageError for `most` outside 1 to 255
 */
export function segment(powers: Float64Array, active: Uint8Array, periodic: Float64Array, most: number): SpeechSfv[] {
  inRange('most SFVs of speech', most, 1, MAX_SPEECH_SFVS);
  const loudest = powers.reduce((a, b) => Math.max(a, b), 0);
  const floor = loudest > 0 ? loudest * 2 ** -RANGE_OCTAVES : 1;
  const clusters = Array.from(active, (a, t): Cluster => {
    const label = frameLabel(a, periodic[t]);
    const centre = new Float64Array(BANDS + 3);
    for (let b = 0; b < BANDS; b++) {
      centre[b] = Math.sqrt(BAND_IMPORTANCE[b]) * Math.log2(Math.max(floor, powers[t * BANDS + b]));
    }
    centre[BANDS + label] = Math.sqrt(LABEL_DISTANCE / 2);
    return { frames: 1, centre, labels: [label], blocks: [] };
  });
  mergeTo(clusters, Math.max(most, Math.ceil(active.length / FRAMES_PER_BLOCK)));
  for (const c of clusters) c.blocks = [c.frames];
  mergeTo(clusters, most);
  return clusters.map(({ labels, blocks }) => ({ label: majority(labels), blocks }));
}

/** Merges neighbours until so many are left. */
function mergeTo(clusters: Cluster[], most: number): void {
  const costs = clusters.slice(1).map((c, i) => mergeCost(clusters[i], c)); // [i]: of i and i + 1
  while (clusters.length > most) {
    let best = 0;
    for (let i = 1; i < costs.length; i++) if (costs[i] < costs[best]) best = i;
    const [a, b] = [clusters[best], clusters[best + 1]];
    const frames = a.frames + b.frames;
    const centre = a.centre.map((v, i) => (v * a.frames + b.centre[i] * b.frames) / frames);
    const labels = [...a.labels, ...b.labels];
    clusters.splice(best, 2, { frames, centre, labels, blocks: [...a.blocks, ...b.blocks] });
    costs.splice(best, 1);
    if (best > 0) costs[best - 1] = mergeCost(clusters[best - 1], clusters[best]);
    if (best < costs.length) costs[best] = mergeCost(clusters[best], clusters[best + 1]);
  }
}

function mergeCost(a: Cluster, b: Cluster): number {
  let distance = 0;
  for (let i = 0; i < a.centre.length; i++) distance += (a.centre[i] - b.centre[i]) ** 2;
  return ((a.frames * b.frames) / (a.frames + b.frames)) * distance;
}

/** The label of most frames; ties: the one that says more. */
function majority(labels: readonly SpeechLabel[]): SpeechLabel {
  const counts = [0, 0, 0];
  for (const l of labels) counts[l]++;
  let best: SpeechLabel = 2;
  for (const l of [1, 0] as const) if (counts[l] > counts[best]) best = l;
  return best;
}
