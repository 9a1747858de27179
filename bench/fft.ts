/**
 * Speed of the Fourier transforms of `src/phy/kernels`, and of FFTW's in the same rounds where a C compiler and FFTW
 * (Debian: libfftw3-dev) are there. Nanoseconds of one forward transform in CPU time of one core:
 *
 *   node --import tsx bench/fft.ts
 *
 * Writes bench/results/fft.json. Every round measures every size with each program, best of 8 passes; ratios are taken round by
 * round, then the median.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RandomStream } from '../src/common/random.ts';
import { hostFacts, programFacts } from '../src/experiment/host-facts.ts';
import { median } from '../src/experiment/stats.ts';
import type { FftKernel } from '../src/phy/kernels/fft-kernel.ts';
import { PlainFftKernel } from '../src/phy/kernels/fft-plain.ts';
import { WasmFftKernel } from '../src/phy/kernels/fft-wasm.ts';

const run = promisify(execFile);
const SIZES = [64, 128, 256, 512, 1024, 2048];
const ROUNDS = 9;
const PASSES = 8;
/** How much longer than FFTW's the kernel may take, and at which sizes that is asked. */
const ALLOWED_RATIO = 2.4;
const ASKED = [256, 1024, 2048];

type Nanoseconds = Readonly<Record<number, number>>;

interface Round {
  /** In the kernel's own memory, as the modem's fused kernels call it. */
  readonly kernel: Nanoseconds;
  /** Through the interface: with the copies into that memory and out of it. */
  readonly copied: Nanoseconds;
  readonly plain: Nanoseconds;
  readonly fftw: Nanoseconds | null;
}

/** Nanoseconds of CPU time of one call, the best of the passes after the first. */
function best(size: number, work: () => void): number {
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

function measured(work: (size: number) => () => void): Nanoseconds {
  return Object.fromEntries(SIZES.map((size) => [size, best(size, work(size))]));
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

/** The peer's program, or why there is none. */
async function compilePeer(folder: string): Promise<{ program: string; compiler: string } | string> {
  const source = fileURLToPath(new URL('peers/fftw.c', import.meta.url));
  const program = join(folder, 'fftw');
  try {
    await run('cc', ['-O3', '-march=native', source, '-o', program, '-lfftw3f'], { timeout: 120_000 });
    const { stdout } = await run('cc', ['--version'], { timeout: 10_000 });
    return { program, compiler: stdout.split('\n')[0].trim() };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no C compiler' : 'FFTW (libfftw3-dev) is not there';
  }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sct-fft-'));
  try {
    const peer = await compilePeer(folder);
    const plain = new Map(SIZES.map((size) => [size, new PlainFftKernel(size)]));
    const wasm = new Map(SIZES.map((size) => [size, new WasmFftKernel(size)]));
    const rounds: Round[] = [];
    let version: string | null = null;
    for (let i = 0; i < ROUNDS; i++) {
      const kernel = measured(inPlace);
      const copied = measured((size) => between(wasm.get(size)!));
      const inTypeScript = measured((size) => between(plain.get(size)!));
      let fftw: Nanoseconds | null = null;
      if (typeof peer !== 'string') {
        const { stdout } = await run(peer.program, SIZES.map(String), { timeout: 120_000 });
        const answer = JSON.parse(stdout) as { version: string; ns: Nanoseconds };
        version = answer.version;
        fftw = answer.ns;
      }
      rounds.push({ kernel, copied, plain: inTypeScript, fftw });
    }
    const sizes = SIZES.map((size) => {
      const per = (of: (r: Round) => number) => {
        const x = rounds.map(of);
        return { median: median(x), low: Math.min(...x), high: Math.max(...x) };
      };
      const ratio = version ? per((r) => r.kernel[size] / r.fftw![size]) : null;
      return {
        size,
        kernelNs: per((r) => r.kernel[size]),
        copiedNs: per((r) => r.copied[size]),
        plainNs: per((r) => r.plain[size]),
        fftwNs: version ? per((r) => r.fftw![size]) : null,
        ratioToFftw: ratio,
        copiedRatioToFftw: version ? per((r) => r.copied[size] / r.fftw![size]) : null,
        plainOverKernel: per((r) => r.plain[size] / r.kernel[size]),
        met: ratio && ASKED.includes(size) ? ratio.median <= ALLOWED_RATIO : null,
      };
    });
    for (const s of sizes) {
      const ns = `${s.kernelNs.median.toFixed(0)} ns, with copies ${s.copiedNs.median.toFixed(0)}, plain ${s.plainNs.median.toFixed(0)}`;
      const against = s.ratioToFftw
        ? `FFTW ${s.fftwNs!.median.toFixed(0)}, ratio ${s.ratioToFftw.median.toFixed(2)} (${s.ratioToFftw.low.toFixed(2)} to ${s.ratioToFftw.high.toFixed(2)})`
        : String(peer);
      console.log(`${s.size}: ${ns}; ${against}${s.met === null ? '' : s.met ? ', met' : ', MISSED'}`);
    }
    const report = {
      schema: 'sct-fft-speed/1',
      command: 'node --import tsx bench/fft.ts',
      machine: hostFacts(),
      program: await programFacts(),
      node: process.version,
      method: `CPU time of one core, forward transform, best of ${PASSES - 1} passes a round; median (low to high) of ${ROUNDS} alternating rounds, ratios round by round; FFTW: FFTW_MEASURE, out of place`,
      allowedRatio: ALLOWED_RATIO,
      fftw: typeof peer === 'string' ? null : { version, compiler: peer.compiler },
      noPeer: typeof peer === 'string' ? peer : null,
      sizes,
    };
    const path = fileURLToPath(new URL('results/fft.json', import.meta.url));
    await writeFile(path, `${JSON.stringify(report, null, 1)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
