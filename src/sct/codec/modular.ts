import { decodeCsi, encodeCsi } from '../allocation/csi-code.ts';
import { FeatureCoder } from '../entropy/feature-code.ts';
import type { RgbImage } from '../image/rgb-image.ts';
import type { ModeDecision } from '../modes/mode-choice.ts';
import type { AnalysisModels, SemanticAnalysis } from '../semantics/analysis.ts';
import type { SemanticModels } from '../semantics/models.ts';
import { oncePerPicture } from '../semantics/once-per-picture.ts';
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
import { decodeModular } from './modular-decoder.ts';
import { fitPacket, leastPacketBytes, type PacketSource } from './packet-fit.ts';
import { interleavedCells, MAX_STREAM_BYTES } from './packet-layout.ts';
import { pictureParts, type SemanticCodecOptions } from './picture-parts.ts';
import type { SideParts } from './side-budget.ts';
import { encodeSideInfo, LEVEL_NOT_SENT } from './side-info.ts';
import { classesOfOthers, flatClassMap } from './side-selection.ts';
import { cellsOfSfvs } from './symbol-order.ts';

export type ModularOptions = SemanticCodecOptions;

/** Plan of the modular codec: the streams, and what they were made of. */
export interface ModularPlan extends SourcePlan {
  readonly analysis: SemanticAnalysis;
  readonly parts: SideParts;
  readonly decision: ModeDecision;
}

/**
 * Source coding apart from channel coding: each SFV's embeddings are quantised and entropy-coded by themselves into a packet of exactly
 * the bytes that its resource blocks carry. A packet that does not come changes no embedding of another SFV; inside an SFV a lost
 * piece costs the cells of its segments.
 */
export class ModularCodec implements Codec {
  readonly name = 'modular';
  private readonly models: SemanticModels;
  private readonly seen: AnalysisModels;
  private readonly options: ModularOptions;
  private readonly coder: FeatureCoder;

  constructor(models: SemanticModels, options: ModularOptions = {}) {
    this.models = models;
    this.seen = oncePerPicture(models);
    this.options = options;
    this.coder = new FeatureCoder(models.tables);
  }

  describe(): string {
    return `modular: quantiser and entropy code of model set ${this.models.set.name} ${this.models.set.id}`;
  }

  /**
   * @throws UsageError for a picture that the networks do not take, or an option out of range; ModelError when a network fails
   */
  async analyse(image: RgbImage, hints: AnalyseHints = {}): Promise<ModularPlan> {
    const { timingsMs, ...made } = await pictureParts('modular', this.seen, this.options, image, hints);
    return { ...this.planOf(made.analysis, made.parts, made.decision, made.referenceId), timingsMs };
  }

  /** The plan of a picture that was analysed before. */
  planOf(
    analysis: SemanticAnalysis,
    parts: SideParts,
    decision: ModeDecision,
    referenceId = this.options.referenceId,
  ): ModularPlan {
    const { partition, classMap } = parts;
    const classes = classesOfOthers(partition, classMap, 0);
    const flat = flatClassMap(partition, classes);
    const sources = cellsOfSfvs(partition.sfvOf, partition.sfvs.length).map(
      (cells, id): PacketSource => ({
        id,
        classMap,
        flat,
        y: analysis.y,
        cells: interleavedCells(cells, partition.columns),
        sfvClass: classes[id],
      }),
    );
    const streams = partition.sfvs.slice(0, parts.streams).map(
      (s): StreamPlan => ({
        id: s.id,
        kind: 'bits',
        score: parts.scores[s.id],
        minSize: leastPacketBytes(sources[s.id], this.coder, this.models.tables),
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
      encode: async (grants) => this.encode({ analysis, parts, decision, streams, sources }, referenceId, grants),
    };
  }

  decode(received: ReceivedSource, options: DecodeOptions = {}): Promise<DecodedImage> {
    return decodeModular(this.models, this.coder, received, { reference: this.options.references, ...options });
  }

  private encode(
    {
      analysis,
      parts,
      decision,
      streams: plans,
      sources,
    }: Pick<ModularPlan, 'analysis' | 'parts' | 'decision' | 'streams'> & { readonly sources: readonly PacketSource[] },
    referenceId: number | undefined,
    grants: readonly StreamGrant[],
  ): EncodedSource {
    const { tables, set } = this.models;
    const { mode, selection, partition } = parts;
    checkGrants(grants, plans, MAX_STREAM_BYTES, 'bytes');
    const start = performance.now();
    const levels = new Uint8Array(partition.sfvs.length).fill(LEVEL_NOT_SENT);
    const streams: EncodedStream[] = [];
    let codeBytes = 0;
    let payloadBytes = 0;
    let segments = 0;
    for (const { id, size } of grants) {
      if (size < plans[id].minSize) continue;
      const packet = fitPacket(sources[id], size, this.coder, tables);
      if (!packet) continue;
      levels[id] = packet.level;
      streams.push({ id, kind: 'bits', payload: packet.payload });
      codeBytes += packet.codeBytes;
      payloadBytes += size;
      segments += packet.segments;
    }
    const codedAt = performance.now();
    const csiCode = encodeCsi(meanSnrDb(grants));
    const { widthPx, heightPx } = analysis.y;
    const classes = Uint8Array.from(sources, (s) => s.sfvClass);
    const side = { mode, csiCode, selection, partition, classes, classMap: sources[0].flat, levels, referenceId };
    const sideInfo = encodeSideInfo({ kind: 'modular', widthPx, heightPx, ...side }, tables);
    return {
      sideInfo,
      streams,
      settings: {
        modelSet: set.id,
        mode,
        modeAsked: decision.asked,
        importanceCv: decision.importanceCv,
        autoTau: decision.tau,
        csiDb: decodeCsi(csiCode),
        sfvs: partition.sfvs.length,
        sfvsKept: parts.streams,
        sfvsSent: streams.length,
        grantedBytes: grants.reduce((sum, g) => sum + g.size, 0),
        payloadBytes,
        codeBytes,
        segments,
        levels: streams.map((s) => levels[s.id]).join(' '),
        sideEconomy: parts.economy,
        ...(referenceId === undefined ? {} : { reference: referenceId.toString(16).padStart(8, '0') }),
      },
      timingsMs: { streams: codedAt - start, sideInfo: performance.now() - codedAt },
    };
  }
}
