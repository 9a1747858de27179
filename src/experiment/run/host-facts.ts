import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The machine, without names that identify its owner. */
export interface HostFacts {
  platform: string;
  release: string;
  arch: string;
  cpu: string;
  cores: number;
  memoryMiB: number;
}

export function hostFacts(): HostFacts {
  const cores = cpus();
  return {
    platform: platform(),
    release: release(),
    arch: arch(),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
  };
}

/** What program ran: version, lock file and, in a git checkout of this project, the commit. */
export interface ProgramFacts {
  packageVersion: string;
  packageLockSha256: string | null;
  git: { commit: string; dirty: boolean } | null;
}

/** Directory of our package.json, found upward from this module (works from src and from dist). */
export async function packageRoot(from = dirname(fileURLToPath(import.meta.url))): Promise<string> {
  for (let dir = from; ; dir = dirname(dir)) {
    const text = await readFile(join(dir, 'package.json'), 'utf8').catch(() => null);
    if (text !== null && (JSON.parse(text) as { name?: string }).name === 'sct-testbed') return dir;
    if (dirname(dir) === dir) throw new Error(`no package.json of sct-testbed above ${from}`);
  }
}

/** Facts of the program under `root`; what cannot be learnt (no git, no lock file) is null, never an error. */
export async function programFacts(root?: string): Promise<ProgramFacts> {
  const dir = root ?? (await packageRoot());
  const [packageText, lock, git] = await Promise.all([
    readFile(join(dir, 'package.json'), 'utf8'),
    readFile(join(dir, 'package-lock.json')).catch(() => null),
    gitFacts(dir),
  ]);
  return {
    packageVersion: String((JSON.parse(packageText) as { version?: unknown }).version ?? 'unknown'),
    packageLockSha256: lock ? createHash('sha256').update(lock).digest('hex') : null,
    git,
  };
}

const run = promisify(execFile);

/** Commit and dirty flag (changes of tracked files, as `git describe --dirty` has it) of the checkout whose top is exactly `root` (not of a repository that merely contains it). */
export async function gitFacts(root: string): Promise<{ commit: string; dirty: boolean } | null> {
  const git = async (...args: string[]) => {
    const { stdout } = await run('git', ['--no-optional-locks', '-C', root, ...args], {
      timeout: 5000,
      maxBuffer: 2 ** 24,
      windowsHide: true,
    });
    return stdout.trim();
  };
  try {
    const top = await git('rev-parse', '--show-toplevel');
    if ((await realpath(top)) !== (await realpath(root))) return null;
    const [commit, status] = await Promise.all([
      git('rev-parse', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=no'),
    ]);
    return /^[0-9a-f]{40,64}$/.test(commit) ? { commit, dirty: status !== '' } : null;
  } catch {
    return null; // no git, no checkout, or one that git refuses to open
  }
}
