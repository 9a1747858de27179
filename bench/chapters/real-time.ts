/** Chapter of docs/results.md on what runs beside a clock: continuous reception (realtime.json) and video (video.json). */

import { figure, type Provenance, provenance, table, verdict } from './parts.ts';

/** One figure of a run, with what was asked of it. */
export interface RunFigure {
  readonly what: string;
  readonly value: number | null;
  /** Empty for counts. */
  readonly unit: string;
  readonly low?: number | null;
  readonly high?: number | null;
  /** As it is shown: `>= 1.3`. */
  readonly asked?: string | null;
  readonly met?: boolean | null;
}

/** What bench/realtime.ts and bench/video.ts write; they may add fields of their own. */
export interface MeasuredRuns extends Provenance {
  readonly schema: string;
  readonly quick: boolean;
  readonly command: string;
  readonly load?: readonly number[];
  readonly method: string;
  readonly runs: readonly {
    /** Heading of its table. */
    readonly name: string;
    /** What ran, a sentence. */
    readonly about: string;
    readonly figures: readonly RunFigure[];
  }[];
}

/** What bench/last-frame.ts writes. */
export interface LastFrameResult {
  readonly commit?: string;
  readonly dirty?: boolean;
  readonly modelSet: string;
  readonly size: string;
  readonly snrDb: number;
  readonly symbolsPerPixel: number;
  readonly rows: readonly {
    readonly sequence: string;
    readonly damage: string;
    readonly frames: number;
    readonly withoutDb: number;
    readonly withDb: number;
    readonly gainDb: number;
    readonly lowDb: number;
    readonly highDb: number;
    readonly leastDb: number;
    readonly usedShare: number;
  }[];
}

export function realTimeChapter(
  receive: MeasuredRuns | null,
  video: MeasuredRuns | null,
  lastFrame: LastFrameResult | null,
): string {
  return [
    '## Real time',
    ...[receive, video].flatMap((r) => (r ? resultParts(r) : [])),
    ...(lastFrame ? lastFrameParts(lastFrame) : []),
  ].join('\n\n');
}

function lastFrameParts(result: LastFrameResult): string[] {
  const { commit, dirty } = result;
  const git = commit === undefined ? null : { commit, dirty: dirty ?? false };
  return [
    '### What the frame before is worth',
    `PSNR in dB of the damaged region of a frame, without and with the last correctly received frame, and the mean gain with its 95 % interval: set \`${result.size}\`, R = ${result.symbolsPerPixel}, AWGN ${result.snrDb} dB, 256x256. \`worst\`: the frame that it served least. \`used\`: share of the damaged cells that the frame before restored.`,
    table(
      ['frames that follow', 'damage', 'frames', 'without', 'with', 'gain', 'worst', 'used'],
      result.rows.map((r) => [
        ...[r.sequence, r.damage, String(r.frames), r.withoutDb.toFixed(2), r.withDb.toFixed(2)],
        `${r.gainDb.toFixed(2)} (${r.lowDb.toFixed(2)} to ${r.highDb.toFixed(2)})`,
        ...[r.leastDb.toFixed(2), `${(100 * r.usedShare).toFixed(0)} %`],
      ]),
    ),
    '    node --import tsx bench/last-frame.ts --data DIR --out bench/results/last-frame.json',
    `Model set ${result.modelSet}${git ? `, commit ${git.commit.slice(0, 10)}${git.dirty ? ' with changes not committed' : ''}` : ''}.`,
  ];
}

function resultParts(result: MeasuredRuns): string[] {
  return [
    ...result.runs.flatMap((run, i) => [
      `### ${run.name}`,
      ...(i === 0 ? [`${sentence(result.method)}${result.quick ? ' **A quick run: not for quotation.**' : ''}`] : []),
      sentence(run.about),
      table(['', 'measured', 'asked', ''], run.figures.map(cells)),
    ]),
    `    ${result.command}`,
    `${provenance(result)}${result.load ? `; load ${result.load.map((l) => l.toFixed(1)).join(' to ')}` : ''}.`,
  ];
}

function cells({ what, value, unit, low, high, asked, met }: RunFigure): string[] {
  const range = typeof low === 'number' && typeof high === 'number' ? ` (${figure(low)} to ${figure(high)})` : '';
  const measured = value === null ? 'not measured' : `${figure(value)}${range}${unit ? ` ${unit}` : ''}`;
  return [what, measured, asked ?? '', typeof met === 'boolean' ? verdict(met) : ''];
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Lines for the head of the page: of each run, what was asked of it. */
export function realTimeLines(results: readonly (MeasuredRuns | null)[]): (readonly [string, string])[] {
  return results.flatMap((result) =>
    (result?.runs ?? []).flatMap((run) => {
      const asked = run.figures.filter((f) => typeof f.met === 'boolean');
      if (asked.length === 0) return [];
      const said = asked.map((f) => {
        const [what, measured, wanted, state] = cells(f);
        return `${what} ${measured} (asked ${wanted}: ${state})`;
      });
      return [[`[real time](#real-time), ${run.name}`, said.join('; ')] as const];
    }),
  );
}
