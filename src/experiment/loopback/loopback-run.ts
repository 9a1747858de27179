import { basename, join } from 'node:path';
import { ExitCode, SctError, UsageError } from '../../common/errors.ts';
import type { CaptureWriter } from '../../radio/sigmf/capture-writer.ts';
import { type LinkCodec, senderCodec } from '../config/link-codecs.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { type LinkSetup, setupLink } from '../config/link-setup.ts';
import { truthOfPhoto } from '../config/quality-inputs.ts';
import { meansOf } from '../metrics/folder-means.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';
import { type RecordedChannel, recordedChannel } from '../replay/recorded-channel.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { openCapture } from '../run/run-files.ts';
import type { FolderResult, LoopbackConfig, PhotoSource, RunIo, RunResult } from '../run/run-io.ts';
import { paceOf } from '../telemetry/pace.ts';
import { LoopbackExchange } from './exchange.ts';
import { type ExchangeHooks, type PictureRun, runPicture } from './picture-run.ts';

/** UsageError where the way back needs a radio or a network that a modelled channel does not have. */
export function checkModelledFeedback({ feedback }: Pick<LinkConfig, 'feedback'>): void {
  if (feedback === 'same' || feedback === 'none') return;
  throw new UsageError(
    `--feedback ${feedback}: both ends are in this process`,
    'a modelled channel takes same or none; burst, ws://HOST:PORT and nats:// are for radios (sct link, send, receive)',
  );
}

/** `sct loopback`: one picture, or every picture of a folder, through a modelled channel. */
export async function runLoopback(config: LoopbackConfig, io: RunIo): Promise<RunResult | FolderResult> {
  const { photo } = config;
  checkModelledFeedback(config);
  const recorded = await recordedChannel(config);
  const coding = await senderCodec(config);
  if (photo.kind !== 'folder') {
    return runPicture(loopbackPicture(config, photo, recorded, coding, io, io.outputDirectory), io);
  }
  const images: (LinkMetrics & { photo: string })[] = [];
  let exitCode: number = ExitCode.ok;
  for (const [i, path] of photo.files.entries()) {
    if (io.signal.aborted) throw new SctError('interrupted', ExitCode.interrupted);
    io.progress.update(`picture ${i + 1}/${photo.files.length}  ${basename(path)}`);
    const directory = io.outputDirectory ? join(io.outputDirectory, basename(path)) : undefined;
    const picture = loopbackPicture(
      truthOfPhoto(config, path),
      { kind: 'file', path },
      recorded,
      coding,
      io,
      directory,
    );
    const result = await runPicture(picture, io);
    images.push({ ...result.metrics, photo: basename(path) });
    exitCode = Math.max(exitCode, result.exitCode);
  }
  return {
    images,
    means: meansOf(images),
    ...(io.outputDirectory ? { directory: io.outputDirectory } : {}),
    exitCode,
  };
}

/** One picture through a modelled channel, ready to run. */
export function loopbackPicture(
  config: LinkConfig & Partial<Pick<LoopbackConfig, 'photo'>>,
  photo: Exclude<PhotoSource, { kind: 'folder' }> | undefined,
  recorded: RecordedChannel | null,
  coding: LinkCodec,
  io: RunIo,
  directory: string | undefined,
): PictureRun {
  const setup = setupLink(config, recorded, coding);
  const { photo: _, ...settings } = config;
  const open = async (run: RunDirectory, name: string, hooks: ExchangeHooks) => {
    const captures = await openCaptures(run, setup, config, name);
    const pace = paceOf(io);
    const exchange = new LoopbackExchange(config, setup, { ...captures, signal: io.signal, pace, ...hooks });
    return { exchange, captures, frequencyHz: config.frequencyHz };
  };
  return {
    config,
    settings,
    numerology: setup.numerology,
    photo,
    coding,
    directory,
    open,
    channel: config.channel,
    modelled: true,
    loOffsetHz: setup.frontend.loOffsetHz,
  };
}

interface Captures {
  readonly tx: CaptureWriter;
  readonly rx: CaptureWriter;
}

async function openCaptures(run: RunDirectory, setup: LinkSetup, config: LinkConfig, name: string): Promise<Captures> {
  const common = { ...(config.frequencyHz !== undefined ? { frequencyHz: config.frequencyHz } : {}), simulated: true };
  const hardware = `simulated ${config.profile} (modelled channel, no hardware)`;
  return {
    tx: await openCapture(run, 'tx', setup, { ...common, hardware, description: `transmitted: ${name}` }),
    rx: await openCapture(run, 'rx', setup, { ...common, hardware, description: `received: ${name}` }),
  };
}
