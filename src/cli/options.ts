import { type Command, Option } from 'commander';
import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import type { LinkConfig, LinkInput } from '../experiment/config/link-config.ts';
import { CABLED_FLAG } from '../radio/safety/flag-words.ts';
import { readJammer } from './jammer-word.ts';

type Key = keyof LinkInput;
type Read = (text: string) => Partial<LinkInput>;

/** One flag of a link: how it is shown, and what it sets. Ranges and defaults are checked by link-config. */
interface LinkFlag {
  readonly flags: string;
  readonly about: string;
  readonly read: Read | null;
  readonly sets: Partial<LinkInput>;
}

function number(key: Key, flags: string, about: string, unit = ''): LinkFlag {
  const name = longOf(flags);
  return { flags, about, read: (text) => ({ [key]: parseQuantity(name, text, unit) }), sets: {} };
}

function word(key: Key, flags: string, about: string): LinkFlag {
  return { flags, about, read: (text) => ({ [key]: text }), sets: {} };
}

/** A number, or a ratio such as 1/16. */
function ratio(key: Key, flags: string, about: string): LinkFlag {
  const name = longOf(flags);
  const read: Read = (text) => {
    const [top, bottom, more] = text.split('/');
    if (bottom === undefined) return { [key]: parseQuantity(name, text) };
    if (more !== undefined) throw new UsageError(`${name}: "${text}" is not a number or a ratio such as 1/16`);
    return { [key]: parseQuantity(name, top) / parseQuantity(name, bottom) };
  };
  return { flags, about, read, sets: {} };
}

/** How reports and acknowledgements go back. */
const WAY_BACK: readonly LinkFlag[] = [
  word(
    'feedback',
    '--feedback <kind>',
    'way back of CSI reports and acknowledgements: same (default: both ends in this process), burst: over the air, ws://HOST:PORT, nats://HOST[:PORT][/NAME], none',
  ),
  word('feedbackToken', '--feedback-token <file>', 'file with the token that both ends of ws:// or nats:// share'),
];

