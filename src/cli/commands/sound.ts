import { UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import { type AddCommand, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption, resolveSettings } from '../options.ts';
import { paceGiven, paceOption } from '../pace.ts';
import { noteTrigger } from '../radios.ts';
import { printResult } from '../result.ts';

/** A model that is watched goes on at the pace of a real channel. */
const WATCHED_PACE = 1;

/** `sct sound --tx URI --rx URI [--period MS]`: measures the channel without a picture. */
export const addSound: AddCommand = (program, context, done) => {
  const command = program
    .command('sound')
    .summary('measure the channel with sounding bursts')
    .description('Sends sounding bursts and shows the SNR of every resource block.')
    .option('--tx <uri>', 'transmitter: loopback (default), hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH')
    .option('--rx <uri>', 'receiver: the same as --tx (default)')
    .option(
      '--period <ms>',
      'a burst each period instead of one; stops after --duration or -n (a model watched from the dashboard: when it is stopped, or after ten minutes)',
    )
    .addOption(paceOption('1'));
  addLinkOptions(command, ['channel', 'snr', 'impairments', 'modem', 'transmit', 'receive', 'duration', 'count']);
  addConfigOption(command);
  addOutputOption(command);
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct sound --channel eva --snr 20
  sct sound --channel eva --doppler 70 --period 5 -n 20 --json
  sct sound --channel trace:runs/first --snr 10 -n 20 --period 10
  sct sound --tx hackrf:1a2b --rx hackrf:3c4d -f 868.3M --cabled 60 -n 20 --period 20
`,
  );
  command.action(async (options: { tx?: string; rx?: string; period?: string; pace?: string; output?: string }) => {
    const { config, run } = await resolveSettings(command, ['tx', 'rx', 'periodMs']);
    const { parseRadioUri } = await import('../../radio/uri.ts');
    const tx = options.tx ?? textOr(run.tx, 'loopback');
    const rx = options.rx ?? textOr(run.rx, tx);
    if ((parseRadioUri(tx).kind === 'loopback') !== (parseRadioUri(rx).kind === 'loopback')) {
      throw new UsageError(`--tx ${tx} and --rx ${rx} share no channel`, 'loopback is both ends at once');
    }
    const period = options.period === undefined ? run.periodMs : parseQuantity('--period', options.period, 'ms');
    if (period !== undefined && !(typeof period === 'number' && period >= 1 && period <= 60_000)) {
      throw new UsageError(`--period ${String(period)} is out of range: allowed 1 to 60000 ms`);
    }
    const more = period === undefined ? {} : { periodMs: period };
    await noteTrigger(context, tx, rx);
    const { runSound } = await import('../../experiment/send/sound-run.ts');
    const io = { ...runIo(context, options.output), ...paceGiven(options.pace, context, WATCHED_PACE) };
    done(await printResult(context, await runSound({ ...config, tx, rx, ...more }, io)));
  });
};

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}
