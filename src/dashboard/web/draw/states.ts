import type { SfvState } from '../state/events.ts';

/** How what became of an SFV is shown: a colour (as in the reports), a pattern and a symbol, so that any one of them is enough. */
export interface StateLook {
  readonly symbol: string;
  readonly colour: string;
  readonly word: string;
}

export const STATE_LOOKS: Readonly<Record<SfvState, StateLook>> = {
  waiting: { symbol: '…', colour: '#8d949e', word: 'waiting' },
  heard: { symbol: '↓', colour: '#cc79a7', word: 'heard' },
  received: { symbol: '✓', colour: '#009e73', word: 'received' },
  repaired: { symbol: '+', colour: '#56b4e9', word: 'repaired' },
  synthesised: { symbol: '~', colour: '#e69f00', word: 'synthesised' },
  lost: { symbol: '✕', colour: '#d55e00', word: 'lost' },
};

export const STATES = Object.keys(STATE_LOOKS) as SfvState[];

const tiles = new Map<SfvState, HTMLCanvasElement>();
const SIZE = 8;
/** How much of its colour lies over an SFV. */
const VEIL: Readonly<Record<SfvState, number>> = {
  waiting: 0.55,
  heard: 0.25,
  received: 0,
  repaired: 0.1,
  synthesised: 0.22,
  lost: 0.3,
};

/** A pattern that tiles: slanted lines repaired, dots synthesised, crossed lines lost, level lines heard, a veil waiting; none received. */
export function patternOf(g: CanvasRenderingContext2D, state: SfvState): CanvasPattern | null {
  if (state === 'received') return null;
  const known = tiles.get(state);
  const tile = known ?? tileOf(state);
  tiles.set(state, tile);
  return g.createPattern(tile, 'repeat');
}

function tileOf(state: SfvState): HTMLCanvasElement {
  const tile = document.createElement('canvas');
  tile.width = tile.height = SIZE;
  const g = tile.getContext('2d');
  if (!g) return tile;
  const { colour } = STATE_LOOKS[state];
  g.globalAlpha = VEIL[state];
  g.fillStyle = colour;
  g.fillRect(0, 0, SIZE, SIZE);
  // What is repaired is mostly there: it stays to be seen.
  g.globalAlpha = state === 'repaired' ? 0.5 : 0.95;
  g.strokeStyle = colour;
  g.lineWidth = 1.5;
  const line = (x0: number, y0: number, x1: number, y1: number) => {
    g.beginPath();
    g.moveTo(x0, y0);
    g.lineTo(x1, y1);
    g.stroke();
  };
  // Drawn beyond the tile and once on either side, so that lines meet their own copies.
  const rising = () => {
    for (const shift of [-SIZE, 0, SIZE]) line(shift - 1, SIZE + 1, shift + SIZE + 1, -1);
  };
  const falling = () => {
    for (const shift of [-SIZE, 0, SIZE]) line(shift - 1, -1, shift + SIZE + 1, SIZE + 1);
  };
  if (state === 'repaired') rising();
  if (state === 'lost') {
    rising();
    falling();
  }
  if (state === 'heard') line(0, SIZE / 2, SIZE, SIZE / 2);
  if (state === 'synthesised') {
    g.beginPath();
    g.arc(SIZE / 2, SIZE / 2, 1.6, 0, 2 * Math.PI);
    g.fill();
  }
  return tile;
}
