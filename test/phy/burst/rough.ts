import { RandomStream } from '../../../src/common/random.ts';
import { BurstReceiver } from '../../../src/phy/burst/burst-receiver.ts';
import type { BurstRecord, ReceiverRecord } from '../../../src/phy/burst/record.ts';
import { TRANSMIT_RMS } from '../../../src/phy/burst/transmit.ts';
import type { Numerology } from '../../../src/phy/numerology.ts';
import { burstSamples, bursts, errorPower, onAir } from './stream.ts';

/** Samples between bursts. */
export const PAUSE = 1500;

/** Bursts 1, 2, 3 of so many slots with pauses, in noise: bad things happen to burst 2, burst 3 must arrive whole. */
export class ThreeBursts {
  readonly n: Numerology;
  readonly slots: number;
  readonly length: number;
  samples: Float32Array;

  constructor(n: Numerology, slots = 3, snrDb = 15, lead = PAUSE) {
    this.n = n;
    this.slots = slots;
    const pieces = [1, 2, 3].map((k) => burstSamples(n, k, slots));
    this.length = pieces[0].length / 2;
    this.lead = lead;
    const total = lead + 3 * (this.length + PAUSE) + PAUSE;
    this.samples = onAir(
      n,
      total,
      pieces.map((p, k) => [this.start(k + 1), p]),
      snrDb,
    );
  }

  private readonly lead: number;

  /** First sample of burst 1, 2 or 3. */
  start(burst: number): number {
    return this.lead + (burst - 1) * (this.length + PAUSE);
  }

  /** Sample at a share of burst 2; slot counts from its first slot. */
  at(share: number): number {
    return this.start(2) + Math.round(share * this.length);
  }

  slot(slot: number): number {
    const { preambleLength, headerSymbols, symbolLength, slotLength } = this.n;
    return this.start(2) + preambleLength + headerSymbols * symbolLength + Math.round(slot * slotLength);
  }

  /** Changes complex samples [from, to) in place, component by component: (value, component, sample). */
  change(from: number, to: number, f: (v: number, component: number, i: number) => number): this {
    for (let i = from; i < Math.min(to, this.samples.length / 2); i++) {
      for (let c = 0; c < 2; c++) this.samples[2 * i + c] = f(this.samples[2 * i + c], c, i);
    }
    return this;
  }

  /** A carrier so many dB above the bursts' mean power. */
  tone(cyclesPerSample: number, db: number, from = 0, to = this.samples.length / 2): this {
    const a = TRANSMIT_RMS * 10 ** (db / 20);
    return this.change(from, to, (v, c, i) => {
      const angle = 2 * Math.PI * ((cyclesPerSample * i) % 1);
      return v + a * (c === 0 ? Math.cos(angle) : Math.sin(angle));
    });
  }

  /** Takes samples out, as a source does that does not know what it lost. */
  cut(from: number, count: number): this {
    const out = new Float32Array(this.samples.length - 2 * count);
    out.set(this.samples.subarray(0, 2 * from));
    out.set(this.samples.subarray(2 * (from + count)), 2 * from);
    this.samples = out;
    return this;
  }

  receive(): Received {
    return receiveAll(this.n, this.samples);
  }
}

export interface Received {
  readonly receiver: BurstReceiver;
  readonly records: readonly ReceiverRecord[];
  readonly found: readonly BurstRecord[];
  readonly misses: number;
  /** The record of a burst number, or undefined. */
  burst(number: number): BurstRecord | undefined;
}

/** Receives a stream whole; checks that nothing in the records is NaN or infinite. */
export function receiveAll(n: Numerology, samples: Float32Array): Received {
  const receiver = new BurstReceiver(n);
  const records = [...receiver.push(samples), ...receiver.flush()];
  const found = bursts(records);
  for (const r of found) {
    const { snrDb, cfoHz, sfoPpm, noiseVariance, rbSnrDb, rbSnrErrorDb, subbandSnrDb, payload, payloadSnr } = r;
    const values = [[snrDb, cfoHz, sfoPpm, noiseVariance], rbSnrDb, rbSnrErrorDb, subbandSnrDb, payload, payloadSnr];
    for (const list of values) for (const v of list) if (!Number.isFinite(v)) throw new Error(`${v} in a record`);
  }
  return {
    receiver,
    records,
    found,
    misses: records.length - found.length,
    burst: (number) => found.find((r) => r.header.burst === number),
  };
}

/** Error power of a burst's slots against what was sent, dB; Infinity when it was not received. */
export function errorDb(n: Numerology, record: BurstRecord | undefined, from = 0, to = record?.slots ?? 0): number {
  return record && to > from ? 10 * Math.log10(errorPower(n, record, from, to)) : Number.POSITIVE_INFINITY;
}

/** Scaled to a mean power so many dB above that of a burst. */
export function atLevel(samples: Float32Array, db: number): Float32Array {
  let sum = 0;
  for (const v of samples) sum += v * v;
  const gain = (TRANSMIT_RMS * 10 ** (db / 20)) / Math.sqrt(sum / (samples.length / 2));
  return samples.map((v) => gain * v);
}

/** Repeated until it has so many samples. */
export function repeated(samples: Float32Array, length: number): Float32Array {
  return Float32Array.from({ length: 2 * length }, (_, i) => samples[i % samples.length]);
}

/** White Gaussian samples. */
export function noise(length: number, seed: string): Float32Array {
  const out = new Float32Array(2 * length);
  new RandomStream(seed).addComplexNoise(out, 1);
  return out;
}
