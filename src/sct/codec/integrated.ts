import { FloatRoom } from '../../common/float-room.ts';
import { decodeCsi, encodeCsi } from '../allocation/csi-code.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import type { ModeDecision } from '../modes/mode-choice.ts';
import { decodePowerScale, encodePowerScale } from '../rate/power-scale.ts';
import { symbolRate } from '../rate/symbol-rate.ts';
import { chooseThetaLevel } from '../rate/theta-level.ts';
import type { AnalysisModels, SemanticAnalysis } from '../semantics/analysis.ts';
import { flatPlane } from '../semantics/feature-map.ts';
import type { SemanticModels } from '../semantics/models.ts';
import { oncePerPicture } from '../semantics/once-per-picture.ts';
import { meanPower } from './analog-stream.ts';
import type {
  AnalyseHints,
  Codec,
  DecodedImage,
  DecodeOptions,
  EncodedSource,
  EncodedStream,
  ReceivedSource,
  SourcePlan,
  StreamGrant,
  StreamPlan,
} from './codec.ts';
import { checkGrants, meanSnrDb } from './grants.ts';
import { decodeIntegrated } from './integrated-decoder.ts';
import { pictureParts, type SemanticCodecOptions } from './picture-parts.ts';
import { sfvDivisor } from './sfv-power.ts';
import type { SideParts } from './side-budget.ts';
import { encodeSideInfo } from './side-info.ts';
import { StreamPacker } from './stream-packer.ts';
import { cellsOfSfvs, MAX_STREAM_SYMBOLS } from './symbol-order.ts';

/** SNRs that f_e was trained with, dB. */
const F_E_SNR_DB = [-8, 25] as const;
/** Most packers whose memory waits for its next picture. */
const MOST_PACKERS = 2;

export interface IntegratedOptions extends SemanticCodecOptions {
  /**
   * `sfv` (default): every stream has unit mean power, as the air interface asks. `picture`: one scale for all streams, for
   * measuring what that costs; the link would refuse it.
   */
  readonly power?: 'sfv' | 'picture' | undefined;
  /** What f_e is told of the channel: the picture's CSI value (default), or each SFV's own, for measuring what that is worth. */
  readonly senderSnr?: 'picture' | 'sfv' | undefined;
}

/** Plan of the integrated codec: the streams, and what they were made of. */
export interface IntegratedPlan extends SourcePlan {
  readonly analysis: SemanticAnalysis;
  readonly parts: SideParts;
  readonly decision: ModeDecision;
}

/**
 * Joint source-channel coding: each SFV's embeddings become complex symbols that are sent as they are, digital is only the side
 * information. Symbols of an SFV that is worse received than expected fade with the channel, there is no cliff.
 */
export class IntegratedCodec implements Codec {
  readonly name = 'integrated';
  private readonly models: SemanticModels;
  private readonly seen: AnalysisModels;
  private readonly options: IntegratedOptions;
  /** Those that no picture uses. */
  private readonly packers: StreamPacker[] = [];

  constructor(models: SemanticModels, options: IntegratedOptions = {}) {
    this.models = models;
    this.seen = oncePerPicture(models);
    this.options = options;
  }

  describe(): string {
    return `integrated: joint source-channel code of model set ${this.models.set.name} ${this.models.set.id}`;
  }

  /**
   * @throws UsageError for a picture that the networks do not take, or an option out of range; ModelError when a network fails
   */
  async analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<IntegratedPlan> {
    const { timingsMs, ...made } = await pictureParts('integrated', this.seen, this.options, image, hints);
    return { ...this.planOf(made.analysis, made.parts, made.decision, made.referenceId), timingsMs };
  }

  /** The plan of a picture that was analysed before. */
  planOf(
    analysis: SemanticAnalysis,
    parts: SideParts,
    decision: ModeDecision,
    referenceId = this.options.referenceId,
  ): IntegratedPlan {
    const streams = parts.partition.sfvs.slice(0, parts.streams).map(
      (s): StreamPlan => ({
        id: s.id,
        kind: 'analog',
        score: parts.scores[s.id],
        minSize: leastSymbols(s.cells, this.models.tables.kSet),
        cells: s.cells,
      }),
    );
    return {
      analysis,
      parts,
      decision,
      streams,
      ranking: parts.ranking.filter((id) => id < parts.streams),
      sideInfoBytes: parts.split.total,
      encode: (grants, room) => this.encode({ analysis, parts, decision, streams }, referenceId, grants, room),
    };
  }

  decode(received: ReceivedSource, options: DecodeOptions = {}): Promise<DecodedImage> {
    return decodeIntegrated(this.models, received, { reference: this.options.references, ...options });
  }

  private async encode(
    source: Pick<IntegratedPlan, 'analysis' | 'parts' | 'decision' | 'streams'>,
    referenceId: number | undefined,
    grants: readonly StreamGrant[],
    room?: FloatRoom,
  ): Promise<EncodedSource> {
    // Its own as long as the networks run: pictures may be coded beside one another.
    const packer = this.packers.pop() ?? new StreamPacker();
    try {
      return await this.encodeWith(packer, source, referenceId, grants, room);
    } finally {
      if (this.packers.length < MOST_PACKERS) this.packers.push(packer);
    }
  }

