import { DeviceError, UsageError } from '../../common/errors.ts';
import { resolveLinkConfig } from '../config/link-config.ts';
import { captureHints, type ReceiveSettings } from '../receive/receive-stream.ts';
import { receivedCapture } from '../receive/received-capture.ts';
import type { RunManifest } from './manifest.ts';
import { readRun } from './run-directory.ts';

/** The received capture of a run (its base name) and how to receive it. */
export interface RunCapture {
  readonly capture: string;
  readonly settings: ReceiveSettings;
  readonly directory: string;
  readonly manifest: RunManifest;
}

/** UsageError where the path is no run or the run has no capture, FormatError where either is damaged. */
export async function runCapture(path: string): Promise<RunCapture> {
  const { directory, manifest } = await readRun(path);
  const capture = receivedCapture(directory);
  const hints = await captureHints(capture).catch((error) => {
    if (error instanceof DeviceError) throw new UsageError(`${directory} has no received capture (rx.sigmf-meta)`);
    throw error;
  });
  const { numerology, estimator } = manifest.config;
  // Only what the receiver needs: a run of another version may hold settings that this one does not know.
  const config = resolveLinkConfig({
    ...(typeof numerology === 'number' ? { numerology } : {}),
    ...(typeof estimator === 'string' ? { estimator } : {}),
  });
  const settings = {
    numerology: hints.numerology ?? config.numerology,
    rateHz: hints.rateHz,
    loOffsetHz: hints.loOffsetHz,
    estimator: config.estimator,
  };
  return { capture, settings, directory, manifest };
}
