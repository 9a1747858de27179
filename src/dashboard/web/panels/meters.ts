import { html, svg, type TemplateResult } from 'lit';
import { bytes, count, DASH, fixed, hertz, unit } from '../draw/format.ts';
import type { StatusEvent } from '../state/events.ts';
import { store } from '../state/store.ts';
import { gainsText } from './link-budget.ts';
import { levelUnit } from './spectrum.ts';

/** A meter of the strip: name, value, its name for tests, bad or warn, what it means. */
export type Meter = readonly [string, string, string, string?, string?];

/** Of one core; less free space than this is worth a warning, bytes; blocks that wait. */
const BUSY = 0.9;
const LITTLE_SPACE = 2e9;
const LONG_QUEUE = 50;
/** A receiver's samples that wait, as a share of their room, beyond which some may soon be left out. */
const NEARLY_FULL = 0.75;
/** Ends of the level meter, dB. */
const LOWEST = -60;
const HIGHEST = 6;

/** Counters and levels of the stream; what this run cannot have is left out or says why. */
export function meters(): Meter[] {
  const { run, status } = store;
  const modelled = run?.modelled === true;
  const out: Meter[] = [
    ['lost samples', lostText(status), 'lost', status && status.lostMax > 0 ? 'bad' : '', lostWhy(status)],
    [
      'over-, underruns',
      status ? `${count(status.overruns)}, ${count(status.underruns)}` : DASH,
      'runs-over',
      status && status.overruns + status.underruns > 0 ? 'bad' : '',
      'overruns: received samples that the host did not take in time; underruns: transmitted samples that came too late',
    ],
    [
      'clipped',
      count(status?.clippedSamples),
      'clipped',
      status && status.clippedSamples > 0 ? 'warn' : '',
      'samples at full scale of the converter',
    ],
  ];
  if (modelled) out.push(['gains', 'modelled', 'rx-gain', '', 'a modelled channel has no board and no gains']);
  else {
    out.push(['RX gain', gainsText(status?.rxGainsDb), 'rx-gain']);
    out.push(['TX gain', gainsText(status?.txGainsDb), 'tx-gain']);
  }
  out.push([
    'LO offset',
    run ? hertz(run.loOffsetHz) : DASH,
    'lo-offset',
    '',
    'from the centre of the signal to the local oscillator',
  ]);
  out.push([
    'rate',
    status ? `${fixed(status.samplesPerS / 1e6, 2)} MS/s` : DASH,
    'rate',
    '',
    'samples taken in a second',
  ]);
  if (status && status.bytesPerS !== null && !modelled) {
    out.push(['USB', `${fixed(status.bytesPerS / 1e6, 1)} MB/s`, 'usb', '', 'bytes from and to the boards']);
  }
  out.push([
    'CPU',
    status ? `${fixed(100 * status.cpu, 0)} %` : DASH,
    'cpu',
    status && status.cpu > BUSY ? 'warn' : '',
    "of one core, the run's process; a modelled run takes what it gets",
  ]);
  const { queues = null } = status ?? {};
  if (queues) {
    const { droppedBursts, droppedSamples } = queues;
    out.push([
      'left out',
      leftOutText(droppedBursts, droppedSamples),
      'left-out',
      droppedBursts + droppedSamples > 0 ? 'bad' : '',
      'by a receiver that could not follow: whole bursts, and samples for which there was no room',
    ]);
  }
  if (status && status.queued !== null && !queues) {
    out.push([
      'queue',
      count(status.queued),
      'queue',
      status.queued > LONG_QUEUE ? 'warn' : '',
      'blocks that wait to be received',
    ]);
  }
  if (status && status.temperatureC !== null) out.push(['board', unit(status.temperatureC, 1, '°C'), 'temperature']);
  const free = status?.diskFreeBytes ?? null;
  if (free !== null)
    out.push(['disk free', bytes(free), 'disk', free < LITTLE_SPACE ? 'bad' : '', 'where this run is kept']);
  return out;
}

function leftOutText(bursts: number, samples: number): string {
  const said = [
    ...(bursts > 0 ? [`${count(bursts)} ${bursts === 1 ? 'burst' : 'bursts'}`] : []),
    ...(samples > 0 ? [`${count(samples)} samples`] : []),
  ];
  return said.length > 0 ? said.join(', ') : '0';
}

function lostText(status: StatusEvent | null): string {
  if (!status) return DASH;
  const { lostMin, lostMax } = status;
  return lostMin === lostMax ? count(lostMax) : `${count(lostMin)} to ${count(lostMax)}`;
}

function lostWhy(status: StatusEvent | null): string {
  if (!status || status.gaps === 0) return 'no gap in the stream';
  return `in ${status.gaps} ${status.gaps === 1 ? 'gap' : 'gaps'}; a board without counters gives a range`;
}

/** What waits between the stages of the receiver: a bar for the samples against their room, and bursts. Nothing where there are no stages. */
export function queueMeter(): TemplateResult | string {
  const queues = store.status?.queues ?? null;
  if (!queues) return '';
  const { samplesMs, samplesShare, bursts } = queues;
  const share = Math.max(0, Math.min(1, samplesShare));
  const waiting = `${unit(samplesMs, samplesMs < 10 ? 1 : 0, 'ms')}, ${count(bursts)} ${bursts === 1 ? 'burst' : 'bursts'}`;
  const about = 'samples that wait to be demodulated, of the room for them, and bursts that wait to be decoded';
  return html`<div class="level queues" title=${about}><dt>queues</dt><dd><svg viewBox="0 0 100 12" preserveAspectRatio="none" class=${share > NEARLY_FULL ? 'hot' : ''} role="img" aria-label="Queue of samples: ${fixed(100 * share, 0)} % full">
    <rect class="room" width="100" height="12"></rect><rect class="rms" width=${100 * share} y="2" height="8"></rect></svg>
    <span data-is="queues">${waiting}</span></dd></div>`;
}

/** Root mean square as a bar and the peak as a line; a mark stands at full scale, which floats of a model do not have. */
export function levelMeter(): TemplateResult {
  const { status } = store;
  const { rmsDbfs: rms = null, peakDbfs: peak = null, clippedSamples = 0 } = status ?? {};
  const scaled = levelUnit() === 'dBFS';
  const x = (db: number | null) => 100 * Math.max(0, Math.min(1, ((db ?? LOWEST) - LOWEST) / (HIGHEST - LOWEST)));
  const hot = scaled && clippedSamples > 0 && peak !== null && peak > -1;
  const about = scaled
    ? `rms and peak against full scale; ${count(clippedSamples)} samples clipped`
    : 'rms and peak against a mean power of 1: floats have no full scale and do not clip';
  return html`<div class="level" title=${about}><dt>level, peak</dt><dd><svg viewBox="0 0 100 12" preserveAspectRatio="none" class=${hot ? 'hot' : ''} role="img" aria-label="Level ${fixed(rms)} ${levelUnit()}, peak ${fixed(peak)} ${levelUnit()}">
    <rect class="room" width="100" height="12"></rect><rect class="rms" width=${x(rms)} y="2" height="8"></rect>
    ${scaled ? svg`<rect class="full" x=${x(0)} width="0.7" height="12"></rect>` : ''}<rect class="peak" x=${Math.max(0, x(peak) - 1)} width="1.5" height="12"></rect></svg>
    <span data-is="level">${fixed(rms)}, ${fixed(peak)} ${levelUnit()}</span></dd></div>`;
}
