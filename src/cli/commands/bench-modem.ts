import type { Command } from 'commander';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { shownCommand } from './shown-command.ts';

interface ModemFlags {
  readonly quick?: boolean;
  readonly requirements?: boolean;
  readonly only?: string;
  readonly output?: string;
}

/** `sct bench modem`: the modem against its requirements. */
export function addModemBench(group: Command, context: CliContext, done: (exitCode: number) => void): void {
  const modem = group
    .command('modem')
    .summary('measure the modem against the requirements of the air interface')
    .description(
      'Seeded trials with real synchronisation, every row with trials and 95 % interval. Exit 8 if a requirement is missed beyond its interval.',
    )
    .option('--requirements', 'the table of requirements (about two hours of one core)')
    .option('--quick', 'few trials, about a minute')
    .option(
      '--only <parts>',
      'detection, false-headers, no-gap, fading, offsets, dc, faults, loss, rb-snr, jammer, channels; comma separated',
    );
  addOutputOption(
    modem,
    'folder for modem.json and finished rows; a run goes on where it stopped, several runs share the work',
  );
  addCommonOptions(modem)
    .addHelpText(
      'after',
      `
Examples:
  sct bench modem --requirements --quick
  sct bench modem --requirements -o DIR
  sct bench modem --requirements -o DIR --only loss,offsets --json
`,
    )
    .action(async (flags: ModemFlags) => {
      if (!flags.requirements) throw new UsageError('--requirements is missing');
      const { benchRequirements, parseModemParts } = await import('../../experiment/bench/modem/requirements.ts');
      const { requirementsTable } = await import('../../experiment/bench/modem/text.ts');
      const report = await benchRequirements({
        quick: flags.quick ?? false,
        only: flags.only === undefined ? undefined : parseModemParts(flags.only),
        out: flags.output,
        command: shownCommand(context.argv),
        signal: context.signal,
        progress: (what) => context.progress.update(what),
        note: (what) => context.progress.note(what),
      });
      const ok = report.failed === 0;
      if (context.json) outJson(context, { ...report, ok });
      else context.out(requirementsTable(report));
      done(ok ? ExitCode.ok : ExitCode.checkFailed);
    });
}
