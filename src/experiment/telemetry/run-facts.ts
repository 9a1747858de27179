import { basename } from 'node:path';
import type { Telemetry } from '../../link/telemetry.ts';
import type { Numerology } from '../../phy/numerology.ts';
import type { LinkConfig } from '../config/link-config.ts';
import { shellCommand } from '../report/data.ts';
import type { BegunRun } from '../run/begin-run.ts';
import { RunWatch } from './run-watch.ts';

export interface WatchedRun {
  readonly config: LinkConfig;
  readonly numerology: Numerology;
  /** Name of the picture or capture. */
  readonly title: string;
  readonly channel: string;
  readonly modelled: boolean;
  readonly loOffsetHz: number;
  /** No picture is sent: neither codec nor mapping. */
  readonly sounding?: boolean;
}

/** Begins to tell of a run; null where nobody watches. */
export function watchRun(telemetry: Telemetry | undefined, what: WatchedRun, begun: BegunRun): RunWatch | null {
  if (!telemetry) return null;
  const { config, numerology: n, title, channel, modelled, loOffsetHz, sounding = false } = what;
  const { run, manifest } = begun;
  return new RunWatch(
    telemetry,
    {
      runId: run.runId,
      command: manifest.argv.find((word) => word !== 'sct') ?? '',
      commandLine: shellCommand(manifest.argv),
      title,
      startedAt: manifest.startedAt,
      directory: basename(run.path),
      modelled,
      channel,
      codec: sounding ? null : config.codec,
      mapping: sounding ? null : config.mapping,
      seed: manifest.seed,
      subbands: n.nSubbands,
      fftSize: n.fftSize,
      carriers: n.nCarriers,
      modemRateHz: n.sampleRateHz,
      deviceRateHz: config.rateHz,
      levelUnit: modelled && config.sampleFormat === 'cf32_le' ? 'dB' : 'dBFS',
      frequencyHz: config.frequencyHz ?? null,
      loOffsetHz,
    },
    run.path,
  );
}
