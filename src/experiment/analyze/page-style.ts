/** What pages with SFVs add to the style of reports: panels, the outlines over them, the SFV table and the RB map. */
export function analysisCss(ids: readonly number[]): string {
  return `.defs{position:absolute;width:0;height:0}.defs path{vector-effect:non-scaling-stroke}
.head{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1.02fr);gap:18px;align-items:start}
.panel svg{display:block;width:100%;height:auto;max-height:72vh;border-radius:4px;background:var(--code)}
.panel figcaption{font-weight:600}.panel figcaption small{font-weight:400;display:block}.panel .map{image-rendering:pixelated}
.maps{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));gap:18px}.maps .panel svg{max-height:44vh}
.grey{filter:grayscale(1) contrast(.9)}
.o{fill:transparent;stroke:none}.objects .o{stroke:#fff;stroke-width:1.4px}.objects .u{fill:none;stroke:#111;stroke-opacity:.65;stroke-width:3.4px}
.top{pointer-events:none}.num{fill:#fff;stroke:#111;stroke-width:.22em;paint-order:stroke;stroke-linejoin:round;font-weight:700;text-anchor:middle;dominant-baseline:central;pointer-events:none;font-family:system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
.sfvs{max-height:66vh;overflow:auto}.sfvs table{font-size:12.5px}.sfvs th{position:sticky;top:0;background:var(--card);white-space:normal;line-height:1.2;vertical-align:bottom;border-bottom:1px solid var(--line)}
.sfvs td,.sfvs th{padding:3px 8px 3px 0}.sfvs td:last-child,.sfvs th:last-child{min-width:0}.sfvs td:first-child,.sfvs th:first-child{padding-left:6px}.sfvs td{white-space:nowrap}
.sfvs tbody tr{cursor:pointer;outline:none}.swatch{display:inline-block;width:11px;height:11px;border-radius:3px;vertical-align:-1px;margin-right:6px;outline:1px solid var(--line)}
.bar{display:inline-block;width:46px;height:7px;margin-left:7px;vertical-align:1px}.bar .t{fill:var(--line)}.bar .f{fill:var(--link)}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;margin:12px 0 0;padding:0;list-style:none;font-size:13.5px}
.scale{display:flex;gap:8px;align-items:center;font-size:12.5px;color:var(--mute);margin-top:5px;font-variant-numeric:tabular-nums}.scale svg{flex:1;height:8px;border-radius:2px;max-width:180px}
.all{display:none;font-weight:400;font-size:13px;margin-left:8px}main:has(.sfv:target) .all{display:inline}
main:has(.sfv:is(:hover,:focus,:target),.objects .o:hover,.m:hover) .objects .o{fill:rgb(0 0 0/.55);stroke-opacity:.35}
${ids.map(highlight).join('\n')}
@media (max-width:980px){.head{grid-template-columns:minmax(0,1fr)}.sfvs{max-height:none}}
@media print{.sfvs{max-height:none;overflow:visible}.head{grid-template-columns:minmax(0,1fr)}}`;
}

/** One SFV pointed at, in the table or in the picture: bright everywhere, the rest of the picture darker. */
function highlight(id: number): string {
  const chosen = `main:has(.r${id}:is(:hover,:focus,:target),.objects .o${id}:hover,.m${id}:hover)`;
  // What <use> repeats elsewhere sees no ancestor of this page, but inherits variables.
  return `.o${id}{stroke:var(--s${id},none);stroke-width:3px}${chosen}{--s${id}:#ffd21f}${chosen} .o${id}{stroke:#ffd21f;stroke-width:3px;stroke-opacity:1}${chosen} .objects .o${id}.o${id}{fill:transparent;stroke-opacity:1}${chosen} .r${id}{background:var(--warnb)}${chosen} .m:not(.m${id}){opacity:.15}`;
}
