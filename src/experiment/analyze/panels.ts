import { fileHref, html, Markup } from '../report/markup.ts';
import { checkedPictureUri } from '../report/svg/indexed-png.ts';

/** One map of the page. */
export interface Panel {
  readonly title: string;
  readonly note: string;
  /** data: URI of the map, one sample a cell or 4 x 4. */
  readonly uri: string;
  /** Samples of the map that one cell has along a side; null when the picture is no map of the photo. */
  readonly size: { readonly width: number; readonly height: number; readonly samplesPerCell: number };
  readonly kind: 'heat' | 'labels' | 'mosaic';
  /** Ends of the colour scale, in words. */
  readonly scale?: readonly [string, string] | undefined;
  /** PNG beside the page. */
  readonly file?: string | undefined;
}

const OPACITY = { heat: 0.78, labels: 0.66, mosaic: 1 } as const;

/** A map over the grey photo with the outlines, or on its own; linked to its PNG. */
export function figureOf(
  panel: Panel,
  { photo, grid }: { photo: { width: number; height: number }; grid: { cellPx: number } },
): Markup {
  const { width, height, samplesPerCell } = panel.size;
  const image = (w: number, h: number) =>
    html`<image class="map" href="${new Markup(checkedPictureUri(panel.uri))}" width="${w}" height="${h}" opacity="${OPACITY[panel.kind]}" preserveAspectRatio="none"/>`;
  const samplePx = grid.cellPx / samplesPerCell;
  const drawing =
    panel.kind === 'mosaic'
      ? html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${panel.title}">${image(width, height)}</svg>`
      : html`<svg viewBox="0 0 ${photo.width} ${photo.height}" role="img" aria-label="${panel.title}"><use href="#photo" class="grey"/>${image(width * samplePx, height * samplePx)}<use href="#all"/></svg>`;
  const scale =
    panel.scale &&
    html`<div class="scale"><span>${panel.scale[0]}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8" fill="url(#viridis)"/></svg><span>${panel.scale[1]}</span></div>`;
  return html`<figure class="panel"><figcaption>${panel.title}<small>${panel.note}</small></figcaption>${panel.file === undefined ? drawing : html`<a href="${fileHref(panel.file)}">${drawing}</a>`}${scale}</figure>`;
}
