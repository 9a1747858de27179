import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ExitCode, UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import { type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addOutputOption } from '../options.ts';
import { shownCommand } from './shown-command.ts';

interface SpeedFlags {
  readonly rounds?: string;
  readonly only?: string;
  readonly srsran?: string;
  readonly output?: string;
}

/** `sct bench`, or `sct bench speed`: the speed of the whole program. */
export function addSpeedBench(group: Command, context: CliContext, done: (exitCode: number) => void): void {
  const speed = group
    .command('speed', { isDefault: true })
    // What is no command of `bench` comes here.
    .allowExcessArguments()
    .summary('measure speed: every numerology beside liquid-dsp, and what time grows with')
    .description(
      'CPU time of one core beside the rate that the modem needs: receive and transmit at every numerology and by stage, growth with resource blocks, modulation and picture, idle search at 20 Msps, FFT, LDPC. About two minutes.',
    )
    .option('--rounds <n>', 'rounds in turns, 5 (default) to 99; tables show median and range')
    .option('--only <parts>', 'modem, rbs, mcs, idle, fft, ldpc, images; comma separated')
    .option('--srsran <dir>', 'source tree of srsRAN_4G, for its LDPC decoder (default: environment SRSRAN_4G)');
  addOutputOption(speed, 'folder for speed.json');
  addCommonOptions(speed)
    .addHelpText(
      'after',
      `
Peers (liquid-dsp, FFTW, srsRAN_4G) take turns with ours in the same run. One that is not there is left out, and said; but exit 3
where srsRAN_4G is named and cannot be measured.

Examples:
  sct bench
  sct bench --only modem,fft --rounds 9
  sct bench --srsran DIR --json
`,
    )
    .action(async (flags: SpeedFlags, { args: [word] }: Command) => {
      if (word !== undefined) {
        const known = group.commands.map((c) => c.name()).join(', ');
        throw new UsageError(`unknown command '${word}'`, `sct bench knows ${known}`);
      }
      const { benchSpeed, LEAST_ROUNDS, MOST_ROUNDS, parseSpeedParts } = await import(
        '../../experiment/bench/speed/speed.ts'
      );
      const { wholeSpeedTable } = await import('../../experiment/bench/speed/speed-text.ts');
      const rounds = flags.rounds === undefined ? LEAST_ROUNDS : Number(flags.rounds);
      if (!Number.isInteger(rounds) || rounds < LEAST_ROUNDS || rounds > MOST_ROUNDS) {
        throw new UsageError(
          `--rounds: "${flags.rounds}" is not a whole number from ${LEAST_ROUNDS} to ${MOST_ROUNDS}`,
        );
      }
      const only = flags.only === undefined ? undefined : parseSpeedParts(flags.only);
      const path = flags.output === undefined ? null : join(await writableFolder(flags.output), 'speed.json');
      // An empty variable names nothing.
      const srsran = flags.srsran ?? (process.env.SRSRAN_4G || undefined);
      const report = await benchSpeed({
        rounds,
        only,
        srsran,
        command: shownCommand(context.argv),
        signal: context.signal,
        progress: (what) => context.progress.update(what),
      });
      if (path) await writeFile(path, `${JSON.stringify(report, null, 1)}\n`);
      // Named, there, and not to be compiled: the rest is measured all the same.
      const ok = srsran === undefined || !report.ldpc || report.ldpc.srsran.missing === null;
      if (context.json) outJson(context, { ...report, ok });
      else context.out(wholeSpeedTable(report));
      done(ok ? ExitCode.ok : ExitCode.device);
    });
}