const GROUPS = {
  wayBack: WAY_BACK,
  codec: [
    word(
      'codec',
      '--codec <name>',
      'integrated (default): joint source-channel code of SFVs; modular: SFVs as packets; classical: an image file; onnx:DIR: a pair of your own',
    ),
    word('size', '--size <name>', 'model set of the semantic codecs: base (default) or live'),
    word('mode', '--mode <name>', 'overall (default), selective: only what is kept, or auto'),
    word('order', '--order <name>', 'what comes first: density (default) or sum of importance'),
    number('maxSfvs', '--max-sfvs <n>', 'most SFVs of a picture (default 12; fewer where the budget is small)'),
    word('keep', '--keep <what>', 'selective: class names with commas between them, or score>=X'),
    word('roi', '--roi <x,y,w,h>', 'selective: a rectangle in pixels'),
    word(
      'format',
      '--format <name>',
      'image format of the classical codec, which it implies: avif (default), webp, jpeg, best',
    ),
    word('mapping', '--mapping <name>', 'symbols to resource blocks: matched (default), uniform, random, worst'),
  ],
  pair: [word('codec', '--codec <onnx:dir>', 'a pair of your own, for pictures that were sent with it')],
  models: [
    word('modelsDir', '--models <dir>', 'folder with other model sets (default: those that ship)'),
    word('known', '--known <path>', 'picture or folder that both ends hold: what is lost is restored from it'),
    word('pushedDir', '--pushed <dir>', 'folder of what was pushed to this end (sct models allow): held as well'),
    word('task', '--task <name>', 'who looks at what arrived: human (default), or machine: label heads, no picture'),
    word(
      'distortion',
      '--distortion <name>',
      'what counts: task (heads alone; default of a machine), pixel, or both: the picture and the heads beside it',
    ),
  ],
  receiverModels: [
    word(
      'rxModelsDir',
      '--rx-models <dir>',
      'model sets of the receiver, and no others (default: those of the sender)',
    ),
  ],
  budget: [
    ratio('cbr', '--cbr <x>', 'channel bandwidth ratio R/3 (default 1/16)'),
    ratio('symbolsPerPixel', '--symbols-per-pixel <x>', 'the same budget as R, channel symbols per pixel'),
    number('harq', '--harq <n>', 'most repetitions of a lost block (default 3)'),
    word('harqBy', '--harq-by <rule>', 'what is asked for again: importance (default): what matters most; or uniform'),
    number(
      'repeatBudget',
      '--repeat-budget <x>',
      'channel symbols of a picture with its repetitions, as a multiple of its budget (default 1)',
    ),
    number(
      'protectionDb',
      '--protection <dB>',
      'modular: extra margin of the more important half of the picture (default 0 to 2.5, more the less the CSI report tells)',
    ),
  ],
  snr: [
    number(
      'snrDb',
      '--snr <db>',
      'ensemble mean Es/N0 per occupied resource element (default 15; with a trace its own)',
      'dB',
    ),
  ],
  channel: [
    word(
      'channel',
      '--channel <name>',
      'awgn (default), epa, eva, etu, tdl-a, tdl-b, tdl-c, or trace:RUN: a recorded H(f,t) with its noise',
    ),
    word('snrNorm', '--snr-norm <kind>', 'ensemble (default) or burst: normalise each realisation'),
    number('delaySpreadNs', '--delay-spread <ns>', 'of the TDL channels (default 300)', 'ns'),
    number('dopplerHz', '--doppler <hz>', 'Doppler (default EPA 5, EVA 70, ETU 70, TDL 5)', 'Hz'),
    {
      flags: '--ideal',
      about: 'no unknown start, carrier or clock offset (default: all of them)',
      read: null,
      sets: { ideal: true },
    },
    number('seed', '--seed <n>', 'seed of everything random (default 1)'),
  ],
  sendSeed: [
    number(
      'seed',
      '--seed <n>',
      'another seed is another session on the air, and another picture for a receiver (default 1)',
    ),
  ],
  impairments: [
    number('cfoHz', '--cfo <hz>', 'carrier frequency offset', 'Hz'),
    number('sfoPpm', '--sfo <ppm>', 'sample clock offset', 'ppm'),
    { flags: '--iq <db,deg>', about: 'IQ imbalance: gain, phase', read: readIq, sets: {} },
    number('dcDbfs', '--dc <dbfs>', 'DC offset', 'dBFS'),
    word('phaseNoise', '--phase-noise <profile>', 'oscillator: hackrf, pluto, none'),
    number('bits', '--bits <n>', 'converter resolution'),
    {
      flags: '--jammer <spec>',
      about:
        'interferer KIND:DB, KIND tone, subband or noise; then any of ,centre=HZ ,width=HZ ,duty=X ,period=S ,start=S',
      read: readJammer,
      sets: {},
    },
  ],
  modem: [
    number('numerology', '--numerology <n>', 'subbands: 6, 15, 25 (default), 50, 4'),
    word('profile', '--profile <name>', 'board to behave like: loopback (default), hackrf, pluto'),
    number('rateHz', '-s, --rate <hz>', 'device sample rate (default: what profile and numerology need)', 'Hz'),
    number('frequencyHz', '-f, --freq <hz>', 'carrier frequency', 'Hz'),
  ],
  transmit: [
    number('txGainDb', '--tx-gain <db>', 'transmit gain', 'dB'),
    number('cabledDb', CABLED_FLAG.flags, CABLED_FLAG.help, 'dB'),
    number('assumeSnrDb', '--assume-snr <db>', 'SNR to send for where no CSI report has come (default 5)', 'dB'),
  ],
  csi: [
    number('csiDelayMs', '--csi-delay <ms>', 'between sounding and image bursts (default 20)', 'ms'),
    number('maxCsiAgeMs', '--max-csi-age <ms>', 'older reports are not used (default 0.25/Doppler, else 200)', 'ms'),
    number('soundings', '--soundings <n>', 'sounding bursts before a picture (default 4 where a model fades, else 1)'),
    number('soundingEveryMs', '--sounding-every <ms>', 'from one sounding to the next, whole ms (default 20)', 'ms'),
    ...WAY_BACK,
    {
      flags: '--power-loading',
      about: 'power of each subband by water-filling over the CSI report (default: the same for all)',
      read: null,
      sets: { powerLoading: true },
    },
  ],
  receive: [
    {
      flags: '--correction <on|off>',
      about: 'repair of what was damaged and guess of what was lost: on (default) or off',
      read: readSwitch('correction', '--correction'),
      sets: {},
    },
    {
      flags: '--perceptual',
      about: 'sharper, at a lower PSNR (set base)',
      read: null,
      sets: { perceptual: true },
    },
    word('estimator', '--estimator <name>', 'channel estimator: lmmse (default), dft, ls'),
    number('rxGainDb', '--rx-gain <db>', 'receive gain', 'dB'),
  ],
  limits: [
    number('minPsnrDb', '--min-psnr <db>', 'exit 5 below this PSNR', 'dB'),
    number('maxDrops', '--max-drops <n>', 'exit 6 when more samples were lost'),
  ],
  quality: [
    word('truth', '--truth <labels.png>', 'ground-truth label map of the photo (CamVid numbers): ROI-PSNR, mIoU'),
    word('lpips', '--lpips <file:sha256>', 'your LPIPS network as ONNX, inputs a, b in -1..1: LPIPS'),
    word('judge', '--judge <file:sha256>', 'your street segmenter as ONNX, with --truth: mIoU of the received picture'),
  ],
  listening: [number('rxGainDb', '--rx-gain <db>', 'receive gain for answers (--feedback burst)', 'dB')],
  answering: [
    number('txGainDb', '--tx-gain <db>', 'transmit gain of answers (--feedback burst)', 'dB'),
    number('cabledDb', CABLED_FLAG.flags, CABLED_FLAG.help, 'dB'),
  ],
  tuning: [
    number('frequencyHz', '-f, --freq <hz>', 'LO of a board', 'Hz'),
    number('rateHz', '-s, --rate <hz>', 'sample rate of a board', 'Hz'),
    number('rxGainDb', '--rx-gain <db>', 'receive gain of a board, over all stages', 'dB'),
  ],
  duration: [number('durationS', '--duration <s>', 'stop after this time', 's')],
  count: [number('count', '-n, --count <n>', 'number of pictures')],
} satisfies Record<string, readonly LinkFlag[]>;

