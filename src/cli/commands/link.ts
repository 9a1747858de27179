import { UsageError } from '../../common/errors.ts';
import type { CompareResult } from '../../experiment/ota/compare-run.ts';
import { type AddCommand, type CliContext, outJson, runIo } from '../context.ts';
import {
  addCommonOptions,
  addConfigOption,
  addLinkOptions,
  addOutputOption,
  linkInput,
  resolveSettings,
} from '../options.ts';
import { photoSource } from '../photo.ts';
import { printResult } from '../result.ts';

/** Soundings before a picture over a real channel, which may fade (docs/adr/0017-predicted-csi.md). */
const SOUNDINGS = 4;

/** Pairs of a comparison. */
const PAIRS = 10;

interface LinkWords {
  demo?: boolean;
  tx?: string;
  rx?: string;
  compare?: string;
  output?: string;
}

/** `sct link PHOTO --tx URI --rx URI`: from one radio to another, both on this host. */
export const addLink: AddCommand = (program, context, done) => {
  const command = program
    .command('link')
    .summary('send a photo from one radio to another on this host')
    .description(
      'Sounds the channel, sends the photo by the CSI report, repeats what is asked for; both ends are on this host.',
    )
    .argument('[photo]', 'PNG, JPEG, WebP or AVIF up to 8192x8192')
    .option('--demo', 'use the demo photo')
    .option('--tx <uri>', 'transmitter: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH, loopback')
    .option(
      '--compare <mappings>',
      'mappings against one another, for example matched,uniform: -n pairs on one report each',
    )
    .option('--rx <uri>', 'receiver; the same as --tx where one radio does both (Pluto, loopback)');
  addLinkOptions(command, [
    'codec',
    'models',
    'receiverModels',
    'budget',
    'channel',
    'impairments',
    'modem',
    'transmit',
    'csi',
    'receive',
    'limits',
    'quality',
    'count',
  ]);
  addConfigOption(command);
  addOutputOption(command);
  addCommonOptions(command).addHelpText(
    'after',
    `
Nothing is sent by a board without --cabled DB (the attenuation between the boards) or a band that the config
allows (allowedBands). -f is the centre of the signal.

Examples:
  sct link photo.png --tx hackrf:1a2b --rx hackrf:3c4d -f 868.3M --cabled 60
  sct link photo.png --tx hackrf --rx pluto:usb -f 2.45G --cabled 60 --numerology 15
  sct link photo.png --tx loopback --rx loopback --channel epa
  sct link photo.png --tx loopback --channel eva --compare matched,uniform -n 20
`,
  );
  command.action(async (path: string | undefined, options: LinkWords) => {
    const { config, run } = await resolveSettings(command, ['photo', 'tx', 'rx', 'compare']);
    const { parseRadioUri } = await import('../../radio/uri.ts');
    const tx = options.tx ?? run.tx;
    if (typeof tx !== 'string') throw new UsageError('--tx URI is missing', 'for example --tx hackrf --rx hackrf:3c4d');
    const rx = options.rx ?? run.rx ?? tx;
    if (typeof rx !== 'string') throw new UsageError('--rx URI is missing', 'for example --rx hackrf:3c4d');
    const modelled = parseRadioUri(tx).kind === 'loopback';
    if (modelled !== (parseRadioUri(rx).kind === 'loopback')) {
      throw new UsageError(`--tx ${tx} and --rx ${rx} share no channel`, 'loopback is both ends at once');
    }
    const photo = await photoSource(path, options.demo === true, run.photo);
    const given = linkInput(command).soundings !== undefined || command.getOptionValue('config') !== undefined;
    const soundings = modelled || given ? {} : { soundings: SOUNDINGS };
    const { runLink, runLinkCompare } = await import('../../experiment/ota/link-run.ts');
    const settings = { ...config, ...soundings, photo, tx, rx };
    const io = runIo(context, options.output);
    const compare = options.compare ?? run.compare;
    if (typeof compare !== 'string') return done(await printResult(context, await runLink(settings, io)));
    const { comparedMappings } = await import('../../experiment/ota/compare-run.ts');
    const { count = PAIRS, ...single } = settings;
    done(printCompared(context, await runLinkCompare(single, comparedMappings(compare), count, io)));
  });
};

/** The differences, or the JSON, of a comparison. */
function printCompared(context: CliContext, { exitCode, ...result }: CompareResult): number {
  context.progress.done();
  if (context.json) outJson(context, result);
  else {
    const lines = result.differences.map(({ of, minus, figures: { psnrDb } }) => {
      const d = psnrDb!;
      const interval = `95 % interval ${d.low.toFixed(2)} to ${d.high.toFixed(2)}, ${d.n} pairs`;
      return `${of} - ${minus}: ${d.value.toFixed(2)} dB PSNR (${interval})`;
    });
    context.out(`${lines.join('\n')}\nreport ${result.files.report}\n`);
  }
  return exitCode;
}
