import { RandomStream } from '../../src/common/random.ts';
import type { LinkEvent } from '../../src/link/receiver.ts';
import type { TransmitBurst, Transmitter } from '../../src/link/transmitter.ts';
import { TRANSMIT_RMS } from '../../src/phy/burst/transmit.ts';
import { noiseVarianceFor } from '../../src/phy/channel/snr.ts';
import { type Numerology, numerology } from '../../src/phy/numerology.ts';
import type { SampleBlock } from '../../src/radio/radio.ts';
import type { Codec, DecodedImage, ReceivedSource, SourcePlan } from '../../src/sct/codec/codec.ts';
import { type RgbImage, rgbImage } from '../../src/sct/image/rgb-image.ts';

export const SMALL = numerology(6);

/** A codec without pictures: it fills its grant (or `share` of it) with random bytes, which the test compares. */
export class BytesCodec implements Codec {
  readonly name = 'user';
  readonly share: number;
  sent: Uint8Array = new Uint8Array(0);
  received: ReceivedSource | null = null;

  constructor(share = 1) {
    this.share = share;
  }

  describe(): string {
    return 'random bytes';
  }

  async analyse(): Promise<SourcePlan> {
    return {
      streams: [{ id: 0, kind: 'bits', score: 255, minSize: 1 }],
      sideInfoBytes: 0,
      encode: async ([grant]) => {
        this.sent = new RandomStream('bytes').bytes(Math.max(1, Math.floor(this.share * grant.size)));
        return { sideInfo: new Uint8Array(0), streams: [{ id: 0, kind: 'bits', payload: this.sent }], settings: {} };
      },
    };
  }

  async decode(received: ReceivedSource): Promise<DecodedImage> {
    this.received = received;
    const [stream] = received.streams;
    const complete = stream.kind === 'bits' && stream.missing.length === 0;
    return { image: undefined, decodable: complete, complete, mask: undefined, note: undefined };
  }

  /** What arrived, null unless all of it did. */
  get arrived(): Uint8Array | null {
    const stream = this.received?.streams[0];
    return stream?.kind === 'bits' && stream.missing.length === 0 ? stream.payload : null;
  }
}

/** A picture of so many pixels; BytesCodec never looks at it. */
export function blank(width: number, height: number): RgbImage {
  return rgbImage(width, height, new Uint8Array(3 * width * height));
}

export interface AirOptions {
  readonly snrDb?: number;
  readonly gapSamples?: number;
  readonly seed?: string;
}

/** Bursts one after the other in noise, at the modem rate, [n][re, im]; `starts` are the bursts' first samples. */
export function air(n: Numerology, bursts: readonly TransmitBurst[], options: AirOptions = {}) {
  const { snrDb = 20, gapSamples = 1500, seed = 'air' } = options;
  const starts: number[] = [];
  let at = gapSamples;
  for (const b of bursts) {
    starts.push(at);
    at += b.layout.samples + gapSamples;
  }
  const samples = new Float32Array(2 * at);
  bursts.forEach((b, i) => {
    samples.set(b.samples, 2 * starts[i]);
  });
  const { sampleRateHz: rate, fftSize, nCarriers } = n;
  new RandomStream(seed).addComplexNoise(
    samples,
    noiseVarianceFor({
      snrDb,
      signalPower: TRANSMIT_RMS ** 2,
      fftSize,
      occupiedCarriers: nCarriers,
      modemRateHz: rate,
      deviceRateHz: rate,
    }),
  );
  return { samples, starts };
}

/** Samples [from, to) as a block of a stream. */
export function block(samples: Float32Array, from: number, to: number, more: Partial<SampleBlock> = {}): SampleBlock {
  const data = samples.slice(2 * from, 2 * to);
  return { data, format: 'cf32_le', fullScale: 1, index: from, lostBefore: null, timestampNs: null, ...more };
}

/** The burst events among events. */
export function burstsOf(events: readonly LinkEvent[]) {
  return events.filter((e) => e.type === 'burst');
}

/** What a transmitter repeats when none of the bursts, on the air at time 0, has been answered in time. */
export function unanswered(transmitter: Transmitter, bursts: readonly TransmitBurst[]): TransmitBurst[] {
  for (const b of bursts) transmitter.onAir(b.burst, 0);
  return transmitter.repeat(Number.POSITIVE_INFINITY);
}
