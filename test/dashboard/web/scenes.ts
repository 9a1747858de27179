import type { Feeder } from './feeder.ts';
import { burst, picture, run, sfvs, source, spectrum, status } from './made-run.ts';
import { video } from './made-video.ts';

/** REST of a server with two runs and a command to start. */
export async function furnish(feeder: Feeder): Promise<void> {
  const { rest } = feeder;
  const runs = ['awgn_wz1', 'eva_7t3'].map((end, i) => ({
    name: `2026-11-22T08-4${i}-20Z_demo-photo_${end}`,
    modifiedAt: '2026-11-22T08:42:24.000Z',
    manifest: {
      argv: ['sct', 'loopback', '--demo'],
      startedAt: `2026-11-22T08:4${i}:20.317Z`,
      exit: {
        state: 'ok',
        code: 0,
        message: i === 0 ? 'the picture arrived whole' : 'the picture is damaged: 1 arrived in part',
      },
    },
  }));
  rest.set('/api/runs', runs);
  const pictures = [(await picture('after')).bytes, (await picture('before')).bytes];
  runs.forEach((each, i) => {
    const metrics = {
      codec: 'integrated',
      channel: ['awgn', 'eva'][i],
      psnrDb: 29.75 - 2.5 * i,
      msSsim: 0.93,
      rbSnrDb: [3, 4 + i, 5],
    };
    rest.set(`/api/runs/${each.name}`, { ...each, metrics });
    rest.set(`/api/runs/${each.name}/files/received.png`, pictures[i]);
  });
  rest.set('/api/captures', [{ name: 'captures/clean', bytes: 1e6 }]);
  rest.set('/api/options/loopback', {
    type: 'object',
    properties: {
      demo: { type: 'boolean', description: 'use the demo photo', 'x-group': 'Picture' },
      codec: {
        type: 'string',
        enum: ['integrated', 'modular', 'classical'],
        default: 'integrated',
        'x-group': 'Codec',
      },
      'max-sfvs': {
        type: 'integer',
        minimum: 1,
        maximum: 255,
        description: 'most SFVs of a picture',
        'x-group': 'Codec',
      },
      snr: {
        type: 'number',
        minimum: -20,
        maximum: 60,
        default: 15,
        description: 'ensemble mean Es/N0 per occupied resource element',
        'x-group': 'Channel model',
      },
      channel: { type: 'string', enum: ['awgn', 'epa', 'eva'], default: 'awgn', 'x-group': 'Channel model' },
    },
  });
  for (const command of ['link', 'sound', 'record', 'receive', 'replay']) {
    rest.set(`/api/options/${command}`, { type: 'object', properties: { rx: { type: 'string' } }, required: ['rx'] });
  }
}

/** Everything that a page which comes late is given of a run with a picture. */
export async function pictureRun() {
  return [
    run(),
    status(7, { lostMin: 2048, lostMax: 4096, gaps: 1, clippedSamples: 12 }),
    ...Array.from({ length: 220 }, (_, n) => spectrum(n)),
    ...Array.from({ length: 60 }, (_, n) => burst(n + 50)),
    await source(),
    sfvs(),
    await picture('before'),
    await picture('after'),
    { topic: 'loss' as const, fromS: 6.2, toS: 6.22, min: 2048, max: 4096, exact: false },
    {
      topic: 'log' as const,
      level: 'note' as const,
      at: '2026-11-22T08:42:21.000Z',
      text: '4 soundings, then the picture',
    },
    {
      topic: 'log' as const,
      level: 'warning' as const,
      at: '2026-11-22T08:42:23.000Z',
      text: '2048 to 4096 samples were lost',
    },
  ];
}

/** A video that has gone on for some seconds, received in stages. */
export async function videoRun() {
  const queues = { samplesMs: 6.2, samplesShare: 0.12, bursts: 1, droppedBursts: 2, droppedSamples: 0 };
  return [
    run({ command: 'stream', commandLine: 'sct stream frames --to loopback', title: 'frames', directory: null }),
    status(7, { queued: null, queues }),
    ...Array.from({ length: 220 }, (_, n) => spectrum(n)),
    ...Array.from({ length: 60 }, (_, n) => burst(n + 50)),
    ...(await Promise.all(Array.from({ length: 240 }, (_, n) => video(n + 60)))),
  ];
}

/** The same for soundings: no picture, no SFVs. */
export function soundRun() {
  return [
    run({ command: 'sct sound --period=50', title: 'soundings', directory: null }),
    status(7),
    ...Array.from({ length: 220 }, (_, n) => spectrum(n)),
    ...Array.from({ length: 60 }, (_, n) => burst(2 * n)),
  ];
}
