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
import { noteTrigger } from '../radios.ts';
import { printResult } from '../result.ts';
import { addSnrListOption, comparedText, printSweep, snrList } from '../snr-list.ts';
import { addSpeechOptions, type SourceFlags, spokenOrSeen } from '../speech-options.ts';

/** Soundings before a picture over a real channel, which may fade (docs/adr/0017-predicted-csi.md). */
const SOUNDINGS = 4;

/** Pairs of a comparison. */
const PAIRS = 10;

interface LinkWords extends SourceFlags {
  tx?: string;
  rx?: string;
  compare?: string;
  attenuator?: string;
  output?: string;
}

/** `sct link PHOTO --tx URI --rx URI`: from one radio to another, both on this host. */
export const addLink: AddCommand = (program, context, done) => {
  const command = program
    .command('link')
    .summary('send a photo or speech from one radio to another on this host')
    .description(
      'Sounds the channel, sends the photo by the CSI report, repeats what is asked for; both ends are on this host.',
    )
    .argument('[photo]', 'PNG, JPEG, WebP or AVIF up to 8192x8192, or a WAV file up to 65 s')
    .option('--demo', 'use the demo photo')
    .option('--tx <uri>', 'transmitter: hackrf[:SERIAL], pluto:usb, pluto:ip:HOST, file:PATH, loopback')
    .option(
      '--compare <mappings>',
      'mappings against one another, for example matched,uniform: -n pairs on one report each',
    )
    .option('--rx <uri>', 'receiver; the same as --tx where one radio does both (Pluto, loopback)')
    .option(
      '--attenuator <uri>',
      'step attenuator between the boards that sets the SNR of --snr: att:PORT[?model=NAME]; --cabled is what stays without it',
    );
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
  addSpeechOptions(command, 'beside a photo');
  addSnrListOption(command);
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
  sct link photo.png --tx hackrf:1a2b --rx hackrf:3c4d -f 868.3M --cabled 30 --attenuator att:/dev/ttyUSB0 --snr 5,10,15
  sct link voice.wav --tx hackrf:1a2b --rx hackrf:3c4d -f 868.3M --cabled 60
  sct link photo.png --tx loopback --rx loopback --channel epa
  sct link photo.png --tx loopback --channel eva --compare matched,uniform -n 20
`,
  );
  command.action(async (path: string | undefined, options: LinkWords) => {
    const { config, run } = await resolveSettings(command, ['photo', 'speech', 'tx', 'rx', 'compare', 'attenuator']);
    const { parseRadioUri } = await import('../../radio/uri.ts');
    const tx = options.tx ?? run.tx;
    if (typeof tx !== 'string') throw new UsageError('--tx URI is missing', 'for example --tx hackrf --rx hackrf:3c4d');
    const rx = options.rx ?? run.rx ?? tx;
    if (typeof rx !== 'string') throw new UsageError('--rx URI is missing', 'for example --rx hackrf:3c4d');
    const modelled = parseRadioUri(tx).kind === 'loopback';
    if (modelled !== (parseRadioUri(rx).kind === 'loopback')) {
      throw new UsageError(`--tx ${tx} and --rx ${rx} share no channel`, 'loopback is both ends at once');
    }
    const source = await spokenOrSeen(path, options, run);
    const given = linkInput(command).soundings !== undefined || command.getOptionValue('config') !== undefined;
    const soundings = modelled || given ? {} : { soundings: SOUNDINGS };
    await noteTrigger(context, tx, rx);
    const { runLink, runLinkCompare } = await import('../../experiment/ota/link-run.ts');
    const settings = { ...config, ...soundings, ...source, tx, rx };
    const io = runIo(context, options.output);
    const compare = options.compare ?? run.compare;
    const attenuator = attenuatorOf(options.attenuator ?? run.attenuator, modelled, config.cabledDb);
    const snrs = snrList(command);
    if (snrs && !modelled && !attenuator) {
      throw new UsageError(
        '--snr: nothing is modelled between boards',
        'a step attenuator between them sets it: --attenuator att:/dev/ttyUSB0',
      );
    }
    const { comparedMappings } = await import('../../experiment/ota/compare-run.ts');
    const mappings = typeof compare === 'string' ? comparedMappings(compare) : null;
    const { count = PAIRS, ...single } = settings;
    if (!mappings && settings.count !== undefined) {
      throw new UsageError('--count: link sends one picture', 'give --compare matched,uniform for so many pairs');
    }
    const { checkSnrList, sweepSnr } = await import('../../experiment/cabled/snr-sweep.ts');
    const list = checkSnrList(snrs ?? [config.snrDb]);
    const { points, exitCode } = await sweepSnr(list, attenuator, io, async (snrDb, setter, runIo) => {
      return mappings
        ? await runLinkCompare({ ...single, snrDb }, mappings, count, runIo, setter)
        : await runLink({ ...settings, snrDb }, runIo, setter);
    });
    if (list.length > 1) return done(await printSweep(context, { points, exitCode }, options.output));
    const [{ result }] = points;
    done('differences' in result ? printCompared(context, result) : await printResult(context, result));
  });
};

/** The attenuator's URI, where there is one. UsageError without boards on a cable. */
function attenuatorOf(uri: unknown, modelled: boolean, cabledDb: number | undefined): string | null {
  if (typeof uri !== 'string') return null;
  if (modelled) throw new UsageError('--attenuator: loopback has none', '--snr alone sets the SNR of a model');
  if (cabledDb === undefined) {
    throw new UsageError(
      '--attenuator stands in a cable',
      'give --cabled DB: what is between the boards when it is at 0 dB',
    );
  }
  return uri;
}

/** The differences, or the JSON, of a comparison. */
function printCompared(context: CliContext, { exitCode, ...result }: CompareResult): number {
  context.progress.done();
  if (context.json) outJson(context, result);
  else context.out(`${comparedText(result).join('\n')}\nreport ${result.files.report}\n`);
  return exitCode;
}
