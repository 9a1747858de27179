/**
 * Writes docs/results.md and its plots from the JSON files in bench/results, so that page and measurements cannot part.
 *
 *   node --import tsx bench/results-page.ts [--check]
 *
 * --check writes nothing and fails when the page differs from what the files say.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ModelsReport } from '../src/experiment/bench/models/models.ts';
import { MODEM_BENCH_SCHEMA, type RequirementsReport } from '../src/experiment/bench/modem/requirements.ts';
import { SEMANTICS_SCHEMA, type SemanticsReport } from '../src/experiment/bench/semantics/report.ts';
import type { SpeedReport } from '../src/experiment/bench/speed/modem-speed.ts';
import { SPEED_SCHEMA, type WholeSpeedReport } from '../src/experiment/bench/speed/speed.ts';
import { type DashboardResult, dashboardChapter } from './chapters/dashboard.ts';
import { growthChapter, growthPlots } from './chapters/growth.ts';
import {
  type FftResult,
  type KernelsResult,
  kernelsChapter,
  type LdpcPeerResult,
  ldpcPeerPlot,
} from './chapters/kernels.ts';
import {
  kodakChapter,
  type LinkResult,
  type PowerLoadingResult,
  powerLoadingChapter,
  seedsChapter,
} from './chapters/link.ts';
import { modelsChapter, modelsPlots } from './chapters/models.ts';
import { modemChapter, modemPlots, type TraceResult } from './chapters/modem.ts';
import {
  type AdaptationResult,
  type AnalogResult,
  adaptationChapter,
  adaptationPlot,
  analogChapter,
  type EstimatorsResult,
  estimatorsChapter,
  type LdpcBlerResult,
  type LdpcSpeedResult,
  type LdpcVectorsResult,
  ldpcChapter,
} from './chapters/phy.ts';
import { type ClientsResult, type RadiosResult, radiosChapter } from './chapters/radios.ts';
import { type LastFrameResult, type MeasuredRuns, realTimeChapter } from './chapters/real-time.ts';
import { semanticsChapter, semanticsPlots } from './chapters/semantics.ts';
import { speedChapter, speedPlot } from './chapters/speed.ts';
import { contents, summaryChapter } from './chapters/summary.ts';
import { sweepsChapter } from './chapters/sweeps.ts';
import { SWEEP_BENCH_SCHEMA, type SweepBenchReport } from './sweep/report.ts';
import { SWEEP_NATS_SCHEMA, type SweepNatsReport } from './sweep-nats/report.ts';

const root = join(import.meta.dirname, '..');
const PAGE = join(root, 'docs/results.md');

function read<T>(name: string): T | null {
  const path = join(root, 'bench/results', name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : null;
}

/** Files that an earlier program wrote are left out until they are made anew. */
function ofSchema<T extends { schema: string }>(value: T | null, schema: string): T | null {
  return value?.schema === schema ? value : null;
}

const seeds = [6, 15, 25, 50].map((n) => read<LinkResult>(`link-seeds-${n}.json`)).filter((r) => r !== null);
const kodak = read<LinkResult>('link-kodak.json');
const powerLoading = read<PowerLoadingResult>('power-loading.json');
const ldpcVectors = read<LdpcVectorsResult>('ldpc-vectors.json');
const modem = ofSchema(read<RequirementsReport>('modem.json'), MODEM_BENCH_SCHEMA);
const trace = read<TraceResult>('trace.json');
const ldpcBler = read<LdpcBlerResult>('ldpc-bler.json');
const ldpcSpeed = read<LdpcSpeedResult>('ldpc-speed.json');
const adaptation = read<AdaptationResult>('adaptation.json');
const modemSpeed = read<SpeedReport>('modem-speed.json');
const wholeSpeed = ofSchema(read<WholeSpeedReport>('speed.json'), SPEED_SCHEMA);
const kernels = read<KernelsResult>('kernels.json');
const fft = read<FftResult>('fft.json');
const ldpcPeer = read<LdpcPeerResult>('ldpc-peer.json');
const realTime = ofSchema(read<MeasuredRuns>('realtime.json'), 'sct.bench.realtime/1');
const video = ofSchema(read<MeasuredRuns>('video.json'), 'sct.bench.video/1');
const lastFrame = read<LastFrameResult>('last-frame.json');
const estimators = read<EstimatorsResult>('estimators.json');
const analog = read<AnalogResult>('analog.json');
const speed = read<{ lines: string[] }>('loopback-speed.json');
const boards = read<{ lines: string[] }>('boards.json');
const radios = read<RadiosResult>('radios.json');
const dashboard = read<DashboardResult>('dashboard.json');
const models = read<ModelsReport>('models.json');
const sweep = ofSchema(read<SweepBenchReport>('sweep.json'), SWEEP_BENCH_SCHEMA);
const sweepNats = ofSchema(read<SweepNatsReport>('sweep-nats.json'), SWEEP_NATS_SCHEMA);
const semantics = ofSchema(read<SemanticsReport>('semantics.json'), SEMANTICS_SCHEMA);

