import type { ChannelFn } from '../../src/radio/loopback/loopback-path.ts';

/** Makes what the mixers and oscillators of one end do to samples of full scale 1.0 at a sample rate; as many come out as go in. */
export type MakeFaults = (rateHz: number) => ChannelFn;

/** Faults of one end of a board, made anew when its sample rate changes. */
export class AnalogueFaults {
  private readonly make: MakeFaults;
  private made: { readonly rateHz: number; readonly faults: ChannelFn } | null = null;

  constructor(make: MakeFaults) {
    this.make = make;
  }

  /** The result is valid until the next call; it may be `reIm` itself. */
  process(reIm: Float32Array, rateHz: number): Float32Array {
    if (this.made?.rateHz !== rateHz) this.made = { rateHz, faults: this.make(rateHz) };
    return this.made.faults.process(reIm);
  }
}
