import { FormatError, UsageError } from '../../common/errors.ts';
import { decodeCsi, encodeCsi } from '../allocation/csi-code.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import { shortId } from '../knowledge/knowledge-store.ts';
import type { Partition } from '../partition/partition.ts';
import { type AnalysisModels, type AnalysisOptions, analyseSemantics } from '../semantics/analysis.ts';
import { ModelError } from '../semantics/model-error.ts';
import { setHash } from '../semantics/model-set.ts';
import type { SemanticModels } from '../semantics/models.ts';
import { oncePerObject, oncePerPicture } from '../semantics/once-per-picture.ts';
import type { UserCodec } from '../semantics/user-codec.ts';
import { POWER_TOLERANCE } from '../semantics/verify-user-codec.ts';
import { meanPower, SNR_CEILING_DB, SNR_FLOOR_DB } from './analog-stream.ts';
import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  EncodedSource,
  EncodedStream,
  ReceivedSource,
  SourcePlan,
  StreamGrant,
  StreamPlan,
} from './codec.ts';
import { checkGrants, DEFAULT_CSI_DB, meanSnrDb } from './grants.ts';
import { decodeSfvScale, encodeSfvScale, SFV_NOT_SENT } from './sfv-power.ts';
import { MAX_STREAM_SYMBOLS } from './symbol-order.ts';
import { decodeUserSide, encodeUserSide, type UserSide } from './user-side.ts';
import { gridSymbols, placeStream, rankAt, symbolsOfStreams, type UserReceived } from './user-symbols.ts';

/** Budget that is proposed where the pair's symbols do not fit, as a multiple of them: control, side information and whole slots on top. */
const WITH_CONTROL = 1.1;

/** What divides a pair with a grid into SFVs; without it the picture is one stream. */
export interface UserPairOptions {
  readonly models?: SemanticModels | undefined;
  readonly analysis?: Omit<AnalysisOptions, 'everyMap'> | undefined;
}

/**
 * A user's own encoder and decoder as a codec of the link (`onnx:DIR`, docs/models.md). Rate is the pair's: every stream needs exactly
 * its symbols; what a grant has beyond repeats them and is combined. A pair that breaks its contract is refused with a ModelError:
 * mean power other than 1, a number of symbols that depends on more than the size, or one that its own grid contradicts.
 */
export class UserPairCodec implements Codec {
  readonly name = 'user';
  /** First 32 bits of the hash over both networks: both ends must have the same. */
  readonly pairId: number;
  private readonly pair: UserCodec;
  private readonly options: UserPairOptions;
  private readonly seen: AnalysisModels | undefined;
  /** A picture's symbols at the usual SNR: as many as at any other. */
  private readonly usual = oncePerObject((image: RgbImage) => this.encoded(image, DEFAULT_CSI_DB));

  constructor(pair: UserCodec, options: UserPairOptions = {}) {
    this.pair = pair;
    this.options = options;
    this.seen = options.models && oncePerPicture(options.models);
    const { encoder, decoder } = pair.info;
    this.pairId = shortId(
      setHash(
        [
          { name: 'encoder', ...encoder },
          { name: 'decoder', ...decoder },
        ].map(hashed),
      ),
    );
  }

  describe(): string {
    const { name, version } = this.pair.info;
    return `user: pair ${name} ${version}, ${this.pairId.toString(16).padStart(8, '0')}`;
  }

