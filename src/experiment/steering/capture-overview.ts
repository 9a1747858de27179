import type { OverviewEvent } from '../../link/telemetry.ts';
import { CaptureReader } from '../../radio/sigmf/capture-reader.ts';
import { LevelMeter } from '../../radio/sigmf/level-meter.ts';

/** Parts that the time of a capture is divided into. */
const BINS = 1000;
/** Of each part so many pieces are read, spread over it, of so many samples: 4096 reads at most, however long the capture is. */
const PIECES = 4;
const PIECE_SAMPLES = 1024;
/** Marks and losses that are told at most; of more of them every n-th. */
const MOST_MARKS = 2000;
const MOST_LOSSES = 1000;
/** Longest word for what a mark is. */
const MOST_WORD = 32;
/** Between two accounts of levels while they are read, ms. */
const TELL_MS = 300;

/**
 * What a whole capture looks like: told at once with what its metadata say of bursts and losses, and again as levels are read. It reads little
 * and waits for nothing, so that a capture of any length is there at once.
 */
export async function tellOverview(
  path: string,
  signal: AbortSignal,
  tell: (event: OverviewEvent) => void,
): Promise<void> {
  const reader = await CaptureReader.open(path);
  try {
    const { start, end } = reader.span;
    if (end <= start) return;
    const { rateHz } = reader.layout;
    const facts = { ...marksOf(reader), startS: start / rateHz, lengthS: end / rateHz };
    const rmsDbfs = new Float32Array(BINS).fill(Number.NaN);
    const peakDbfs = rmsDbfs.slice();
    const say = () =>
      tell({ topic: 'overview', bins: BINS, ...facts, rmsDbfs: rmsDbfs.slice(), peakDbfs: peakDbfs.slice() });
    say();
    let saidAtMs = performance.now();
    for (const bin of spreadOut(BINS)) {
      if (signal.aborted) return;
      const at = (edge: number) => reader.positionOf(start + Math.round((edge / BINS) * (end - start)));
      [rmsDbfs[bin], peakDbfs[bin]] = await levelOf(reader, at(bin), at(bin + 1));
      if (performance.now() - saidAtMs < TELL_MS) continue;
      say();
      saidAtMs = performance.now();
    }
    say();
  } finally {
    await reader.close();
  }
}

/** 0 to n - 1, coarse before fine, so that the whole is seen early. */
export function* spreadOut(n: number): Generator<number> {
  let step = 2 ** Math.ceil(Math.log2(Math.max(1, n)));
  yield 0;
  for (; step >= 2; step /= 2) for (let i = step / 2; i < n; i += step) yield i;
}

/** RMS and peak between two positions in the file, dB. */
async function levelOf(reader: CaptureReader, from: number, to: number): Promise<[number, number]> {
  const meter = new LevelMeter(reader.layout.fullScale);
  const all = to - from;
  const pieces = all <= PIECES * PIECE_SAMPLES ? 1 : PIECES;
  for (let i = 0; i < pieces && all > 0; i++) {
    const at = from + Math.floor((i * all) / pieces);
    meter.add(await reader.readSamples(at, Math.min(pieces === 1 ? all : PIECE_SAMPLES, to - at)));
  }
  const none = meter.samples === 0 ? Number.NaN : Number.NEGATIVE_INFINITY;
  return [meter.rmsDbfs ?? none, meter.peakDbfs ?? none];
}

/** What annotations mark and what was lost, thinned out where it is too much. */
function marksOf(reader: CaptureReader): Pick<OverviewEvent, 'bursts' | 'losses' | 'left'> {
  const { annotations } = reader.meta;
  const { segments, rateHz, sampleCount } = reader.layout;
  const inside = annotations.filter((a) => a['core:sample_start'] < sampleCount);
  const gaps = segments.flatMap(({ lostBefore }) => (lostBefore && !lostBefore.deaf ? [lostBefore] : []));
  const marks = thinned(inside, MOST_MARKS);
  const losses = thinned(gaps, MOST_LOSSES);
  return {
    bursts: marks.map((a) => {
      const start = a['core:sample_start'];
      const end = Math.min(sampleCount, start + (a['core:sample_count'] ?? 0));
      const from = reader.indexOf(start);
      // A mark up to a gap does not reach over it.
      const to = end > start ? reader.indexOf(end - 1) + 1 : from;
      return {
        startS: from / rateHz,
        durationS: (to - from) / rateHz,
        use: (a['core:label'] ?? 'mark').replace(/^burst /, '').slice(0, MOST_WORD),
      };
    }),
    // Where no samples are for sure; an inexact loss may have begun earlier.
    losses: losses.map(({ min, to }) => ({ fromS: (to - min) / rateHz, toS: to / rateHz })),
    left: inside.length - marks.length + gaps.length - losses.length,
  };
}

function thinned<T>(all: readonly T[], most: number): readonly T[] {
  const step = Math.ceil(all.length / most);
  return step <= 1 ? all : all.filter((_, i) => i % step === 0);
}
