/** Chapter of docs/results.md on what the dashboard costs and stands. */

import { figure, type Provenance, provenance, table } from './parts.ts';

interface Stretch {
  /** Part of the updates told that a page got. */
  readonly updatesGot: number;
  readonly joinMs: { readonly median: number; readonly worst: number; readonly refused: number };
  readonly residentMB: number;
}

export interface DashboardResult extends Provenance {
  readonly command: string;
  readonly server: {
    readonly updatesPerS: number;
    readonly medianCores: Readonly<Record<string, number>>;
    readonly cores: Readonly<Record<string, readonly number[]>>;
  };
  readonly receiver: {
    readonly samples: number;
    readonly samplesPerS: { readonly none: number; readonly five: number };
    readonly ratio: number;
    readonly ratioInterval: { readonly low: number; readonly high: number; readonly level: number };
    readonly ratios: readonly number[];
    readonly underAttack: { readonly clients: number; readonly ratio: number; readonly ratios: readonly number[] };
  };
  readonly hostile: {
    readonly none: Stretch;
    readonly atOnce: Stretch & { readonly clients: number };
    readonly inTurn: Stretch & { readonly clients: number };
  };
  readonly long: {
    readonly bytes: number;
    readonly medianS: { readonly overview: number; readonly spectrum: number };
    readonly seconds: { readonly spectrum: readonly number[] };
    readonly jobResidentMB: number;
  };
  readonly page: {
    readonly medianCores: number;
    readonly slowestPaintsPerS: number;
    readonly rounds: readonly { readonly coresTogether: number }[];
  };
}

export function dashboardChapter(result: DashboardResult): string {
  return [
    '## Dashboard',
    `\`${result.command}\`. ${provenance(result)}. One update is what all panels show: a spectrum, a burst, states of SFVs, counters. Server and page are fed by formulas; receiver and recording are real ones, started from the dashboard.`,
    table(['what', 'asked', 'measured', ''], rows(result)),
    '### With hostile clients',
    'Slow headers, sockets that are never read, floods and giant frames, wrong tokens, broken upgrades, thirty kinds in all. A page that watches, and newcomers, one behind the other:',
    table(
      ['clients', 'updates that a page got', 'first frame of a newcomer, median, worst', 'refused', 'server memory'],
      [
        stretch('none', result.hostile.none),
        stretch(`${result.hostile.atOnce.clients} at once`, result.hostile.atOnce),
        stretch(`${result.hostile.inTurn.clients} one after another`, result.hostile.inTurn),
      ],
    ),
    `Speed of a receiver while ${result.receiver.underAttack.clients} of them run on the same machine over its speed without, in pairs: ${result.receiver.underAttack.ratios.map((r) => figure(r, 3)).join(', ')}.`,
  ].join('\n\n');
}

function rows({ server, receiver, long, page }: DashboardResult): string[][] {
  const { low, high, level } = receiver.ratioInterval;
  const most = (of: readonly number[]) => Math.max(...of);
  const { overview, spectrum: first } = long.medianS;
  const percent = (value: number) => `${figure(100 * value, 3)} %`;
  return [
    [
      `page at 30 updates/s, all panels in sight, headless Chromium without GPU, all its processes; ${page.rounds.length} times 20 s`,
      '<= 60 % of a core',
      `${percent(page.medianCores)} (${page.rounds.map((r) => percent(r.coresTogether)).join(', ')}); slowest panel ${figure(page.slowestPaintsPerS, 3)} times a second`,
      verdict(page.medianCores <= 0.6, most(page.rounds.map((r) => r.coresTogether)) <= 0.6),
    ],
    [
      `server at ${server.updatesPerS} updates/s, 1 and 5 pages`,
      '<= 5 % of a core',
      `${percent(server.medianCores[1])}, ${percent(server.medianCores[5])}`,
      verdict(server.medianCores[5] <= 0.05, most(server.cores[5]) <= 0.05),
    ],
    [
      `receiver with 5 pages over receiver with none, ${receiver.ratios.length} alternating rounds of ${figure(receiver.samples / 1e6, 3)} million samples`,
      '>= 0.98',
      `${figure(receiver.ratio, 3)} (${figure(low, 3)} to ${figure(high, 3)}, ${percent(level)}); ${figure(receiver.samplesPerS.none / 1e6, 3)} Msps with none`,
      verdict(receiver.ratio >= 0.98, low >= 0.98, high < 0.98),
    ],
    [
      `recording of ${figure(long.bytes / 2 ** 30, 3)} GiB, from "start" to its map and to its first spectrum`,
      '< 2 s',
      `${figure(overview, 3)} s, ${figure(first, 3)} s; memory of the replay ${figure(long.jobResidentMB, 3)} MB`,
      verdict(first < 2, most(long.seconds.spectrum) < 2),
    ],
  ];
}

function verdict(met: boolean, surely: boolean, missed = !met): string {
  if (met) return surely ? 'met' : 'met in the median';
  return missed ? 'missed' : 'open';
}

function stretch(name: string, { updatesGot, joinMs, residentMB }: Stretch): string[] {
  return [
    name,
    `${figure(100 * updatesGot, 4)} %`,
    `${figure(joinMs.median, 2)} ms, ${figure(joinMs.worst, 3)} ms`,
    String(joinMs.refused),
    `${figure(residentMB, 3)} MB`,
  ];
}