  /** @throws ModelError for a pair that breaks its contract; UsageError when the symbols exceed a stream or the budget */
  async analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<SourcePlan> {
    const start = performance.now();
    const symbols = (await this.usual(image)).length / 2;
    const partition = await this.partitionOf(image, hints);
    const shape = { widthPx: image.width, heightPx: image.height };
    const parts = symbolsOfStreams(this.pair.info, shape, symbols, partition?.partition);
    if (hints.symbols !== undefined && symbols > hints.symbols) {
      const cbr = symbols / (3 * image.width * image.height);
      throw new UsageError(
        `the pair makes ${symbols} symbols of this picture, the budget holds ${Math.floor(hints.symbols)}: ` +
          `allowed CBR from ${cbr.toFixed(4)} and its side information`,
        `with room for control and side information: --cbr ${(WITH_CONTROL * cbr).toPrecision(3)}`,
      );
    }
    const streams = parts.map((indices, id): StreamPlan => {
      if (indices.length > MAX_STREAM_SYMBOLS) {
        throw new UsageError(`${indices.length} symbols in a stream: allowed up to ${MAX_STREAM_SYMBOLS}`);
      }
      const cells = partition?.partition.sfvs[id].cells;
      return { id, kind: 'analog', score: partition?.scores[id] ?? 255, minSize: Math.max(1, indices.length), cells };
    });
    const side = (scales: Uint8Array, csiCode: number): UserSide => ({
      ...shape,
      pairId: this.pairId,
      csiCode,
      symbols,
      partition: partition?.partition,
      scales,
    });
    return {
      streams,
      sideInfoBytes: encodeUserSide(side(new Uint8Array(streams.length), 0)).length,
      timingsMs: { analysis: performance.now() - start },
      encode: (grants) => this.encode(image, parts, streams, side, grants),
    };
  }

  /** Never throws for anything received; a network of the pair that fails on it is an outage that says so. */
  async decode({ sideInfo, streams }: ReceivedSource): Promise<DecodedImage> {
    if (sideInfo === undefined) return outage('side information did not arrive');
    try {
      const side = decodeUserSide(sideInfo);
      if (side.pairId !== this.pairId) {
        const [theirs, ours] = [side.pairId, this.pairId].map((id) => id.toString(16).padStart(8, '0'));
        return outage(`the sender's pair is ${theirs}, this end has ${ours}`);
      }
      return await this.shown(side, streams);
    } catch (error) {
      if (error instanceof FormatError) return outage(`side information not usable: ${error.message}`);
      if (error instanceof ModelError) return outage(error.message);
      throw error;
    }
  }

  private async shown(side: UserSide, streams: ReceivedSource['streams']): Promise<DecodedImage> {
    const { info } = this.pair;
    const n = side.symbols;
    const most = info.grid ? gridSymbols(info.grid, side, info.multipleOf) : MAX_STREAM_SYMBOLS;
    if (info.grid ? n !== most : n > most)
      throw new FormatError('symbols', `${n}, allowed ${info.grid ? '' : 'up to '}${most}`);
    if (side.partition && !info.grid) throw new FormatError('partition', 'of a pair without a grid');
    const parts = symbolsOfStreams(info, side, n, side.partition);
    const out: UserReceived = { symbolsReIm: new Float32Array(2 * n), snr: new Float32Array(n) };
    const faults: string[] = [];
    const seen = new Set<number>();
    let arrived = 0;
    for (const stream of streams) {
      const { id } = stream;
      const places = stream.kind === 'analog' ? stream.snrDb.length : 0;
      if (stream.kind !== 'analog' || seen.has(id) || !parts[id] || stream.symbolsReIm.length !== 2 * places) {
        faults.push(`stream ${id} contradicts the side information`);
        continue;
      }
      seen.add(id);
      if (side.scales[id] === SFV_NOT_SENT) continue;
      if (places < parts[id].length) faults.push(`stream ${id} has ${places} symbols of ${parts[id].length}`);
      else arrived += placeStream(stream, parts[id], decodeSfvScale(side.scales[id]), out);
    }
    const lost = parts.reduce(
      (sum, p, id) => sum + (side.scales[id] ? p.filter((i) => out.snr[i] === 0).length : 0),
      0,
    );
    const capacity = out.snr.reduce((sum, s) => sum + Math.log2(1 + s), 0) / n;
    const snrDb = Math.min(SNR_CEILING_DB, Math.max(SNR_FLOOR_DB, 10 * Math.log10(2 ** capacity - 1)));
    const image = await this.pair.decode(out.symbolsReIm, snrDb, side);
    const notes = [...(lost > 0 ? [`${lost} of ${n} symbols did not arrive`] : []), ...faults.slice(0, 1)];
    return {
      image,
      decodable: arrived > 0,
      complete: arrived > 0 && lost === 0,
      mask: undefined,
      note: notes.length > 0 ? notes.join('; ') : undefined,
      partition: side.partition,
    };
  }

