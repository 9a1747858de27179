import { ExitCode, UsageError } from '../../common/errors.ts';
import { formatSi, parseQuantity } from '../../common/units.ts';
import type { SentTone, ToneOptions } from '../../experiment/board/send-tone.ts';
import type { Radio } from '../../radio/radio.ts';
import { ALLOWED_BANDS_HELP, CABLED_FLAG } from '../../radio/safety/flag-words.ts';
import { type AddCommand, type CliContext, outJson } from '../context.ts';
import { addCommonOptions, addConfigOption } from '../options.ts';
import { noteCalibration, requireRadio } from '../radios.ts';
import { parseRules } from '../transmit-rules.ts';

/** Rate where none is given, Hz: every board has it. */
const RATE_HZ = 4e6;

interface ToneFlags {
  freq?: string;
  offset: string;
  rate?: string;
  gain?: string;
  level: string;
  duration: string;
  cabled?: string;
  config?: string;
}

/** `sct tone URI -f HZ`: a carrier to measure with. */
export const addTone: AddCommand = (program, context, done) => {
  const command = program
    .command('tone')
    .summary('send a tone for a while')
    .description('Sends a tone beside the LO, then is silent.')
    .argument('<uri>', 'radio: hackrf[:SERIAL], pluto:ip:HOST, file:PATH')
    .option('-f, --freq <hz>', 'frequency of the tone')
    .option('--offset <hz>', 'of the tone from the LO, which leaks at the frequency less this', '100k')
    .option('-s, --rate <hz>', 'sample rate (default 4M)')
    .option('--gain <db>', 'transmit gain (default: the lowest)')
    .option('--level <dbfs>', 'amplitude at the converter', '-6')
    .option('--duration <s>', 'how long, at most 60 s', '1')
    .option(CABLED_FLAG.flags, CABLED_FLAG.help);
  addConfigOption(command);
  addCommonOptions(command)
    .addHelpText(
      'after',
      `
${ALLOWED_BANDS_HELP}

Examples:
  sct tone hackrf:1a2b -f 868.3M --gain 20 --cabled 60 --duration 5
  sct tone file:tone -f 868.3M --duration 0.1
`,
    )
    .action(async (uri: string, flags: ToneFlags) => {
      done(await tone(context, uri, flags));
    });
};

async function tone(context: CliContext, given: string, flags: ToneFlags): Promise<number> {
  const uri = await requireRadio('URI', given);
  if (flags.freq === undefined) throw new UsageError('-f HZ is missing', 'for example -f 868.3M');
  const frequencyHz = parseQuantity('-f', flags.freq, 'Hz');
  const offsetHz = parseQuantity('--offset', flags.offset, 'Hz');
  const rateHz = flags.rate === undefined ? RATE_HZ : parseQuantity('-s', flags.rate, 'Hz');
  const gainDb = flags.gain === undefined ? undefined : parseQuantity('--gain', flags.gain, 'dB');
  const levelDbfs = parseQuantity('--level', flags.level, 'dBFS');
  const durationS = parseQuantity('--duration', flags.duration, 's');
  const rules = await parseRules(flags);
  const { openRadio } = await import('../../radio/open-radio.ts');
  const { parseRadioUri } = await import('../../radio/uri.ts');
  const { profileCapabilities } = await import('../../radio/profile.ts');
  const { checkTransmission, describePermission } = await import('../../radio/safety/transmit-permission.ts');
  const { profileOfUri, streamRequest } = await import('../../experiment/board/board-request.ts');
  const { sendTone } = await import('../../experiment/board/send-tone.ts');
  const loHz = frequencyHz - offsetHz;
  const profile = profileOfUri(parseRadioUri(uri));
  const wish = { frequencyHz: loHz, rateHz, ...(gainDb === undefined ? {} : { gainDb }) };
  let permission: ToneOptions['permission'] = null;
  if (profile) {
    // Refused before the board is even opened; checked again with what it is then set to.
    const { gainsDb = {} } = streamRequest(profileCapabilities(profile), 'tx', wish);
    permission = { transmission: { profile, loHz, offsetHz, occupiedHz: 0, gainsDb }, rules };
    checkTransmission(permission.transmission, rules);
  }
  const radio: Radio = await openRadio(uri);
  try {
    noteCalibration(context, radio);
    const sent = await sendTone(radio, {
      offsetHz,
      levelDbfs,
      durationS,
      permission,
      signal: context.signal,
      request: { ...streamRequest(radio.capabilities, 'tx', wish), rateHz },
      onStart: (settings, by) => {
        const right = by ? `; ${describePermission(by)}` : '';
        const gains = Object.entries(settings.gainsDb).map(([stage, db]) => `, ${stage} ${db} dB`);
        context.progress.note(
          `tone at ${formatSi(settings.frequencyHz + offsetHz, 10)}Hz, LO at ${formatSi(settings.frequencyHz, 10)}Hz${gains.join('')}${right}`,
        );
      },
    });
    print(context, { uri: radio.uri, offsetHz, levelDbfs, sent });
    return sent.interrupted ? ExitCode.interrupted : ExitCode.ok;
  } finally {
    await radio.close();
  }
}

function print(
  context: CliContext,
  { uri, offsetHz, levelDbfs, sent }: { uri: string; offsetHz: number; levelDbfs: number; sent: SentTone },
): void {
  const { settings, durationS, underruns, interrupted, permission } = sent;
  const frequencyHz = settings.frequencyHz + offsetHz;
  if (context.json) {
    outJson(context, {
      schema: 'sct.tone/1',
      ok: !interrupted,
      uri,
      frequencyHz,
      loHz: settings.frequencyHz,
      levelDbfs,
      rateHz: settings.rateHz,
      gainsDb: settings.gainsDb,
      durationS,
      underruns,
      permission: permission && { kind: permission.kind, outputDbm: permission.outputDbm },
    });
    return;
  }
  const missed = underruns > 0 ? `, ${underruns} times without samples` : '';
  context.out(`${uri}: ${formatSi(frequencyHz, 10)}Hz for ${durationS.toPrecision(4)} s${missed}, silent now\n`);
}
