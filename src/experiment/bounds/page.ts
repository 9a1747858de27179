import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writableFolder } from '../../common/make-folder.ts';
import { figure as framed, html, Markup, table } from '../report/markup.ts';
import { pageCss } from '../report/style.ts';
import { type BoundsDocument, type BoundsPlot, documentJson, plotSvg, plotsCsv } from './document.ts';

/** One self-contained page: figures, plots of theory beside what was measured, and what has no closed form. No script, no request. */
export function boundsPage(d: BoundsDocument, drawn: readonly BoundsPlot[], command: string, program: string): string {
  const css = pageCss();
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const open = d.noClosedForm.map((text) => html`<li>${text}</li>`);
  const plots = drawn.map((p) => framed(p.title, plotSvg(p, false)));
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${d.title} · sct bounds</title><style>${new Markup(css)}</style></head>
<body><main><h1>${d.title}</h1>
<section><h2>Figures</h2>${table(
    '',
    ['', ''],
    d.lines.map(([name, value]) => [name, value]),
  )}<p>${d.method}</p></section>
${plots.length > 0 ? html`<section><h2>Curves</h2>${plots}</section>` : null}
${open.length > 0 ? html`<section><h2>Without a closed form</h2><ul>${open}</ul></section>` : null}
<section><h2>Again</h2><pre class="command">${command}</pre></section>
<footer>Made by ${program}. Definitions: docs/bounds.md.</footer>
</main></body></html>
`.text;
}

/** Writes bounds.json, bounds.csv, bounds.html and an SVG for each plot; returns their names. UsageError where the folder cannot be used. */
export async function writeDocument(
  folder: string,
  d: BoundsDocument,
  command: string,
  program: string,
): Promise<Record<string, string>> {
  const path = await writableFolder(folder);
  const plots = d.plots();
  const files: Record<string, string> = { json: 'bounds.json', csv: 'bounds.csv', page: 'bounds.html' };
  for (const p of plots) files[`plot-${p.name}`] = `${p.name}.svg`;
  const json = { ...documentJson(d), command, plots };
  await writeFile(join(path, files.json), `${JSON.stringify(json, null, 1)}\n`);
  await writeFile(join(path, files.csv), plotsCsv(plots));
  await writeFile(join(path, files.page), boundsPage(d, plots, command, program));
  for (const p of plots) await writeFile(join(path, `${p.name}.svg`), plotSvg(p, true));
  return files;
}
