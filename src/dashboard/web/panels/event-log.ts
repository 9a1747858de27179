import { html } from 'lit';
import type { LogEvent } from '../state/events.ts';
import { store } from '../state/store.ts';
import { Panel } from './panel.ts';

const SHOWN = 120;
const MARKS: Readonly<Record<LogEvent['level'], string>> = { note: '·', warning: '!', error: '✕' };

/** What the run says, newest on top. */
export class EventLogPanel extends Panel {
  protected readonly topics = ['log'] as const;
  protected readonly heading = 'Events';
  private least: LogEvent['level'] = 'note';

  protected body() {
    const lines: LogEvent[] = [];
    for (const event of store.log.newest()) {
      if (lines.length === SHOWN) break;
      if (this.least === 'note' || event.level !== 'note') lines.push(event);
    }
    if (lines.length === 0) return html`<p class="empty">Nothing to tell.</p>`;
    return html`<ol class="log" tabindex="0" aria-label="Events, newest first">${lines.map(
      ({ level, at, text }) =>
        html`<li class=${level}><time datetime=${at}>${at.slice(11, 19)}</time><i title=${level}>${MARKS[level]}</i><span>${level === 'note' ? '' : html`<span class="sr">${level}: </span>`}${text}</span></li>`,
    )}</ol>`;
  }

  protected override tools() {
    const choose = (event: Event) => {
      this.least = (event.target as HTMLInputElement).checked ? 'warning' : 'note';
      this.changed();
    };
    return html`<span class="tools"><label><input type="checkbox" @change=${choose} /> only warnings</label></span>`;
  }
}

customElements.define('sct-log', EventLogPanel);
