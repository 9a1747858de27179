import { checkedPictureUri, encodeIndexedPng, pictureDataUri } from './indexed-png.ts';
import { dashAttribute, limitMark, marker } from './markers.ts';
import { viridis, viridisTable } from './palette.ts';
import type { BarSeries, HeatmapSeries, LineSeries, ScatterSeries, Series, TileSeries } from './series.ts';
import { escapeText, px, textWidth } from './text.ts';

/** Data to pixels inside the plot area, whose upper left corner is 0, 0. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  x(value: number): number;
  y(value: number): number;
}

/** Above this a heat map is one picture instead of rectangles with tooltips. */
const MAX_RECTANGLES = 800;
const MAX_MARKS = 20_000;

/** Markup of one series, under `colour` (palette index). */
export function drawSeries(s: Series, frame: Frame, colour: number): string {
  switch (s.kind) {
    case 'line':
      return drawLine(s, frame, colour);
    case 'scatter':
      return drawScatter(s, frame, colour);
    case 'bars':
      return drawBars(s, frame, colour);
    case 'heatmap':
      return drawHeatmap(s, frame);
    case 'image':
      return image(s.dataUri, rectangle(s.x, s.y, frame));
    case 'threshold': {
      const at = s.axis === 'x' ? frame.x(s.value) : frame.y(s.value);
      const kind = s.colour === undefined ? 'th' : `th s${s.colour}`;
      const line = `<path class="${kind}" d="${s.axis === 'x' ? `M${px(at)} 0V${px(frame.height)}` : `M0 ${px(at)}H${px(frame.width)}`}"/>`;
      if (!s.text || s.outside) return line;
      return s.axis === 'x'
        ? `${line}<text class="mu ha" x="${px(at + 4)}" y="12">${escapeText(s.text, 80)}</text>`
        : `${line}<text class="mu ha" x="${px(frame.width - 4)}" y="${px(at - 4)}" text-anchor="end">${escapeText(s.text, 80)}</text>`;
    }
    case 'region': {
      const whole: [number, number] = [0, 0];
      const r =
        s.axis === 'x'
          ? { ...rectangle([s.from, s.to], whole, frame), y: 0, height: frame.height }
          : { ...rectangle(whole, [s.from, s.to], frame), x: 0, width: frame.width };
      const text = s.text
        ? `<text class="mu" x="${px(r.x + 5)}" y="${px(r.y + 14)}">${escapeText(s.text, 80)}</text>`
        : '';
      return `<rect class="sh" ${attributes(r)}/>${text}`;
    }
    case 'box': {
      const r = rectangle(s.x, s.y, frame);
      const text = escapeText(s.text ?? '', 80);
      const length = textWidth(s.text ?? '', 12);
      const label =
        !s.text || (length > r.width - 8 && (r.width < 16 || length > r.height - 8))
          ? ''
          : length <= r.width - 8
            ? `<text class="ov" x="${px(r.x + 6)}" y="${px(r.y + 16)}">${text}</text>`
            : `<text class="ov" transform="translate(${px(r.x + r.width / 2 + 4)} ${px(r.y + r.height - 6)}) rotate(-90)">${text}</text>`;
      const tip = s.tooltip ?? s.text;
      return `<g>${tip ? `<title>${escapeText(tip, 400)}</title>` : ''}<rect class="bx ${
        s.colour === undefined ? 'ol' : `s${s.colour}`
      }" ${attributes(r)}/>${label}</g>`;
    }
    case 'tiles':
      return drawTiles(s, frame);
    case 'legend':
      return '';
  }
}

/** Indices of at most about 4 points a pixel column: the extremes of each bucket, so that peaks survive. */
function thin(y: ArrayLike<number>, limit: number): number[] {
  const n = y.length;
  if (n <= limit) return Array.from({ length: n }, (_, i) => i);
  const buckets = Math.max(1, Math.floor(limit / 2));
  const out: number[] = [];
  for (let b = 0; b < buckets; b++) {
    const from = Math.floor((b * n) / buckets);
    const to = Math.floor(((b + 1) * n) / buckets);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if (y[i] < y[low]) low = i;
      if (y[i] > y[high]) high = i;
    }
    out.push(Math.min(low, high));
    if (low !== high) out.push(Math.max(low, high));
  }
  return out;
}

