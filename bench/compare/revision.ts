import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OurProcess, type Subject } from '../../src/experiment/bench/speed/modem-speed-child.ts';
import { type ComparedRow, pairedVerdict } from './verdict.ts';

const run = promisify(execFile);

/** Where a checkout has the process that measures, newest first. */
const CHILDREN = ['src/experiment/bench/speed/modem-speed-child.ts', 'src/experiment/bench/modem-speed-child.ts'];

/** A revision of this repository in a folder of its own, with the packages of this one. */
export class Revision {
  readonly commit: string;
  private readonly folder: string;

  private constructor(commit: string, folder: string) {
    this.commit = commit;
    this.folder = folder;
  }

  /** Throws with git's own words where there is no such revision. */
  static async open(root: string, name: string): Promise<Revision> {
    const { stdout } = await run('git', ['-C', root, 'rev-parse', '--verify', '--end-of-options', `${name}^{commit}`]);
    const commit = stdout.trim();
    const folder = await mkdtemp(join(tmpdir(), 'sct-compare-'));
    const tar = join(folder, 'revision.tar');
    await run('git', ['-C', root, 'archive', '-o', tar, commit, 'package.json', 'tsconfig.json', 'src', 'models']);
    await run('tar', ['-xf', tar, '-C', folder]);
    await rm(tar);
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    return new Revision(commit, folder);
  }

  get child(): string {
    const paths = CHILDREN.map((path) => join(this.folder, path));
    return paths.find((path) => existsSync(path)) ?? (paths[0] as string);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One figure of a subject: more is better for rates, less for times. */
interface Compared {
  readonly name: string;
  readonly subject: Subject | 'ldpc';
  readonly kind: 'rate' | 'time';
}

const shape = { slots: 20, snrDb: 20, cfoRadPerSample: 0.0005 };
const coded = { kind: 'coded', subbands: 50, slots: 10, bursts: 1 } as const;

/** What is compared; short enough for a few rounds in a few minutes. */
export const COMPARED: readonly Compared[] = [
  { name: '4 subbands', subject: { kind: 'modem', subbands: 4, bursts: 5, ...shape }, kind: 'rate' },
  { name: '50 subbands', subject: { kind: 'modem', subbands: 50, bursts: 1, ...shape }, kind: 'rate' },
  { name: '16-QAM, rate 1/2', subject: { ...coded, qm: 4, codeRate: 1 / 2, snrDb: 9.5 }, kind: 'time' },
  { name: '256-QAM, rate 3/4', subject: { ...coded, qm: 8, codeRate: 3 / 4, snrDb: 24 }, kind: 'time' },
  { name: '20 Msps, nothing heard', subject: { kind: 'device', subbands: 50, deviceRateHz: 20e6 }, kind: 'time' },
  { name: 'LDPC, BG1 Z=384', subject: 'ldpc', kind: 'rate' },
  {
    name: 'live, 256x256',
    subject: { kind: 'image', set: 'live', precision: 'float', width: 256, height: 256 },
    kind: 'time',
  },
];

export interface PairedOptions {
  readonly rounds: number;
  readonly compared?: readonly Compared[];
  readonly progress?: (what: string) => void;
}

/**
 * Both programs in turns, new processes in every round: what a process happens to compile well or badly is part of the noise.
 *
 * @param old module of the process that measures, of the old checkout
 * @param fresh the same of the new one; default: this one
 */
export async function comparePaired(
  old: string,
  fresh: string | undefined,
  { rounds, compared = COMPARED, progress }: PairedOptions,
): Promise<ComparedRow[]> {
  const rows: ComparedRow[] = [];
  for (const { name, subject, kind } of compared) {
    const ratios = new Map<string, number[]>();
    let missing: string | null = null;
    for (let round = 0; round < rounds && missing === null; round++) {
      progress?.(`${name}, round ${round + 1} of ${rounds}`);
      // Who goes first changes, so that a machine that grows warm or busy favours nobody.
      const order = round % 2 === 0 ? (['old', 'new'] as const) : (['new', 'old'] as const);
      const figures: Partial<Record<'old' | 'new', Record<string, number>>> = {};
      for (const side of order) {
        const module = side === 'old' ? old : fresh;
        try {
          figures[side] = await figuresOf(module, subject);
        } catch (error) {
          missing = `${side}: ${error instanceof Error ? error.message : String(error)}`;
          break;
        }
      }
      const { old: before, new: after } = figures;
      if (!before || !after) continue;
      for (const [part, value] of Object.entries(after)) {
        if (!(before[part] > 0) || !(value > 0)) continue;
        const ratio = kind === 'rate' ? value / before[part] : before[part] / value;
        ratios.set(part, [...(ratios.get(part) ?? []), ratio]);
      }
    }
    if (missing !== null) rows.push({ what: name, change: null, verdict: 'unknown', note: missing });
    else for (const [part, each] of ratios) rows.push(pairedVerdict(`${part}, ${name}`, each));
  }
  return rows;
}

/** One round of a subject in a process of its own; the one before it lets compilation come to its end. */
async function figuresOf(module: string | undefined, subject: Subject | 'ldpc'): Promise<Record<string, number>> {
  const ours = new OurProcess(module);
  try {
    if (subject === 'ldpc') {
      await ours.ldpc(1);
      const codes = await ours.ldpc(3);
      return Object.fromEntries(
        codes.flatMap((c) => [
          [`decode rate ${c.codeRate.toFixed(2)}`, c.decodeMbps],
          [`encode rate ${c.codeRate.toFixed(2)}`, c.encodeMbps],
        ]),
      );
    }
    if (subject.kind === 'modem') {
      // As every revision that has this process at all knows it.
      await ours.open(subject);
      await ours.measure();
      return { ...(await ours.measure()) };
    }
    await ours.subject(subject);
    await ours.measureSubject();
    return await ours.measureSubject();
  } finally {
    ours.close();
  }
}
