import type { Frame } from './frames.ts';
import type { Hub } from './hub.ts';
import type { Measurement } from './prometheus.ts';

/** What /metrics says: the state of the run that is watched, and of the dashboard itself. */
export function measurements(hub: Hub): Measurement[] {
  const status = hub.latest.get('status');
  const burst = hub.latest.get('burst');
  const run = hub.latest.get('run');
  const of = (frame: Frame | undefined, key: string) => {
    const value = frame?.data[key];
    return typeof value === 'number' ? value : null;
  };
  const gauge = (name: string, help: string, value: number | null): Measurement => {
    return { name: `sct_${name}`, help, kind: 'gauge', samples: [{ value }] };
  };
  const counter = (name: string, help: string, value: number | null): Measurement => {
    return { name: `sct_${name}_total`, help, kind: 'counter', samples: [{ value }] };
  };
  let skipped = 0;
  let held = 0;
  for (const client of hub.clients) {
    skipped += client.skipped;
    held += client.heldBytes;
  }
  const running = run?.data.state !== undefined && run.data.state !== 'ended';
  return [
    gauge('run_active', '1 while a run is watched that has not ended', running ? 1 : 0),
    counter('samples', 'Samples received', of(status, 'samples')),
    {
      name: 'sct_lost_samples_total',
      help: 'Samples that never came: bounds where the device cannot say exactly',
      kind: 'counter',
      samples: [
        { labels: { bound: 'min' }, value: of(status, 'lostMin') },
        { labels: { bound: 'max' }, value: of(status, 'lostMax') },
      ],
    },
    counter('gaps', 'Losses of samples, each of any length', of(status, 'gaps')),
    counter('clipped_samples', 'Samples at the limit of the converter', of(status, 'clippedSamples')),
    counter('underruns', 'Times the transmitter ran out of samples inside a burst', of(status, 'underruns')),
    gauge('level_rms_dbfs', 'Level of what is received, dB below full scale', of(status, 'rmsDbfs')),
    gauge('burst_snr_db', 'SNR of the latest burst', of(burst, 'snrDb')),
    gauge('burst_cfo_hz', 'Carrier frequency offset of the latest burst', of(burst, 'cfoHz')),
    gauge('csi_age_ms', 'Age of the channel report of the latest burst', of(burst, 'csiAgeMs')),
    counter('dashboard_jobs', 'Commands started from the page', hub.counters.jobs),
    counter('dashboard_frames', 'Frames that jobs have told', hub.counters.frames),
    gauge('dashboard_clients', 'Pages that watch', hub.clients.size),
    gauge('dashboard_skipped_frames', 'Frames that pages which watch now were too slow for', skipped),
    gauge('dashboard_held_bytes', 'Memory that waits for pages', held),
  ];
}