function drawLine(s: LineSeries, frame: Frame, colour: number): string {
  const index = thin(s.y, Math.max(64, Math.round(4 * frame.width)));
  let d = '';
  let pen = false;
  let lastY = 0;
  const marks: number[] = [];
  const shift = s.shiftPx ?? 0;
  for (const i of index) {
    if (!Number.isFinite(s.x[i]) || !Number.isFinite(s.y[i])) {
      pen = false;
      continue;
    }
    const x = frame.x(s.x[i]) + shift;
    const y = frame.y(s.y[i]);
    d += pen ? `${s.step ? `L${px(x)} ${px(lastY)}` : ''}L${px(x)} ${px(y)}` : `M${px(x)} ${px(y)}h0`;
    pen = true;
    lastY = y;
    if (s.markers) marks.push(i);
  }
  const dash = dashAttribute(s.dash);
  const spread = s.low && s.high ? (s.bars ? errorBars(s, frame, colour) : band(s, frame, colour)) : '';
  const dots = marks.map((i) => marker(s.shape ?? 0, frame.x(s.x[i]) + shift, frame.y(s.y[i]), colour)).join('');
  return `${spread}<path class="li s${colour}"${dash} d="${d}"/>${dots}`;
}

function band(s: LineSeries, frame: Frame, colour: number): string {
  let upper = '';
  let lower = '';
  for (let i = 0; i < s.x.length; i++) {
    if (!Number.isFinite(s.low![i]) || !Number.isFinite(s.high![i])) continue;
    const x = px(frame.x(s.x[i]));
    upper += `${upper ? 'L' : 'M'}${x} ${px(frame.y(s.high![i]))}`;
    lower = `L${x} ${px(frame.y(s.low![i]))}${lower}`;
  }
  return upper ? `<path class="ba f${colour}" d="${upper}${lower}Z"/>` : '';
}

function errorBars(s: LineSeries, frame: Frame, colour: number): string {
  let d = '';
  for (let i = 0; i < s.x.length; i++) {
    if (Number.isFinite(s.low![i]) && Number.isFinite(s.high![i])) {
      d += whisker(frame.x(s.x[i]) + (s.shiftPx ?? 0), frame.y(s.low![i]), frame.y(s.high![i]), 4);
    }
  }
  return d ? `<path class="er s${colour}" d="${d}"/>` : '';
}

function whisker(x: number, low: number, high: number, half: number): string {
  return `M${px(x - half)} ${px(low)}h${px(2 * half)}M${px(x)} ${px(low)}V${px(high)}M${px(x - half)} ${px(high)}h${px(2 * half)}`;
}

function drawScatter(s: ScatterSeries, frame: Frame, colour: number): string {
  const shape = s.shape ?? 'dot';
  const size = s.size ?? (shape === 'dot' ? 2.5 : 8);
  const r = size / 2;
  let d = '';
  const stride = Math.max(1, Math.ceil(s.x.length / MAX_MARKS));
  for (let i = 0; i < s.x.length; i += stride) {
    if (!Number.isFinite(s.x[i]) || !Number.isFinite(s.y[i])) continue;
    const x = frame.x(s.x[i]) + (s.shiftPx ?? 0);
    const y = frame.y(s.y[i]);
    if (shape === 'limit') d += limitMark(x, y);
    else if (shape === 'dot') d += `M${px(x)} ${px(y)}h0`;
    else if (shape === 'plus') d += `M${px(x - r)} ${px(y)}h${px(size)}M${px(x)} ${px(y - r)}v${px(size)}`;
    else if (shape === 'cross') {
      d += `M${px(x - r)} ${px(y - r)}l${px(size)} ${px(size)}m0 ${px(-size)}l${px(-size)} ${px(size)}`;
    } else d += `M${px(x - r)} ${px(y)}a${px(r)} ${px(r)} 0 1 0 ${px(size)} 0a${px(r)} ${px(r)} 0 1 0 ${px(-size)} 0`;
  }
  if (!d) return '';
  // One path: a zero-length subpath with round caps is a dot, at a tenth of the bytes of a circle element.
  return shape === 'dot'
    ? `<path class="dt s${colour}" stroke-width="${px(size)}" d="${d}"/>`
    : `<path class="mk ${s.colour === undefined ? 'er' : `s${colour}`}" d="${d}"/>`;
}

