import { countedRe, type SymbolBudget } from '../link/accounting.ts';
import type { DecodedImage } from '../sct/codec/codec.ts';
import type { RgbImage } from '../sct/image/rgb-image.ts';
import { measureQuality } from '../sct/quality/report.ts';
import type { LinkConfig } from './link-config.ts';
import type { LinkTrace } from './link-trace.ts';
import { emptyMetrics, type HarqMetrics, type LinkMetrics } from './metrics.ts';
import { mean } from './stats.ts';
import type { TransmitFacts } from './transmit-facts.ts';

/** What a run knows at its end. */
export interface MetricsInput {
  readonly config: LinkConfig;
  readonly trace: LinkTrace;
  /** null at a receiver alone. */
  readonly facts: TransmitFacts | null;
  /** The original; undefined at a remote receiver without --reference. */
  readonly source: RgbImage | undefined;
  /** undefined when nothing of a picture arrived. */
  readonly decoded: DecodedImage | undefined;
  readonly samples: number;
  readonly lostSamples: number;
  readonly clippedSamples: number;
  /** False when the channel was not modelled here (a recording, a file from elsewhere). */
  readonly modelled: boolean;
  /** Region of interest by ground truth, one element a pixel of the source. */
  readonly roiMask?: Uint8Array | undefined;
  /** LPIPS as measured by the user's network. */
  readonly lpips?: number | null;
}

/** The numbers of the `--json` contract (docs/metrics.md), all from the received samples but `facts`. */
export function linkMetrics(input: MetricsInput): LinkMetrics {
  const { config, trace, facts, source, decoded } = input;
  const metrics = emptyMetrics(config.codec);
  const data = trace.dataBursts;
  const expectsPicture = facts !== null || decoded !== undefined || data.length > 0;
  const received = decoded?.decodable ? decoded.image : undefined;
  const comparable = !source || !received || (source.width === received.width && source.height === received.height);
  const quality = measureQuality({
    reference: expectsPicture ? source : undefined,
    received: comparable ? received : undefined,
    roiMask: input.roiMask,
    lpips: expectsPicture ? input.lpips : null,
  });
  const complete = decoded?.complete === true;
  Object.assign(metrics, quality);
  metrics.mode = null;
  metrics.mapping = facts?.mapping ?? null;
  metrics.channel = input.modelled ? config.channel : null;
  metrics.snrDb = input.modelled ? config.snrDb : null;
  metrics.seed = input.modelled ? config.seed : null;
  const pixels = source ? source.width * source.height : received ? received.width * received.height : null;
  const budget = facts?.budget ?? trace.budget;
  Object.assign(metrics, budgetMetrics(budget, expectsPicture ? pixels : null));
  metrics.sideInfoBytes = expectsPicture ? 0 : null;
  metrics.retransmissions = facts?.retransmissions ?? null;
  metrics.harq = harqMetrics(facts, trace);
  metrics.powerLoadingDb = facts ? facts.powerDb : (data.findLast((b) => b.powerDb)?.powerDb?.slice() ?? null);
  metrics.csiAgeMs = facts?.csiAgeMs ?? null;
  metrics.bler = trace.firstBlocks > 0 ? trace.firstFailures / trace.firstBlocks : null;
  metrics.outage = expectsPicture ? (decoded?.decodable ? 0 : 1) : null;
  const measured = data.length > 0 ? data.filter((b) => b.slots > 0) : trace.bursts.filter((b) => b.slots > 0);
  if (measured.length > 0) {
    const subbands = measured[0].subbandSnrDb.length;
    metrics.rbSnrDb = Array.from({ length: subbands }, (_, s) => mean(measured.map((b) => b.subbandSnrDb[s])));
    metrics.cfoHz = mean(measured.map((b) => b.cfoHz));
  }
  const evm = data.map((b) => b.evmDb).filter((v): v is number => v !== null);
  metrics.evmDb = evm.length > 0 ? mean(evm) : null;
  metrics.numerology = config.numerology;
  metrics.samples = input.samples;
  metrics.lostSamples = input.lostSamples;
  metrics.clippedSamples = input.clippedSamples;
  metrics.ok = complete;
  return metrics;
}

function harqMetrics(facts: TransmitFacts | null, trace: LinkTrace): HarqMetrics | null {
  const r = trace.harq;
  if (!facts && !r) return null;
  const none = {
    rounds: null,
    bursts: null,
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
