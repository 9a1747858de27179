import type { Command } from 'commander';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { shownCommand } from './shown-command.ts';

interface SemanticsFlags {
  readonly data?: string;
  readonly models?: string;
  readonly size?: string;
  readonly only?: string;
  readonly quick?: boolean;
  readonly output?: string;
}

/** `sct bench semantics`: every figure of semantic coding through the whole modem. */
export function addSemanticsBench(group: Command, context: CliContext, done: (exitCode: number) => void): void {
  const semantics = group
    .command('semantics')
    .summary('measure semantic coding through the whole modem: every figure of its page')
    .description(
      'Regenerates the figures of semantic coding: seeded trials through the whole modem, every row with trials, 95 % interval, 10th percentile and outage. Hours at full size; with -o a run goes on where it stopped and several processes share the work. Exit 8 if something asked is missed beyond its interval, or could not be measured.',
    )
    .option('--data <dir>', 'folder with kodak, camvid/test and saliency/test (docs/models.md); not read with --quick')
    .option('--models <dir>', 'model folder (default: the one that ships)')
    .option('--size <name>', 'model set: base (default), live')
    .option('--only <parts>', 'front, mapping, kodak, fig5, selective, cliff, harq, fig6, latency; comma separated')
    .option('--quick', 'crops of the demo photo, set live, few trials: about a minute');
  addOutputOption(semantics, 'folder for semantics.json, finished rows, plots and received pictures for the judge');
  addCommonOptions(semantics)
    .addHelpText(
      'after',
      `
Examples:
  sct bench semantics --quick
  sct bench semantics --data DIR -o OUT --only front,mapping
  sct bench semantics --data DIR -o OUT --json

Street scenes as a machine sees them (training/README.md says what the judge needs); then once more for the report:
  python3 training/judge/score.py OUT/pictures --data DIR --each > OUT/pictures/judge.jsonl
  sct bench semantics --data DIR -o OUT
`,
    )
    .action(async (flags: SemanticsFlags) => {
      if (flags.data === undefined && !flags.quick) throw new UsageError('--data DIR is missing', 'or give --quick');
      const { benchSemantics } = await import('../../experiment/bench/semantics/bench.ts');
      const { parseSemanticsParts } = await import('../../experiment/bench/semantics/parts.ts');
      const { semanticsTable } = await import('../../experiment/bench/semantics/text.ts');
      const report = await benchSemantics({
        data: flags.data,
        models: flags.models,
        size: flags.size === undefined ? undefined : sizeOf(flags.size),
        quick: flags.quick ?? false,
        only: flags.only === undefined ? undefined : parseSemanticsParts(flags.only),
        out: flags.output,
        command: shownCommand(context.argv),
        signal: context.signal,
        progress: (what) => context.progress.update(what),
        note: (what) => context.progress.note(what),
      });
      const ok = report.missed === 0 && report.failures.length === 0;
      if (context.json) outJson(context, { ...report, ok });
      else context.out(semanticsTable(report));
      done(ok ? ExitCode.ok : ExitCode.checkFailed);
    });
}

function sizeOf(text: string): 'base' | 'live' {
  if (text === 'base' || text === 'live') return text;
  throw new UsageError(`--size: "${text}" is not one of base, live`);
}
