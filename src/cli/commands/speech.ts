import { join } from 'node:path';
import { UsageError } from '../../common/errors.ts';
import type { SpeechMetrics } from '../../experiment/speech/speech-metrics.ts';
import { stateText } from '../../experiment/speech/speech-words.ts';
import { type AddCommand, outJson, runIo } from '../context.ts';
import { addCommonOptions, addConfigOption, addLinkOptions, addOutputOption, resolveSettings } from '../options.ts';
import { photoSource } from '../photo.ts';
import { addSpeechOptions, type SpeechFlags, speechWords } from '../speech-options.ts';

interface Flags extends SpeechFlags {
  photo?: string;
  fill?: boolean;
  output?: string;
}

/** `sct speech FILE.wav`: speech through the modem and a modelled channel, alone or with a picture in one budget. */
export const addSpeech: AddCommand = (program, context, done) => {
  const command = program
    .command('speech')
    .summary('send speech through a modelled channel, alone or beside a photo')
    .description(
      'Sends speech (WAV, up to 65 s) by importance, alone or with a photo in one budget; STOI says what is understood. sct send takes WAV files, too.',
    )
    .argument('<wav>', 'PCM or float WAV, 4 to 192 kHz; sent at 16 kHz')
    .option('--photo <path>', 'a photo that shares the budget');
  addSpeechOptions(command);
  command.option('--fill', 'what is missing is filled with noise of the right spectrum');
  addLinkOptions(command, ['codec', 'models', 'budget', 'channel', 'snr', 'impairments', 'modem', 'transmit', 'csi']);
  addConfigOption(command);
  addOutputOption(command);
  addCommonOptions(command).addHelpText(
    'after',
    `
Examples:
  sct speech voice.wav --snr 5 -o heard && sct replay heard --check
  sct speech voice.wav --channel eva --snr 8 --mapping uniform --json
  sct speech voice.wav --photo photo.png --priority 4 --symbols 30000
`,
  );
  command.action(async (path: string, flags: Flags) => {
    const { config, run } = await resolveSettings(command, ['photo', 'speech']);
    const words = await speechWords(path, flags, run.speech);
    const beside = flags.photo !== undefined || run.photo !== undefined;
    const photo = beside ? await photoSource(flags.photo, false, run.photo) : undefined;
    if (!photo && config.known !== undefined) {
      throw new UsageError('--known restores what is lost of a picture', 'give one: --photo PATH');
    }
    if (photo?.kind === 'folder') throw new UsageError(`${photo.path} is a folder`, 'speech goes beside one photo');
    const { runRecordedSpeech } = await import('../../experiment/speech/speech-run.ts');
    const all = flags.fill ? { ...config, perceptual: true } : config;
    const { speech, directory, exitCode } = await runRecordedSpeech(all, words, photo, runIo(context, flags.output));
    const { writeFileAtomic } = await import('../../experiment/run/run-directory.ts');
    await writeFileAtomic(join(directory, 'speech.json'), `${JSON.stringify(speech, null, 2)}\n`);
    context.progress.done();
    if (context.json) outJson(context, speech);
    else context.out(textOf(speech, directory));
    done(exitCode);
  });
};

function textOf(m: SpeechMetrics, directory: string): string {
  const shown = (value: number | null, digits: number) => (value === null ? 'not measured' : value.toFixed(digits));
  const picture = m.psnrDb === null ? '' : `  picture ${m.psnrDb.toFixed(2)} dB PSNR`;
  const states = m.sfvs.map((s) => `  ${s.id}  ${s.label}  ${s.frames * 20} ms  ${s.symbols} symbols  ${stateText(s)}`);
  return [
    `${m.seconds.toFixed(2)} s of speech, ${m.codec} ${m.kind}, ${m.mapping} on ${m.channel}`,
    `STOI ${shown(m.stoi, 3)}  segmental SNR ${shown(m.segmentalSnrDb, 1)} dB${picture}`,
    `${m.symbols} symbols, ${Math.round(m.symbolsPerSecond)} a second, side information ${m.sideInfoBytes} bytes`,
    ...(m.note === null ? [] : [m.note]),
    ...states,
    `report  ${join(directory, 'report.html')}`,
    '',
  ].join('\n');
}