export type LinkGroup = keyof typeof GROUPS;

const HEADINGS: { readonly [K in LinkGroup]: string } = {
  codec: 'Codec:',
  pair: 'Codec:',
  models: 'Codec:',
  receiverModels: 'Codec:',
  budget: 'Budget:',
  channel: 'Channel model:',
  snr: 'Channel model:',
  impairments: 'Single impairments:',
  modem: 'Modem and board:',
  transmit: 'Transmitter:',
  sendSeed: 'Transmitter:',
  csi: 'Channel state information:',
  wayBack: 'Way back:',
  receive: 'Receiver:',
  limits: 'Limits:',
  quality: 'Quality:',
  listening: 'Way back:',
  answering: 'Way back:',
  tuning: 'Board:',
  duration: 'Limits:',
  count: 'Limits:',
};

/** Where commander keeps the settings that link flags have gathered. */
const GATHERED = 'linkSettings';

/** Adds link flags to a command; `linkInput` reads them. */
export function addLinkOptions(command: Command, groups: readonly LinkGroup[]): Command {
  for (const group of groups) {
    for (const { flags, about, read, sets } of GROUPS[group] as readonly LinkFlag[]) {
      const option = new Option(flags, about).helpGroup(HEADINGS[group]);
      command.addOption(option);
      command.on(`option:${option.name()}`, (text: string | null) => {
        const gathered = (command.getOptionValue(GATHERED) ?? {}) as LinkInput;
        command.setOptionValue(GATHERED, { ...gathered, ...(read ? read(String(text)) : sets) });
      });
    }
  }
  return command;
}

