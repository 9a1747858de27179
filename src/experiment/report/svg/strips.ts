import { escapeText, grouped, px, textWidth } from './text.ts';

export interface StripCell {
  /** Palette index. */
  colour: number;
  tooltip: string;
  /** Crossed out, so that the state does not hang on colour alone. */
  mark?: boolean;
}

export interface StripLegend {
  colour: number;
  label: string;
}

/** Small squares in rows, one an item (code blocks, frames), with a legend above. */
export function strip(
  cells: readonly StripCell[],
  label: string,
  legend: readonly StripLegend[],
  width = 1160,
): string {
  const size = cells.length > 400 ? 9 : cells.length > 120 ? 14 : 20;
  const pitch = size + 3;
  const columns = Math.max(1, Math.floor(width / pitch));
  const rows = Math.ceil(cells.length / columns);
  const top = 26;
  const height = top + rows * pitch;
  let body = '';
  cells.forEach((c, i) => {
    const x = (i % columns) * pitch;
    const y = top + Math.floor(i / columns) * pitch;
    const cross = c.mark
      ? `<path class="mk er" d="M${x + 3} ${y + 3}l${size - 6} ${size - 6}m0 ${6 - size}l${6 - size} ${size - 6}"/>`
      : '';
    body += `<g><title>${escapeText(c.tooltip, 200)}</title><rect class="f${c.colour & 7}" x="${x}" y="${y}" width="${size}" height="${size}" rx="2"/>${cross}</g>`;
  });
  return `${open(width, height, label)}${legendRow(legend, 0)}${body}</svg>`;
}

export interface BarPart {
  label: string;
  value: number;
  colour: number;
}

/** One horizontal bar cut into parts, with a legend that wraps. Parts of zero are left out. */
export function stackedBar(parts: readonly BarPart[], label: string, width = 1160): string {
  const shown = parts.filter((p) => p.value > 0 && Number.isFinite(p.value));
  const total = shown.reduce((sum, p) => sum + p.value, 0);
  let x = 0;
  let body = '';
  for (const p of shown) {
    const w = (width * p.value) / total;
    const percent = `${((100 * p.value) / total).toFixed(1)} %`;
    body += `<g><title>${escapeText(`${p.label}: ${grouped(p.value)} (${percent})`)}</title><rect class="f${p.colour & 7}" x="${px(x)}" y="0" width="${px(Math.max(0.5, w - 1.5))}" height="30"/></g>`;
    x += w;
  }
  const legend = shown.map((p) => ({ colour: p.colour, label: `${p.label} ${grouped(p.value)}` }));
  const rows = legendRows(legend, width);
  const lines = rows.map((r, i) => legendRow(r, 38 + 20 * i)).join('');
  return `${open(width, 40 + 20 * rows.length, label)}${body}${lines}</svg>`;
}

function open(width: number, height: number, label: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" class="sp" viewBox="0 0 ${px(width)} ${px(height)}" width="${px(width)}" height="${px(height)}" role="img" aria-label="${escapeText(label, 400)}">`;
}

function legendRow(entries: readonly StripLegend[], y: number): string {
  let x = 0;
  return entries
    .map((e) => {
      const item = `<g transform="translate(${px(x)} ${y})"><rect class="f${e.colour & 7}" x="0" y="2" width="12" height="12" rx="2"/><text x="18" y="12">${escapeText(e.label, 80)}</text></g>`;
      x += itemWidth(e);
      return item;
    })
    .join('');
}

function legendRows(entries: readonly StripLegend[], width: number): StripLegend[][] {
  const rows: StripLegend[][] = [[]];
  let x = 0;
  for (const e of entries) {
    if (x > 0 && x + itemWidth(e) > width) {
      rows.push([]);
      x = 0;
    }
    rows[rows.length - 1].push(e);
    x += itemWidth(e);
  }
  return rows;
}

function itemWidth(e: StripLegend): number {
  return 18 + textWidth(e.label, 12) + 20;
}
