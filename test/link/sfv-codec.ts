import { RandomStream } from '../../src/common/random.ts';
import type {
  Codec,
  DecodedImage,
  EncodedSource,
  EncodedStream,
  ReceivedSource,
  SourcePlan,
  StreamGrant,
  StreamKind,
} from '../../src/sct/codec/codec.ts';

export interface SfvCodecOptions {
  readonly kind?: StreamKind;
  /** Score of each stream. */
  readonly scores?: readonly number[];
  readonly minSize?: number;
  readonly sideBytes?: number;
  /** Changes what is handed over: a codec that breaks its contract. */
  readonly spoil?: (encoded: EncodedSource) => EncodedSource;
}

/** A codec without pictures or networks: streams of random symbols or bytes, and side information, which the test compares. */
export class SfvCodec implements Codec {
  readonly name = 'user';
  private readonly options: Required<Omit<SfvCodecOptions, 'spoil'>> & Pick<SfvCodecOptions, 'spoil'>;
  grants: readonly StreamGrant[] = [];
  sideInfo: Uint8Array = new Uint8Array(0);
  sent = new Map<number, EncodedStream>();
  received: ReceivedSource | null = null;

  constructor(options: SfvCodecOptions = {}) {
    this.options = { kind: 'analog', scores: [250, 245, 240, 225, 190], minSize: 4, sideBytes: 60, ...options };
  }

  describe(): string {
    return 'random streams';
  }

  async analyse(): Promise<SourcePlan> {
    const { kind, scores, minSize, sideBytes, spoil } = this.options;
    return {
      streams: scores.map((score, id) => ({ id, kind, score, minSize, cells: 1 })),
      sideInfoBytes: sideBytes,
      encode: async (grants) => {
        this.grants = grants;
        this.sideInfo = new RandomStream('side').bytes(sideBytes);
        const streams = grants.map(({ id, size }): EncodedStream => {
          const random = new RandomStream(`stream ${id}`);
          if (kind === 'bits') return { id, kind, payload: random.bytes(size) };
          return { id, kind, symbolsReIm: unitPower(random, size) };
        });
        this.sent = new Map(streams.map((s) => [s.id, s]));
        const encoded = { sideInfo: this.sideInfo, streams, settings: {} };
        return spoil ? spoil(encoded) : encoded;
      },
    };
  }

  async decode(received: ReceivedSource): Promise<DecodedImage> {
    this.received = received;
    return { image: undefined, decodable: true, complete: true, mask: undefined, note: undefined };
  }

  /** Mean squared error of a stream's symbols that came, unbiased and weighed by their SNR: 1 where the SNR said is right. */
  excess(id: number): { readonly weighed: number; readonly came: number; readonly count: number } {
    const stream = this.received?.streams.find((s) => s.id === id);
    const sent = this.sent.get(id);
    if (stream?.kind !== 'analog' || sent?.kind !== 'analog') throw new Error(`stream ${id} is not analog`);
    let error = 0;
    let came = 0;
    stream.snrDb.forEach((db, i) => {
      const s = 10 ** (db / 10);
      if (s === 0) return;
      const unbias = (1 + s) / s;
      for (const at of [2 * i, 2 * i + 1]) error += s * (unbias * stream.symbolsReIm[at] - sent.symbolsReIm[at]) ** 2;
      came++;
    });
    return { weighed: came === 0 ? 0 : error / came, came, count: stream.snrDb.length };
  }
}

/** Gaussian symbols of mean power 1, [symbol][re, im]. */
export function unitPower(random: RandomStream, count: number): Float32Array {
  const out = new Float32Array(2 * count);
  random.addComplexNoise(out, 1);
  const scale = Math.sqrt(count / out.reduce((sum, v) => sum + v * v, 0));
  return out.map((v) => scale * v);
}
