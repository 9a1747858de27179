import type { Observation } from './observation.ts';

/** Where observations are from: a sweep, a folder of runs, or the runs that were named one by one. */
export interface Source {
  readonly label: string;
  readonly kind: 'sweep' | 'runs';
  /** Points or runs there, measured ones among them, and what there is to say of the others. */
  readonly planned: number;
  readonly measured: number;
  /** Those of which there is no result although there should be: what is told of the others may not hold of them. */
  readonly missing: number;
  readonly notes: readonly string[];
  /** Programs that measured them: version and commit. */
  readonly programs: readonly string[];
}

/** "sweep night: 400 of 400 points; sct 0.1.0, commit 0a5614aabc" */
export function sourceText({ label, kind, planned, measured, notes, programs }: Source): string {
  const what = kind === 'sweep' ? 'points' : 'runs';
  return [`${kind} ${label}: ${measured} of ${planned} ${what}`, ...notes, ...programs].join('; ');
}

export interface Material {
  readonly sources: readonly Source[];
  readonly observations: readonly Observation[];
}

/** What one directory holds. */
export interface SourceMaterial {
  readonly source: Source;
  readonly observations: readonly Observation[];
}

/** Called between the long steps: tells how far it is, and throws where it was interrupted. */
export type Between = (what: string) => Promise<void>;

/** "sct 0.1.0, commit 0a5614aabc, changed": which program measured; "unknown" where it does not say. */
export function programText(version: unknown, git: unknown): string {
  const word = (v: unknown) => (typeof v === 'string' && /^[\w.+-]{1,64}$/.test(v) ? v : null);
  const { commit, dirty } = (typeof git === 'object' && git !== null ? git : {}) as Record<string, unknown>;
  const hash = word(commit);
  const made = `sct ${word(version) ?? 'of unknown version'}`;
  return `${made}${hash ? `, commit ${hash.slice(0, 10)}` : ''}${dirty === true ? ', changed' : ''}`;
}
