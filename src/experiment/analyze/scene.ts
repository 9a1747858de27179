import { type Outline, svgPath } from '../../sct/partition/outlines.ts';
import { html, Markup } from '../report/markup.ts';
import { checkedPictureUri } from '../report/svg/indexed-png.ts';
import { viridis } from '../report/svg/palette.ts';

/** A photo and the SFVs in it: what every panel of a page refers to. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly cellPx: number;
  /** data: URI of a preview of the photo. */
  readonly photoUri: string;
  readonly outlines: readonly (readonly Outline[])[]; // [SFV id]
  /** Where the SFV's number can stand, cells; [SFV id]. */
  readonly points: readonly { readonly x: number; readonly y: number; readonly depth: number }[];
}

/** Photo, outlines and the colour scale, once; every panel refers to them. */
export function sceneDefs({ width, height, cellPx, photoUri, outlines }: Scene): Markup {
  const stops = Array.from({ length: 9 }, (_, i) => html`<stop offset="${i / 8}" stop-color="${viridis(i / 8)}"/>`);
  return html`<svg class="defs" aria-hidden="true"><defs>
<image id="photo" href="${new Markup(checkedPictureUri(photoUri))}" width="${width}" height="${height}" preserveAspectRatio="none"/>
<linearGradient id="viridis">${stops}</linearGradient>
${outlines.map((lines, id) => html`<path id="p${id}" d="${new Markup(svgPath(lines, cellPx))}"/>`)}
<g id="all">${outlines.map((_, id) => html`<use href="#p${id}" class="o o${id}"/>`)}</g></defs></svg>`;
}

/** The photo with every SFV outlined, numbered where there is room, and linked to its row `#r{id}`. */
export function objectsFigure(
  { width, height, cellPx, outlines, points }: Scene,
  sfvs: readonly { readonly id: number; readonly label: string; readonly tooltip: string }[],
  caption: string,
  note?: string,
): Markup {
  const size = Math.max(7, Math.round(Math.max(width, height) / 42));
  const links = sfvs.map(
    (s) =>
      html`<a href="#r${s.id}" aria-label="SFV ${s.id}, ${s.label}"><use href="#p${s.id}" class="o o${s.id}"><title>${s.tooltip}</title></use></a>`,
  );
  const numbers = sfvs
    .filter((s) => cellPx * points[s.id].depth >= size * 0.75)
    .map(
      ({ id }) =>
        html`<text class="num" x="${cellPx * points[id].x}" y="${cellPx * points[id].y}" font-size="${size}">${id}</text>`,
    );
  return html`<figure class="panel objects"><figcaption>${caption} <a class="all" href="#">show all</a>${note !== undefined && html`<small>${note}</small>`}</figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="The photo with its SFVs outlined"><use href="#photo"/>
<g>${outlines.map((_, id) => html`<use href="#p${id}" class="u"/>`)}</g>${links}<use href="#all" class="top"/>${numbers}</svg></figure>`;
}

/** A small square of a colour "#rrggbb". */
export function swatch(colour: string): Markup {
  return html`<svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" fill="${colour}"/></svg>`;
}

/** A bar filled to a share of 0..1. */
export function bar(share: number): Markup {
  const width = Math.round(1000 * Math.max(0, Math.min(1, share))) / 10;
  return html`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="t" width="100" height="10" rx="3"/><rect class="f" width="${width}" height="10" rx="3"/></svg>`;
}
