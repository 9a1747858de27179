import { IioError } from './iio-error.ts';

/** Where the samples of a transmit channel come from (cf_axi_dds.c: data select). */
export type TxSource = 'dds' | 'dma' | 'zero';

interface Tone {
  /** Phase increment a sample and initial phase, 1/65536 turn. */
  increment: number;
  phase: number;
  /** Magnitude 0..1.99994 in 1/16384, with sign. */
  scale: number;
}

/** Names of the tones: two for I, two for Q. */
export const TONES = ['TX1_I_F1', 'TX1_I_F2', 'TX1_Q_F1', 'TX1_Q_F2'] as const;

/**
 * Tone generator of the transmit core: 2 tones a channel. `raw` is one switch for all of them: 0 selects zeros, 1 the tones, at once and for
 * both channels; when a buffer closes the core goes back to the tones whatever `raw` says, as the driver does.
 */
export class Dds {
  private readonly tones: Tone[];
  private readonly beforeChange: () => void;
  private enabled = true;
  /** For I and Q. */
  readonly sources: [TxSource, TxSource] = ['dds', 'dds'];

  constructor(beforeChange: () => void) {
    this.beforeChange = beforeChange;
    this.tones = TONES.map((name) => ({ increment: 19797, phase: name.includes('_I_') ? 16384 : 0, scale: 0 }));
  }

  get raw(): boolean {
    return this.enabled;
  }

  set raw(on: boolean) {
    this.select(on ? ['dds', 'dds'] : ['zero', 'zero']);
    this.enabled = on;
  }

  select(sources: readonly [TxSource, TxSource]): void {
    this.beforeChange();
    this.sources[0] = sources[0];
    this.sources[1] = sources[1];
  }

  frequencyHz(tone: number, rateHz: number): number {
    return Math.floor((this.tones[tone].increment * rateHz) / 0xffff);
  }

  setFrequencyHz(tone: number, hz: number, rateHz: number): void {
    if (hz < 0 || hz > rateHz / 2) throw new IioError('EINVAL');
    this.beforeChange();
    this.tones[tone].increment = Math.floor((hz * 0xffff) / rateHz) | 1;
  }

  /** Thousandths of a degree. */
  phase(tone: number): number {
    return Math.floor((this.tones[tone].phase * 360_000 + 0x8000) / 0x10000);
  }

  setPhase(tone: number, milliDegrees: number): void {
    if (milliDegrees < 0 || milliDegrees > 360_000) throw new IioError('EINVAL');
    this.beforeChange();
    this.tones[tone].phase = Math.floor(((milliDegrees % 360_000) * 0x10000 + 180_000) / 360_000) & 0xffff;
  }

  scaleMicro(tone: number): number {
    return Math.round((this.tones[tone].scale * 1e6) / 0x4000);
  }

  setScaleMicro(tone: number, micro: number): void {
    if (Math.abs(micro) >= 2e6) throw new IioError('EINVAL');
    this.beforeChange();
    this.tones[tone].scale = Math.sign(micro) * Math.floor((Math.abs(micro) * 0x4000) / 1e6 + 0.5);
  }

  /** Nothing but zeros comes out for this channel (0 I, 1 Q). */
  silent(channel: number): boolean {
    return this.tones[2 * channel].scale === 0 && this.tones[2 * channel + 1].scale === 0;
  }

  /** The sum of a channel's two tones at a sample number, 16 bit, limited. */
  sample(channel: number, index: number): number {
    let sum = 0;
    for (let t = 2 * channel; t < 2 * channel + 2; t++) {
      const { increment, phase, scale } = this.tones[t];
      if (scale === 0) continue;
      const turns = ((index % 0x10000) * increment + phase) % 0x10000;
      sum += (scale / 0x4000) * Math.sin((2 * Math.PI * turns) / 0x10000);
    }
    return Math.max(-32768, Math.min(32767, Math.round(sum * 32767)));
  }
}
