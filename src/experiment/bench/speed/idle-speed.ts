import { RandomStream } from '../../../common/random.ts';
import { RxChain } from '../../../link/chains.ts';
import { Receiver } from '../../../link/receiver.ts';
import type { Downconverter, Upconverter } from '../../../phy/frontend/converter.ts';
import { type Frontend, frontendFor, preferredLoOffsetHz } from '../../../phy/frontend/frontend.ts';
import { numerology, SUBCARRIER_SPACING_HZ } from '../../../phy/numerology.ts';
import { best } from './modem-speed-ours.ts';

/** A board's stream for one numerology. */
export interface DeviceShape {
  readonly subbands: number;
  readonly deviceRateHz: number;
}

/** Nanoseconds of CPU time of one core for a sample of the device rate. */
export interface DeviceCosts {
  /** Native samples of noise to the verdict that there is no burst: conversion, DC and IQ, resampling, search. */
  readonly idle: number;
  /** Of that, all before the search: conversion, DC and IQ, shift, resampling to the modem rate. */
  readonly down: number;
  /** A transmitter's resampling and shift to the device rate, for a sample that comes out. */
  readonly up: number;
}

/** Native samples a block, as a HackRF delivers them. */
const BLOCK = 131_072;
const BLOCKS = 4;
const FULL_SCALE = 128;
const PASSES = 7;
/** Of full scale: the working point of an 8-bit receiver without a signal. */
const NOISE_RMS = 0.05;

/** A receiver at a board that hears nothing, and what the change of rate costs by itself. */
export class IdleReceiver {
  readonly facts: { readonly loOffsetHz: number };
  private readonly native = new Int8Array(2 * BLOCK);
  private readonly floats: Float32Array;
  private readonly chain: RxChain;
  private readonly down: Downconverter;
  private readonly up: Upconverter;
  private readonly modemPerBlock: number;
  private index = 0;

  constructor({ subbands, deviceRateHz }: DeviceShape) {
    const n = numerology(subbands);
    const occupiedHz = (n.nCarriers + 1) * SUBCARRIER_SPACING_HZ;
    const loOffsetHz = preferredLoOffsetHz(n.sampleRateHz, occupiedHz, deviceRateHz);
    this.facts = { loOffsetHz };
    const frontend: Frontend = frontendFor(n.sampleRateHz, occupiedHz, deviceRateHz, loOffsetHz);
    this.floats = new Float32Array(2 * BLOCK);
    new RandomStream('idle').addComplexNoise(this.floats, NOISE_RMS ** 2);
    for (let i = 0; i < this.native.length; i++) this.native[i] = Math.round(FULL_SCALE * this.floats[i]);
    this.chain = new RxChain(frontend, new Receiver({ numerology: n, codecs: [] }));
    this.down = frontend.downconverter();
    this.up = frontend.upconverter();
    this.modemPerBlock = Math.floor((BLOCK * n.sampleRateHz) / deviceRateHz);
  }

  /** One round: the best of seven passes of each part. */
  measure(): DeviceCosts {
    const cost = (samples: number, work: () => void) => 1e3 / best(samples, work, PASSES);
    const modem = this.floats.subarray(0, 2 * this.modemPerBlock);
    return {
      idle: cost(BLOCKS * BLOCK, () => this.search()),
      down: cost(BLOCK, () => this.down.processNative(this.native, FULL_SCALE)),
      up: cost(BLOCK, () => this.up.process(modem)),
    };
  }

  /** The next blocks of noise. Throws when a burst is found in it. */
  search(): void {
    for (let b = 0; b < BLOCKS; b++) {
      const block = {
        data: this.native,
        format: 'ci8' as const,
        fullScale: FULL_SCALE,
        index: this.index,
        lostBefore: null,
        timestampNs: null,
      };
      this.index += BLOCK;
      if (this.chain.push(block).some((e) => e.type === 'burst')) throw new Error('a burst was found in noise');
    }
  }
}
