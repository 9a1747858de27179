import { html } from 'lit';
import { count, DASH, fixed } from '../draw/format.ts';
import { STATE_LOOKS } from '../draw/states.ts';
import { blocksOf, hover, pin, selection, sfvColour } from '../state/selection.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** Every SFV, most important first: also the way to highlight one without a pointer. */
export class SfvTablePanel extends Panel {
  protected readonly topics = ['source', 'sfvs', 'burst', 'selection', 'run'] as const;
  protected readonly heading = 'SFVs';

  protected override figures() {
    const { source } = store;
    return source && source.sfvs.length > 0
      ? html`<p class="read"><span>semantic feature vectors, what matters most first</span></p>`
      : '';
  }

  protected body() {
    const sfvs = listed();
    if (sfvs.length === 0) return html`<p class="empty">${emptyWords()}</p>`;
    const outcomes = new Map((store.sfvs?.sfvs ?? []).map((sfv) => [sfv.id, sfv]));
    const chosen = selection().sfv;
    return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of SFVs"><table><thead><tr><th>SFV</th><th>label</th><th class="n">importance</th><th class="n">symbols</th><th class="n">RBs</th><th class="n">SNR, dB</th><th>state</th></tr></thead>
      <tbody>${sfvs.map(({ id, label, importance, symbols }) => {
        const outcome = outcomes.get(id);
        const state = outcome?.state ?? 'waiting';
        const show = () => hover({ sfv: id, rb: null });
        return html`<tr class=${chosen === id ? 'chosen' : ''} data-sfv=${id} @pointerenter=${show} @pointerleave=${() => hover(null)}>
          <td><button class="link" aria-pressed=${chosen === id} @focus=${show} @blur=${() => hover(null)} @click=${() => pin({ sfv: id, rb: null })}>
            <svg width="11" height="11" aria-hidden="true"><rect width="11" height="11" rx="3" fill=${sfvColour(id)}></rect></svg> ${id}</button></td>
          <td>${label}</td><td class="n">${importance === null ? DASH : `${fixed(100 * importance)} %`}</td><td class="n">${count(symbols)}</td>
          <td class="n">${outcome?.rbs || blocksOf(id).length || '—'}</td><td class="n">${fixed(outcome?.snrDb)}</td>
          <td class="key st-${state}"><i>${STATE_LOOKS[state].symbol}</i>${STATE_LOOKS[state].word}</td></tr>`;
      })}</tbody></table></div>`;
  }
}

interface Listed {
  readonly id: number;
  readonly label: string;
  readonly importance: number | null;
  readonly symbols: number | null;
}

/** As the source says, what matters most first; where it was not told, those of which something came. */
function listed(): Listed[] {
  const sent = [...(store.source?.sfvs ?? [])].sort((a, b) => b.importance - a.importance);
  if (sent.length > 0) return sent;
  return (store.sfvs?.sfvs ?? []).map(({ id }) => ({ id, label: DASH, importance: null, symbols: null }));
}

function emptyWords(): string {
  if (!store.source) return 'Listed once the picture is cut.';
  return store.run?.codec === 'classical'
    ? 'The classical codec sends an image file as a whole: there are no SFVs.'
    : 'Not cut into SFVs yet.';
}

customElements.define('sct-sfvs', SfvTablePanel);