  private async encodeWith(
    packer: StreamPacker,
    { analysis, parts, decision, streams: plans }: Pick<IntegratedPlan, 'analysis' | 'parts' | 'decision' | 'streams'>,
    referenceId: number | undefined,
    grants: readonly StreamGrant[],
    room = new FloatRoom(),
  ): Promise<EncodedSource> {
    const { models } = this;
    const { tables } = models;
    const { classMap, partition } = parts;
    const { y } = analysis;
    const area = y.rows * y.columns;
    checkGrants(grants, plans, MAX_STREAM_SYMBOLS, 'symbols');
    const start = performance.now();
    const csiCode = encodeCsi(meanSnrDb(grants));
    const cells = cellsOfSfvs(partition.sfvOf, partition.sfvs.length);
    const large = grants.filter((g) => g.size >= plans[g.id].minSize);
    const granted = large.reduce((sum, g) => sum + g.size, 0);
    const classes = large.map((g) => cells[g.id].map((at) => classMap.data[at]));
    const thetaLevel = chooseThetaLevel(
      classes.flatMap((c) => [...c]),
      granted,
      decodeCsi(csiCode),
      tables,
    );

    const symbols = flatPlane(y, 0);
    const snrDb = flatPlane(y, senderSnrDb(csiCode));
    packer.begin(granted);
    large.forEach(({ id, size, snrDb: own }, n) => {
      const k = symbolRate({ classes: classes[n], thetaLevel, budget: size }, tables);
      if (k.every((v) => v === 0)) return;
      packer.order(id, k, classes[n], size, { stride: 2 * area, cellOf: cells[id] });
      cells[id].forEach((at, i) => {
        symbols.data[at] = k[i];
        if (this.options.senderSnr === 'sfv' && own !== undefined) snrDb.data[at] = senderSnrDb(encodeCsi(own));
      });
    });
    const networkStart = performance.now();
    const z = await models.encodeSymbols(y, classMap, symbols, snrDb);
    const packStart = performance.now();

    const taken = grants.reduce((sum, g) => sum + g.size, 0);
    const memory = room.first(2 * taken);
    let at = 0;
    const streams = grants.map(({ id, size }): Extract<EncodedStream, { kind: 'analog' }> => {
      const symbolsReIm = memory.subarray(2 * at, 2 * (at + size));
      at += size;
      if (packer.symbolsOf(id) > 0) packer.pack(id, z, area, symbolsReIm);
      return { id, kind: 'analog', symbolsReIm };
    });
    const powers = streams.map(({ id, symbolsReIm }) => (packer.symbolsOf(id) > 0 ? meanPower(symbolsReIm) : 0));
    const coded = streams.flatMap(({ id, symbolsReIm }, n) =>
      packer.symbolsOf(id) > 0 ? [{ power: powers[n], size: symbolsReIm.length / 2 }] : [],
    );
    const scale = totalRms(coded);
    const powerCode = encodePowerScale(scale);
    const scaleOfPicture = decodePowerScale(powerCode);
    const sfvScales = new Uint8Array(partition.sfvs.length);
    let padSymbols = 0;
    let repeatedSymbols = 0;
    streams.forEach(({ id, symbolsReIm }, n) => {
      const size = symbolsReIm.length >> 1;
      const rms = Math.sqrt(powers[n]);
      if (rms === 0) {
        padSymbols += size;
        pad(symbolsReIm);
        return;
      }
      repeatedSymbols += size - packer.symbolsOf(id);
      const { code, divisor } = sfvDivisor(this.options.power === 'picture' ? scaleOfPicture : rms, scaleOfPicture);
      sfvScales[id] = code;
      for (let i = 0; i < symbolsReIm.length; i++) symbolsReIm[i] /= divisor;
    });
    const { mode, selection, classMapBytes } = parts;
    const own = { thetaLevel, powerCode, sfvScales, referenceId, classMapBytes };
    const side = { mode, csiCode, selection, partition, classMap, ...own };
    const sideInfo = encodeSideInfo({ kind: 'integrated', widthPx: y.widthPx, heightPx: y.heightPx, ...side }, tables);
    const end = performance.now();
    return {
      sideInfo,
      streams,
      settings: {
        modelSet: models.set.id,
        mode,
        modeAsked: decision.asked,
        importanceCv: decision.importanceCv,
        autoTau: decision.tau,
        csiDb: decodeCsi(csiCode),
        thetaLevel,
        powerScale: decodePowerScale(powerCode),
        sfvs: partition.sfvs.length,
        sfvsKept: parts.streams,
        sfvsSent: sfvScales.filter((c) => c > 0).length,
        symbols: grants.reduce((sum, g) => sum + g.size, 0) - padSymbols - repeatedSymbols,
        repeatedSymbols,
        padSymbols,
        sideEconomy: parts.economy,
        ...(referenceId === undefined ? {} : { reference: referenceId.toString(16).padStart(8, '0') }),
      },
      timingsMs: {
        rate: networkStart - start,
        symbolEncoder: packStart - networkStart,
        streams: end - packStart,
      },
    };
  }
}

/** The shortest prefix for a quarter of an SFV's cells: what is less says nothing of it. */
export function leastSymbols(cells: number, kSet: readonly number[]): number {
  return kSet[1] * Math.ceil(cells / 4);
}

function senderSnrDb(csiCode: number): number {
  return Math.min(F_E_SNR_DB[1], Math.max(F_E_SNR_DB[0], decodeCsi(csiCode)));
}

/** Root mean square over the symbols of all these streams; 1 where there are none. */
function totalRms(streams: readonly { readonly power: number; readonly size: number }[]): number {
  let energy = 0;
  let count = 0;
  for (const { power, size } of streams) {
    energy += power * size;
    count += size;
  }
  return count === 0 ? 1 : Math.sqrt(energy / count);
}

/** Symbols of unit power that say nothing: for a grant too small for its SFV. The link's spreading makes noise of them. */
function pad(symbolsReIm: Float32Array): void {
  for (let i = 0; i < symbolsReIm.length; i++) symbolsReIm[i] = i % 2 === 0 ? 1 : 0;
}
