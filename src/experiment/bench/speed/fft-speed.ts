import { RandomStream } from '../../../common/random.ts';
import type { FftKernel } from '../../../phy/kernels/fft/fft-kernel.ts';
import { PlainFftKernel } from '../../../phy/kernels/fft/fft-plain.ts';
import { WasmFftKernel } from '../../../phy/kernels/fft/fft-wasm.ts';
import { type PeerFacts, PeerProgram, peerFacts } from '../peer-program.ts';
import { loopTurn, type Spread, spread, spreads } from '../spread.ts';

/** How much longer than FFTW's the kernel may take, and at which sizes that is asked. */
export const FFT_ALLOWED_RATIO = 2.4;
export const FFT_ASKED: readonly number[] = [256, 1024, 2048];
const PASSES = 8;

/** Nanoseconds of one forward transform, and ratios round by round. */
export interface FftRow {
  readonly size: number;
  /** In the kernel's own memory, as the modem's fused kernels call it. */
  readonly kernelNs: Spread;
  /** Through the interface: with the copies into that memory and out of it; null where it was not measured. */
  readonly copiedNs: Spread | null;
  readonly plainNs: Spread | null;
  readonly fftwNs: Spread | null;
  readonly ratioToFftw: Spread | null;
  readonly copiedRatioToFftw: Spread | null;
  readonly plainOverKernel: Spread | null;
  /** Whether the ratio is within what is asked at this size; null where nothing is asked or compared. */
  readonly met: boolean | null;
}

export interface FftReport {
  readonly method: string;
  readonly allowedRatio: number;
  readonly fftw: PeerFacts;
  readonly sizes: readonly FftRow[];
}

export interface FftOptions {
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Also through the interface and in plain TypeScript. */
  readonly all: boolean;
  readonly progress?: (what: string) => void;
  readonly compilers?: readonly string[];
}

/** Our transforms and, where a C compiler and FFTW are there, FFTW's, one after the other in each round. */
export async function fftSpeeds({ sizes, rounds, all, progress, compilers }: FftOptions): Promise<FftReport> {
  const peer = await PeerProgram.open({
    name: 'fftw',
    library: 'FFTW (Debian: libfftw3-dev)',
    args: ['-lfftw3f'],
    ...(compilers ? { compilers } : {}),
  });
  try {
    const subjects = sizes.map((size) => ({
      kernel: inPlace(size),
      ...(all ? { copied: between(new WasmFftKernel(size)), plain: between(new PlainFftKernel(size)) } : {}),
    }));
    const results: Record<string, number>[][] = sizes.map(() => []);
    let version: string | null = null;
    for (let round = 0; round < rounds; round++) {
      progress?.(`FFT, round ${round + 1} of ${rounds}`);
      await loopTurn();
      for (const [i, size] of sizes.entries()) {
        const row: Record<string, number> = {};
        for (const [name, work] of Object.entries(subjects[i])) row[name] = bestNs(size, work);
        if (typeof peer !== 'string') {
          const answer = await peer.measure<{ version: string; ns: Record<string, number> }>([size]);
          version = answer.version;
          row.fftw = answer.ns[size];
        }
        results[i].push(row);
      }
    }
    return {
      method: `CPU time of one core, forward transform, best of ${PASSES - 1} passes a round; median (low to high) of ${rounds} alternating rounds, ratios round by round; FFTW: FFTW_MEASURE, out of place`,
      allowedRatio: FFT_ALLOWED_RATIO,
      fftw: peerFacts(peer, version),
      sizes: sizes.map((size, i) => rowOf(size, results[i])),
    };
  } finally {
    if (typeof peer !== 'string') await peer.close();
  }
}

function rowOf(size: number, rounds: readonly Record<string, number>[]): FftRow {
  const ns = spreads(rounds);
  const ratio = (above: string, below: string) =>
    ns[above] && ns[below] ? spread(rounds.map((r) => r[above] / r[below])) : null;
  const ratioToFftw = ratio('kernel', 'fftw');
  return {
    size,
    kernelNs: ns.kernel,
    copiedNs: ns.copied ?? null,
    plainNs: ns.plain ?? null,
    fftwNs: ns.fftw ?? null,
    ratioToFftw,
    copiedRatioToFftw: ratio('copied', 'fftw'),
    plainOverKernel: ratio('plain', 'kernel'),
    met: ratioToFftw && FFT_ASKED.includes(size) ? ratioToFftw.median <= FFT_ALLOWED_RATIO : null,
  };
}

/** Nanoseconds of CPU time of one call, the best of the passes after the first. */
function bestNs(size: number, work: () => void): number {
  const repeats = Math.round(4e6 / size);
  let least = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES; pass++) {
    const before = process.cpuUsage();
    for (let i = 0; i < repeats; i++) work();
    const { user, system } = process.cpuUsage(before);
    if (pass > 0) least = Math.min(least, (1e3 * (user + system)) / repeats);
  }
  return least;
}

/** Transforms of one noise after the other between the caller's arrays. */
function between(kernel: FftKernel): () => void {
  const input = new Float32Array(2 * kernel.size);
  const output = new Float32Array(2 * kernel.size);
  new RandomStream(`fft ${kernel.size}`).addComplexNoise(input, 1);
  return () => kernel.forward(input, 0, output, 0);
}

function inPlace(size: number): () => void {
  const kernel = new WasmFftKernel(size);
  new RandomStream(`fft ${size}`).addComplexNoise(kernel.source.fill(0), 1);
  return () => kernel.run(true);
}

export function fftLine({ size, kernelNs, copiedNs, plainNs, fftwNs, ratioToFftw, met }: FftRow): string {
  const ns = [`${kernelNs.median.toFixed(0)} ns`];
  if (copiedNs) ns.push(`with copies ${copiedNs.median.toFixed(0)}`);
  if (plainNs) ns.push(`plain ${plainNs.median.toFixed(0)}`);
  const against =
    fftwNs && ratioToFftw
      ? `; FFTW ${fftwNs.median.toFixed(0)}, ratio ${ratioToFftw.median.toFixed(2)} (${ratioToFftw.low.toFixed(2)} to ${ratioToFftw.high.toFixed(2)})`
      : '';
  return `${size}: ${ns.join(', ')}${against}${met === null ? '' : met ? ', met' : ', MISSED'}`;
}