function drawBars(s: BarSeries, frame: Frame, colour: number): string {
  const half = (s.barWidth ?? 0.8) / 2;
  const base = Math.max(0, Math.min(frame.height, frame.y(s.baseline ?? 0)));
  let out = '';
  let errors = '';
  for (let i = 0; i < s.x.length; i++) {
    const left = frame.x(s.x[i] - half);
    const right = frame.x(s.x[i] + half);
    const tip = s.tooltips?.[i] ? `<title>${escapeText(s.tooltips[i], 400)}</title>` : '';
    if (!Number.isFinite(s.y[i])) continue;
    const top = frame.y(s.y[i]);
    const r = { x: left, y: Math.min(top, base), width: right - left, height: Math.abs(base - top) };
    out += `<rect class="f${s.colours?.[i] ?? colour}" ${attributes(r)}>${tip}</rect>`;
    const e = s.error?.[i];
    if (e !== undefined && Number.isFinite(e) && e > 0) {
      const mid = (left + right) / 2;
      errors += whisker(mid, frame.y(s.y[i] - e), frame.y(s.y[i] + e), Math.min(4, (right - left) / 4));
    }
  }
  return out + (errors ? `<path class="er" d="${errors}"/>` : '');
}

function drawHeatmap(s: HeatmapSeries, frame: Frame): string {
  const [low, high] = s.range;
  const span = high > low ? high - low : 1;
  if (s.rows * s.columns > MAX_RECTANGLES) {
    const indices = new Uint8Array(s.rows * s.columns);
    for (let i = 0; i < indices.length; i++) {
      const v = s.values[i];
      indices[i] = Number.isFinite(v) ? Math.round(254 * Math.max(0, Math.min(1, (v - low) / span))) : 255;
    }
    const palette = new Uint8Array(1024);
    palette.set(viridisTable(255)); // entry 255 stays transparent
    const png = encodeIndexedPng({ width: s.columns, height: s.rows, indices, palette });
    return image(pictureDataUri(png), rectangle(s.x, s.y, frame));
  }
  const dx = (s.x[1] - s.x[0]) / s.columns;
  const dy = (s.y[1] - s.y[0]) / s.rows;
  let out = '';
  for (let row = 0; row < s.rows; row++) {
    for (let column = 0; column < s.columns; column++) {
      const v = s.values[row * s.columns + column];
      if (!Number.isFinite(v)) continue;
      const x = s.x[0] + column * dx;
      const y = s.y[0] + row * dy;
      const tip = s.tooltip ? `<title>${escapeText(s.tooltip(row, column, v), 200)}</title>` : '';
      const r = rectangle([x, x + dx], [y, y + dy], frame);
      out += `<rect fill="${viridis((v - low) / span)}" ${attributes(r)}>${tip}</rect>`;
    }
  }
  return `<g shape-rendering="crispEdges">${out}</g>`;
}

function drawTiles(s: TileSeries, frame: Frame): string {
  const groups = s.groups.map(({ fill, className, tooltip, rects }) => {
    let d = '';
    for (let i = 0; i + 3 < rects.length; i += 4) {
      const r = rectangle([rects[i], rects[i + 2]], [rects[i + 1], rects[i + 3]], frame);
      if (Number.isFinite(r.width * r.height))
        d += `M${px(r.x)} ${px(r.y)}h${px(r.width)}v${px(r.height)}h${px(-r.width)}z`;
    }
    if (!/^#[0-9a-f]{6}$/.test(fill)) throw new TypeError('not a colour');
    const tip = tooltip ? `<title>${escapeText(tooltip, 400)}</title>` : '';
    return `<path class="${escapeText(className, 40)}" fill="${fill}" d="${d}">${tip}</path>`;
  });
  const texts = (s.texts ?? []).map(
    (t) =>
      `<text class="ov" x="${px(frame.x(t.x))}" y="${px(frame.y(t.y) + 4)}" text-anchor="middle">${escapeText(t.text, 20)}</text>`,
  );
  return groups.join('') + texts.join('');
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

function rectangle(x: readonly [number, number], y: readonly [number, number], frame: Frame): Rectangle {
  const [x0, x1] = [frame.x(x[0]), frame.x(x[1])];
  const [y0, y1] = [frame.y(y[0]), frame.y(y[1])];
  return { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) };
}

function attributes(r: Rectangle): string {
  return `x="${px(r.x)}" y="${px(r.y)}" width="${px(r.width)}" height="${px(r.height)}"`;
}

function image(dataUri: string, r: Rectangle): string {
  return `<image class="pi" preserveAspectRatio="none" ${attributes(r)} href="${checkedPictureUri(dataUri)}"/>`;
}
