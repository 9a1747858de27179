import { requiredMutualInformation } from '../../phy/fec/required-mutual-information.ts';
import { ANALOG_CODE, MODULATION_BITS } from '../../phy/frame/extension.ts';
import { snrDbForInformation } from '../../phy/modulation/mutual-information.ts';
import { axisLevels, type ModulationOrder, modulationName } from '../../phy/modulation/qam.ts';
import { describeNumerology, type Numerology } from '../../phy/numerology.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import { differenceImage, flatImage, type RgbImage } from '../../sct/image/rgb-image.ts';
import { encodePng } from '../../sct/image/save.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { type KnowledgeFacts, knowledgeText } from '../loopback/session-knowledge.ts';
import { type BurstTrace, finalBlocks } from '../metrics/burst-trace.ts';
import type { LinkTrace } from '../metrics/link-trace.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import type { TransmitFacts } from '../metrics/transmit-facts.ts';
import type { RunManifest } from '../run/manifest.ts';
import { reportSpeech } from '../speech/speech-report.ts';
import { channelResponse } from './channel-response.ts';
import { type Modulation, type ReportArrival, type ReportData, shellCommand } from './data.ts';
import { reportPicture } from './picture.ts';
import type { SemanticData } from './semantic-data.ts';
import { reportSemantics } from './semantic-report.ts';
import type { Waterfall } from './waterfall.ts';

/** Everything a report is drawn from. */
export interface ReportInput {
  readonly title: string;
  readonly config: LinkConfig;
  readonly numerology: Numerology;
  readonly manifest: RunManifest;
  readonly metrics: LinkMetrics;
  readonly trace: LinkTrace;
  /** null at a receiver that has no transmitter beside it. */
  readonly facts: TransmitFacts | null;
  readonly source: RgbImage | undefined;
  /** The original of speech, where it is here. */
  readonly speech?: Speech | undefined;
  readonly decoded: DecodedImage | undefined;
  readonly waterfall: Waterfall | null;
  /** What the link knows of the SFVs; undefined for a codec without them. */
  readonly semantic?: SemanticData | undefined;
  readonly warnings: readonly string[];
  /** Worth knowing, and nothing wrong. */
  readonly notes?: readonly string[];
  /** What the ends hold and agreed on. */
  readonly knowledge?: KnowledgeFacts | undefined;
  readonly purpose?: ReportData['purpose'];
}

