import { UsageError } from '../../common/errors.ts';
import type { RxStream, TxStream } from '../../radio/radio.ts';
import { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import { clockField } from '../../radio/sigmf/meta.ts';
import { parseRadioUri } from '../../radio/uri.ts';
import type { SnrSetter } from '../cabled/snr-setter.ts';
import { senderCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { checkModelledFeedback, loopbackPicture, runLoopback } from '../loopback/loopback-run.ts';
import { type PictureRun, runPicture } from '../loopback/picture-run.ts';
import { recordedChannel } from '../replay/recorded-channel.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { RUN_FILES } from '../run/run-files.ts';
import type { FolderResult, PhotoSource, RunIo, RunResult } from '../run/run-io.ts';
import { runRecordedSpeech } from '../speech/speech-run.ts';
import { openSpeech } from '../speech/speech-sending.ts';
import type { SpeechWords } from '../speech/speech-words.ts';
import type { Mapping } from './compare.ts';
import { type CompareResult, checkComparable, runCompare } from './compare-run.ts';
import { checkEnds, permissionOf, type RadioEnd, radioEnd } from './radio-end.ts';
import { RadioExchange, type RadioExchangeOptions } from './radio-exchange.ts';

export interface LinkRunConfig extends LinkConfig {
  /** May be absent where there is speech. */
  readonly photo?: PhotoSource;
  /** Sent alone or beside the photo, in one budget. */
  readonly speech?: SpeechWords;
  /** Radio URIs, checked. */
  readonly tx: string;
  readonly rx: string;
}

/**
 * `sct link`: one picture from one radio to another, both on this host. With `loopback` at both ends the channel is modelled: only the
 * URI differs.
 *
 * @param snr sets the SNR of boards on a cable
 */
export async function runLink(
  config: LinkRunConfig,
  io: RunIo,
  snr: SnrSetter | null = null,
): Promise<RunResult | FolderResult> {
  const { photo, speech, tx, rx: _, ...link } = config;
  if (parseRadioUri(tx).kind === 'loopback') {
    if (speech) return runRecordedSpeech(link, speech, onePhoto(photo), io);
    return runLoopback({ ...link, photo: photoOf(photo) }, io);
  }
  return runPicture(await linkPicture(config, io, snr), io);
}

/** `sct link --compare`: one picture with several mappings, `count` times. */
export async function runLinkCompare(
  config: LinkRunConfig,
  mappings: readonly Mapping[],
  count: number,
  io: RunIo,
  snr: SnrSetter | null = null,
): Promise<CompareResult> {
  checkComparable(config);
  // One transmission of each picture: repetitions would make the later ones wait, and their report older.
  const once = { ...config, harq: 0 };
  const { photo: asked, speech, tx, rx: _, ...link } = once;
  if (speech) throw new UsageError('--compare: only photos are compared', 'sct speech --mapping sends speech by each');
  const photo = photoOf(asked);
  if (parseRadioUri(tx).kind !== 'loopback') return runCompare(await linkPicture(once, io, snr), mappings, count, io);
  checkModelledFeedback(link);
  if (photo.kind === 'folder') throw new UsageError(`${photo.path} is a folder`, 'link takes one photo');
  const [recorded, coding] = [await recordedChannel(link), await senderCodec(link)];
  const picture = loopbackPicture({ ...link, photo }, photo, recorded, coding, io, io.outputDirectory);
  return runCompare(picture, mappings, count, io);
}

/** One picture between two radios, ready to run. */
async function linkPicture(config: LinkRunConfig, io: RunIo, snr: SnrSetter | null): Promise<PictureRun> {
  const { photo: asked, speech: words, tx, rx, ...link } = config;
  const photo = onePhoto(asked);
  const speech = words && (await openSpeech(link, words, photo));
  const coding = speech?.coding ?? (await senderCodec(link));
  const ends = { tx: radioEnd(link, tx, 'tx', coding), rx: radioEnd(link, rx, 'rx', coding) };
  checkEnds(ends.tx, ends.rx);
  const permission = permissionOf(ends.tx, ends.rx.board ? ends.rx.profile : null);
  const { config: received, setup } = ends.rx;
  return {
    config: received,
    photo,
    speech,
    coding,
    modelled: false,
    numerology: setup.numerology,
    loOffsetHz: setup.frontend.loOffsetHz,
    settings: { ...received, tx, rx, ...(words ? { speech: words } : {}), ...(snr ? { attenuator: snr.uri } : {}) },
    channel: 'link',
    directory: io.outputDirectory,
    open: async (run, name, hooks) => {
      const files: { tx?: CaptureWriter; rx?: CaptureWriter } = {};
      const exchange = new RadioExchange({
        ...ends,
        permission,
        ...hooks,
        signal: io.signal,
        snr,
        budgetRe: speech?.budgetRe,
        captures: async (sending, receiving) =>
          Object.assign(files, await linkCaptures(run, name, ends, sending, receiving)),
      });
      return {
        exchange,
        captures: files,
        get frequencyHz() {
          return exchange.frequencyHz;
        },
      };
    },
  };
}

function photoOf(photo: PhotoSource | undefined): PhotoSource {
  if (photo) return photo;
  throw new UsageError('nothing to send', 'name a photo or a WAV file');
}

function onePhoto(photo: PhotoSource | undefined): Exclude<PhotoSource, { kind: 'folder' }> | undefined {
  if (photo?.kind !== 'folder') return photo;
  throw new UsageError(`${photo.path} is a folder`, 'link takes one photo');
}

/** Captures of both streams, as the radios really are set. */
export async function linkCaptures(
  run: RunDirectory,
  name: string,
  ends: Pick<RadioExchangeOptions, 'tx' | 'rx'>,
  tx: TxStream,
  rx: RxStream,
): Promise<{ tx: CaptureWriter; rx: CaptureWriter }> {
  return {
    tx: await streamCapture(run, 'tx', ends.tx, tx, `transmitted: ${name}`),
    rx: await streamCapture(run, 'rx', ends.rx, rx, `received: ${name}`),
  };
}

function streamCapture(
  run: RunDirectory,
  which: 'tx' | 'rx',
  end: RadioEnd,
  { settings }: TxStream | RxStream,
  description: string,
): Promise<CaptureWriter> {
  const { numerology, frontend } = end.setup;
  return CaptureWriter.create(run.file(RUN_FILES[which]), {
    format: settings.format,
    fullScale: settings.fullScale,
    rateHz: settings.rateHz,
    frequencyHz: settings.frequencyHz || null,
    gainsDb: settings.gainsDb,
    hardware: `sct link, ${end.profile.board} (${end.name})`,
    description,
    overwrite: true,
    fields: {
      'sct:numerology': numerology.nSubbands,
      'sct:lo_offset_hz': frontend.loOffsetHz,
      'sct:modem_rate_hz': frontend.modemRateHz,
      ...clockField(settings),
    },
  });
}
