import type { LoopbackRadio } from '../../radio/loopback/loopback-radio.ts';
import type { LoopbackRx } from '../../radio/loopback/loopback-streams.ts';
import type { SampleBlock } from '../../radio/radio.ts';
import type { TxChain } from '../chains.ts';
import { SOUNDING_GRID_S } from '../reverse/csi-history.ts';
import type { TransmitBurst } from '../transmission.ts';
import type { Air, OnAir, Spacing } from './air.ts';

/** Silence between bursts, s. */
const GAP_S = 0.2e-3;

export interface SimulatedAirOptions {
  readonly radio: LoopbackRadio;
  readonly rateHz: number;
  readonly tx: TxChain;
  readonly rx: LoopbackRx;
  /** Takes what the receiver hears. */
  hear(block: SampleBlock): void | Promise<void>;
  /** For trials of losses: true for a burst that never reaches the air. */
  lose?(burst: TransmitBurst): boolean;
}

/** A loopback radio in simulated time, which moves only with what is sent and waited for: a run is the same on any machine. */
export class SimulatedAir implements Air {
  private readonly options: SimulatedAirOptions;

  constructor(options: SimulatedAirOptions) {
    this.options = options;
  }

  get nowS(): number {
    return this.options.radio.now / this.options.rateHz;
  }

  async send(bursts: Iterable<TransmitBurst>, spacing: Spacing, onAir: OnAir): Promise<void> {
    const { radio } = this.options;
    let start: number | null = null;
    for (const burst of bursts) {
      if (start !== null) await this.until(start, spacing);
      start = radio.now;
      await this.one(burst, onAir);
      if (spacing.kind === 'close') await this.hear();
    }
    // A period is over when its time is, a train of soundings with its last burst.
    if (start !== null && spacing.kind === 'period') await this.until(start, spacing);
  }

  async pass(seconds: number): Promise<void> {
    this.wait(seconds);
    await this.hear();
  }

  private async one(burst: TransmitBurst, onAir: OnAir): Promise<void> {
    const { tx, rateHz, lose } = this.options;
    const waveform = burst.samples;
    if (lose?.(burst)) waveform.fill(0);
    const { index, samples } = await tx.send(waveform);
    onAir(burst, (index + samples) / rateHz);
    this.wait(GAP_S);
  }

  /** Lets time go by until the burst after the one that began at `start` may begin. */
  private async until(start: number, spacing: Spacing): Promise<void> {
    const { radio, rateHz } = this.options;
    if (spacing.kind === 'close') return;
    if (spacing.kind === 'period') {
      const dueS = start / rateHz + spacing.everyS;
      this.wait(Math.max(0, dueS - this.nowS));
    } else {
      const step = SOUNDING_GRID_S * rateHz;
      const every = Math.round(spacing.everyS / SOUNDING_GRID_S);
      const sent = radio.now - start;
      radio.advance(Math.round(Math.max(every, Math.ceil(sent / step)) * step) - sent);
    }
    await this.hear();
  }

  private wait(seconds: number): void {
    this.options.radio.advance(Math.ceil(seconds * this.options.rateHz));
  }

  /** Lets the receiver hear everything up to now. */
  private async hear(): Promise<void> {
    const { rx, hear } = this.options;
    for (let block = rx.readAvailable(); block; block = rx.readAvailable()) await hear(block);
  }
}
