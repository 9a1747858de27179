import { html } from 'lit';
import { count, DASH, fixed, hertz, mean, unit } from '../draw/format.ts';
import { mappedBurst } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';
import { floorOf } from './spectrum.ts';

/** From the transmitter's gain to what is left of the SNR: what was set, what was measured, what was promised. */
export class LinkBudgetPanel extends Panel {
  protected readonly topics = ['status', 'burst', 'spectrum', 'run'] as const;
  protected readonly heading = 'Link budget';

  protected body() {
    const { run, status } = store;
    const burst = mappedBurst();
    const spectrum = store.spectra.fromEnd(0);
    const floor = spectrum ? floorOf(spectrum.meanDbfs) : null;
    const promised = burst && burst.reportedDb.length > 0 ? mean(burst.reportedDb) : null;
    const measured = burst ? mean(burst.subbandSnrDb) : null;
    const gap = promised === null || measured === null ? null : measured - promised;
    const rows: (readonly [string, string, string])[] = [
      ['frequency', run ? (run.frequencyHz === null ? 'baseband' : hertz(run.frequencyHz)) : DASH, 'frequency'],
      ['channel', run ? (run.channel ?? (run.modelled ? 'modelled' : 'on the air')) : DASH, 'channel'],
      ['TX gains', gainsText(status?.txGainsDb), 'tx-gains'],
      ['RX gains', gainsText(status?.rxGainsDb), 'rx-gains'],
      ['RX level', levels(status?.rmsDbfs, status?.peakDbfs), 'rx-level'],
      ['noise floor', unit(floor, 1, 'dBFS a bin'), 'floor'],
      ['SNR promised', unit(promised, 1, 'dB'), 'promised'],
      ['SNR measured', unit(measured, 1, 'dB'), 'measured'],
      ['measured − promised', unit(gap, 1, 'dB'), 'gap'],
      ['CSI age', unit(burst?.csiAgeMs, 1, 'ms'), 'csi-age'],
      ['CFO, SFO', burst ? `${hertz(burst.cfoHz)}, ${unit(burst.sfoPpm, 2, 'ppm')}` : DASH, 'offsets'],
      ['codec, mapping', run ? [run.codec, run.mapping].filter(Boolean).join(', ') || DASH : DASH, 'codec'],
      ['samples', count(status?.samples), 'samples'],
      [
        'OFDM',
        run ? `${run.fftSize} points, ${run.subbands} subbands, ${fixed(run.modemRateHz / 1e6, 2)} Msps` : DASH,
        'ofdm',
      ],
    ];
    return html`<dl class="facts">${rows.map(([name, value, is]) => html`<div><dt>${name}</dt><dd data-is=${is}>${value}</dd></div>`)}</dl>`;
  }
}

export function gainsText(gains: Readonly<Record<string, number>> | null | undefined): string {
  if (!gains) return DASH;
  const parts = Object.entries(gains).map(([name, db]) => `${name} ${fixed(db, 0)}`);
  return parts.length > 0 ? `${parts.join(', ')} dB` : DASH;
}

function levels(rms: number | null | undefined, peak: number | null | undefined): string {
  if (rms === null || rms === undefined) return DASH;
  return `${fixed(rms)} rms, ${fixed(peak)} peak dBFS`;
}

customElements.define('sct-budget', LinkBudgetPanel);
