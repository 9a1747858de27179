/** What the chapters of docs/results.md share. */

import type { Spread } from '../../src/experiment/bench/spread.ts';

export interface PlotFile {
  readonly file: string;
  readonly svg: string;
}

/** Where figures come from, as the benches write it in slightly different places. */
export interface Provenance {
  readonly machine?: { readonly cpu?: string; readonly cores?: number; readonly node?: string };
  readonly git?: { readonly commit: string; readonly dirty: boolean } | null;
  readonly program?: { readonly git?: { readonly commit: string; readonly dirty: boolean } | null };
}

/** One sentence without its full stop: machine and commit. */
export function provenance({ machine, git, program }: Provenance): string {
  const commit = git ?? program?.git;
  const said = commit
    ? `commit ${commit.commit.slice(0, 10)}${commit.dirty ? ' with changes not committed' : ''}`
    : 'no commit recorded';
  const node = machine?.node ? `, Node ${machine.node.replace(/^v/, '')}` : '';
  return `Made on ${machine?.cpu?.trim() ?? 'an unnamed machine'}${node}, ${said}`;
}

/** A number with so many significant digits; a dash where there is none. */
export function figure(value: number | null | undefined, digits = 4): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : String(Number(value.toPrecision(digits)));
}

/** Median and range; a dash where nothing was measured. */
export function cell(s: Spread | null | undefined, digits = 2): string {
  return s ? `${s.median.toFixed(digits)} (${s.low.toFixed(digits)} to ${s.high.toFixed(digits)})` : '–';
}

/** What came of what was asked. */
export function verdict(met: boolean): string {
  return met ? 'met' : '**missed**';
}

/** A markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n').replace(/ {2,}/g, ' ');
}

/** Value with its interval in brackets, where it has one. */
export function ranged(r: {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}) {
  return r.low === null || r.high === null
    ? figure(r.value)
    : `${figure(r.value)} (${figure(r.low)} to ${figure(r.high)})`;
}
