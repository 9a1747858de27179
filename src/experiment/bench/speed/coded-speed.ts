import { RandomStream } from '../../../common/random.ts';
import { encodeStream, TransportDecoder, TransportLayout } from '../../../link/transport.ts';
import { BurstReceiver } from '../../../phy/burst/burst-receiver.ts';
import type { BurstRecord } from '../../../phy/burst/record.ts';
import { BurstTransmitter } from '../../../phy/burst/transmit.ts';
import { payloadBytesAtRate } from '../../../phy/fec/transport-plan.ts';
import type { ModulationOrder } from '../../../phy/modulation/qam.ts';
import { softDemapMmse } from '../../../phy/modulation/soft-demapper.ts';
import { numerology, RB_DATA_RE } from '../../../phy/numerology.ts';
import { best, noiseOf, overAir } from './modem-speed-ours.ts';

/** A burst of coded bytes at one modulation and code rate. */
export interface CodedShape {
  readonly subbands: number;
  readonly slots: number;
  readonly bursts: number;
  readonly qm: ModulationOrder;
  readonly codeRate: number;
  readonly snrDb: number;
}

/** Nanoseconds of CPU time of one core for a sample of the modem rate. */
export interface CodedCosts {
  /** Bytes to symbols: code, interleaver, mapping. */
  readonly encode: number;
  /** Symbols to samples. */
  readonly generate: number;
  /** Samples to equalised symbols, their SNR and the RB SNR. */
  readonly receive: number;
  /** Soft bits alone; `decode` makes them once more. */
  readonly demap: number;
  /** Equalised symbols to bytes: soft bits, interleaver, rate matching, LDPC with its stop, CRC. */
  readonly decode: number;
}

/** What `open` tells of a shape. */
export interface CodedFacts {
  readonly samples: number;
  readonly infoBits: number;
  readonly codeBlocks: number;
  /** Mean over the code blocks. */
  readonly iterations: number;
}

const PASSES = 7;
const BLOCK = 8192;

/** The whole digital chain of one burst after the other, as the link runs it, its parts timed apart. */
export class CodedModem {
  readonly facts: CodedFacts;
  private readonly shape: CodedShape;
  private readonly transmitter: BurstTransmitter;
  private readonly receiver: BurstReceiver;
  private readonly layout: TransportLayout;
  private readonly file: Uint8Array;
  private readonly qm: Uint8Array;
  private readonly symbols: Float32Array;
  private readonly air: Float32Array;
  /** A burst as it was received, of which `decode` and `demap` work. */
  private readonly payload: Float32Array;
  private readonly snr: Float32Array;
  private readonly llr: Float32Array;

  /** Throws when a burst does not come through. */
  constructor(shape: CodedShape) {
    const { subbands, slots, bursts, qm, codeRate, snrDb } = shape;
    const n = numerology(subbands);
    this.shape = shape;
    this.transmitter = new BurstTransmitter(n);
    this.receiver = new BurstReceiver(n);
    const re = slots * n.nSubbands * RB_DATA_RE;
    const random = new RandomStream(`coded/${n.id}/${qm}/${codeRate}`);
    const bytes = payloadBytesAtRate(qm * re, codeRate);
    this.file = Uint8Array.from({ length: bytes }, () => random.uint32() & 0xff);
    this.qm = new Uint8Array(re).fill(qm);
    this.layout = TransportLayout.ofData(bytes, this.qm);
    this.symbols = encodeStream(this.layout, this.file, this.qm);
    this.llr = new Float32Array(qm * re);
    const sent = Array.from({ length: bursts }, (_, b) => this.burst(b).slice());
    this.air = overAir(n, sent, 0.0005);
    random.addComplexNoise(this.air, noiseOf(n, snrDb));
    const records = this.receiveAll();
    this.payload = records[0].payload.slice();
    this.snr = records[0].payloadSnr.slice();
    const states = this.decode().states;
    this.facts = {
      samples: this.air.length / 2,
      infoBits: 8 * bytes * bursts,
      codeBlocks: states.length,
      iterations: states.reduce((sum, s) => sum + s.iterations, 0) / states.length,
    };
  }

  /** One round: the best of seven passes of each part. */
  measure(): CodedCosts {
    const { bursts } = this.shape;
    const { samples } = this.facts;
    const times = (work: () => void) => () => {
      for (let b = 0; b < bursts; b++) work();
    };
    const cost = (work: () => void) => 1e3 / best(samples, work, PASSES);
    return {
      encode: cost(times(() => encodeStream(this.layout, this.file, this.qm))),
      generate: cost(times(() => this.burst(0))),
      receive: cost(() => this.receiveAll()),
      demap: cost(times(() => this.demap())),
      decode: cost(times(() => this.decode())),
    };
  }

  private burst(number: number): Float32Array {
    const header = {
      numerology: numerology(this.shape.subbands).id,
      session: 1,
      burst: number % 1024,
      kind: 1 as const,
      slots: this.shape.slots,
      csiNumber: 0,
      modelSet: 0,
      extensionMcs: 0,
    };
    return this.transmitter.build({ header, extension: new Uint8Array(0), payload: this.symbols });
  }

  private receiveAll(): BurstRecord[] {
    const { air, receiver, shape } = this;
    const found: BurstRecord[] = [];
    const take = (records: ReturnType<BurstReceiver['push']>) => {
      for (const r of records) if (r.type === 'burst' && r.slots === shape.slots) found.push(r);
    };
    for (let at = 0; at < air.length; at += 2 * BLOCK) take(receiver.push(air.subarray(at, at + 2 * BLOCK)));
    take(receiver.flush());
    if (found.length !== shape.bursts) throw new Error(`received ${found.length} of ${shape.bursts} bursts`);
    return found;
  }

  private demap(): void {
    const { payload, snr, llr } = this;
    softDemapMmse(payload, snr, this.shape.qm, snr.length, llr);
  }

  private decode(): TransportDecoder {
    const decoder = new TransportDecoder(this.layout);
    decoder.add([...decoder.states.keys()], this.qm, this.payload, this.snr, 0);
    if (decoder.states.some((s) => !s.ok)) throw new Error('a code block was not decoded');
    return decoder;
  }
}
