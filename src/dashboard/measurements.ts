import type { Hub } from './hub.ts';
import type { Measurement } from './prometheus.ts';

/** What /metrics says: the state of the run that is watched, and of the dashboard itself. @param connections of any kind that are open */
export function measurements(hub: Hub, connections: number): Measurement[] {
  const { run, status, burst, video, subbandSnrDb, bursts, blocks, blocksLost } = hub.run;
  const of = (facts: Readonly<Record<string, unknown>> | null, key: string) => {
    const value = facts?.[key];
    return typeof value === 'number' ? value : null;
  };
  const known = (value: number) => (run ? value : null);
  const active = run !== null && run.state !== 'ended';
  const part = (facts: Readonly<Record<string, unknown>> | null, key: string) =>
    (facts?.[key] ?? null) as Readonly<Record<string, unknown>> | null;
  const budget = part(status, 'budget');
  const queues = part(status, 'queues');
  const frames = part(video, 'counts');
  const wayBack = part(status, 'wayBack');
  const clock = part(wayBack, 'clock');
  return [
    {
      name: 'sct_run_info',
      help: 'The run that is watched, or was last',
      kind: 'gauge',
      samples: run ? [{ labels: { command: String(run.command), run: String(run.runId) }, value: 1 }] : [],
    },
    gauge('run_active', '1 while a run is watched that has not ended', active ? 1 : 0),
    gauge('run_exit_code', 'Exit code of the run that was watched', of(run, 'exitCode')),
    counter('samples', 'Samples received', of(status, 'samples')),
    {
      name: 'sct_lost_samples_total',
      help: 'Samples that never came: bounds where the device cannot say exactly',
      kind: 'counter',
      samples: [
        { labels: { bound: 'min' }, value: counted(of(status, 'lostMin')) },
        { labels: { bound: 'max' }, value: counted(of(status, 'lostMax')) },
      ],
    },
    counter('gaps', 'Losses of samples, each of any length', of(status, 'gaps')),
    counter('clipped_samples', 'Samples at the limit of the converter', of(status, 'clippedSamples')),
    counter('underruns', 'Times the transmitter ran out of samples inside a burst', of(status, 'underruns')),
    counter('overruns', 'Times received samples were not taken in time', of(status, 'overruns')),
    gauge('samples_per_second', 'Samples received a second', of(status, 'samplesPerS')),
    gauge('level_rms_dbfs', 'Level of what is received, dB below full scale', of(status, 'rmsDbfs')),
    gauge('level_peak_dbfs', 'Highest sample, dB below full scale', of(status, 'peakDbfs')),
    gauge('run_cpu_cores', 'Cores that the process of the run uses', of(status, 'cpu')),
    gauge('queued_blocks', 'Blocks of samples that wait to be received', of(status, 'queued')),
    gauge('queued_samples_ms', 'Samples that wait to be demodulated', of(queues, 'samplesMs')),
    gauge('queued_samples_share', 'The same as a share of the room for them', of(queues, 'samplesShare')),
    gauge('queued_bursts', 'Bursts that wait to be decoded', of(queues, 'bursts')),
    counter('dropped_bursts', 'Bursts left out by a receiver that could not follow', of(queues, 'droppedBursts')),
    counter('dropped_samples', 'Samples for which it had no room', of(queues, 'droppedSamples')),
    gauge('way_back_connected', '1 while the other host is there, 0 while not', flag(wayBack?.connected)),
    {
      name: 'sct_way_back_messages_total',
      help: 'Reports and acknowledgements to and from the other host',
      kind: 'counter',
      samples: ['sent', 'received', 'dropped', 'lost', 'refused'].map((state) => ({
        labels: { state },
        value: counted(of(wayBack, state)),
      })),
    },
    gauge('peer_clock_offset_ms', "The other host's clock less this one's", of(clock, 'offsetMs')),
    gauge('peer_clock_uncertainty_ms', 'Within which this holds', of(clock, 'uncertaintyMs')),
    {
      name: 'sct_video_frames_total',
      help: 'Frames of the video, by what became of them',
      kind: 'counter',
      samples: ['captured', 'sent', 'shown', 'late', 'lost', 'dropped'].map((state) => ({
        labels: { state },
        value: counted(of(frames, state)),
      })),
    },
    gauge('video_fps', 'Frames shown in the last second', of(video, 'fps')),
    {
      name: 'sct_video_latency_ms',
      help: 'From capture to picture, of the last frames',
      kind: 'gauge',
      samples: [
        { labels: { quantile: '0.5' }, value: of(video, 'latencyP50Ms') },
        { labels: { quantile: '0.99' }, value: of(video, 'latencyP99Ms') },
      ],
    },
    gauge('disk_free_bytes', 'Room where the run records', of(status, 'diskFreeBytes')),
    gauge('recorded_bytes_per_second', 'Written to recordings', of(status, 'bytesPerS')),
    gauge('temperature_celsius', 'Of the board', of(status, 'temperatureC')),
    gauge('predicted_snr_db', 'SNR that the link budget promises', of(budget, 'predictedSnrDb')),
    counter('bursts', 'Bursts heard', known(bursts)),
    counter('blocks', 'Coded blocks of these bursts', known(blocks)),
    counter('lost_blocks', 'Coded blocks that were not decoded', known(blocksLost)),
    gauge('bler', 'Lost of all coded blocks of the run', blocks > 0 ? blocksLost / blocks : null),
    gauge('burst_snr_db', 'SNR of the latest burst', of(burst, 'snrDb')),
    {
      name: 'sct_subband_snr_db',
      help: 'SNR of each subband in the latest burst',
      kind: 'gauge',
      samples: subbandSnrDb.map((value, subband) => ({ labels: { subband }, value })),
    },
    gauge('burst_evm_db', 'Error vector magnitude of the latest burst', of(burst, 'evmDb')),
    gauge('burst_cfo_hz', 'Carrier frequency offset of the latest burst', of(burst, 'cfoHz')),
    gauge('burst_sfo_ppm', 'Sample clock offset of the latest burst', of(burst, 'sfoPpm')),
    gauge('csi_age_ms', 'Age of the channel report of the latest burst', of(burst, 'csiAgeMs')),
    ...ofDashboard(hub, connections),
  ];
}

