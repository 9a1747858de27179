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
  private wanted = '';

  protected body() {
    const lines: LogEvent[] = [];
    const words = this.wanted.toLowerCase();
    for (const event of store.log.newest()) {
      if (lines.length === SHOWN) break;
      const loud = this.least === 'note' || event.level !== 'note';
      if (loud && event.text.toLowerCase().includes(words)) lines.push(event);
    }
    if (lines.length === 0) {
      return html`<p class="empty">${store.log.length > 0 ? `None of ${store.log.length} events passes the filter.` : 'Nothing was said yet: notes and warnings of runs come here.'}</p>`;
    }
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
    const type = (event: Event) => {
      this.wanted = (event.target as HTMLInputElement).value;
      this.changed();
    };
    return html`<span class="tools"><input type="search" placeholder="filter" aria-label="Filter events" @input=${type} data-is="filter" /><label><input type="checkbox" @change=${choose} /> only warnings</label></span>`;
  }
}

customElements.define('sct-log', EventLogPanel);
