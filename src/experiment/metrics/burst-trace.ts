import type { HarqOutcome } from '../../link/harq/receiver-entity.ts';
import type { BurstEvent } from '../../link/receiver.ts';
import type { RxBack } from '../../link/rx-back.ts';
import { encodeStream } from '../../link/transport.ts';
import { powerDbOf } from '../../phy/frame/power-level.ts';
import { type ModulationOrder, modulationName } from '../../phy/modulation/qam.ts';
import { type BurstStreams, burstStreams } from './semantic-collect.ts';

/** Points of one modulation kept for a picture. */
const MAX_POINTS = 1500;

/** A burst of which only the header was read. */
export interface DroppedBurst extends Pick<BurstTrace, 'burst' | 'session' | 'startSample' | 'lengthSamples'> {}

/** One burst as the receiver saw it; plain data, small enough to keep for every burst of a run. */
export interface BurstTrace {
  readonly use: 'sounding' | 'data' | 'retransmission' | 'reverse';
  readonly burst: number;
  /** Burst whose blocks this one repeats; its own number otherwise. */
  readonly original: number;
  readonly session: number;
  /** Id of the model set that its header names; null where it needs none. */
  readonly modelSet: string | null;
  readonly csiNumber: number;
  /**
   * From the end of the sounding that its CSI report was measured on to this burst's start, by the receiver's samples, ms; null without a
   * report, and where the receiver has no report of that number.
   */
  readonly csiAgeMs: number | null;
  /** Device samples: start, and length. */
  readonly startSample: number;
  readonly lengthSamples: number;
  readonly slots: number;
  readonly slotsSent: number;
  readonly cfoHz: number;
  readonly sfoPpm: number;
  readonly detectionRho: number;
  readonly dcDb: number;
  readonly snrDb: number;
  readonly evmDb: number | null;
  readonly rbSnrDb: Float32Array;
  readonly subbandSnrDb: Float32Array;
  readonly subbandSnrErrorDb: Float32Array;
  readonly modulation: readonly number[] | null;
  /** Power of each subband's payload, dB; null for equal power. */
  readonly powerDb: readonly number[] | null;
  /** HARQ process and redundancy version, and what the burst was to the process; null where nothing was made of it. */
  readonly harq: { readonly process: number; readonly redundancyVersion: number; readonly outcome: HarqOutcome } | null;
  /** Channel in the middle slot, [nCarriers][re, im]. */
  readonly channel: Float32Array;
  readonly phase: Float64Array;
  readonly estimator: string;
  /** Of the first burst that has any; empty for the others. */
  readonly constellations: readonly {
    readonly modulation: string;
    readonly qm: ModulationOrder;
    readonly reIm: Float32Array;
  }[];
  /** Blocks of its coded streams after this burst, stream by stream; their bytes, and bits before coding. */
  readonly blocks: readonly {
    stream: number;
    bytes: number;
    infoBits: number;
    ok: boolean;
    attempts: number;
    iterations: number;
    effectiveSnrDb: number;
    codedBits: number;
  }[];
  /** Streams that a data burst carries and where; null for other bursts, and where the extension is lost. */
  readonly carried: BurstStreams | null;
  /** Samples were (or may have been) lost inside or it was cut off: what is wrong, else null. */
  suspect: string | null;
}

/** A data burst's blocks as they stood after the last burst that repeated the streams that they are of. */
export function finalBlocks(burst: BurstTrace, bursts: readonly BurstTrace[]): BurstTrace['blocks'] {
  const repeats = bursts.filter((b) => b.use === 'retransmission' && b.original === burst.burst);
  return [...new Set(burst.blocks.map((b) => b.stream))].flatMap((id) => {
    const ofStream = ({ blocks }: BurstTrace) => blocks.filter((b) => b.stream === id);
    const first = ofStream(burst);
    return repeats.map(ofStream).findLast((later) => later.length === first.length) ?? first;
  });
}