/** The settings given by link flags. */
export function linkInput(command: Command): LinkInput {
  return (command.getOptionValue(GATHERED) ?? {}) as LinkInput;
}

/** Flags that every command has. */
export function addCommonOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('--json', 'print one JSON object on stdout at the end')
    .option('-q, --quiet', 'no progress')
    .option('-v, --verbose', 'more on stderr; the stack of an internal error')
    .helpOption('-h, --help', 'print help');
}

/** `-o DIR`. */
export function addOutputOption(
  command: Command,
  about = 'run directory (default runs/TIME_PHOTO_CHANNEL_ID)',
): Command {
  return command.optionsGroup('Output:').option('-o, --output <dir>', about);
}

/** `-c FILE`. */
export function addConfigOption(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('-c, --config <file>', 'YAML with settings, e.g. config.resolved.yaml of a run; flags override it');
}

/** Settings of file and flags together, flags first; checked and with defaults, a command's own before those of all. */
export async function resolveSettings(
  command: Command,
  runKeys: readonly string[] = [],
  defaults: LinkInput = {},
): Promise<{ config: LinkConfig; run: Record<string, unknown> }> {
  const { resolveLinkConfig } = await import('../experiment/config/link-config.ts');
  const given = linkInput(command);
  const path = command.getOptionValue('config') as string | undefined;
  if (path === undefined) return { config: fitting(given, resolveLinkConfig({ ...defaults, ...given })), run: {} };
  const { mergeSettings, readConfigFile } = await import('./config-file.ts');
  const file = await readConfigFile(path, runKeys);
  const config = resolveLinkConfig(mergeSettings({ ...defaults, ...file.link }, given));
  return { config: fitting(given, config), run: file.run };
}

/** What a picture file leaves nothing to say about. */
const SEMANTIC_WORDS = ['task', 'distortion', 'correction', 'perceptual'] as const;

/**
 * The configuration, if every flag that was given means something to its codec. Settings files may say more: those of a run hold
 * all settings, of the codecs that it did not use too.
 *
 * @throws UsageError naming the flags and a codec that knows them
 */
function fitting(given: LinkInput, config: LinkConfig): LinkConfig {
  if (given.format !== undefined && config.codec !== 'classical') {
    throw new UsageError(
      `--format: not with the codec ${config.codec}, which makes no image file`,
      'leave one of them out, or give --codec classical',
    );
  }
  const idle = config.codec === 'classical' ? SEMANTIC_WORDS.filter((key) => given[key] !== undefined) : [];
  if (idle.length > 0 && (given.codec !== undefined || given.format !== undefined)) {
    throw new UsageError(
      `${idle.map((key) => `--${key}`).join(', ')}: not with the classical codec, which knows no SFVs`,
      'give --codec integrated or modular',
    );
  }
  return config;
}

function readSwitch(key: Key, flag: string): Read {
  return (text) => {
    if (text !== 'on' && text !== 'off') throw new UsageError(`${flag}: "${text.slice(0, 40)}" is not on or off`);
    return { [key]: text === 'on' };
  };
}

function readIq(text: string): Partial<LinkInput> {
  const [gain, phase, more] = text.split(',');
  if (phase === undefined || more !== undefined) {
    throw new UsageError(`--iq: "${text}" is not DB,DEG`, 'for example --iq 0.5,3');
  }
  return { iqDb: parseQuantity('--iq gain', gain, 'dB'), iqDeg: parseQuantity('--iq phase', phase, 'deg') };
}

function longOf(flags: string): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? flags;
}
