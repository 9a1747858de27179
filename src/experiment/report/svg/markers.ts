import { px } from './text.ts';

/** Marks of line series, so that curves can be told apart in grey: filled ones first, then hollow ones. */
export const MARKER_SHAPES = 8;

/** Dash patterns in the same order; the first is a whole line. */
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '4 2', '12 3', '1 4', '9 3 2 3 2 3'];

/** Attribute of a line's pattern: `true` is the old dash, a number one of the patterns. */
export function dashAttribute(dash: boolean | number | undefined): string {
  const pattern = dash === true ? '7 5' : typeof dash === 'number' ? DASHES[dash % DASHES.length] : '';
  return pattern ? ` stroke-dasharray="${pattern}"` : '';
}

/** One mark of about 3.4 px half width around x, y; shape 0 is a dot. */
export function marker(shape: number, x: number, y: number, colour: number): string {
  const at = `${px(x)} ${px(y)}`;
  switch (shape % MARKER_SHAPES) {
    case 1:
      return `<path class="f${colour}" d="M${at}m-3.2 -3.2h6.4v6.4h-6.4z"/>`;
    case 2:
      return `<path class="f${colour}" d="M${at}m0 -4.3l4 7h-8z"/>`;
    case 3:
      return `<path class="f${colour}" d="M${at}m0 -4.5l4 4.5l-4 4.5l-4 -4.5z"/>`;
    case 4:
      return `<path class="f${colour}" d="M${at}m0 4.3l4 -7h-8z"/>`;
    case 5:
      return hollow(colour, `M${at}m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0`);
    case 6:
      return hollow(colour, `M${at}m-3 -3h6v6h-6z`);
    case 7:
      return hollow(colour, `M${at}m0 -4.2l3.9 6.8h-7.8z`);
    default:
      return `<circle class="f${colour}" cx="${px(x)}" cy="${px(y)}" r="3.4"/>`;
  }
}

function hollow(colour: number, d: string): string {
  return `<path class="s${colour}" fill="#fff" stroke-width="1.5" d="${d}"/>`;
}

/** An upper limit where nothing was seen: a bar at the limit and an arrow down. */
export function limitMark(x: number, y: number): string {
  return `M${px(x - 3.5)} ${px(y)}h7M${px(x)} ${px(y)}v11m-2.6 -4l2.6 4l2.6 -4`;
}
