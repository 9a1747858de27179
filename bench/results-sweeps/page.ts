import type { SweepReport } from '../../src/experiment/sweep-report/document.ts';
import { panelFile } from '../../src/experiment/sweep-report/draw.ts';
import { EVENT_NAMES } from '../../src/experiment/sweep-report/error-events.ts';
import { sourceText } from '../../src/experiment/sweep-report/material.ts';
import { MEASURES } from '../../src/experiment/sweep-report/measures.ts';
import { settingText, valueText } from '../../src/experiment/sweep-report/setting-text.ts';
import { METHODS } from '../../src/experiment/sweep-report/statistics.ts';
import { estimateText } from '../../src/experiment/sweep-report/tables.ts';
import type { Published } from './published.ts';

/** A report and what is published of it. */
export interface Section {
  readonly published: Published;
  readonly report: SweepReport;
  readonly files: ReadonlyMap<string, string>;
}

/** docs/results/README.md. */
export function indexPage(sections: readonly Section[]): string {
  const list = sections.map(({ published: p }) => `- [${p.title}](#${anchor(p.title)})`);
  const methods = Object.values(METHODS).map((m) => `- ${cell(m)}`);
  return `${[
    '# Results of sweeps',
    'Written by `npm run results` (`node --import tsx bench/results-sweeps.ts`) from the sweeps in [bench/sweeps](../../bench/sweeps/README.md), byte for byte; a test checks it. Everything is simulated: nothing has been on the air. What a number means stands in [metrics](../metrics.md), how the reports are made in [reports](../report.md); the other results are in [results](../results.md).',
    list.join('\n'),
    ...sections.map(sectionText),
    '## How intervals are made',
    methods.join('\n'),
  ].join('\n\n')}\n`;
}

function sectionText({ published, report, files }: Section): string {
  const { name, title, text, sweeps, shown, measures } = published;
  const plots = report.figures
    .filter((f) => shown.includes(f.name))
    .map((f) => {
      const images = f.panels.map(
        (p, i) => `![${cell(`${f.title}${p.title ? `: ${p.title}` : ''}`)}](${name}/${panelFile(f, i)}.svg)`,
      );
      return `${images.join(' ')}\n\n*${cell(f.title)}. ${cell(f.caption)}*`;
    });
  const others = [...files.keys()].filter((file) => !file.endsWith('.svg')).map((file) => `[${file}](${name}/${file})`);
  return [
    `## ${title}`,
    ...text,
    [...measureCommands(sweeps), reportCommand(published)].map((line) => `    ${line}`).join('\n'),
    report.sources.map((s) => `- ${cell(sourceText(s))}`).join('\n'),
    ...plots,
    groupLines(report, measures),
    ...(report.gains.length > 0 ? [gainLines(report, measures)] : []),
    `All numbers: ${others.join(', ')}.`,
  ].join('\n\n');
}

function measureCommands(sweeps: readonly string[]): string[] {
  return sweeps.map((name) => `sct sweep bench/sweeps/${name}/sweep.yaml -o runs/${name}`);
}

/** The words by which the command line writes the same files. */
function reportCommand({ name, sweeps, limits }: Published): string {
  const words = [
    ...sweeps.map((sweep) => `bench/sweeps/${sweep}`),
    ...(limits ? [`--ds ${limits.ds} --dx ${limits.dx}`] : []),
  ];
  return `sct report ${words.join(' ')} -o docs/results/${name}`;
}

function groupLines({ design, statistics }: SweepReport, measures: readonly string[]): string {
  const events = EVENT_NAMES.filter((e) => statistics.some((s) => s.events[e]));
  const shown = MEASURES.filter((m) => measures.includes(m.key) && statistics.some((s) => s.figures[m.key]));
  const head = [...design.telling, 'pictures', 'photos', 'seeds', ...shown.map((m) => m.label)];
  head.push(...events.map((e) => `${e} error event`));
  const rows = statistics.map((s) => [
    ...design.telling.map((key) => valueText(s.group.settings[key])),
    ...[s.group.observations.length, s.photos, s.seeds].map(String),
    ...shown.map((m) => estimateText(s.figures[m.key], m.digits)),
    ...events.map((e) => estimateText(s.events[e], 4)),
  ]);
  return table(head, rows);
}

function gainLines({ design, gains }: SweepReport, measures: readonly string[]): string {
  const shown = MEASURES.filter((m) => measures.includes(m.key) && m.gain && gains.some((g) => g.figures[m.key]));
  const head = ['gain', 'where', 'pairs', ...shown.map((m) => m.label)];
  const rows = gains.map((g) => [
    `${settingText(g.key, g.of)} − ${settingText(g.key, g.over)}`,
    design.telling
      .filter((key) => key !== g.key)
      .map((key) => settingText(key, g.group.settings[key]))
      .join(', '),
    String(g.pairs),
    ...shown.map((m) => estimateText(g.figures[m.key], m.digits, true)),
  ]);
  return table(head, rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Text that is no markup: names of folders come from whoever made them. */
function cell(text: string): string {
  return text.replace(/[\n\r]+/g, ' ').replace(/[|\\`*_<>[\]]/g, (c) => `\\${c}`);
}

const anchor = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
