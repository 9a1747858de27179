import { countedRe, type SymbolBudget } from '../../link/accounting.ts';
import type { ReceivedPicture } from '../../link/receiver.ts';
import type { DecodedImage } from '../../sct/codec/codec.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import { semanticSettings } from '../../sct/modes/semantic-options.ts';
import { measureQuality } from '../../sct/quality/report.ts';
import { CELL_PX } from '../../sct/semantics/feature-map.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { isSemantic, modelSetId } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { type NetworkFigures, NO_FIGURES, receivedPicture } from '../config/quality-inputs.ts';
import { sentSpeechCodec, speechFigures } from '../speech/speech-figures.ts';
import type { LinkTrace } from './link-trace.ts';
import { type MachineReferences, machineMetrics } from './machine-metrics.ts';
import { emptyMetrics, type HarqMetrics, type LinkMetrics } from './metrics.ts';
import { sfvMetrics } from './sfv-metrics.ts';
import type { TransmitFacts } from './transmit-facts.ts';

/** What a run knows at its end. */
export interface MetricsInput {
  readonly config: LinkConfig;
  readonly trace: LinkTrace;
  /** null at a receiver alone. */
  readonly facts: TransmitFacts | null;
  /** The original; undefined at a remote receiver without --reference. */
  readonly source: RgbImage | undefined;
  /** The original of speech, where it is here. */
  readonly speech?: Speech | undefined;
  /** undefined when nothing of a picture arrived. */
  readonly decoded: DecodedImage | undefined;
  /** What it was decoded from. */
  readonly picture?: ReceivedPicture | undefined;
  /** Importance of each cell of the source as the sender saw it, [row][column]. */
  readonly importance?: Float32Array | undefined;
  /** Labels of the model set that it was decoded with. */
  readonly labels?: { readonly names: readonly string[] } | null;
  readonly samples: number;
  readonly lostSamples: number;
  readonly clippedSamples: number;
  /** False when the channel was not modelled here (a recording, a file from elsewhere). */
  readonly modelled: boolean;
  /** Region of interest by ground truth, one element a pixel of the source. */
  readonly roiMask?: Uint8Array | undefined;
  /** What a machine receiver's findings are held against. */
  readonly machine?: MachineReferences | undefined;
  /** What the user's networks measured. */
  readonly networks?: NetworkFigures;
}

/** The numbers of the `--json` contract (docs/metrics.md), all from the received samples but `facts`. */
export function linkMetrics(input: MetricsInput): LinkMetrics {
  const { config, trace, facts, source, decoded, picture } = input;
  const metrics = emptyMetrics(config.codec);
  const data = trace.dataBursts;
  const hasData = data.length > 0 || trace.leftData.count > 0;
  const expectsPicture = facts !== null || decoded !== undefined || hasData;
  // A semantic codec's guess is its picture, marked; a file that does not decode is none.
  const guessed = decoded?.sfvs !== undefined;
  const received = receivedPicture(decoded);
  const noneAsked = decoded?.decodable === true && decoded.image === undefined;
  const comparable = !source || !received || (source.width === received.width && source.height === received.height);
  const quality = measureQuality({
    reference: expectsPicture && !noneAsked ? source : undefined,
    received: comparable ? received : undefined,
    roiMask: input.roiMask,
    weights: source && input.importance ? pixelWeights(input.importance, source) : undefined,
  });
  Object.assign(metrics, quality, expectsPicture && !noneAsked ? input.networks : NO_FIGURES);
  metrics.codec = picture?.codec ?? sentSpeechCodec(facts) ?? config.codec;
  metrics.mode = modeOf(facts);
  // One word can follow from the other. Where nothing could be made of a picture it is what was asked for.
  const asked = expectsPicture && isSemantic(picture?.codec ?? config.codec);
  if (guessed || asked) {
    const { printed } = semanticSettings({ task: config.task, distortion: config.distortion }, []);
    metrics.task = String(printed.task);
    metrics.distortion = String(printed.distortion);
  }
  metrics.machine = decoded?.task ? machineMetrics(decoded.task, input.machine) : null;
  metrics.mIoU = metrics.machine?.withTruth?.mIoU ?? null;
  metrics.modelSet = picture && picture.modelSet !== 0 ? modelSetId(picture.modelSet) : (facts?.modelSet ?? null);
  metrics.mapping = facts?.mapping ?? null;
  metrics.mappingReason = facts?.mappingReason || null;
  metrics.channel = input.modelled ? config.channel : null;
  metrics.snrDb = input.modelled ? config.snrDb : null;
  metrics.seed = input.modelled ? config.seed : null;
  const pixels = source ? source.width * source.height : received ? received.width * received.height : null;
  const budget = facts?.budget ?? trace.budget;
  Object.assign(metrics, budgetMetrics(budget, expectsPicture ? pixels : null));
  metrics.sideInfoBytes = expectsPicture ? (facts?.sideInfoBytes ?? sideInfoBytesOf(picture)) : null;
  metrics.sfvs = sfvMetrics(config.numerology, trace, picture, decoded, input.labels ?? null);
  metrics.retransmissions = facts?.retransmissions ?? null;
  metrics.harq = harqMetrics(facts, trace);
  metrics.powerLoadingDb = facts ? facts.powerDb : (data.findLast((b) => b.powerDb)?.powerDb?.slice() ?? null);
  // By the receiver's samples where they are a radio's; a receiver that nobody hears cannot know which reports its sender has.
  const measuredAgeMs = input.modelled || !answersOf(config, facts) ? null : trace.csiAgeMs;
  metrics.csiAgeMs = measuredAgeMs ?? facts?.csiAgeMs ?? null;
  metrics.codeBlocks = hasData ? trace.firstBlocks : null;
  metrics.codeBlockErrors = hasData ? trace.firstFailures : null;
  metrics.bler = trace.firstBlocks > 0 ? trace.firstFailures / trace.firstBlocks : null;
  metrics.unsent = facts?.unsent?.reason ?? null;
  metrics.outage = expectsPicture ? (decoded?.decodable || guessed ? 0 : 1) : null;
  const { rbSnrDb, cfoHz } = hasData
    ? trace.leftData.meansWith(data)
    : trace.leftOthers.meansWith(trace.bursts.slice(trace.forGains));
  metrics.rbSnrDb = rbSnrDb;
  metrics.cfoHz = cfoHz;
  metrics.evmDb = trace.leftData.meansWith(data).evmDb;
  metrics.numerology = config.numerology;
  metrics.samples = input.samples;
  metrics.lostSamples = input.lostSamples;
  metrics.droppedBursts = trace.droppedBursts.length;
  metrics.clippedSamples = input.clippedSamples;
  // Where SFVs fade one by one a picture is received when anything of it is; a file must be whole.
  metrics.ok = guessed ? decoded?.decodable === true : decoded?.complete === true;
  const speech = speechFigures(decoded, facts, input.speech);
  if (speech) {
    metrics.speech = speech;
    // So do those of speech; beside a picture both must have come.
    metrics.ok = speech.outage === 0 && (metrics.codec === 'speech' || metrics.ok);
  }
  return metrics;
}