/** What is kept of a burst. */
export function traceOf(
  event: BurstEvent,
  chain: RxBack,
  withPoints: boolean,
  measuredAt: number | undefined,
): BurstTrace {
  const { record } = event;
  const n = chain.receiver.numerology;
  const startSample = chain.deviceIndexOf(record.startSample);
  const lengthSamples = chain.deviceIndexOf(record.startSample + record.lengthSamples) - startSample;
  const nothing = record.slots === 0;
  const middle = 2 * n.nCarriers * Math.max(0, record.slots >> 1);
  return {
    use: event.use,
    burst: record.header.burst,
    original: event.extension?.original ?? record.header.burst,
    session: record.header.session,
    modelSet: record.header.modelSet === 0 ? null : record.header.modelSet.toString(16).padStart(8, '0'),
    csiNumber: record.header.csiNumber,
    csiAgeMs: measuredAt === undefined ? null : (1e3 * (startSample - measuredAt)) / chain.deviceRateHz,
    startSample,
    lengthSamples,
    slots: record.slots,
    slotsSent: record.header.slots,
    cfoHz: record.cfoHz,
    sfoPpm: record.sfoPpm,
    detectionRho: record.detectionRho,
    dcDb: record.dcDb,
    snrDb: record.snrDb,
    evmDb: evmDb(event),
    rbSnrDb: record.rbSnrDb,
    subbandSnrDb: record.subbandSnrDb,
    subbandSnrErrorDb: record.subbandSnrErrorDb,
    modulation: event.extension?.modulation ?? null,
    powerDb: event.extension?.power?.map(powerDbOf) ?? null,
    harq: harqOf(event),
    channel: nothing ? new Float32Array(0) : record.channel.slice(middle, middle + 2 * n.nCarriers),
    phase: record.phase,
    estimator: record.estimator,
    constellations: withPoints ? constellationsOf(event) : [],
    blocks: event.streams.flatMap(({ entry, decoder: { states, layout } }) => {
      const block = { stream: entry.id, bytes: layout.plan.blockBytes, infoBits: layout.codec.infoBits };
      return states.map((s) => ({ ...block, ...s }));
    }),
    carried: event.use === 'data' && event.extension ? burstStreams(n, event.extension) : null,
    suspect: event.problem,
  };
}

function harqOf({ extension, outcome }: BurstEvent): BurstTrace['harq'] {
  if (!extension || !outcome) return null;
  return { process: extension.process, redundancyVersion: extension.redundancyVersion, outcome };
}

/**
 * Error vector magnitude of a data burst whose blocks all arrived, against the symbols that must have been sent:
 * each RE weighted by its SNR, sum(snr |x - x_ref|^2) / sum(snr), so that fades do not dominate. dB; null otherwise.
 */
function evmDb(event: BurstEvent): number | null {
  const { stream } = event;
  if (event.outcome !== 'new' || !stream) return null;
  const { file, ok } = stream.decoder.file();
  if (!ok) return null;
  const sent = encodeStream(stream.decoder.layout, file, stream.qm);
  let error = 0;
  let weight = 0;
  for (let i = 0; i < stream.positions.length; i++) {
    const snr = stream.snr[i];
    if (!(snr > 0)) continue;
    const gain = (1 + snr) / snr;
    const re = gain * stream.symbols[2 * i] - sent[2 * i];
    const im = gain * stream.symbols[2 * i + 1] - sent[2 * i + 1];
    error += snr * (re * re + im * im);
    weight += snr;
  }
  return weight > 0 ? 10 * Math.log10(error / weight) : null;
}

function constellationsOf(event: BurstEvent): BurstTrace['constellations'] {
  const { stream } = event;
  if (!stream) return [];
  const out: { modulation: string; qm: ModulationOrder; reIm: Float32Array }[] = [];
  for (const qm of [2, 4, 6, 8] as const) {
    let count = 0;
    for (const q of stream.qm) if (q === qm) count++;
    if (count === 0) continue;
    const step = Math.max(1, Math.ceil(count / MAX_POINTS));
    const points: number[] = [];
    let seen = 0;
    for (let i = 0; i < stream.qm.length; i++) {
      if (stream.qm[i] !== qm || seen++ % step !== 0) continue;
      const snr = stream.snr[i];
      if (!(snr > 0.05)) continue;
      const gain = (1 + snr) / snr;
      points.push(gain * stream.symbols[2 * i], gain * stream.symbols[2 * i + 1]);
    }
    out.push({ modulation: modulationName(qm), qm, reIm: Float32Array.from(points) });
  }
  return out;
}
