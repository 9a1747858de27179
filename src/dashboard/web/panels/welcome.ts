import { html, type TemplateResult } from 'lit';
import { act } from '../state/actions.ts';
import { connection } from '../state/connection.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

/** In the place of all panels while nothing was ever run: what there is to do. */
export class WelcomePanel extends Panel {
  protected readonly topics = ['run', 'connection'] as const;
  protected readonly heading = 'Nothing runs';
  override readonly alwaysLive = true;

  override changed(): void {
    this.hidden = store.run !== null;
    super.changed();
  }

  protected body(): TemplateResult {
    const { state, access, job } = connection;
    if (state === 'refused')
      return html`<p>Open the address that <kbd>sct dashboard</kbd> printed: it holds the token.</p>`;
    if (state !== 'open') return html`<p>Not connected yet.</p>`;
    if (job !== null) return html`<p>${job} is starting …</p>`;
    if (access !== 'control') {
      return html`<p>This address only watches. What somebody starts with the control address is seen here as it happens; runs that are kept are below.</p>`;
    }
    const open = (command: string) => () =>
      this.dispatchEvent(new CustomEvent('sct-open-control', { bubbles: true, detail: command }));
    return html`<p>Send a picture over a modelled channel: no radio, nothing to set up. Radios, recordings and all options are in the form.</p>
      <p class="go"><button class="go" @click=${() => act('start', { command: 'loopback', options: { demo: true } })} data-is="demo">Loopback with the demo photo</button>
        <button @click=${open('link')}>Link with radios …</button><button @click=${open('sound')}>Sound a channel …</button>
        <button @click=${open('monitor')}>Monitor a band …</button>
        <button @click=${open('record')}>Record …</button><button @click=${open('replay')}>Replay …</button></p>`;
  }
}

customElements.define('sct-welcome', WelcomePanel);
