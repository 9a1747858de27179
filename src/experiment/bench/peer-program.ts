import { execFile } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../run/host-facts.ts';

const run = promisify(execFile);

/** How to compile a harness of `bench/peers` against what it measures. */
export interface PeerSource {
  /** File of bench/peers without `.c`. */
  readonly name: string;
  /** What is said to be missing where it does not compile. */
  readonly library: string;
  /** Further arguments: sources, `-I`, `-l`. */
  readonly args: readonly string[];
  /** Compilers to try, in this order. */
  readonly compilers?: readonly string[];
}

const COMPILERS = ['cc', 'gcc', 'clang'];

/** A program that measures something else than ours, compiled when opened and gone when closed. */
export class PeerProgram {
  /** First line of what the compiler says of itself. */
  readonly compiler: string;
  private readonly folder: string;
  private readonly program: string;

  private constructor(folder: string, program: string, compiler: string) {
    this.folder = folder;
    this.program = program;
    this.compiler = compiler;
  }

  /** Compiles it; a string says why it is not there. */
  static async open({ name, library, args, compilers = COMPILERS }: PeerSource): Promise<PeerProgram | string> {
    const source = join(await packageRoot(), 'bench', 'peers', `${name}.c`);
    const there = await access(source).then(
      () => true,
      () => false,
    );
    if (!there) return `bench/peers/${name}.c is not there: the comparison needs a checkout, not an installed package`;
    const folder = await mkdtemp(join(tmpdir(), 'sct-peer-'));
    const program = join(folder, name);
    let reason = `no C compiler (${compilers.join(', ')})`;
    for (const compiler of compilers) {
      try {
        await run(compiler, ['-O3', '-march=native', source, ...args, '-o', program, '-lm'], { timeout: 300_000 });
        const { stdout } = await run(compiler, ['--version'], { timeout: 10_000 });
        return new PeerProgram(folder, program, stdout.split('\n')[0].trim());
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        reason = `${library} does not compile with ${compiler}`;
      }
    }
    await rm(folder, { recursive: true, force: true });
    return reason;
  }

  /** Runs it and reads the one JSON object that it writes. */
  async measure<T>(args: readonly (string | number)[]): Promise<T> {
    const { stdout } = await run(this.program, args.map(String), { timeout: 120_000 });
    return JSON.parse(stdout) as T;
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What a report says of a peer: where there is none, why. */
export interface PeerFacts {
  readonly version: string | null;
  readonly compiler: string | null;
  /** Why there is nothing to compare with, else null. */
  readonly missing: string | null;
}

export function peerFacts(peer: PeerProgram | string | null, version: string | null): PeerFacts {
  if (peer === null) return { version: null, compiler: null, missing: 'not asked for' };
  if (typeof peer === 'string') return { version: null, compiler: null, missing: peer };
  return { version, compiler: peer.compiler, missing: null };
}
