import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { receiveAgain } from '../receive/receive-again.ts';
import { captureHints } from '../receive/receive-stream.ts';
import { receiverMetrics, withImages } from '../receive/receiver-report.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import type { RunIo } from '../run/run-io.ts';

/** Metrics of a recording with several pictures, as a replay of the run has them; the pictures are written beside it. */
export async function recordedMetrics(
  capturePath: string,
  config: LinkConfig,
  reference: RgbImage,
  modelled: boolean,
  directory: RunDirectory,
  io: RunIo,
) {
  const hints = await captureHints(capturePath);
  const resolved = { ...config, rateHz: hints.rateHz, sampleFormat: hints.format };
  const { stream, ledger, warnings } = await receiveAgain({
    path: capturePath,
    hints,
    config: resolved,
    reference,
    directory,
    io,
    watch: null,
  });
  const { metrics, images, earlier } = await receiverMetrics({
    config: resolved,
    title: '',
    stream,
    facts: null,
    reference,
    ledger,
    modelled,
    capturePath,
    warnings,
    clippedSamples: hints.clippedSamples,
    lostAtEnd: hints.lostAtEnd,
  });
  return withImages(metrics, images, earlier);
}
