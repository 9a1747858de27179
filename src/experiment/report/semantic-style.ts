import { analysisCss } from '../analyze/page-style.ts';

/** Colour of what became of an SFV, over the picture and as a swatch; `received` leaves the picture as it is. */
export const STATE_COLOURS = {
  received: '#009e73',
  repaired: '#56b4e9',
  synthesised: '#e69f00',
  lost: '#d55e00',
} as const;

/** What a run's report needs beside the page's style when there are SFVs: the analysis page's panels, states, the RB map. */
export function semanticCss(ids: readonly number[]): string {
  const states = Object.entries(STATE_COLOURS).map(
    ([state, colour]) => `.st-${state}{fill:${colour};fill-opacity:${state === 'received' ? 0.12 : 0.6}}`,
  );
  const tall = ids.length > 40 ? '' : '.sfvs{max-height:none}';
  return `${analysisCss(ids)}
${tall}.panel .legend .swatch{display:inline-block;width:11px;height:11px;border-radius:3px}h2 small{font-size:13px;font-weight:400;margin-left:6px}
${states.join('')}.st{stroke:#fff;stroke-width:1px;stroke-opacity:.7;pointer-events:none}
.sfvs .sum td{border-top:2px solid var(--line);border-bottom:none;font-weight:600}.sfvs td.gain{color:var(--ok)}.sfvs td.loss{color:var(--bad)}
.m{cursor:crosshair}.sp .ov{pointer-events:none}.panel .note{font-weight:400;color:var(--mute)}.sub2{margin:14px 0 0;color:var(--mute)}
.tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:18px;margin-top:16px}`;
}
