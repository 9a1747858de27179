import { RandomStream } from '../../../common/random.ts';
import { BurstReceiver } from '../../../phy/burst/burst-receiver.ts';
import type { ReceiverRecord } from '../../../phy/burst/record.ts';
import { BurstTransmitter, TRANSMIT_RMS } from '../../../phy/burst/transmit.ts';
import { CfoStage } from '../../../phy/channel/cfo.ts';
import { noiseVarianceFor } from '../../../phy/channel/snr.ts';
import { mapBits } from '../../../phy/modulation/qam.ts';
import { softDemapMmse } from '../../../phy/modulation/soft-demapper.ts';
import { type Numerology, RB_DATA_RE } from '../../../phy/numerology.ts';

/** What is sent, alike for both modems. */
export interface Shape {
  readonly numerology: Numerology;
  readonly slots: number;
  readonly bursts: number;
  readonly snrDb: number;
  readonly cfoRadPerSample: number;
}

/** Megasamples a second of CPU time of one core. */
export interface Speeds {
  readonly generate: number;
  /** Samples in, soft bits and RB SNR out. */
  readonly receive: number;
  /** Search in noise. */
  readonly idle: number;
}

const QM = 2;
/** Short passes and the best of them: other work on the machine falls into some, not into all. */
const PASSES = 7;
/** Samples a call of the receiver, as a radio would deliver them. */
const BLOCK = 8192;

/** Our modem on one shape: the signal made once, every part timed on it. */
export class OurModem {
  readonly shape: Shape;
  /** Samples of one burst. */
  readonly burstSamples: number;
  private readonly transmitter: BurstTransmitter;
  /** One for all rounds, as on a radio. */
  private readonly receiver: BurstReceiver;
  private readonly bits: Uint8Array;
  private readonly payload: Float32Array;
  private readonly air: Float32Array;
  private readonly noise: Float32Array;
  /** Soft bits of one burst. */
  private readonly llr: Float32Array;

  constructor(shape: Shape) {
    const { numerology: n, slots, bursts, snrDb, cfoRadPerSample } = shape;
    this.shape = shape;
    this.transmitter = new BurstTransmitter(n);
    this.receiver = new BurstReceiver(n);
    const re = slots * n.nSubbands * RB_DATA_RE;
    const random = new RandomStream(`speed/${n.id}`);
    this.bits = Uint8Array.from({ length: QM * re }, () => random.uint32() >>> 31);
    this.payload = new Float32Array(2 * re);
    this.llr = new Float32Array(QM * re);
    this.burstSamples = this.burst(0).length / 2;
    const sent = Array.from({ length: bursts }, (_, b) => this.burst(b).slice());
    const variance = noiseOf(n, snrDb);
    this.air = overAir(n, sent, cfoRadPerSample);
    random.addComplexNoise(this.air, variance);
    this.noise = new Float32Array(this.air.length);
    random.addComplexNoise(this.noise, variance);
  }

  /** Samples of the signal with all its bursts and gaps. */
  get samples(): number {
    return this.air.length / 2;
  }

  /** One round: the best of seven passes of each part. Throws when a burst is not received. */
  measure(): Speeds {
    const { bursts } = this.shape;
    const { samples } = this;
    const generate = best(bursts * this.burstSamples, () => {
      for (let b = 0; b < bursts; b++) this.burst(b);
    });
    const receive = best(samples, () => this.receiveAll());
    const idle = best(samples, () => this.search());
    return { generate, receive, idle };
  }

  /** Payload bits to samples of a burst. */
  burst(number: number): Float32Array {
    const { numerology: n, slots } = this.shape;
    mapBits(this.bits, QM, this.payload.length / 2, this.payload);
    const header = {
      numerology: n.id,
      session: 1,
      burst: number % 1024,
      kind: 1 as const,
      slots,
      csiNumber: 0,
      modelSet: 0,
      extensionMcs: 0,
    };
    return this.transmitter.build({ header, extension: new Uint8Array(0), payload: this.payload });
  }

  /** Receives all bursts down to soft bits. */
  receiveAll(): void {
    const found = this.run(this.air);
    if (found !== this.shape.bursts) throw new Error(`received ${found} of ${this.shape.bursts} bursts`);
  }

  search(): void {
    this.run(this.noise);
  }

  private run(samples: Float32Array): number {
    const { receiver } = this;
    let found = 0;
    for (let at = 0; at < samples.length; at += 2 * BLOCK) {
      found += this.demap(receiver.push(samples.subarray(at, Math.min(samples.length, at + 2 * BLOCK))));
    }
    return found + this.demap(receiver.flush());
  }

  /** Soft bits of the bursts among the records, as the link makes them; returns how many have all their slots. */
  private demap(records: readonly ReceiverRecord[]): number {
    let whole = 0;
    for (const record of records) {
      if (record.type !== 'burst' || record.slots !== this.shape.slots) continue;
      whole++;
      softDemapMmse(record.payload, record.payloadSnr, QM, record.payloadSnr.length, this.llr);
      this.receiver.release(record);
    }
    return whole;
  }
}

/** Bursts one after the other with gaps of 4 symbols, and a frequency offset; [sample][re, im]. */
export function overAir(n: Numerology, bursts: readonly Float32Array[], cfoRadPerSample: number): Float32Array {
  const gap = 4 * n.symbolLength;
  const length = bursts.reduce((sum, b) => sum + b.length / 2 + gap, gap);
  const clean = new Float32Array(2 * length);
  let at = gap;
  for (const burst of bursts) {
    clean.set(burst, 2 * at);
    at += burst.length / 2 + gap;
  }
  const cfoHz = (cfoRadPerSample / (2 * Math.PI)) * n.sampleRateHz;
  return new CfoStage(cfoHz, n.sampleRateHz).process(clean).slice();
}

/** Noise of a sample for an SNR per occupied RE of what BurstTransmitter sends. */
export function noiseOf(n: Numerology, snrDb: number): number {
  return noiseVarianceFor({
    snrDb,
    signalPower: TRANSMIT_RMS ** 2,
    fftSize: n.fftSize,
    occupiedCarriers: n.nCarriers,
    modemRateHz: n.sampleRateHz,
  });
}

/** Megasamples a second of process CPU time (all its threads), the best of the passes. */
export function best(samples: number, work: () => void, passes = PASSES): number {
  let rate = 0;
  for (let pass = 0; pass < passes; pass++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    rate = Math.max(rate, samples / Math.max(1, user + system));
  }
  return rate;
}
