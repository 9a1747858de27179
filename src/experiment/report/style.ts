import { plotCss } from './svg/palette.ts';

/** The page's whole style: light and dark, wide and narrow, screen and paper. */
export function pageCss(): string {
  return `:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c1f24;--mute:#5b626d;--line:#dfe3e8;--ok:#00704f;--okb:#e3f4ed;--warn:#8a5a00;--warnb:#fdf3dc;--bad:#a83a00;--badb:#fdeae0;--code:#f0f2f5;--link:#005a8e}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0e1013;--card:#16191e;--ink:#e8ebef;--mute:#a3abb8;--line:#2c323b;--ok:#4fd6a5;--okb:#10291f;--warn:#f2c14e;--warnb:#2d2410;--bad:#ff9a63;--badb:#331c10;--code:#1f242b;--link:#7cc0f0}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1240px;margin:0 auto;padding:14px 20px 40px}
h1{font-size:22px;line-height:1.25;margin:0;overflow-wrap:anywhere}h2{font-size:17px;margin:0 0 10px}.sub{margin:2px 0 10px;color:var(--mute)}
.verdict{display:flex;gap:10px;align-items:center;margin:0 0 12px;padding:9px 14px;border-radius:8px;font-weight:600}
.verdict .mark{flex:none;display:inline-grid;place-items:center;width:24px;height:24px;border-radius:50%;color:var(--card);font-size:14px;line-height:1}
.whole{background:var(--okb);color:var(--ok)}.whole .mark{background:var(--ok)}
.damaged{background:var(--warnb);color:var(--warn)}.damaged .mark{background:var(--warn)}
.outage,.nothing{background:var(--badb);color:var(--bad)}.outage .mark,.nothing .mark{background:var(--bad)}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:14px 0}
.pictures{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:14px;padding:12px 14px 14px}
figure{margin:0;min-width:0}figcaption{font-size:14px;margin-bottom:6px}figcaption small,.mu,small{color:var(--mute)}
.picture figcaption{font-weight:600;display:flex;justify-content:space-between;gap:8px}.picture figcaption small{font-weight:400}
.picture img{display:block;width:100%;height:auto;max-height:62vh;object-fit:contain;border-radius:4px;background:var(--code)}
.picture{display:flex;flex-direction:column}.missing{flex:1;display:grid;place-content:center;justify-items:center;min-height:180px;border:1px dashed var(--line);border-radius:4px;color:var(--mute)}
.tiles{display:grid;grid-template-columns:repeat(6,minmax(0,1fr));gap:1px;margin:14px 0;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow:hidden}
.tiles div{box-shadow:0 0 0 1px var(--line);padding:8px 14px}.tiles dt{color:var(--mute);font-size:12.5px}.tiles dd{margin:0;font-size:19px;font-weight:600;font-variant-numeric:tabular-nums}
.tiles .unit{font-size:13px;font-weight:400;color:var(--mute)}.tiles .why{display:block;font-size:11.5px;line-height:1.3;font-weight:400;color:var(--mute)}
.warnings{border-color:var(--warn)}.warnings ul{margin:0;padding-left:20px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:18px}.grid.small{grid-template-columns:repeat(auto-fill,minmax(min(100%,270px),1fr))}
.plot+.plot{margin-top:16px}.grid .plot+.plot{margin-top:0}.plot svg,section>.scroll>svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto}.narrow table{width:auto;min-width:min(100%,440px)}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}caption{text-align:left;color:var(--mute);padding:4px 0 6px}
th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}th{font-weight:600;white-space:nowrap}th.n,td.n{text-align:right;white-space:nowrap}
td:last-child:not(.n){min-width:150px;overflow-wrap:anywhere}.bad{color:var(--bad);font-weight:600}
pre{background:var(--code);border-radius:6px;padding:10px 12px;margin:0 0 14px;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}.command{user-select:all}
details{margin-top:10px}summary{cursor:pointer;font-weight:600}a{color:var(--link)}footer{color:var(--mute);font-size:13px}
@media (max-width:1000px){.tiles{grid-template-columns:repeat(4,minmax(0,1fr))}}
@media (max-width:720px){main{padding:10px 10px 30px}section{padding:12px}.pictures{grid-template-columns:1fr}.wide svg,section>.scroll>svg{min-width:1000px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}h1{font-size:19px}}
@media print{:root{--bg:#fff;print-color-adjust:exact}body{font-size:11pt}main{max-width:none;padding:0}section,figure,tr,.tiles{break-inside:avoid}section{border-color:#bbb}details:not([open]){display:none}.scroll{overflow:visible}.dense table{font-size:6.5pt}.dense th.n,.dense td.n,.dense th{white-space:normal}.dense th,.dense td{padding:1px 3px}.dense td:last-child:not(.n){min-width:0}.picture img{max-height:none}}
${plotCss()}`;
}
