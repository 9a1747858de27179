import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { writableFolder } from '../../common/make-folder.ts';
import { parseQuantity } from '../../common/units.ts';
import type { SpeechMetrics } from '../../experiment/speech/speech-run.ts';
import { type AddCommand, outJson } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption, resolveSettings } from '../options.ts';

interface SpeechFlags {
  photo?: string;
  kind?: string;
  priority?: string;
  symbols?: string;
  maxSpeechSfvs?: string;
  fill?: boolean;
  output?: string;
}

/** Bytes of a sound file that are read, at most. */
const MAX_FILE_BYTES = 2 ** 28;

/** `sct speech FILE.wav`: speech through the modem and a modelled channel, alone or with a picture in one budget. */
export const addSpeech: AddCommand = (program, context, done) => {
  const command = program
    .command('speech')
    .summary('send speech through a modelled channel, alone or beside a photo')
    .description(
      'Sends speech (WAV, up to 65 s) by importance, alone or with a photo in one budget; STOI says what is understood.',
    )
    .argument('<wav>', 'PCM or float WAV, 4 to 192 kHz; sent at 16 kHz')
    .option('--photo <path>', 'a photo that shares the budget')
    .option('--kind <name>', 'analog (default) or coded (one file of bits, the reference)')
    .option('--priority <x>', 'importance of a bit of speech as a multiple of a bit of the photo (default 1)')
    .option('--symbols <n>', 'complex symbols of everything (default 0.25 a sample, and the photo by its own flags)')
    .option('--max-speech-sfvs <n>', 'most SFVs of speech (default 12)')
    .option('--fill', 'what is missing is filled with noise of the right spectrum');
  addLinkOptions(command, ['codec', 'models', 'budget', 'channel', 'snr', 'impairments', 'modem', 'transmit', 'csi']);
  addConfigOption(command);
  addOutputOption(command, 'folder for received.wav, received.png and speech.json');
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct speech voice.wav --snr 5 -o heard
  sct speech voice.wav --channel eva --snr 8 --mapping uniform --json
  sct speech voice.wav --photo photo.png --priority 4 --symbols 30000
`,
  );
  command.action(async (path: string, flags: SpeechFlags) => {
    const { config } = await resolveSettings(command, []);
    const { runSpeech, speechKind } = await import('../../experiment/speech/speech-run.ts');
    const { readWav, speechOf, SPEECH_RATE_HZ, writeWav } = await import('../../sct/speech/speech.ts');
    const { resample } = await import('../../sct/speech/resample.ts');
    const kind = flags.kind === undefined ? undefined : speechKind(flags.kind);
    const wav = readWav(await fileBytes(path));
    const speech = speechOf(resample(wav.samples, wav.rateHz, SPEECH_RATE_HZ));
    const { loadImage } = await import('../../sct/image/load.ts');
    const image = flags.photo === undefined ? undefined : await loadImage(flags.photo);
    const result = await runSpeech(config, {
      ...{ speech, image, kind, perceptual: flags.fill, signal: context.signal },
      priority: number('--priority', flags.priority),
      symbols: number('--symbols', flags.symbols),
      maxSfvs: number('--max-speech-sfvs', flags.maxSpeechSfvs),
    });
    if (flags.output !== undefined) {
      const { writeFileAtomic } = await import('../../experiment/run-directory.ts');
      await writableFolder(flags.output);
      const { received, metrics } = result;
      if (received) {
        await writeFileAtomic(join(flags.output, 'received.wav'), writeWav({ rateHz: SPEECH_RATE_HZ, ...received }));
      }
      if (result.image) {
        const { encodePng } = await import('../../sct/image/save.ts');
        await writeFileAtomic(join(flags.output, 'received.png'), await encodePng(result.image));
      }
      await writeFileAtomic(join(flags.output, 'speech.json'), `${JSON.stringify(metrics, null, 2)}\n`);
    }
    context.progress.done();
    if (context.json) outJson(context, result.metrics);
    else context.out(textOf(result.metrics));
    done(result.exitCode);
  });
};

/** @throws DeviceError where it cannot be read, UsageError where it is too long */
async function fileBytes(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw new UsageError(`${path} has ${size} bytes: allowed up to ${MAX_FILE_BYTES}`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new DeviceError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function number(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseQuantity(flag, text);
}

function textOf(m: SpeechMetrics): string {
  const shown = (value: number | null, digits: number) => (value === null ? 'not measured' : value.toFixed(digits));
  const picture = m.psnrDb === null ? '' : `  picture ${m.psnrDb.toFixed(2)} dB PSNR`;
  const states = m.sfvs.map((s) => `  ${s.id}  ${s.label}  ${s.frames * 20} ms  ${s.symbols} symbols  ${s.state}`);
  return [
    `${m.seconds.toFixed(2)} s of speech, ${m.codec} ${m.kind}, ${m.mapping} on ${m.channel}`,
    `STOI ${shown(m.stoi, 3)}  segmental SNR ${shown(m.segmentalSnrDb, 1)} dB${picture}`,
    `${m.symbols} symbols, ${Math.round(m.symbolsPerSecond)} a second, side information ${m.sideInfoBytes} bytes`,
    ...(m.note === null ? [] : [m.note]),
    ...states,
    '',
  ].join('\n');
}
