import { ExitCode, UsageError } from '../../common/errors.ts';
import { type CliContext, outJson } from '../context.ts';

export const PLUTO_CONSOLE = 'pluto:console:';

/** `sct doctor pluto:console:PORT`: what a Pluto's firmware says of itself on its serial console. Nothing on the board is changed. */
export async function plutoConsole(context: CliContext, given: string): Promise<number> {
  const port = given.slice(PLUTO_CONSOLE.length);
  if (port === '') throw new UsageError('pluto:console: needs a serial port', 'for example pluto:console:/dev/ttyACM0');
  const { readPlutoConsole } = await import('../../radio/pluto/console.ts');
  const { printable } = await import('../../experiment/report/terminal.ts');
  const facts = await readPlutoConsole(port);
  if (context.json) {
    outJson(context, { schema: 'sct.doctor/1', ok: true, uri: given, firmware: facts });
    return ExitCode.ok;
  }
  const { versions, ...others } = facts;
  const rows = [...Object.entries(others), ...Object.entries(versions)];
  context.out(rows.map(([name, value]) => `${printable(`${name.padEnd(12)} ${value ?? 'unknown'}`)}\n`).join(''));
  return ExitCode.ok;
}
