import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import type { SpeedOptions } from '../../experiment/bench/speed/modem-speed.ts';
import { type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { shownCommand } from './shown-command.ts';

interface ModemFlags {
  readonly quick?: boolean;
  readonly requirements?: boolean;
  readonly only?: string;
  readonly output?: string;
}

/** `sct bench modem`: the modem's speed, or the modem against its requirements. */
export function addModemBench(group: Command, context: CliContext, done: (exitCode: number) => void): void {
  const modem = group
    .command('modem')
    .summary('measure the modem: its speed beside liquid-dsp, or with --requirements all that is asked of it')
    .description(
      'Speed of one core in CPU time, against liquid-dsp in the same run; exit 3 without liquid-dsp or a C compiler. With --requirements: seeded trials with real synchronisation, every row with trials and 95 % interval; exit 8 if a requirement is missed beyond its interval.',
    )
    .option('--requirements', 'the table of requirements instead of speed (above one hour of one core)')
    .option('--quick', 'few trials or repeats, about a minute')
    .option(
      '--only <parts>',
      'detection, false-headers, no-gap, fading, offsets, dc, faults, loss, rb-snr, jammer, channels; comma separated, of --requirements',
    );
  addOutputOption(
    modem,
    'folder for modem-speed.json, or modem.json and finished rows; a run goes on where it stopped, several share the work',
  );
  addCommonOptions(modem)
    .addHelpText(
      'after',
      `
Examples:
  sct bench modem --json
  sct bench modem --requirements --quick
  sct bench modem --requirements -o DIR
  sct bench modem --requirements -o DIR --only loss,offsets --json
`,
    )
    .action(async (flags: ModemFlags) => {
      const common = { quick: flags.quick ?? false, command: shownCommand(context.argv) };
      const progress = (what: string) => context.progress.update(what);
      if (!flags.requirements) {
        if (flags.only !== undefined) throw new UsageError('--only picks parts of --requirements, which is missing');
        done(await speed(context, { ...common, progress }, flags.output));
        return;
      }
      const { benchRequirements, parseModemParts } = await import('../../experiment/bench/modem/requirements.ts');
      const { requirementsTable } = await import('../../experiment/bench/modem/text.ts');
      const report = await benchRequirements({
        ...common,
        progress,
        only: flags.only === undefined ? undefined : parseModemParts(flags.only),
        out: flags.output,
        signal: context.signal,
        note: (what) => context.progress.note(what),
      });
      const ok = report.failed === 0;
      if (context.json) outJson(context, { ...report, ok });
      else context.out(requirementsTable(report));
      done(ok ? ExitCode.ok : ExitCode.checkFailed);
    });
}

async function speed(context: CliContext, options: SpeedOptions, folder: string | undefined): Promise<ExitCode> {
  const { benchModemSpeed } = await import('../../experiment/bench/speed/modem-speed.ts');
  const { speedTable } = await import('../../experiment/bench/speed/modem-speed-text.ts');
  const path = folder === undefined ? null : join(await writableFolder(folder), 'modem-speed.json');
  const report = await benchModemSpeed(options);
  const ok = report.ratioToLiquid !== null;
  if (path) await writeFile(path, `${JSON.stringify(report, null, 1)}\n`);
  if (context.json) outJson(context, { ...report, ok });
  else context.out(speedTable(report));
  return ok ? ExitCode.ok : ExitCode.device;
}