/** The report's data; pictures are embedded, larger ones reduced. */
export async function reportData(input: ReportInput): Promise<ReportData> {
  const { config, numerology: n, manifest, metrics, trace, facts, decoded, source } = input;
  const { purpose = 'picture' } = input;
  const grey = source && purpose === 'picture' ? flatImage(source.width, source.height) : undefined;
  const shown = decoded?.image ?? (pictureAsked(decoded) ? grey : undefined);
  const received = decoded?.decodable || decoded?.sfvs ? 'Received picture' : 'No picture could be decoded: flat grey';
  const difference = source && shown ? differenceImage(source, shown, 4) : undefined;
  const data = trace.dataBursts;
  const first = data[0] ?? trace.bursts[trace.forGains] ?? trace.bursts[0];
  return {
    purpose,
    identification: {
      title: input.title,
      runId: manifest.runId,
      time: manifest.startedAt,
      command: shellCommand(manifest.argv),
      codec: metrics.codec,
      codecDetail: facts ? settingsText(facts) : null,
      mapping:
        metrics.mapping && (metrics.mappingReason ? `${metrics.mapping} (${metrics.mappingReason})` : metrics.mapping),
      channel: metrics.channel ?? 'as received, not modelled',
      snrDb: metrics.snrDb,
      seed: manifest.seed,
      numerology: describeNumerology(n),
      program: `sct-testbed ${manifest.packageVersion}${manifest.git ? `, commit ${manifest.git.commit.slice(0, 10)}${manifest.git.dirty ? ' (changed)' : ''}` : ''}`,
      facts: {
        ...(manifest.session === undefined ? {} : { session: String(manifest.session) }),
        ...(first ? { 'channel estimate': first.estimator } : {}),
        ...(input.knowledge ? { 'local knowledge': knowledgeText(input.knowledge) } : {}),
        ...repetitionText(metrics.harq),
        ...powerText(metrics.powerLoadingDb),
      },
    },
    metrics,
    arrival: decoded ? arrivalOf(decoded) : null,
    notMeasured: {},
    pictures: {
      source: source ? await reportPicture(source, 'Source picture', 'source.png') : null,
      received: shown ? await reportPicture(shown, received, 'received.png') : null,
      difference: difference ? await reportPicture(difference, 'Difference', undefined, 'differences times 4') : null,
    },
    bursts: trace.bursts.map((b) => ({
      kind: b.use,
      startSample: Math.round(b.startSample),
      lengthSamples: Math.round(b.lengthSamples),
      header: {
        session: b.session,
        burst: b.burst,
        'CSI report': b.csiNumber === 0 ? 'none' : `${b.csiNumber}${ageText(b.csiAgeMs)}`,
        slots: b.slotsSent,
      },
      cfoHz: b.cfoHz,
      sfoPpm: b.sfoPpm,
      detection: b.detectionRho,
      slots: b.slots,
      evmDb: b.evmDb,
      snrDb: b.snrDb,
      suspect: b.suspect,
    })),
    rbSnr: first && first.slots > 0 ? rbSnr(first, n, facts) : null,
    speech: reportSpeech(metrics, input.speech, decoded),
    semantics: input.semantic ? await reportSemantics(input, input.semantic) : null,
    constellations: (data[0]?.constellations ?? []).map((c) => ({
      modulation: c.modulation as Modulation,
      reIm: c.reIm,
      idealReIm: idealPoints(c.qm),
      evmDb: data[0].evmDb,
    })),
    channel: first && first.channel.length > 0 ? channelResponse(first.channel, n) : null,
    phaseTracks: trace.bursts.slice(0, 4).map((b) => ({
      label: `${b.use} (burst ${b.burst})`,
      timeS: Float64Array.from(b.phase, (_, i) => (i * n.symbolLength) / n.sampleRateHz),
      phaseRad: b.phase,
    })),
    waterfall: input.waterfall,
    blocks: data.flatMap((b, part) =>
      finalBlocks(b, trace.bursts).map((block, i) => ({
        block: i,
        what: [
          data.length > 1 ? `part ${part + 1}` : null,
          metrics.sfvs.length > 0 ? `SFV ${block.stream}` : data.length > 1 ? null : 'picture',
        ]
          .filter((s) => s)
          .join(', '),
        bytes: block.bytes,
        modulation: modulationText(b.modulation),
        rate: block.codedBits > 0 ? block.infoBits / block.codedBits : 0,
        effectiveSnrDb: block.attempts > 0 ? block.effectiveSnrDb : null,
        iterations: block.attempts > 0 ? block.iterations : null,
        attempts: block.attempts,
        state: block.ok ? ('ok' as const) : ('lost' as const),
      })),
    ),
    budget: facts && source ? { pixels: source.width * source.height, ...budgetRows(facts) } : null,
    warnings: input.warnings,
    notes: input.notes ?? [],
    rateHz: config.rateHz,
    manifest: manifest as never,
  };
}

function ageText(csiAgeMs: number | null): string {
  return csiAgeMs === null ? '' : `, ${csiAgeMs.toFixed(1)} ms old`;
}

/** What repetitions came to; nothing where there were none and none was missed. */
function repetitionText(harq: LinkMetrics['harq']): { HARQ?: string } {
  const counts: [number | null | undefined, string][] = [
    [harq?.bursts, 'bursts repeated'],
    [harq?.rounds, 'most repetitions of a part'],
    [harq?.timeouts, 'not acknowledged in time'],
    [harq?.unacknowledged, 'blocks given up'],
    [harq?.lateAcks, 'late acknowledgements'],
    [harq?.refusedAcks, 'refused'],
    [harq?.recovered, 'parts recovered from a repetition alone'],
    [harq?.evictions, 'soft buffers given up'],
  ];
  const said = counts.filter(([n]) => (n ?? 0) > 0).map(([n, what]) => `${n} ${what}`);
  return said.length > 0 ? { HARQ: said.join(', ') } : {};
}

function powerText(levelsDb: readonly number[] | null): { 'power loading'?: string } {
  if (!levelsDb) return {};
  const signed = levelsDb.map((v) => `${v > 0 ? '+' : ''}${v}`);
  return { 'power loading': `water-filling, ${signed.join(' ')} dB by subband` };
}

