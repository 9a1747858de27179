import { RandomStream } from '../../common/random.ts';
import { BurstReceiver } from '../../phy/burst/burst-receiver.ts';
import { BurstTransmitter, paddingSymbols, TRANSMIT_RMS } from '../../phy/burst/transmit.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { MAX_CFO_HZ } from '../../phy/sync/acquire.ts';
import { clopperPearson, meanInterval } from '../stats.ts';
import { makeTrial, receiveTrial, rightBurst } from './modem-trial.ts';

export interface BenchRow {
  readonly name: string;
  readonly subbands: number;
  /** What design asks of `value`. */
  readonly asked: string;
  readonly unit: string;
  readonly value: number;
  /** 95 % interval; null where it has no meaning (fewer than two trials). */
  readonly low: number | null;
  readonly high: number | null;
  readonly trials: number;
  /** missed: the whole interval is beyond the limit; open: value beyond it, but not the whole interval. */
  readonly state: 'met' | 'open' | 'missed';
}

/** A row whose value must not exceed `limit` (or, with least, not fall below it). */
export function row(
  head: { name: string; subbands: number; unit: string; limit: number; least?: boolean },
  estimate: { value: number; low: number; high: number; n: number },
): BenchRow {
  const { name, subbands, unit, limit, least = false } = head;
  const { value, low, high, n } = estimate;
  const met = least ? value >= limit : value <= limit;
  const missed = least ? high < limit : low > limit;
  return {
    name,
    subbands,
    asked: `${least ? '>=' : '<='} ${limit}`,
    unit,
    value,
    low: Number.isFinite(low) ? low : null,
    high: Number.isFinite(high) ? high : null,
    trials: n,
    state: met ? 'met' : missed ? 'missed' : 'open',
  };
}

/** Offsets of one trial, uniform: CFO to 45 ppm of 5.9 GHz, both clocks to 50 ppm, start, phase. */
export function anyOffsets(seed: string) {
  const r = new RandomStream(`offsets ${seed}`);
  return {
    cfoHz: r.between(-MAX_CFO_HZ, MAX_CFO_HZ),
    phaseRad: r.between(0, 2 * Math.PI),
    startDelaySamples: r.between(0, 300),
    sfoPpm: r.between(-100, 100),
  };
}

/**
 * P(detected and header right) at -3 dB with every offset. In fading the same, of those bursts whose own mean |H|^2 puts
 * them at -3 dB or more (ensemble mean 2 dB).
 */
export function detectionRow(n: Numerology, channel: string, wanted: number): BenchRow {
  const frequencies = Float64Array.from(n.carriers, (k) => k * 15_000);
  let right = 0;
  let trials = 0;
  for (let k = 0; trials < wanted && k < 20 * wanted; k++) {
    const seed = `detection/${channel}/${n.id}/${k}`;
    const snrDb = channel === 'awgn' ? -3 : 2;
    const signal = makeTrial({
      numerology: n,
      seed,
      slots: 1,
      snrDb,
      qm: 2,
      channel: { channel, ...anyOffsets(seed) },
    });
    if (channel !== 'awgn') {
      const h = signal.channel.frequencyResponse(signal.fadingIndexOf(signal.receivedIndexOf(0)), frequencies);
      const gain = h.reduce((sum, v) => sum + v * v, 0) / n.nCarriers;
      if (snrDb + 10 * Math.log10(gain) < -3) continue;
    }
    trials++;
    if (rightBurst(signal, receiveTrial(signal))) right++;
  }
  const name = channel === 'awgn' ? 'header right at -3 dB AWGN' : `header right on ${channel}, own SNR >= -3 dB`;
  return row({ name, subbands: n.nSubbands, unit: 'share', limit: 0.99, least: true }, clopperPearson(right, trials));
}

