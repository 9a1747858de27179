import { theme } from './draw/colours.ts';

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

/** Words that a screenshot shows: of everything else only the canvases are taken. */
const WORDS =
  'h1, h2, .read > span, .read > b, .pick, .tools .key, .pill, .title b, .said, .elapsed, .meters dt, .meters dd, .facts dt, .facts dd, td, th, .log span, .log time';
/** What scrolls inside itself: of it only what is in its own sight. */
const SCROLLS = '.scroll, .log, .facts';

/** Saves what is in sight as a PNG: canvases and words at their places. Nothing but the page's own code is needed for it. */
export function saveScreenshot(): void {
  const picture = paintScreenshot();
  picture.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `sct-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}

function paintScreenshot(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const scale = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.round(innerWidth * scale);
  canvas.height = Math.round(innerHeight * scale);
  const g = canvas.getContext('2d');
  if (!g) return canvas;
  g.scale(scale, scale);
  const { line, card } = theme();
  g.fillStyle = getComputedStyle(document.body).backgroundColor;
  g.fillRect(0, 0, innerWidth, innerHeight);
  for (const element of inSight('.panel, sct-strip, sct-replay')) {
    const { left, top, width, height } = element.getBoundingClientRect();
    g.fillStyle = card;
    g.fillRect(left, top, width, height);
    g.strokeStyle = line;
    g.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
  }
  // The strip and the bar lie over the panels.
  for (const layer of ['main', 'sct-replay', 'sct-strip']) {
    const root = document.querySelector(layer);
    if (!root) continue;
    if (layer !== 'main') cover(g, root, card);
    for (const element of inSight('canvas', root)) {
      const { left, top, width, height } = element.getBoundingClientRect();
      if (width > 0 && height > 0) g.drawImage(element as HTMLCanvasElement, left, top, width, height);
    }
    for (const element of inSight('svg rect', root)) {
      const { left, top, width, height } = element.getBoundingClientRect();
      g.fillStyle = getComputedStyle(element).fill;
      g.fillRect(left, top, width, height);
    }
    for (const element of inSight(WORDS, root)) word(g, element as HTMLElement);
  }
  return canvas;
}

function cover(g: CanvasRenderingContext2D, root: Element, colour: string): void {
  const { left, top, width, height } = root.getBoundingClientRect();
  g.fillStyle = colour;
  g.fillRect(left, top, width, height);
}

function word(g: CanvasRenderingContext2D, element: HTMLElement): void {
  const { left, right, top, height } = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const text = element.innerText.replaceAll('\n', ' ').trim();
  if (!text || height === 0) return;
  g.font = `${style.fontWeight} ${style.fontSize} ${FONT}`;
  const key = element.classList.contains('key') ? getComputedStyle(element, '::before') : null;
  const marked = key !== null && key.display !== 'none' && key.content !== 'none';
  if (marked) {
    g.fillStyle = key.borderTopWidth === '0px' ? key.backgroundColor : key.borderTopColor;
    g.fillRect(left, top + height / 2 - 2, 11, 4);
  }
  // Words stand behind the chip or the meter beside them.
  const mark = element.querySelector('svg')?.getBoundingClientRect();
  const from = mark ? mark.right + 4 : left + (marked ? 15 : 0);
  g.fillStyle = style.color;
  g.textBaseline = 'middle';
  g.textAlign = style.textAlign === 'right' ? 'right' : 'left';
  g.fillText(text, style.textAlign === 'right' ? right - 4 : from, top + height / 2, right - left);
}

function inSight(selector: string, root: ParentNode = document): Element[] {
  return [...root.querySelectorAll(selector)].filter((element) => {
    const { bottom, top, right, left } = element.getBoundingClientRect();
    const around = element.closest(SCROLLS)?.getBoundingClientRect();
    if (around && (top < around.top - 1 || bottom > around.bottom + 1)) return false;
    return bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  });
}
