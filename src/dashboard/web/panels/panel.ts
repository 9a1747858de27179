import { html, LitElement, type TemplateResult } from 'lit';
import { type Drawable, loop } from '../draw/loop.ts';
import { type Change, store } from '../state/store.ts';

/** Words change four times a second at most, those of all panels at once: nobody reads faster, and laying a page out is dear. */
const TEXT_PERIOD_MS = 250;
const toSay = new Set<LitElement>();
let saidAtMs = 0;
let timer: number | undefined;

function saySoon(panel: LitElement): void {
  toSay.add(panel);
  if (timer === undefined) timer = setTimeout(say, Math.max(0, saidAtMs + TEXT_PERIOD_MS - performance.now()));
}

function say(): void {
  timer = undefined;
  saidAtMs = performance.now();
  for (const panel of toSay) panel.requestUpdate();
  toSay.clear();
}

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) (target as Panel).see(isIntersecting);
});

/**
 * A part of the page that shows what the store knows. It is painted when one of its topics has changed and it can be seen; a fault in it is said in
 * its place and stops nothing else. Its markup is in the page itself (no shadow), so that one style sheet serves all.
 */
export abstract class Panel extends LitElement implements Drawable {
  dirty = true;
  visible = false;
  readonly alwaysLive: boolean = false;
  /** Times that it was painted. */
  painted = 0;
  private fault: string | null = null;
  private leave: (() => void) | null = null;

  /** What it shows. */
  protected abstract readonly topics: readonly Change[];
  protected abstract readonly heading: string;
  protected abstract body(): TemplateResult;

  /** Paints its canvases; called only when they are in the page. */
  protected draw(_nowMs: number): void {}

  /** Beside the heading. */
  protected figures(): TemplateResult | string {
    return '';
  }

  /** To the right of the heading. */
  protected tools(): TemplateResult | string {
    return '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.leave = store.on([...this.topics, 'theme'], () => this.changed());
    loop.add(this);
    seen.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave?.();
    loop.remove(this);
    seen.unobserve(this);
  }

  see(visible: boolean): void {
    this.visible = visible;
    if (visible && this.dirty) loop.wake();
  }

  changed(): void {
    this.dirty = true;
    if (this.visible) loop.wake();
  }

  paint(nowMs: number): void {
    if (!this.hasUpdated) {
      this.dirty = true;
      return;
    }
    this.painted++;
    try {
      this.draw(nowMs);
      if (this.fault !== null) {
        this.fault = null;
        this.requestUpdate();
      }
    } catch (error) {
      this.fail(error);
    }
    saySoon(this);
  }

  protected override render(): TemplateResult {
    let inside: TemplateResult;
    try {
      inside = this.body();
    } catch (error) {
      this.fault = String(error);
      inside = html``;
    }
    return html`<header class="head"><h2>${this.heading}</h2>${this.figures()}${this.tools()}</header>
      ${inside}${this.fault === null ? '' : html`<p class="fault">This panel failed: ${this.fault}</p>`}`;
  }

  private fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.fault) console.error(error);
    this.fault = text;
  }
}
