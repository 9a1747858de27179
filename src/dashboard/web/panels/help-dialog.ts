import { html, LitElement } from 'lit';
import { STATE_LOOKS, STATES } from '../draw/states.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['space', 'pause and go on: a replay, else the view (what comes is kept)'],
  ['s', 'save a screenshot of what is in sight'],
  ['c', 'open the form that starts a command; r: with record chosen'],
  ['x', 'stop what runs: the transmitter is silent, recordings are closed'],
  ['d', 'dark or light'],
  ['Esc', 'close the form or this help; let go of a pinned SFV'],
  [
    'arrows',
    'on bars, map and pictures (reached with Tab): go from block to block, or from SFV to SFV; Enter keeps it',
  ],
  [
    'replay',
    '. to the next burst, , to the one before; [ and ] begin and end the range here, l loops it; on the map arrows, page keys, Home and End seek (with Shift finely), a drag with Shift picks a range',
  ],
  ['?', 'this help'],
];

/** What keys do, and how to read the page. */
export class HelpDialog extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  open(): void {
    const dialog = this.querySelector('dialog');
    if (dialog && !dialog.open) dialog.showModal();
  }

  protected override render() {
    const close = () => this.querySelector('dialog')?.close();
    return html`<dialog aria-labelledby="sct-help-title"><h2 id="sct-help-title">Help</h2>
      <dl class="keys">${KEYS.map(([key, what]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>
      <h3>Who rides where</h3>
      <p>The picture is cut into regions (SFVs). What matters most rides on the resource blocks (RBs) with the best SNR. Point at a region, a bar, a block of
      the map or a row of the table: the others show what belongs to it. A click, or Enter in the table, keeps it.</p>
      <h3>What became of a region</h3>
      <ul class="states">${STATES.map((state) => html`<li class="key st-${state}"><i>${STATE_LOOKS[state].symbol}</i>${STATE_LOOKS[state].word}</li>`)}</ul>
      <p><button @click=${close} autofocus>Close</button></p></dialog>`;
  }
}

customElements.define('sct-help', HelpDialog);
