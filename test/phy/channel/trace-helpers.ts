import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import type { BurstRecord } from '../../../src/phy/burst/record.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import { burstChannel, TRACE_SYMBOLS } from '../../../src/phy/channel/burst-channel.ts';
import type { ChannelTrace } from '../../../src/phy/channel/channel-trace.ts';
import { buildChannel, type ChannelOptions } from '../../../src/phy/channel/scenario.ts';
import { noiseVarianceFor } from '../../../src/phy/channel/snr.ts';
import { buildTrace } from '../../../src/phy/channel/trace-builder.ts';
import { type Numerology, SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../../../src/phy/numerology.ts';
import { burstSamples } from '../burst/stream.ts';

export const signalPower = TRANSMIT_RMS ** 2;

export function variance(n: Numerology, snrDb: number, deviceRateHz = n.sampleRateHz): number {
  const rates = { modemRateHz: n.sampleRateHz, deviceRateHz };
  return noiseVarianceFor({ signalPower, fftSize: n.fftSize, occupiedCarriers: n.nCarriers, snrDb, ...rates });
}

/** 4-slot bursts, one each 10 ms, after 3 ms of silence. */
export function transmission(n: Numerology, count: number): Float32Array {
  const lead = Math.round(3e-3 * n.sampleRateHz);
  const period = Math.round(10e-3 * n.sampleRateHz);
  const out = new Float32Array(2 * (lead + count * period));
  for (let b = 0; b < count; b++) out.set(burstSamples(n, b, 4), 2 * (lead + b * period));
  return out;
}

export function received(n: Numerology, samples: Float32Array): BurstRecord[] {
  const receiver = new BurstReceiver(n);
  receiver.keptSymbols = TRACE_SYMBOLS;
  return [...receiver.push(samples), ...receiver.flush()].filter((r) => r.type === 'burst');
}

export function carriersHz(n: Numerology): Float64Array {
  return Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
}

export function traceOf(n: Numerology, records: readonly BurstRecord[]): ChannelTrace {
  return buildTrace(
    carriersHz(n),
    records.map((r) => burstChannel(n, r, (sample) => sample / n.sampleRateHz)),
  );
}

/** RMS and mean of replayed less recorded SNR of the subbands of every burst, those of at least `floorDb`. */
export function replayError(
  n: Numerology,
  channel: Omit<ChannelOptions, 'rateHz' | 'seed'>,
  bursts: number,
  seeds: readonly number[],
  floorDb: number,
): { rmsDb: number; biasDb: number; count: number; recorded: BurstRecord[] } {
  const rateHz = n.sampleRateHz;
  const sent = transmission(n, bursts);
  const recorded = received(n, buildChannel({ rateHz, seed: 'record', signalPower, ...channel }).process(sent));
  const trace = traceOf(n, recorded);
  let square = 0;
  let sum = 0;
  let count = 0;
  for (const seed of seeds) {
    const offsets = { startDelaySamples: 7.3 * seed, cfoHz: -3000 * seed, sfoPpm: 2 * seed };
    const again = buildChannel({ rateHz, seed, trace: { trace, unitVariance: variance(n, 0) }, ...offsets });
    for (const record of received(n, again.process(sent))) {
      const before = recorded.find((r) => r.header.burst === record.header.burst);
      if (!before) throw new Error(`burst ${record.header.burst} was not in the record`);
      before.subbandSnrDb.forEach((want, s) => {
        if (want < floorDb) return;
        const difference = record.subbandSnrDb[s] - want;
        square += difference ** 2;
        sum += difference;
        count++;
      });
    }
  }
  return { rmsDb: Math.sqrt(square / count), biasDb: sum / count, count, recorded };
}

/** A trace of paths (delay in s, complex gain) that stand still but for a turn in Hz, with a noise level per subband. */
export function syntheticTrace(
  n: Numerology,
  paths: readonly { delayS: number; gain: number; turnHz?: number }[],
  noise: (subband: number, timeS: number) => number,
  endS = 20e-3,
  stepS = 0.25e-3,
): ChannelTrace {
  const carrierHz = carriersHz(n);
  const count = Math.round(endS / stepS) + 1;
  const timesS = Float64Array.from({ length: count }, (_, i) => i * stepS);
  const response = new Float32Array(2 * count * carrierHz.length);
  timesS.forEach((t, i) => {
    carrierHz.forEach((f, k) => {
      for (const { delayS, gain, turnHz = 0 } of paths) {
        const angle = 2 * Math.PI * (turnHz * t - f * delayS);
        response[2 * (i * carrierHz.length + k)] += gain * Math.cos(angle);
        response[2 * (i * carrierHz.length + k) + 1] += gain * Math.sin(angle);
      }
    });
  });
  const subbands = carrierHz.length / SUBBAND_CARRIERS;
  const noiseTimesS = Float64Array.from({ length: Math.ceil(endS / 1e-3) }, (_, i) => i * 1e-3);
  const levels = new Float32Array(noiseTimesS.length * subbands);
  for (let i = 0; i < levels.length; i++) levels[i] = noise(i % subbands, noiseTimesS[Math.floor(i / subbands)]);
  return { timesS, carrierHz, response, noiseTimesS, noise: levels, endS };
}
