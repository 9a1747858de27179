import { countAtLimit } from '../format/convert.ts';
import { nativeView } from '../format/sample-format.ts';
import {
  countBlock,
  exactLoss,
  joinLosses,
  type LossRecord,
  newRxCounters,
  type RxCounters,
  type RxStream,
  type SampleBlock,
  type StreamEnd,
  type StreamSettings,
} from '../radio.ts';
import { describeSettings } from '../settings.ts';
import type { RingBytes, RingSide } from '../stream/chunk-ring.ts';
import type { InStream } from '../stream/stream-board.ts';
import { lossFromBytes, TAG_LOSS, TAG_WARNING } from './rx-records.ts';

const BYTES_PER_SAMPLE = 4;

/** What a receiving stream asks of its radio. */
export interface PlutoRxRadio {
  setGains(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>>;
  closed(): Promise<void>;
}

/**
 * A receiving stream of a Pluto: what the receive task put into the ring, as blocks. Device-side losses come as side records right before
 * the samples that carry them; what found no room in the ring is an exact loss of the host.
 */
export class PlutoRx implements RxStream {
  readonly settings: StreamSettings;
  readonly counters: RxCounters = newRxCounters();
  ended: StreamEnd | null = null;
  warning: string | null = null;
  private readonly stream: InStream;
  private readonly radio: PlutoRxRadio;
  /** Samples lost (least) at delivered positions passed so far: absolute index = position + shift. */
  private shift = 0;
  private loss: LossRecord | null = null;
  /** Where the delivered bytes end; null until the stream is closed. */
  private deliveredBytes: number | null = null;
  private closing: Promise<void> | null = null;

  constructor(stream: InStream, settings: StreamSettings, radio: PlutoRxRadio) {
    this.stream = stream;
    this.settings = settings;
    this.radio = radio;
  }

  /** Sets gains while receiving; returns all as they are. The buffers under way still hold samples at the old ones. */
  setGains(gainsDb: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
    return this.radio.setGains(gainsDb);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SampleBlock> {
    try {
      while (!this.ended) {
        const entry = await this.stream.read();
        if (this.ended) break;
        if (entry.kind === 'side') this.learn(entry);
        else if (entry.kind === 'bytes') yield this.block(entry);
        else {
          this.finish(entry.index, entry.lostBytes);
          if (entry.error && !this.closing) throw entry.error;
          break;
        }
      }
    } finally {
      await this.close();
    }
  }

  close(): Promise<void> {
    this.closing ??= (async () => {
      this.ended ??= 'closed';
      try {
        await this.stream.stop();
        this.readRest();
      } finally {
        await this.radio.closed();
      }
    })();
    return this.closing;
  }

  describe(): string {
    return `pluto rx, ${describeSettings(this.settings)}`;
  }

  /**
   * What is left in the ring after a stop: a loss that began before the last block delivered may lie before it, and was not said with a
   * block. It is counted at most; whether it is one of this stream nobody knows.
   */
  private readRest(): void {
    for (let entry = this.stream.tryRead(); entry && entry.kind !== 'end'; entry = this.stream.tryRead()) {
      if (entry.kind === 'bytes') this.deliveredBytes ??= entry.index - entry.lostBytes;
      if (entry.kind !== 'side' || entry.tag !== TAG_LOSS || !entry.data) continue;
      if (entry.fromIndex >= (this.deliveredBytes ?? Number.POSITIVE_INFINITY)) break;
      const { max } = lossFromBytes(entry.data);
      this.counters.lostMax += max;
      this.counters.gaps++;
      this.warn(`up to ${max} samples were lost at the very end`);
    }
  }

  private learn(side: RingSide): void {
    if (side.tag === TAG_WARNING && side.data) this.warn(new TextDecoder().decode(side.data));
    if (side.tag !== TAG_LOSS || !side.data) return;
    const { min, max } = lossFromBytes(side.data);
    const from = side.fromIndex / BYTES_PER_SAMPLE + this.shift;
    this.shift += min;
    const to = side.toIndex / BYTES_PER_SAMPLE + this.shift;
    this.loss = joinLosses(this.loss, { min, max, exact: min === max, from, to });
  }

  private block(entry: RingBytes): SampleBlock {
    const { format, fullScale, rateHz } = this.settings;
    const data = nativeView(format, entry.data);
    const index = entry.index / BYTES_PER_SAMPLE + this.shift;
    if (entry.lostBytes > 0) {
      const dropped = exactLoss(index - entry.lostBytes / BYTES_PER_SAMPLE, index);
      this.loss = joinLosses(this.loss, dropped);
    }
    const lostBefore = this.loss ? { ...this.loss, to: index } : null;
    this.loss = null;
    const lengthNs = BigInt(Math.round(((data.length >> 1) / rateHz) * 1e9));
    const block = { data, format, fullScale, index, lostBefore, timestampNs: entry.timeNs - lengthNs };
    countBlock(this.counters, block);
    this.counters.clippedSamples += countAtLimit(data, fullScale);
    return block;
  }

  /** Losses that no later block carries are counted and told. */
  private finish(indexBytes: number, lostBytes: number): void {
    const end = indexBytes / BYTES_PER_SAMPLE + this.shift;
    const dropped = lostBytes > 0 ? exactLoss(end - lostBytes / BYTES_PER_SAMPLE, end) : null;
    const loss = joinLosses(this.loss, dropped);
    if (loss) {
      this.counters.lostMin += loss.min;
      this.counters.lostMax += loss.max;
      this.counters.gaps++;
      this.warn(`${loss.min} to ${loss.max} samples were lost at the very end, after index ${loss.from}`);
    }
    this.ended ??= 'source-ended';
  }

  private warn(text: string): void {
    this.warning = this.warning ? `${this.warning}; ${text}` : text;
  }
}
