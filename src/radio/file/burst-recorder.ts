import { DeviceError, UsageError } from '../../common/errors.ts';
import { fromFloat } from '../format/convert.ts';
import { allocateNative } from '../format/sample-format.ts';
import type { SampleData, TxCounters } from '../radio.ts';
import type { CaptureWriter } from '../sigmf/capture-writer.ts';

const SILENCE_SAMPLES = 65_536;

/** Writes bursts at absolute indices into a capture, with silence between them, so that the file plays as it was sent. */
export class BurstRecorder {
  private readonly writer: CaptureWriter;
  private readonly maxSilenceSamples: number;
  private readonly silence: SampleData;
  private readonly marked: boolean;
  nextIndex = 0;

  /** @param marked whether each burst is marked in the capture */
  constructor(writer: CaptureWriter, maxSilenceSamples: number, marked = true) {
    this.writer = writer;
    this.marked = marked;
    this.maxSilenceSamples = maxSilenceSamples;
    this.silence = allocateNative(writer.format, SILENCE_SAMPLES);
  }

  /** Converts and appends one burst, marks and counts it if it is more than silence, and puts it all into the files. */
  async write(
    reIm: Float32Array,
    atIndex: number | undefined,
    counters: TxCounters,
  ): Promise<{ index: number; samples: number }> {
    const index = atIndex ?? this.nextIndex;
    if (!Number.isSafeInteger(index) || index < this.nextIndex) {
      throw new DeviceError(`a burst at index ${index} is too late: the file is written up to ${this.nextIndex}`);
    }
    const gap = index - this.nextIndex;
    if (gap > this.maxSilenceSamples) {
      throw new UsageError(`${gap} samples of silence before a burst; at most ${this.maxSilenceSamples} are written`);
    }
    const { format, fullScale } = this.writer;
    const { data, clippedSamples, nonFinite } = fromFloat(reIm, format, fullScale);
    for (let left = gap; left > 0; left -= SILENCE_SAMPLES) {
      await this.append(this.silence.subarray(0, 2 * Math.min(left, SILENCE_SAMPLES)) as SampleData);
    }
    const samples = data.length / 2;
    await this.append(data);
    const silent = data.every((value) => value === 0);
    if (!silent && this.marked) this.writer.annotate({ index, count: samples, label: 'burst' });
    await this.writer.flush();
    counters.samples += gap + samples;
    if (!silent) counters.bursts++;
    counters.clippedSamples += clippedSamples;
    counters.nonFinite += nonFinite;
    return { index, samples };
  }

  private async append(data: SampleData): Promise<void> {
    const { format, fullScale } = this.writer;
    await this.writer.write({ data, format, fullScale, index: this.nextIndex, lostBefore: null, timestampNs: null });
    this.nextIndex += data.length / 2;
  }
}