function ofDashboard(hub: Hub, connections: number): Measurement[] {
  const { jobs, ends, frames, frameBytes, badStreams, turnedAway, skipped: skippedBefore } = hub.counters;
  let skipped = skippedBefore;
  let held = 0;
  const watching = { read: 0, control: 0 };
  for (const client of hub.clients) {
    skipped += client.skipped;
    held += client.heldBytes;
    watching[client.access]++;
  }
  const { user, system } = process.cpuUsage();
  return [
    counter('dashboard_jobs', 'Commands started from a page', jobs),
    {
      name: 'sct_dashboard_job_ends_total',
      help: 'Commands that are gone, and how they went',
      kind: 'counter',
      samples: Object.entries(ends).map(([how, value]) => ({ labels: { how }, value })),
    },
    gauge('dashboard_job_active', '1 while a command runs that was started from a page', hub.job ? 1 : 0),
    counter('dashboard_frames', 'Frames that commands have told', frames),
    counter('dashboard_frame_bytes', 'Bytes of these frames', frameBytes),
    counter('dashboard_bad_streams', 'Commands that told what is no frame', badStreams),
    {
      name: 'sct_dashboard_clients',
      help: 'Pages that watch, by what they may do',
      kind: 'gauge',
      samples: Object.entries(watching).map(([access, value]) => ({ labels: { access }, value })),
    },
    gauge('dashboard_connections', 'Connections of any kind', connections),
    counter('dashboard_turned_away', 'Pages that were turned away or lost their place', turnedAway),
    counter('dashboard_skipped_frames', 'Frames that pages were too slow for', skipped),
    gauge('dashboard_held_bytes', 'Memory that waits for pages', held),
    {
      name: 'process_cpu_seconds_total',
      help: 'Processor time of the dashboard',
      kind: 'counter',
      samples: [{ value: (user + system) / 1e6 }],
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of the dashboard',
      kind: 'gauge',
      samples: [{ value: process.memoryUsage.rss() }],
    },
  ];
}

function gauge(name: string, help: string, value: number | null): Measurement {
  return { name: `sct_${name}`, help, kind: 'gauge', samples: [{ value }] };
}

function counter(name: string, help: string, value: number | null): Measurement {
  return { name: `sct_${name}_total`, help, kind: 'counter', samples: [{ value: counted(value) }] };
}

function flag(value: unknown): number | null {
  return typeof value === 'boolean' ? Number(value) : null;
}

/** What can be a count; a job may have said anything. */
function counted(value: number | null): number | null {
  return value !== null && value >= 0 ? value : null;
}
