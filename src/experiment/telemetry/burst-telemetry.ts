import type { BurstEvent } from '../../link/receiver.ts';
import type { BurstTelemetry } from '../../link/telemetry.ts';
import type { BurstRecord } from '../../phy/burst/record.ts';
import { ANALOG_CODE, MODULATION_BITS } from '../../phy/frame/extension.ts';
import { type ModulationOrder, modulationName } from '../../phy/modulation/qam.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import type { BurstTrace } from '../metrics/burst-trace.ts';
import { placedBurst } from '../metrics/semantic-collect.ts';
import { channelResponse } from '../report/channel-response.ts';
import { placementOf, type RbShares, rbShares } from '../report/rb-shares.ts';

/** Points of a constellation that are told. */
const MOST_POINTS = 1500;
/** RE that say less are not drawn, SNR as a ratio. */
const LEAST_SNR = 0.05;
const NOTHING = new Float32Array(0);
/** In `owner`: nobody. */
const NOBODY = 255;

/**
 * What is told of a burst.
 *
 * @param reportedDb what the channel report promised of each subband
 * @param detailed with channel, impulse response and points, which cost most
 */
export function burstTelemetry(
  event: BurstEvent,
  trace: BurstTrace,
  n: Numerology,
  deviceRateHz: number,
  reportedDb: readonly number[] | null,
  detailed = true,
): BurstTelemetry {
  const response = detailed && trace.channel.length > 0 ? channelResponse(trace.channel, n) : null;
  return {
    topic: 'burst',
    use: trace.use,
    burst: trace.burst,
    session: trace.session,
    startS: trace.startSample / deviceRateHz,
    durationS: trace.lengthSamples / deviceRateHz,
    cfoHz: trace.cfoHz,
    sfoPpm: trace.sfoPpm,
    snrDb: trace.snrDb,
    evmDb: trace.evmDb,
    csiNumber: trace.csiNumber,
    csiAgeMs: trace.csiAgeMs,
    subbands: n.nSubbands,
    slots: trace.slots,
    modulation: trace.modulation,
    codeRate: codeRatesOf(event, n),
    blocks: trace.blocks.length,
    blocksLost: trace.blocks.filter((b) => !b.ok).length,
    harq: trace.harq,
    suspect: trace.suspect,
    rbSnrDb: trace.rbSnrDb,
    subbandSnrDb: trace.subbandSnrDb,
    subbandSnrErrorDb: trace.subbandSnrErrorDb,
    reportedDb: Float32Array.from(trace.use === 'data' ? (reportedDb ?? []) : []),
    ...ridersOf(trace, n),
    channel: detailed ? trace.channel : NOTHING,
    impulseDb: Float32Array.from(response?.impulseDb ?? []),
    impulseStartS: response?.delayS[0] ?? 0,
    impulseStepS: 1 / n.sampleRateHz,
    points: detailed ? pointsOf(event.record) : NOTHING,
    pointsOf: modulationsOf(trace.modulation),
  };
}

/** Who rides on each RB, most payload RE first; empty where the burst carries no SFVs. */
function ridersOf(
  trace: BurstTrace,
  n: Numerology,
): Pick<BurstTelemetry, 'owner' | 'riderCount' | 'riders' | 'riderShares'> {
  const shares = sharesOf(trace, n);
  const rbs = shares ? shares.first.length - 1 : 0;
  const owner = new Uint8Array(rbs).fill(NOBODY);
  const riderCount = new Uint8Array(rbs);
  const riders = new Uint8Array(shares?.sfv.length ?? 0);
  const riderShares = new Uint8Array(riders.length);
  if (!shares) return { owner, riderCount, riders, riderShares };
  const { first, sfv, re } = shares;
  for (let rb = 0; rb < rbs; rb++) {
    const entries = Array.from({ length: first[rb + 1] - first[rb] }, (_, i) => first[rb] + i);
    entries.sort((a, b) => re[b] - re[a]);
    riderCount[rb] = entries.length;
    if (entries.length > 0) owner[rb] = sfv[entries[0]];
    entries.forEach((entry, i) => {
      riders[first[rb] + i] = sfv[entry];
      riderShares[first[rb] + i] = Math.max(1, Math.round((255 * re[entry]) / RB_DATA_RE));
    });
  }
  return { owner, riderCount, riders, riderShares };
}

/** RBs that each SFV of a burst has symbols in. */
export function rbsOf(trace: BurstTrace, n: Numerology): Map<number, number> {
  const rbs = new Map<number, number>();
  for (const id of sharesOf(trace, n)?.sfv ?? []) rbs.set(id, (rbs.get(id) ?? 0) + 1);
  return rbs;
}

function sharesOf(trace: BurstTrace, n: Numerology): RbShares | null {
  if (!trace.carried || trace.carried.streams.length === 0) return null;
  const placed = placedBurst(n, trace.burst, trace.slotsSent, trace.carried);
  return rbShares(placementOf(placed, RB_DATA_RE), placed.map.sfvOrder, n.nSubbands * trace.slotsSent);
}

/** Information bits for each coded bit of the streams that a new burst carries: a stream's rate where its RE are, weighted by bits. */
function codeRatesOf({ streams, outcome }: BurstEvent, { nSubbands }: Numerology): Float32Array {
  if (outcome !== 'new' || streams.length === 0) return new Float32Array(0);
  const information = new Float64Array(nSubbands);
  const coded = new Float64Array(nSubbands);
  for (const { decoder, positions, qm } of streams) {
    const { codec, plan } = decoder.layout;
    let bits = 0;
    for (const each of qm) bits += each;
    const rate = bits > 0 ? (plan.blocks * codec.infoBits) / bits : 0;
    for (let i = 0; i < positions.length; i++) {
      const subband = Math.floor(positions[i] / RB_DATA_RE) % nSubbands;
      information[subband] += rate * qm[i];
      coded[subband] += qm[i];
    }
  }
  return Float32Array.from(coded, (bits, subband) => (bits > 0 ? information[subband] / bits : 0));
}

/** Some of a burst's payload RE, the equaliser's bias taken out: x (1 + snr) / snr. */
function pointsOf({ payload, payloadSnr }: BurstRecord): Float32Array {
  const step = Math.max(1, Math.ceil(payloadSnr.length / MOST_POINTS));
  const points: number[] = [];
  for (let i = 0; i < payloadSnr.length; i += step) {
    const snr = payloadSnr[i];
    if (!(snr > LEAST_SNR)) continue;
    const gain = (1 + snr) / snr;
    points.push(gain * payload[2 * i], gain * payload[2 * i + 1]);
  }
  return Float32Array.from(points);
}

function modulationsOf(codes: readonly number[] | null): string | null {
  if (!codes) return null;
  if (codes.every((code) => code === ANALOG_CODE)) return 'analog';
  const orders = [...new Set(codes.map((code) => MODULATION_BITS[code] ?? 0))].filter((qm) => qm > 0);
  return orders.length === 0
    ? null
    : orders
        .sort()
        .map((qm) => modulationName(qm as ModulationOrder))
        .join(', ');
}
