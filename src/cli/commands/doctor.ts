import { ExitCode, inRange, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { CABLED_FLAG } from '../../radio/safety/flag-words.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addConfigOption } from '../options.ts';
import { requireRadio } from '../radios.ts';
import { instrument } from './instrument.ts';
import { PLUTO_CONSOLE, plutoConsole } from './pluto-console.ts';

export interface DoctorFlags {
  freq?: string;
  rate?: string;
  gain?: string;
  duration: string;
  reference?: string;
  referenceDbm?: string;
  save?: boolean;
  rates: boolean;
  turnaround?: string;
  cabled?: string;
  config?: string;
}

/** `sct doctor [URI]`: what is wrong with this machine or with a board, and what to change. */
export const addDoctor: AddCommand = (program, context, done) => {
  const command = program
    .command('doctor')
    .summary('examine this machine or a board, and say what to change')
    .description(
      'Without a URI: what boards need of this machine. With one: level, noise floor, occupancy, DC, image, clock, sustained rate, turnaround.',
    )
    .argument('[uri]', 'radio: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH')
    .option('-f, --freq <hz>', 'frequency to listen at')
    .option('-s, --rate <hz>', 'sample rate to listen at')
    .option('--gain <db>', 'receive gain, all stages together (default: of the URI, else the lowest)')
    .option('--duration <s>', 'how long to listen, and to try each rate', '5')
    .option('--reference <hz>', 'a tone of known frequency is on: measure the clock')
    .option(
      '--reference-dbm <dbm>',
      'its power at the connector: with --save, levels of this board are in dBm from then on',
    )
    .option(
      '--save',
      "store the clock's error for this board's serial: taken out from then on, unless its URI says ppm=",
    )
    .option('--no-rates', 'leave out the sustained rate')
    .option('--turnaround <n>', 'HackRF: turn around so many times; the LO leaks meanwhile, so --cabled or a band')
    .option(CABLED_FLAG.flags, CABLED_FLAG.help);
  addConfigOption(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
Exit 8 where something has to be changed before boards work, or no tone was found at --reference. Of a serial instrument
(att:, relay:, gpsdo:) its state, as sct instrument tells it.

Examples:
  sct doctor
  sct doctor hackrf:1a2b -f 868.3M -s 8M --gain 40
  sct doctor hackrf:1a2b --reference 868.3M --gain 40 --save
  sct doctor hackrf:1a2b -f 868.3M --turnaround 100 --cabled 60
  sct doctor pluto:console:/dev/ttyACM0      what its firmware says on its serial console
`,
    )
    .action(async (uri: string | undefined, flags: DoctorFlags) => {
      done(await (uri === undefined ? machine(context) : board(context, uri, flags)));
    });
};

async function machine(context: CliContext): Promise<number> {
  const { checkHost } = await import('../../experiment/board/host-checks.ts');
  const { printable } = await import('../../experiment/report/terminal.ts');
  const checks = await checkHost();
  const ok = checks.every((check) => check.ok !== false);
  if (context.json) outJson(context, { schema: 'sct.doctor/1', ok, uri: null, checks });
  else {
    const word = (value: boolean | null) => (value === null ? '-' : value ? 'ok' : 'change');
    const rows = checks.flatMap((check) => [
      `${check.name.padEnd(11)} ${word(check.ok).padEnd(7)} ${check.found}`,
      ...(check.fix === null ? [] : [`${' '.repeat(20)}${check.fix}`]),
    ]);
    context.out(rows.map((row) => `${printable(row)}\n`).join(''));
  }
  return ok ? ExitCode.ok : ExitCode.checkFailed;
}

async function board(context: CliContext, given: string, flags: DoctorFlags): Promise<number> {
  if (/^(att|relay|gpsdo):/.test(given)) return instrument(context, given, {});
  if (given.startsWith(PLUTO_CONSOLE)) return plutoConsole(context, given);
  await requireRadio('URI', given);
  const referenceHz = flags.reference === undefined ? null : parseQuantity('--reference', flags.reference, 'Hz');
  if (flags.save && referenceHz === null)
    throw new UsageError('--save needs --reference HZ', 'a tone of known frequency');
  const referenceDbm =
    flags.referenceDbm === undefined ? null : parseQuantity('--reference-dbm', flags.referenceDbm, 'dBm');
  if (referenceDbm !== null) {
    if (referenceHz === null) throw new UsageError('--reference-dbm needs --reference HZ', 'a tone of known frequency');
    inRange('--reference-dbm', referenceDbm, -150, 0, 'dBm');
  }
  const { parseRules } = await import('../transmit-rules.ts');
  const { examineBoard } = await import('../../experiment/board/examine-board.ts');
  const { doctorDocument, doctorText, passed } = await import('../../experiment/board/doctor-report.ts');
  const examined = await examineBoard(given, {
    wish: {
      ...(flags.freq === undefined ? {} : { frequencyHz: parseQuantity('-f', flags.freq, 'Hz') }),
      ...(flags.rate === undefined ? {} : { rateHz: parseQuantity('-s', flags.rate, 'Hz') }),
      ...(flags.gain === undefined ? {} : { gainDb: parseQuantity('--gain', flags.gain, 'dB') }),
    },
    durationS: parseQuantity('--duration', flags.duration, 's'),
    referenceHz,
    referenceDbm,
    save: flags.save === true,
    rates: flags.rates,
    turns: flags.turnaround === undefined ? 0 : parseQuantity('--turnaround', flags.turnaround),
    rules: await parseRules(flags),
    signal: context.signal,
    note: (text) => context.progress.note(text),
  });
  context.progress.done();
  if (context.json) outJson(context, doctorDocument(given, examined));
  else context.out(doctorText(given, examined));
  if (context.signal.aborted) return ExitCode.interrupted;
  return passed(examined) ? ExitCode.ok : ExitCode.checkFailed;
}
