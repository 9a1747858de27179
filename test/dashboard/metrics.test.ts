import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { exposition } from '../../src/dashboard/prometheus.ts';
import { dashboard, get, page } from './helpers.ts';
import { type Family, parseExposition } from './prometheus-reader.ts';

describe('/metrics', async () => {
  const { server, controller, controlToken, readToken } = await dashboard();
  after(() => server.close());
  const read = async () => {
    const { headers, text } = await get(server, '/metrics', { Authorization: `Bearer ${readToken}` });
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    return parseExposition(text);
  };
  const value = (families: ReadonlyMap<string, Family>, name: string, labels: Record<string, string> = {}) => {
    const found = families.get(name)?.samples.find((s) => JSON.stringify(s.labels) === JSON.stringify(labels));
    return found?.value ?? null;
  };

  it('without a run: what the dashboard itself does, and nothing that is not known', async () => {
    const families = await read();
    assert.equal(value(families, 'sct_run_active'), 0);
    assert.equal(value(families, 'sct_dashboard_jobs_total'), 0);
    assert.equal(families.get('sct_samples_total'), undefined);
    assert.equal(families.get('sct_dashboard_clients')?.type, 'gauge');
    assert.ok(value(families, 'process_resident_memory_bytes')! > 1e6);
  });

  it('of a run: samples, losses, SNR of each subband, BLER and what else it told', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    controller.tell('run', { state: 'starting', command: 'loopback', runId: 'A "quoted"\\\nname', exitCode: null });
    controller.tell('status', {
      samples: 5e6,
      lostMin: 10,
      lostMax: 20,
      gaps: 2,
      clippedSamples: 7,
      underruns: 1,
      overruns: 3,
      rmsDbfs: -12.5,
      peakDbfs: null,
      cpu: 0.25,
      queued: 4,
      samplesPerS: 1e6,
      budget: { predictedSnrDb: 17 },
    });
    const snr = new Float32Array([10, 11.5, Number.NaN]);
    controller.tell('burst', { snrDb: 11, cfoHz: -1234.5, blocks: 8, blocksLost: 2 }, { subbandSnrDb: snr });
    controller.tell('burst', { snrDb: 12, cfoHz: -1230, blocks: 12, blocksLost: 3, evmDb: -20 }, { subbandSnrDb: snr });
    const families = await read();
    for (const [name, expected] of [
      ...([
        ['run_active', 1],
        ['samples_total', 5e6],
        ['gaps_total', 2],
        ['clipped_samples_total', 7],
      ] as const),
      ...([
        ['underruns_total', 1],
        ['overruns_total', 3],
        ['run_cpu_cores', 0.25],
        ['queued_blocks', 4],
      ] as const),
      ...([
        ['bursts_total', 2],
        ['blocks_total', 20],
        ['lost_blocks_total', 5],
        ['bler', 0.25],
      ] as const),
      ...([
        ['burst_snr_db', 12],
        ['burst_cfo_hz', -1230],
        ['level_rms_dbfs', -12.5],
        ['predicted_snr_db', 17],
      ] as const),
      ...([
        ['level_peak_dbfs', null],
        ['dashboard_job_active', 1],
        ['dashboard_frames_total', 4],
      ] as const),
    ]) {
      assert.equal(value(families, `sct_${name}`), expected, name);
    }
    assert.equal(value(families, 'sct_lost_samples_total', { bound: 'min' }), 10);
    assert.equal(value(families, 'sct_lost_samples_total', { bound: 'max' }), 20);
    assert.equal(value(families, 'sct_subband_snr_db', { subband: '1' }), 11.5);
    assert.ok(Number.isNaN(value(families, 'sct_subband_snr_db', { subband: '2' })));
    assert.equal(value(families, 'sct_dashboard_clients', { access: 'control' }), 1);
    assert.equal(families.get('sct_video_frames_total'), undefined, 'no video');
    assert.equal(families.get('sct_queued_bursts'), undefined, 'no stages');
    assert.equal(families.get('sct_run_info')?.samples[0].labels.run, 'A "quoted"\\\nname');
    assert.equal(families.get('sct_samples_total')?.type, 'counter');

    controller.end(130, 'stopped');
    const after = await read();
    assert.equal(value(after, 'sct_run_active'), 0);
    assert.equal(value(after, 'sct_run_exit_code'), 130);
    assert.equal(value(after, 'sct_dashboard_job_ends_total', { how: 'stopped' }), 1);
    first.socket.close();
  });

  it('of a video: frames by what became of them, latency; of a receiver in stages: what waits and what was left out', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    controller.tell('run', { state: 'starting', command: 'stream', runId: 'B', exitCode: null });
    const queues = { samplesMs: 12.5, samplesShare: 0.25, bursts: 3, droppedBursts: 2, droppedSamples: 1e4 };
    const clock = { offsetMs: -1.5, uncertaintyMs: 0.25, delayMs: 0.4 };
    const wayBack = { connected: true, connections: 1, sent: 3, received: 4, dropped: 0, lost: 5, refused: -1, clock };
    controller.tell('status', { samples: 1, queues, wayBack });
    const counts = { captured: 310, sent: 300, shown: 290, late: 6, lost: 4, dropped: null };
    controller.tell('video', { state: 'shown', counts, fps: 29.5, latencyP50Ms: 60, latencyP99Ms: 110 });
    const families = await read();
    for (const [name, expected, labels] of [
      ['video_frames_total', 290, { state: 'shown' }],
      ['video_frames_total', 6, { state: 'late' }],
      ['video_frames_total', null, { state: 'dropped' }],
      ['video_latency_ms', 110, { quantile: '0.99' }],
      ['video_fps', 29.5, {}],
      ['queued_samples_ms', 12.5, {}],
      ['queued_samples_share', 0.25, {}],
      ['queued_bursts', 3, {}],
      ['dropped_bursts_total', 2, {}],
      ['way_back_connected', 1, {}],
      ['way_back_messages_total', 5, { state: 'lost' }],
      ['peer_clock_offset_ms', -1.5, {}],
      ['peer_clock_uncertainty_ms', 0.25, {}],
      ['dropped_samples_total', 1e4, {}],
    ] as const) {
      assert.equal(value(families, `sct_${name}`, labels), expected, name);
    }
    controller.end(0);
    first.socket.close();
  });

  it('a job that tells anything else than numbers breaks nothing', async () => {
    const first = await page(server, controlToken);
    await first.ask({ do: 'start', command: 'loopback' });
    controller.tell('run', { state: 'starting', command: { toString: null }, runId: ['x'], exitCode: 'no' });
    controller.tell('status', { samples: '1e9\nsct_evil 1', lostMin: {}, budget: 'none', queues: 7 });
    controller.tell('video', { counts: 'many', fps: [30], latencyP50Ms: '1\nsct_evil 2' });
    controller.tell('burst', { blocks: 'many', blocksLost: -5 }, { subbandSnrDb: new Float32Array(5000) });
    const families = await read();
    assert.equal(families.get('sct_evil'), undefined);
    assert.ok(families.get('sct_subband_snr_db')!.samples.length <= 110);
    controller.end(0);
    first.socket.close();
  });
});

it('what a reader makes of any labels and values is what was written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string()), fc.double(), (labels, number) => {
      const text = exposition([{ name: 'x_y', help: 'a\\b\nc', kind: 'gauge', samples: [{ labels, value: number }] }]);
      const [sample] = parseExposition(text).get('x_y')!.samples;
      assert.deepEqual({ ...sample.labels }, { ...labels });
      assert.ok(Object.is(sample.value, number) || sample.value === number, `${sample.value} ${number}`);
    }),
  );
});
