/**
 * Colours. Series: the Okabe-Ito palette [Okabe08], safe for colour-blind readers, in an order that reads on white, with
 * lighter variants for dark backgrounds. Maps: viridis (CC0, [vanderWalt15]), monotone in lightness.
 */
export const SERIES_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6d00', '#555a61'];
export const SERIES_COLOURS_DARK = [
  '#4ea8e6',
  '#f58549',
  '#2fc79a',
  '#e6a3c8',
  '#f2b53c',
  '#9bd4f5',
  '#e8dc5a',
  '#b6bcc6',
];

// Every 17th entry of the table; between them it is linear to within 2/255.
const ANCHORS = [
  [0.267004, 0.004874, 0.329415],
  [0.282656, 0.100196, 0.42216],
  [0.277134, 0.185228, 0.489898],
  [0.253935, 0.265254, 0.529983],
  [0.221989, 0.339161, 0.548752],
  [0.190631, 0.407061, 0.556089],
  [0.163625, 0.471133, 0.558148],
  [0.139147, 0.533812, 0.555298],
  [0.120565, 0.596422, 0.543611],
  [0.134692, 0.658636, 0.517649],
  [0.20803, 0.718701, 0.472873],
  [0.327796, 0.77398, 0.40664],
  [0.477504, 0.821444, 0.318195],
  [0.647257, 0.8584, 0.209861],
  [0.82494, 0.88472, 0.106217],
  [0.993248, 0.906157, 0.143936],
];

/** viridis with `levels` entries, [level][r, g, b, a], a = 255. */
export function viridisTable(levels = 256): Uint8Array {
  const table = new Uint8Array(4 * levels);
  for (let i = 0; i < levels; i++) {
    const t = levels > 1 ? (i / (levels - 1)) * (ANCHORS.length - 1) : 0;
    const k = Math.min(ANCHORS.length - 2, Math.floor(t));
    for (let c = 0; c < 3; c++) {
      table[4 * i + c] = Math.round(255 * (ANCHORS[k][c] + (t - k) * (ANCHORS[k + 1][c] - ANCHORS[k][c])));
    }
    table[4 * i + 3] = 255;
  }
  return table;
}

const VIRIDIS = viridisTable(256);

/** viridis at t in 0..1 (clipped) as #rrggbb. */
export function viridis(t: number): string {
  const i = 4 * Math.round(255 * Math.max(0, Math.min(1, t)));
  return `#${[0, 1, 2].map((c) => VIRIDIS[i + c].toString(16).padStart(2, '0')).join('')}`;
}

function colourRules(colours: readonly string[]): string {
  return colours.map((c, i) => `.sp .s${i}{stroke:${c}}.sp .f${i}{fill:${c}}`).join('');
}

/** Style of a figure for print: as `plotCss`, on white whatever the screen, black text, a typeface that journals and their programs have. */
export function paperCss(): string {
  return `.sp{font:12px Arial,Helvetica,"Liberation Sans",sans-serif}.sp text{fill:#000}.sp .ti{font-weight:600}.sp .bg{fill:#fff}\
.sp .ax,.sp .gr{fill:none;shape-rendering:crispEdges}.sp .ax{stroke:#000}.sp .gr{stroke:#e3e3e3}\
.sp .li{fill:none;stroke-width:1.8;stroke-linejoin:round}.sp .th{fill:none;stroke:#555;stroke-dasharray:5 4}\
.sp .er{fill:none;stroke:#000;stroke-width:1.1}.sp .mk{fill:none;stroke-width:1.3}${colourRules(SERIES_COLOURS)}`;
}

/**
 * Style of every plot, once a page or once a stand-alone file. Classes, not attributes: s0..s7 stroke and f0..f7 fill in
 * series colours, ax axes, gr grid, mu muted text, th threshold lines, er error bars.
 */
export function plotCss(): string {
  const light = `.sp text{fill:#2b2f36}.sp .mu{fill:#5b626d}.sp .bg{fill:#fff}.sp .ax{stroke:#8d949e}.sp .gr{stroke:#e6e9ed}\
.sp .th{stroke:#5b626d}.sp .er{stroke:#2b2f36}.sp .sh{fill:#0072b2}.sp .ha{stroke:#fff}${colourRules(SERIES_COLOURS)}`;
  const dark = `.sp text{fill:#e3e6eb}.sp .mu{fill:#a3abb8}.sp .bg{fill:#16191e}.sp .ax{stroke:#6f7884}.sp .gr{stroke:#2c323b}\
.sp .th{stroke:#a3abb8}.sp .er{stroke:#e3e6eb}.sp .sh{fill:#4ea8e6}.sp .ha{stroke:#16191e}${colourRules(SERIES_COLOURS_DARK)}`;
  return `.sp{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}\
.sp .ti{font-size:14px;font-weight:600}.sp .ax,.sp .gr{fill:none;shape-rendering:crispEdges}\
.sp .li{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.sp .th{fill:none;stroke-dasharray:5 4}\
.sp .er{fill:none;stroke-width:1.2}.sp .ba{opacity:.2}.sp .sh{opacity:.13}.sp .bx{fill:none;stroke-width:1.5}\
.sp .dt{fill:none;stroke-linecap:round}.sp .mk{fill:none;stroke-width:1.6}.sp .pi{image-rendering:pixelated}\
.sp .ol{stroke:#fff;fill:none;stroke-width:1.5}.sp .ov{fill:#fff;stroke:#111;stroke-width:3px;paint-order:stroke;font-weight:600}\
.sp .ha{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}\
.sp .tn{font-variant-numeric:tabular-nums}${light}@media screen and (prefers-color-scheme:dark){${dark}}`;
}
