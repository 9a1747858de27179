import { ExitCode } from '../../common/errors.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions } from '../options.ts';

const DEVICES = [
  { uri: 'loopback', about: 'both ends in one process, joined by a modelled channel (sct loopback, sct sound)' },
  { uri: 'file:PATH', about: 'a SigMF recording; one process sends into it, another receives from it while it grows' },
] as const;

const WITHOUT_DRIVER = ['hackrf', 'pluto:usb', 'pluto:ip:HOST'] as const;
const REASON = 'no driver for this board in this build yet';

/** `sct devices`: the radios that can be used. */
export const addDevices: AddCommand = (program, context, done) => {
  const command = program
    .command('devices')
    .summary('list the radios that can be used')
    .description('Lists the radios that can be used on this machine.');
  addCommonOptions(command).action(() => {
    if (context.json) {
      const unavailable = WITHOUT_DRIVER.map((uri) => ({ uri, reason: REASON }));
      outJson(context, { schema: 'sct.devices/1', ok: true, devices: DEVICES, unavailable });
    } else {
      const rows = [
        ...DEVICES.map(({ uri, about }) => `${uri.padEnd(14)} ${about}`),
        ...WITHOUT_DRIVER.map((uri) => `${uri.padEnd(14)} not available: ${REASON}`),
      ];
      context.out(`${rows.join('\n')}\n`);
    }
    done(ExitCode.ok);
  });
};
