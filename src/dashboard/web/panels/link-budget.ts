import { html } from 'lit';
import { count, DASH, fixed, hertz, linearMeanDb, unit } from '../draw/format.ts';
import type { BurstTelemetry, RunEvent, StatusEvent } from '../state/events.ts';
import { mappedBurst } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';
import { floorOf, levelUnit } from './spectrum.ts';
import { type Row, wayBackRows } from './way-back.ts';

const BASIS = {
  calibrated: 'by the calibration of these boards',
  typical: 'assumed: typical values of the boards, not calibrated',
} as const;

/** From the transmitter's power to what is left of the SNR: what was set, what was assumed, what was measured, what was promised. */
export class LinkBudgetPanel extends Panel {
  protected readonly topics = ['status', 'burst', 'spectrum', 'run'] as const;
  protected readonly heading = 'Link budget';

  protected override figures() {
    const { run, status } = store;
    const basis = status?.budget?.basis;
    const words = basis ? BASIS[basis] : run?.modelled ? 'a modelled channel has no dBm' : '';
    return html`<p class="read" data-is="basis">${words}</p>`;
  }

  protected body() {
    const { run, status } = store;
    const rows = [
      ...powerRows(status),
      // Without a modem there is no signal that could stand out of the noise.
      ...(run?.fftSize === 0 ? [] : snrRows(status, mappedBurst())),
      ...wayBackRows(status?.wayBack ?? null),
      ...runRows(run, status),
    ];
    return html`<dl class="facts" tabindex="0" aria-label="Link budget">${rows.map(
      ([name, value, is, why]) =>
        html`<div class=${is === 'gap' ? 'sum' : ''} title=${why ?? ''}><dt>${name}</dt><dd data-is=${is}>${value}</dd></div>`,
    )}</dl>`;
  }
}

function powerRows(status: StatusEvent | null): Row[] {
  const budget = status?.budget ?? null;
  const spectrum = store.spectra.fromEnd(0);
  const level = levelUnit();
  const rows: Row[] = [];
  if (budget?.txDbm != null)
    rows.push(['TX power', unit(budget.txDbm, 1, 'dBm'), 'tx-dbm', 'mean power of a burst at the connector']);
  if (budget?.pathLossDb != null) {
    const from = budget.pathLossFrom === 'cable' ? ', cable' : budget.pathLossFrom === 'measured' ? ', measured' : '';
    rows.push(['path loss', `${unit(budget.pathLossDb, 1, 'dB')}${from}`, 'path-loss']);
  }
  const rx = [unit(budget?.rxDbm, 1, 'dBm'), unit(budget?.rxDbfs ?? status?.rmsDbfs, 1, level)];
  rows.push(['RX power', known(rx), 'rx-level', 'mean power of a burst, at the connector and at the converter']);
  const floor = unit(spectrum ? floorOf(spectrum.meanDbfs) : null, 1, `${level} a bin`);
  const noise = [unit(budget?.noiseDbm, 1, 'dBm'), unit(budget?.noiseDbfs, 1, level)];
  rows.push(['noise in band', known(noise), 'noise', 'between bursts, in the band of the signal']);
  if (budget?.noiseDbfs == null) rows.push(['noise floor', floor, 'floor', 'a tenth of the bins is below it']);
  return rows;
}

function snrRows(status: StatusEvent | null, burst: BurstTelemetry | undefined): Row[] {
  const budget = status?.budget ?? null;
  const reported = burst && burst.reportedDb.length > 0 ? linearMeanDb(burst.reportedDb) : null;
  const measured = budget?.measuredSnrDb ?? (burst ? linearMeanDb(burst.subbandSnrDb) : null);
  const predicted = budget?.predictedSnrDb ?? null;
  const promised = predicted ?? reported;
  const gap = promised === null || measured === null ? null : measured - promised;
  return [
    [
      'SNR predicted',
      unit(predicted, 1, 'dB'),
      'predicted',
      'linear mean of the band, from power, path and noise figure; in a model what was asked for',
    ],
    [
      'SNR by the CSI report',
      unit(reported, 1, 'dB'),
      'promised',
      'linear mean of what the report said of the subbands',
    ],
    [
      'SNR measured',
      unit(measured, 1, 'dB'),
      'measured',
      'linear mean of the subbands of the last burst; RB SNR shows the mean of their dB, which fading makes smaller',
    ],
    [`measured − ${predicted === null ? 'reported' : 'predicted'}`, signed(gap), 'gap'],
    ['age of the CSI report', unit(burst?.csiAgeMs, 1, 'ms'), 'csi-age'],
  ];
}

function runRows(run: RunEvent | null, status: StatusEvent | null): Row[] {
  if (!run) return [];
  const { frequencyHz, modelled } = run;
  const gains = modelled ? 'none: modelled' : `TX ${gainsText(status?.txGainsDb)}; RX ${gainsText(status?.rxGainsDb)}`;
  return [
    ['frequency', frequencyHz === null ? 'baseband' : hertz(frequencyHz), 'frequency'],
    ['channel', run.channel ?? (modelled ? 'modelled' : 'on the air or a cable'), 'channel'],
    ['gains', gains, 'gains'],
    ...modemRows(run),
    ['samples', count(status?.samples), 'samples'],
  ];
}

function modemRows({ fftSize, subbands, modemRateHz, codec, mapping, mappingReason }: RunEvent): Row[] {
  const rate = `${fixed(modemRateHz / 1e6, 2)} Msps`;
  if (fftSize === 0) return [['sample rate', rate, 'rate']];
  return [
    ['codec, mapping', [codec, mapping].filter(Boolean).join(', ') || DASH, 'codec', mappingReason ?? undefined],
    ['OFDM', `${fftSize} points, ${subbands} subbands, ${rate}`, 'ofdm'],
  ];
}

function known(values: readonly string[]): string {
  return values.filter((value) => value !== DASH).join(', ') || DASH;
}

function signed(db: number | null): string {
  return db !== null && db > 0 ? `+${unit(db, 1, 'dB')}` : unit(db, 1, 'dB');
}

export function gainsText(gains: Readonly<Record<string, number>> | null | undefined): string {
  if (!gains) return DASH;
  const parts = Object.entries(gains).map(([name, db]) => `${name} ${fixed(db, 0)}`);
  return parts.length > 0 ? `${parts.join(', ')} dB` : DASH;
}

customElements.define('sct-budget', LinkBudgetPanel);