function budgetRows(facts: TransmitFacts) {
  const b = facts.budget;
  return {
    payload: b.payload,
    sideInfo: b.sideInfo,
    control: b.control,
    padding: b.padding,
    retransmissions: b.retransmission,
    preamble: b.preamble,
    pilots: b.pilots,
    sounding: b.sounding,
    reverse: b.reverse,
  };
}

function settingsText(facts: TransmitFacts): string {
  const { settings: s, codeRate, payloadBytes, budget } = facts;
  const rate = codeRate === null ? '' : `, rate ${codeRate.toFixed(2)}`;
  if (s.speech !== undefined && s.pictureStreams === undefined) {
    const how =
      s.speech === 'analog' ? `${s.sent} of ${s.sfvs} SFVs in ${budget.payload} symbols` : `${payloadBytes} bytes`;
    return `${s.speech}, ${how}${rate}`;
  }
  if (s.sfvs !== undefined) {
    const sent = codeRate === null ? `${budget.payload} symbols` : `${payloadBytes} bytes`;
    return `${s.sfvsSent} of ${s.sfvs} SFVs in ${sent}${rate}, model set ${s.modelSet}`;
  }
  if (s.pair !== undefined) return `pair ${s.pair} ${s.pairVersion}, ${s.symbols} symbols`;
  if (s.format === undefined) return `${payloadBytes} bytes${rate}`;
  const scale = s.scale === '1/1' ? '' : `, coded at ${s.scale} of the size`;
  return `${String(s.format).toUpperCase()} level ${s.qualityLevel}${scale}, ${payloadBytes} bytes${rate}`;
}

function modulationText(codes: readonly number[] | null): string {
  const orders = [...new Set((codes ?? []).map((c) => MODULATION_BITS[c] ?? 0))]
    .filter((q) => q > 0)
    .sort((a, b) => a - b);
  return orders.map((q) => modulationName(q as ModulationOrder)).join(', ');
}

function modulationOf(code: number): Modulation | null {
  if (code === ANALOG_CODE) return 'analog';
  return MODULATION_BITS[code] ? (modulationName(MODULATION_BITS[code] as ModulationOrder) as Modulation) : null;
}

function rbSnr(burst: BurstTrace, n: Numerology, facts: TransmitFacts | null): NonNullable<ReportData['rbSnr']> {
  const codes = burst.modulation ?? [];
  const orders = [...new Set(codes.map((c) => MODULATION_BITS[c] ?? 0))].filter((q) => q > 0) as ModulationOrder[];
  const block = burst.blocks.find((b) => b.codedBits > 0);
  const rate = block ? block.infoBits / block.codedBits : null;
  return {
    subbands: n.nSubbands,
    meanDb: burst.subbandSnrDb,
    standardErrorDb: burst.subbandSnrErrorDb,
    modulation: codes.map(modulationOf),
    reportedDb: facts?.reportedSnrDb ?? null,
    reportAgeMs: facts?.csiAgeMs ?? null,
    slots: burst.slots,
    perRbDb: burst.rbSnrDb,
    thresholds:
      !block || rate === null || rate > 0.95
        ? []
        : orders.map((qm) => ({
            modulation: modulationName(qm) as Modulation,
            snrDb: snrDbForInformation(qm, qm * requiredMutualInformation(rate, block.infoBits, 1e-2)),
          })),
  };
}

function idealPoints(qm: ModulationOrder): Float32Array {
  const levels = [...new Set(axisLevels(qm))];
  const out: number[] = [];
  for (const re of levels) for (const im of levels) out.push(re, im);
  return Float32Array.from(out);
}

function arrivalOf({ complete, sfvs = [] }: DecodedImage): ReportArrival {
  return {
    complete,
    unsentSfvs: sfvs.filter((s) => !s.sent).length,
    damagedSfvs: sfvs.filter((s) => s.damage > 0 && (s.state === 'received' || s.state === 'repaired')).length,
  };
}

/** False where everything needed came but only the heads looked at it. */
function pictureAsked(decoded: DecodedImage | undefined): boolean {
  return !(decoded?.decodable && decoded.image === undefined);
}

/** PNG of what the receiver shows: the picture, or flat grey of the source's size. */
export async function receivedPng(
  decoded: DecodedImage | undefined,
  source: RgbImage | undefined,
): Promise<Uint8Array | null> {
  const image =
    decoded?.image ?? (source && pictureAsked(decoded) ? flatImage(source.width, source.height) : undefined);
  return image ? encodePng(image) : null;
}
