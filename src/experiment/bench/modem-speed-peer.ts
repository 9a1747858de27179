import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { numerology } from '../../phy/numerology.ts';
import { packageRoot } from '../host-facts.ts';
import type { ShapeText } from './modem-speed-child.ts';
import type { Speeds } from './modem-speed-ours.ts';

const run = promisify(execFile);

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
  private readonly folder: string;
  readonly compiler: string;

  private constructor(folder: string, compiler: string) {
    this.folder = folder;
    this.compiler = compiler;
  }

  /** Compiles the harness; a string says why there is no peer. */
  static async open(compilers: readonly string[] = ['cc', 'gcc', 'clang']): Promise<LiquidPeer | string> {
    const source = join(await packageRoot(), 'bench', 'peers', 'liquid-ofdm.c');
    const there = await access(source).then(
      () => true,
      () => false,
    );
    if (!there)
      return 'bench/peers/liquid-ofdm.c is not there: the comparison needs a checkout, not an installed package';
    const folder = await mkdtemp(join(tmpdir(), 'sct-peer-'));
    let reason = `no C compiler (${compilers.join(', ')})`;
    for (const compiler of compilers) {
      const args = ['-O3', '-march=native', source, '-o', join(folder, 'liquid-ofdm'), '-lliquid', '-lm'];
      try {
        await run(compiler, args, { timeout: 120_000 });
        const { stdout } = await run(compiler, ['--version'], { timeout: 10_000 });
        return new LiquidPeer(folder, stdout.split('\n')[0].trim());
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        reason = `liquid-dsp (Debian: libliquid-dev) does not compile with ${compiler}`;
      }
    }
    await rm(folder, { recursive: true, force: true });
    return reason;
  }

  /** One round: the best of seven passes of each part, in CPU time of its own process. */
  async measure(shape: ShapeText, burstSamples: number): Promise<PeerSpeeds> {
    const { subbands, bursts, snrDb, cfoRadPerSample } = shape;
    const n = numerology(subbands);
    const numbers = [n.fftSize, n.cpLength, n.nSubbands, burstSamples, bursts, snrDb, cfoRadPerSample];
    const { stdout } = await run(join(this.folder, 'liquid-ofdm'), numbers.map(String), { timeout: 120_000 });
    return JSON.parse(stdout) as PeerSpeeds;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