  private async encode(
    image: RgbImage,
    parts: readonly Uint32Array[],
    plans: readonly StreamPlan[],
    side: (scales: Uint8Array, csiCode: number) => UserSide,
    grants: readonly StreamGrant[],
  ): Promise<EncodedSource> {
    checkGrants(grants, plans, MAX_STREAM_SYMBOLS, 'symbols');
    const short = grants.find((g) => g.size < plans[g.id].minSize);
    if (short) {
      const { minSize } = plans[short.id];
      throw new UsageError(`stream ${short.id} has ${short.size} symbols: the pair needs exactly ${minSize} or more`);
    }
    const csiCode = encodeCsi(meanSnrDb(grants));
    const start = performance.now();
    const made = await this.encoded(image, decodeCsi(csiCode));
    const total = parts.reduce((sum, p) => sum + p.length, 0);
    if (made.length !== 2 * total) {
      throw this.broken(
        `makes ${made.length / 2} symbols at ${decodeCsi(csiCode)} dB and ${total} at ${DEFAULT_CSI_DB} dB`,
      );
    }
    const scales = new Uint8Array(plans.length);
    const streams = grants.map(({ id, size }): EncodedStream => {
      const indices = parts[id];
      const own = Float32Array.from({ length: 2 * indices.length }, (_, i) => made[2 * indices[i >> 1] + (i & 1)]);
      const placed = Float32Array.from({ length: 2 * size }, (_, i) => {
        return own[2 * rankAt(i >> 1, size, indices.length) + (i & 1)];
      });
      // Over all places: symbols that stand there twice count twice.
      const rms = Math.sqrt(meanPower(placed));
      if (!(rms > 0)) {
        for (let p = 0; p < size; p++) placed[2 * p] = 1;
        return { id, kind: 'analog', symbolsReIm: placed };
      }
      scales[id] = encodeSfvScale(rms);
      const scale = decodeSfvScale(scales[id]);
      return { id, kind: 'analog', symbolsReIm: placed.map((v) => v / scale) };
    });
    const { name, version } = this.pair.info;
    const granted = grants.reduce((sum, g) => sum + g.size, 0);
    return {
      sideInfo: encodeUserSide(side(scales, csiCode)),
      streams,
      settings: {
        pair: name,
        pairVersion: version,
        pairId: this.pairId,
        csiDb: decodeCsi(csiCode),
        symbols: total,
        repeatedSymbols: granted - grants.reduce((sum, g) => sum + parts[g.id].length, 0),
        meanPower: meanPower(made),
      },
      timingsMs: { encoder: performance.now() - start },
    };
  }

  /** The pair's symbols, checked: mean power 1, and as many as its grid says. */
  private async encoded(image: RgbImage, snrDb: number): Promise<Float32Array> {
    const made = await this.pair.encode(image, snrDb);
    const power = meanPower(made);
    if (!(Math.abs(power - 1) <= POWER_TOLERANCE)) {
      throw this.broken(`gives its symbols mean power ${power.toFixed(3)}: allowed 1 within ${POWER_TOLERANCE}`);
    }
    const { grid, multipleOf } = this.pair.info;
    const want = grid && gridSymbols(grid, { widthPx: image.width, heightPx: image.height }, multipleOf);
    if (want !== undefined && made.length !== 2 * want) {
      throw this.broken(`makes ${made.length / 2} symbols: allowed ${want}, as its grid says`);
    }
    return made;
  }

  private async partitionOf(
    image: RgbImage,
    hints: AnalyseHints,
  ): Promise<{ partition: Partition; scores: Uint8Array } | undefined> {
    const { seen } = this;
    const { analysis } = this.options;
    if (!seen || !this.pair.info.grid) return undefined;
    const partition = { ...analysis?.partition, ...(hints.maxSfvs === undefined ? {} : { maxSfvs: hints.maxSfvs }) };
    return analyseSemantics(seen, image, { ...analysis, partition });
  }

  private broken(message: string): ModelError {
    const { file, sha256 } = this.pair.info.encoder;
    return new ModelError({ file, expectedSha256: sha256 }, message, 'sct models verify onnx:DIR checks a pair');
  }
}

function hashed({ name, sha256 }: { readonly name: string; readonly sha256: string }) {
  return { name, sha256 };
}

function outage(note: string): DecodedImage {
  return { image: undefined, decodable: false, complete: false, mask: undefined, note };
}