/** The whole link first, then the networks, then the modem and its parts. */
const chapters = [
  semantics && semanticsChapter(semantics),
  seeds.length > 0 && seedsChapter(seeds),
  powerLoading && powerLoadingChapter(powerLoading),
  kodak && kodakChapter(kodak),
  boards && ['## Captures like a HackRF and like a Pluto', boards.lines.join('\n')].join('\n\n'),
  radios && radiosChapter(radios, read<ClientsResult>('radios-clients.json')),
  dashboard && dashboardChapter(dashboard),
  (sweep || sweepNats) && sweepsChapter(sweep, sweepNats),
  speed && ['## Time and memory of one photo', speed.lines.join('\n')].join('\n\n'),
  models && modelsChapter(models),
  adaptation && adaptationChapter(adaptation),
  modem && modemChapter(modem, trace),
  estimators && estimatorsChapter(estimators),
  analog && analogChapter(analog),
  (ldpcVectors || ldpcBler || ldpcSpeed) && ldpcChapter(ldpcVectors, ldpcBler, ldpcSpeed),
  (realTime || video || lastFrame) && realTimeChapter(realTime, video, lastFrame),
  modemSpeed && speedChapter(modemSpeed),
  wholeSpeed && growthChapter(wholeSpeed),
  (kernels || fft || ldpcPeer) && kernelsChapter(kernels, fft, ldpcPeer),
].filter((p): p is string => typeof p === 'string');
const body = chapters.join('\n\n');
const page = `${[
  '# Results',
  'Every table was written by `node --import tsx bench/results-page.ts` from the JSON files in `bench/results`; the commands that made those stand with each. All of it is simulated: nothing has been on the air. Definitions: [metrics.md](metrics.md). Reports of whole sweeps, with figures for print: [results/](results/README.md).',
  'Where something was asked, a row says what came of it: **met**; **missed**, the limit lies outside the whole interval; **open**, the value is beyond the limit, its interval not wholly; **short**, a target beyond the limit that was not reached. Intervals are 95 %.',
  summaryChapter({
    seeds,
    kodak,
    powerLoading,
    models,
    modem,
    ldpcBler,
    modemSpeed,
    wholeSpeed,
    fft,
    ldpcPeer,
    realTime,
    video,
  }),
  `## Contents\n\n${contents(body)}`,
  body,
].join('\n\n')}\n`;

const plots = [
  ...(semantics ? semanticsPlots(semantics) : []),
  ...(models ? modelsPlots(models) : []),
  ...(modem ? modemPlots(modem) : []),
  ...(adaptation ? [adaptationPlot(adaptation)] : []),
  ...(modemSpeed ? [speedPlot(modemSpeed)] : []),
  ...(wholeSpeed ? growthPlots(wholeSpeed) : []),
  ...(ldpcPeer ? [ldpcPeerPlot(ldpcPeer)] : []),
];
const files = [
  { path: PAGE, text: page },
  ...plots.map((p) => ({ path: join(root, 'docs/images', p.file), text: `${p.svg}\n` })),
];
for (const { path, text } of files) {
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    process.stderr.write(`${relative(root, path)} differs from bench/results: run bench/results-page.ts\n`);
    process.exitCode = 8;
  }
}
