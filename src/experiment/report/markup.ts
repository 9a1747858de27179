import { escapeText } from './svg/text.ts';

/** Markup that is safe as it is: made by `html` or by the plotting kit, never from outside text. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | null | undefined | false | readonly Part[];

/** Template tag: everything put in is escaped unless it is Markup already; null, undefined and false vanish. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  let out = strings[0];
  for (let i = 0; i < parts.length; i++) out += render(parts[i]) + strings[i + 1];
  return new Markup(out);
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return escapeText(String(part), 100_000);
}

/** Link target for a file beside the page: one path segment, encoded, so that no scheme and no parent can be named. */
export function fileHref(name: string): string {
  return `./${encodeURIComponent(name.slice(0, 255).replace(/[\ud800-\udfff]/g, '_'))}`;
}

/** A table; numeric columns (by index) are aligned right. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly Part[][],
  numeric: readonly number[] = [],
) {
  const cls = (i: number) => (numeric.includes(i) ? new Markup(' class="n"') : null);
  return html`<div class="scroll"><table><caption>${caption}</caption><thead><tr>${head.map(
    (h, i) => html`<th scope="col"${cls(i)}>${h}</th>`,
  )}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${row.map((cell, i) => html`<td${cls(i)}>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

/** A plot with its caption; `wide` plots scroll sideways on a narrow screen instead of becoming unreadable. */
export function figure(caption: Part, svg: string, wide = false): Markup {
  return html`<figure class="plot${wide ? ' wide' : ''}"><figcaption>${caption}</figcaption><div class="scroll">${new Markup(svg)}</div></figure>`;
}
