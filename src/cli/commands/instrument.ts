import { ExitCode, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

interface InstrumentFlags {
  set?: string;
  on?: string;
  off?: string;
}

/** `sct instrument URI`: an attenuator, a relay board or a GPSDO by hand. */
export const addInstrument: AddCommand = (program, context, done) => {
  const command = program
    .command('instrument')
    .summary('attenuator, relays or GPSDO on a serial port')
    .description(
      'Asks a serial instrument for its state, and sets or switches it. An attenuator goes to its maximum first.',
    )
    .argument('<uri>', 'att:PORT[?model=NAME], relay:PORT?set=kmtronic|lctech[&channels=N], gpsdo:PORT')
    .option('--set <db>', 'attenuation; stays when the command has ended')
    .option('--on <list>', 'relays to switch on, counted from 1, with commas between them')
    .option('--off <list>', 'relays to switch off; done before --on');
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
PORT is a serial port, tcp:HOST:PORT or unix:PATH. Without model= both command sets of attenuators are tried, which moves them:
nothing may transmit meanwhile. Exit 8 where a GPSDO is no reference now.

Examples:
  sct instrument att:/dev/ttyUSB0 --set 40
  sct instrument 'relay:/dev/ttyUSB1?set=kmtronic&channels=8' --on 1
  sct instrument gpsdo:/dev/ttyACM0 --json
`,
    )
    .action(async (uri: string, flags: InstrumentFlags) => {
      done(await instrument(context, uri, flags));
    });
};

/** Asks, sets, switches and prints; exit 8 where the instrument cannot be relied on. */
export async function instrument(context: CliContext, uri: string, flags: InstrumentFlags): Promise<number> {
  const { instrumentState } = await import('../../experiment/board/instrument-state.ts');
  const { kind, ok, about, facts, lines } = await instrumentState(uri, {
    ...(flags.set === undefined ? {} : { setDb: parseQuantity('--set', flags.set, 'dB') }),
    ...(flags.on === undefined ? {} : { on: channels('--on', flags.on) }),
    ...(flags.off === undefined ? {} : { off: channels('--off', flags.off) }),
  });
  if (context.json) outJson(context, { schema: 'sct.instrument/1', ok, uri, kind, about, ...facts });
  else {
    const { printable } = await import('../../experiment/report/terminal.ts');
    context.out([`${uri}: ${about}`, ...lines].map((line) => `${printable(line)}\n`).join(''));
  }
  return ok ? ExitCode.ok : ExitCode.checkFailed;
}

function channels(flag: string, text: string): number[] {
  return text.split(',').map((word) => {
    if (!/^[1-8]$/.test(word.trim()))
      throw new UsageError(`${flag}: "${text.slice(0, 40)}" is not a list of relays 1 to 8`);
    return Number(word);
  });
}
