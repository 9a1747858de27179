import { store } from '../state/store.ts';

/** Colours of the canvases: as the style sheet's, light or dark; the Okabe-Ito palette and viridis, as in the reports. */
export interface Theme {
  readonly dark: boolean;
  readonly card: string;
  readonly ink: string;
  readonly mute: string;
  readonly line: string;
  readonly bad: string;
  /** Okabe-Ito, in the order of the reports. */
  readonly series: readonly string[];
}

const LIGHT = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6d00', '#555a61'];
const DARK = ['#4ea8e6', '#f58549', '#2fc79a', '#e6a3c8', '#f2b53c', '#9bd4f5', '#e8dc5a', '#b6bcc6'];

const KEY = 'sct.theme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
let current: Theme | null = null;

export function theme(): Theme {
  current ??= read();
  return current;
}

function read(): Theme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === 'dark' : prefersDark.matches;
  const series = dark ? DARK : LIGHT;
  // For what the style sheet says of lines (style/keys.css).
  series.forEach((colour, i) => {
    document.documentElement.style.setProperty(`--s${i}`, colour);
  });
  return {
    dark,
    card: of('--card'),
    ink: of('--ink'),
    mute: of('--mute'),
    line: of('--line'),
    bad: of('--bad'),
    series,
  };
}

function changed(): void {
  current = null;
  store.say('theme');
}

/** The other one of light and dark, kept for the next visit. */
export function switchTheme(): void {
  const next = theme().dark ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  localStorage.setItem(KEY, next);
  changed();
}

export function beginTheme(): void {
  const kept = localStorage.getItem(KEY);
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
  prefersDark.addEventListener('change', changed);
}

// viridis (CC0), every 17th entry of the table.
const ANCHORS = [
  0x440154, 0x481a6c, 0x472f7d, 0x414487, 0x39568c, 0x31688e, 0x2a788e, 0x23888e, 0x1f988b, 0x22a884, 0x35b779,
  0x54c568, 0x7ad151, 0xa5db36, 0xd2e21b, 0xfde725,
];

/** viridis, [level][r, g, b]. */
export const VIRIDIS: Uint8Array = (() => {
  const table = new Uint8Array(3 * 256);
  for (let i = 0; i < 256; i++) {
    const t = (i / 255) * (ANCHORS.length - 1);
    const k = Math.min(ANCHORS.length - 2, Math.floor(t));
    for (let c = 0; c < 3; c++) {
      const shift = 16 - 8 * c;
      const low = (ANCHORS[k] >> shift) & 255;
      const high = (ANCHORS[k + 1] >> shift) & 255;
      table[3 * i + c] = Math.round(low + (t - k) * (high - low));
    }
  }
  return table;
})();

/** The same as words that putImageData takes: 0xAABBGGRR, little-endian machines. */
export const VIRIDIS_WORDS: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) => {
  return ((255 << 24) | (VIRIDIS[3 * i + 2] << 16) | (VIRIDIS[3 * i + 1] << 8) | VIRIDIS[3 * i]) >>> 0;
});

/** 0..255 of a value between two limits, clipped; NaN: 0. */
export function level(value: number, low: number, high: number): number {
  const t = (255 * (value - low)) / (high - low);
  return t > 0 ? (t < 255 ? Math.round(t) : 255) : 0;
}

/** Black or white, whichever reads better on a colour "#rrggbb". */
export function inkOn(colour: string): string {
  const word = Number.parseInt(colour.slice(1), 16);
  const luma = 0.299 * (word >> 16) + 0.587 * ((word >> 8) & 255) + 0.114 * (word & 255);
  return luma > 140 ? '#111418' : '#ffffff';
}
