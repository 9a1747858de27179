import { emptyMetrics } from '../../../src/experiment/metrics/metrics.ts';
import type { ReportData, ReportPicture } from '../../../src/experiment/report/data.ts';
import { encodeIndexedPng, pictureDataUri } from '../../../src/experiment/report/svg/indexed-png.ts';

function picture(level: number, file: string): ReportPicture {
  const palette = Uint8Array.of(level, level, level, 255);
  const png = encodeIndexedPng({ width: 4, height: 2, indices: new Uint8Array(8), palette });
  return { dataUri: pictureDataUri(png), width: 4, height: 2, alt: `grey ${level}`, file };
}

/** A small report with every section filled. */
export function sampleReport(): ReportData {
  const slots = 3;
  const subbands = 4;
  return {
    identification: {
      title: 'bridge.png',
      runId: '01KAKZ2P9M3V5N7Q8R0T1W2X3Y',
      time: '2026-11-21T22:00:00.000Z',
      command: 'sct loopback bridge.png --snr 15',
      codec: 'classical',
      codecDetail: 'AVIF quality 30, 4412 bytes',
      mapping: 'matched',
      channel: 'epa',
      snrDb: 15,
      seed: 1,
      numerology: '4 subbands, FFT 64',
      program: 'sct-testbed 0.1.0',
      facts: { impairments: 'CFO 12 kHz' },
    },
    metrics: {
      ...emptyMetrics('classical'),
      ok: true,
      mapping: 'matched',
      channel: 'epa',
      snrDb: 15,
      psnrDb: 31.25,
      msSsim: 0.9512,
      symbolsPerPixel: 0.1875,
      cbr: 0.0625,
      retransmissions: 1,
      bler: 0.25,
      outage: 0,
      evmDb: -14.2,
      cfoHz: -12345.6,
      csiAgeMs: 20,
      samples: 100_000,
      lostSamples: 0,
      clippedSamples: 2,
      timings: { encodeMs: 800, receiveMs: 700 },
      sfvs: [{ id: 0, label: 'sky', importance: 0.5, symbols: 10, rbs: [1, 2], snrDb: 14, state: 'received' }],
    },
    notMeasured: { lpips: 'no network was given' },
    pictures: {
      source: picture(90, 'source.png'),
      received: picture(100, 'received.png'),
      difference: picture(128, 'difference.png'),
    },
    bursts: [
      {
        kind: 'image 1 of 1',
        startSample: 1000,
        lengthSamples: 5000,
        header: { version: 1, burst: 7 },
        cfoHz: -12345.6,
        sfoPpm: 4.2,
        detection: 0.91,
        slots,
        evmDb: -14.2,
        snrDb: 14.9,
        suspect: null,
      },
    ],
    rbSnr: {
      subbands,
      meanDb: Float32Array.of(12, 18, -2, Number.NaN),
      standardErrorDb: Float32Array.of(0.2, 0.3, 0.5, Number.NaN),
      modulation: ['16-QAM', '64-QAM', 'QPSK', null],
      reportedDb: Float32Array.of(12.25, 17.5, -1.5, -10),
      reportAgeMs: 20,
      slots,
      perRbDb: Float32Array.from({ length: slots * subbands }, (_, i) => i),
      thresholds: [{ modulation: '16-QAM', snrDb: 8.5 }],
    },
    constellations: [
      { modulation: 'QPSK', reIm: [0.7, 0.7, -0.7, 0.7], idealReIm: [0.6, 0.6], evmDb: -15 },
      { modulation: 'analog', reIm: [0.1, 2], idealReIm: [], evmDb: null },
    ],
    channel: {
      frequencyHz: [-30e3, 0, 30e3],
      magnitudeDb: [1, Number.NaN, -3],
      phaseRad: [0.1, Number.NaN, -2],
      delayS: [0, 1e-6, 2e-6],
      impulseDb: [0, -10, -30],
      cpWindowS: [0, 4.7e-6],
    },
    phaseTracks: [{ label: 'image 1', timeS: [0, 0.001], phaseRad: [0, 0.1] }],
    waterfall: {
      rows: 2,
      columns: 16,
      levels: new Uint8Array(32),
      rangeDb: [-60, -20],
      timeS: [0, 0.01],
      frequencyHz: [-480e3, 480e3],
    },
    blocks: [
      {
        block: 0,
        what: 'file',
        bytes: 1000,
        modulation: '16-QAM',
        rate: 0.5,
        effectiveSnrDb: 11,
        iterations: 4,
        attempts: 2,
        state: 'ok',
      },
      {
        block: 1,
        what: 'file',
        bytes: 1000,
        modulation: 'QPSK',
        rate: 0.3,
        effectiveSnrDb: null,
        iterations: null,
        attempts: 4,
        state: 'lost',
      },
    ],
    budget: {
      pixels: 8,
      payload: 6,
      sideInfo: 1,
      control: 2,
      padding: 0,
      retransmissions: 3,
      preamble: 4,
      pilots: 5,
      sounding: 6,
      reverse: 0,
    },
    warnings: [],
    rateHz: 960e3,
    manifest: { schema: 'sct.run/1' },
  };
}

/** The same run with nothing received: only the identification and the source are left. */
export function emptyReport(): ReportData {
  const full = sampleReport();
  return {
    ...full,
    metrics: emptyMetrics('classical'),
    pictures: { source: full.pictures.source, received: null, difference: null },
    bursts: [],
    rbSnr: null,
    constellations: [],
    channel: null,
    phaseTracks: [],
    waterfall: null,
    blocks: [],
    budget: null,
    manifest: null,
  };
}