/** Whether this receiver's reports reached the sender. */
function answersOf({ feedback }: LinkConfig, facts: TransmitFacts | null): boolean {
  return facts ? feedback !== 'none' : feedback !== 'none' && feedback !== 'same';
}

/** The weight of each pixel: its cell's importance. */
export function pixelWeights(importance: Float32Array, { width, height }: RgbImage): Float32Array | undefined {
  const columns = Math.ceil(width / CELL_PX);
  if (importance.length !== columns * Math.ceil(height / CELL_PX)) return undefined;
  const out = new Float32Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    const row = columns * Math.floor(y / CELL_PX);
    for (let x = 0; x < width; x++, p++) out[p] = importance[row + Math.floor(x / CELL_PX)];
  }
  return out;
}

function modeOf(facts: TransmitFacts | null): string | null {
  const mode = facts?.settings.mode;
  return typeof mode === 'string' ? mode : null;
}

/** Of the burst that carries it; 0 where none does, as far as is known. */
function sideInfoBytesOf(picture: ReceivedPicture | undefined): number {
  return picture?.parts.find((part) => part?.side)?.side?.bytes ?? 0;
}

function harqMetrics(facts: TransmitFacts | null, trace: LinkTrace): HarqMetrics | null {
  const r = trace.harq;
  if (!facts && !r) return null;
  const none = {
    rounds: null,
    bursts: null,
    streams: null,
    symbols: null,
    timeouts: null,
    unacknowledged: null,
    lateAcks: null,
    duplicateAcks: null,
    refusedAcks: null,
  };
  return {
    ...(facts?.harq ?? none),
    repetitions: r?.repetition ?? null,
    recovered: r?.recovered ?? null,
    duplicates: r?.duplicate ?? null,
    flushes: r?.flushes ?? null,
    evictions: r?.evictions ?? null,
  };
}

/** The resource elements of a run by use; R and CBR where the number of pixels is known. */
export function budgetMetrics(budget: SymbolBudget, pixels: number | null): Partial<LinkMetrics> {
  const symbolsPerPixel = pixels === null ? null : countedRe(budget) / pixels;
  return {
    symbolsPerPixel,
    cbr: symbolsPerPixel === null ? null : symbolsPerPixel / 3,
    sideInfoSymbols: budget.sideInfo,
    controlSymbols: budget.control,
    padSymbols: budget.padding,
    pilotSymbols: budget.pilots,
    preambleSymbols: budget.preamble,
    soundingSymbols: budget.sounding,
    reverseSymbols: budget.reverse,
  };
}