/** Headers decoded from noise alone, per 10 s; the interval is the Poisson one. */
export function falseHeaderRow(n: Numerology, seconds: number): BenchRow {
  const random = new RandomStream(`false headers ${n.id}`);
  const receiver = new BurstReceiver(n);
  const block = new Float32Array(2 * 65_536);
  const total = Math.ceil(seconds * n.sampleRateHz);
  let found = 0;
  for (let at = 0; at < total; at += 65_536) {
    block.fill(0);
    random.addComplexNoise(block, 0.01);
    for (const r of receiver.push(block)) if (r.type === 'burst') found++;
  }
  const scale = 10 / seconds;
  // Exact upper bound for 0 counts is 3.69; else Wald on the square root, +-1.96/2.
  const low = Math.max(0, Math.sqrt(found) - 0.98) ** 2;
  const high = found === 0 ? 3.69 : (Math.sqrt(found + 1) + 0.98) ** 2;
  return row(
    { name: 'headers from noise in 10 s', subbands: n.nSubbands, unit: 'count', limit: 1 },
    { value: found * scale, low: low * scale, high: high * scale, n: Math.round(seconds * n.sampleRateHz) },
  );
}

/** Bursts of one slot with no gap at 10 dB. */
export function gaplessRow(n: Numerology, bursts: number): BenchRow {
  const transmitter = new BurstTransmitter(n);
  const payload = paddingSymbols(n, n.nSubbands * RB_DATA_RE);
  const random = new RandomStream(`no gap ${n.id}`);
  const variance = (TRANSMIT_RMS ** 2 * n.fftSize) / n.nCarriers / 10;
  const receiver = new BurstReceiver(n);
  const seen = new Set<number>();
  const take = (records: ReturnType<BurstReceiver['push']>) => {
    for (const r of records) if (r.type === 'burst') seen.add(r.header.burst + 1024 * r.header.session);
  };
  for (let k = 0; k < bursts; k++) {
    const header = {
      numerology: n.id,
      session: (k >> 10) & 255,
      burst: k & 1023,
      kind: 1 as const,
      slots: 1,
      csiNumber: 0,
      modelSet: k,
      extensionMcs: 0,
    };
    const samples = transmitter.build({ header, extension: new Uint8Array(0), payload });
    random.addComplexNoise(samples, variance);
    take(receiver.push(samples));
  }
  take(receiver.flush());
  return row(
    { name: 'bursts without a gap at 10 dB', subbands: n.nSubbands, unit: 'share', limit: 0.999, least: true },
    clopperPearson(seen.size, bursts),
  );
}

/** Residual CFO at 10 dB (RMS, share of the spacing) and timing error at the end of 100 ms (RMS, share of the prefix). */
export function offsetRows(n: Numerology, trials: number): BenchRow[] {
  const cfo: number[] = [];
  const timing: number[] = [];
  for (let k = 0; k < trials; k++) {
    const seed = `offset/${n.id}/${k}`;
    const channel = anyOffsets(seed);
    const signal = makeTrial({ numerology: n, seed, slots: 93, snrDb: 10, channel });
    const record = rightBurst(signal, receiveTrial(signal));
    if (!record) continue;
    // Seen through the receiver's clock, the offset is scaled by it.
    cfo.push((record.cfoHz - channel.cfoHz) / 15_000);
    timing.push(((record.sfoPpm - channel.sfoPpm) * 1e-6 * signal.layout.samples) / n.cpLength);
  }
  const rms = (x: number[]) => {
    const squares = meanInterval(x.map((v) => v * v));
    const root = (v: number) => Math.sqrt(Math.max(0, v));
    return { value: root(squares.value), low: root(squares.low), high: root(squares.high), n: x.length };
  };
  return [
    row({ name: 'residual CFO, 10 dB, of the spacing', subbands: n.nSubbands, unit: 'RMS', limit: 0.01 }, rms(cfo)),
    row(
      { name: 'timing error after 100 ms, 10 dB, of the prefix', subbands: n.nSubbands, unit: 'RMS', limit: 0.1 },
      rms(timing),
    ),
  ];
}
