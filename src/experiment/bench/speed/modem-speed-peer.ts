import { numerology } from '../../../phy/numerology.ts';
import { PeerProgram } from '../peer-program.ts';
import type { ShapeText } from './modem-speed-child.ts';
import type { Speeds } from './modem-speed-ours.ts';

export interface PeerSpeeds extends Speeds {
  readonly version: string;
  /** Samples of one of its bursts. */
  readonly burstSamples: number;
  readonly bursts: number;
  /** Bursts whose payload came through without an error. */
  readonly right: number;
}

/** liquid-dsp's OFDM modem behind our harness, compiled when opened. */
export class LiquidPeer {
  private readonly program: PeerProgram;

  private constructor(program: PeerProgram) {
    this.program = program;
  }

  get compiler(): string {
    return this.program.compiler;
  }

  /** Compiles the harness; a string says why there is no peer. */
  static async open(compilers?: readonly string[]): Promise<LiquidPeer | string> {
    const opened = await PeerProgram.open({
      name: 'liquid-ofdm',
      library: 'liquid-dsp (Debian: libliquid-dev)',
      args: ['-lliquid'],
      ...(compilers ? { compilers } : {}),
    });
    return typeof opened === 'string' ? opened : new LiquidPeer(opened);
  }

  /** One round: the best of seven passes of each part, in CPU time of its own process. */
  measure(shape: ShapeText, burstSamples: number): Promise<PeerSpeeds> {
    const { subbands, bursts, snrDb, cfoRadPerSample } = shape;
    const n = numerology(subbands);
    return this.program.measure([
      ...[n.fftSize, n.cpLength, n.nSubbands],
      ...[burstSamples, bursts, snrDb, cfoRadPerSample],
    ]);
  }

  close(): Promise<void> {
    return this.program.close();
  }
}
