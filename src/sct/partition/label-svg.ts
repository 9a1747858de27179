import { CELL_PX, type PictureShape } from '../semantics/feature-map.ts';
import { sfvOutlines, svgPath } from './outlines.ts';
import type { Partition } from './partition.ts';

/** What a label map looks like as a picture. */
export interface LabelSvgOptions {
  /** Colours of the labels, [43][r, g, b]. */
  readonly palette: Uint8Array;
  /** Names for tooltips, by label; a cluster is called by its number. */
  readonly names: readonly string[];
  /** SFVs with ids below this are hatched: they are sent, the others made up. Default none. */
  readonly sent?: number | undefined;
}

/**
 * The label map that goes over the air as a vector graphic, one path an SFV, for reports. What is sent is the coded partition, whose
 * bytes its `title` names; the SVG is the same map for people, in the picture's pixels.
 */
export function labelSvg(partition: Partition, shape: PictureShape, options: LabelSvgOptions): string {
  const { widthPx, heightPx } = shape;
  const { palette, names, sent = 0 } = options;
  const colour = (label: number) =>
    `#${Array.from(palette.subarray(3 * label, 3 * label + 3), (v) => v.toString(16).padStart(2, '0')).join('')}`;
  const lines = sfvOutlines(partition).map((outlines, id) => {
    const { label, cells } = partition.sfvs[id];
    const d = svgPath(outlines, CELL_PX);
    const name = escaped(names[label] ?? `cluster ${label - names.length}`);
    const title = `<title>SFV ${id}: ${name}, ${cells} cells</title>`;
    const hatch = id < sent ? `<path d="${d}" fill="url(#sent)"/>` : '';
    return `<g><path d="${d}" fill="${colour(label)}"/>${hatch}${title}</g>`;
  });
  const hatching =
    sent > 0
      ? '<defs><pattern id="sent" width="8" height="8" patternUnits="userSpaceOnUse">' +
        '<path d="M0 8L8 0" stroke="#000" stroke-opacity="0.5"/></pattern></defs>'
      : '';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widthPx} ${heightPx}" width="${widthPx}" height="${heightPx}">` +
    `<title>label map: ${partition.sfvs.length} SFVs, ${partition.bytes.length} bytes as sent</title>` +
    `${hatching}${lines.join('')}</svg>`
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
