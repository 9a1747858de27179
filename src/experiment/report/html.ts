import { createHash } from 'node:crypto';
import { METRIC_DEFINITIONS } from '../metrics/metrics.ts';
import type { ReportData } from './data.ts';
import { html, Markup } from './markup.ts';
import { headSection } from './sections/pictures.ts';
import { radioSection } from './sections/radio.ts';
import { resourceBlockSection } from './sections/resource-blocks.ts';
import { semanticSection } from './sections/semantics.ts';
import { sfvMapSection } from './sections/sfv-map.ts';
import { speechSection } from './sections/speech.ts';
import { blockSection, budgetSection, burstSection, recordSection, sfvSection } from './sections/tables.ts';
import { semanticCss } from './semantic-style.ts';
import { pageCss } from './style.ts';

/**
 * report.html as one self-contained page: no script, no request; the policy allows only its own style (by hash) and
 * pictures inside the page, so nothing in the data can make it do more. Sections without data are left out.
 */
export function reportHtml(data: ReportData): string {
  const css = data.semantics ? `${pageCss()}\n${semanticCss(data.semantics.sfvs.map((v) => v.id))}` : pageCss();
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; img-src data:; ${data.speech ? 'media-src data:; ' : ''}style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const id = data.identification;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${id.title} · sct run</title><style>${new Markup(css)}</style></head>
<body><main>${headSection(data)}
${speechSection(data)}
${semanticSection(data)}
${sfvMapSection(data)}
${resourceBlockSection(data)}
${radioSection(data)}
${data.semantics ? null : sfvSection(data)}
${burstSection(data)}
${blockSection(data)}
${budgetSection(data)}
${recordSection(data)}
<footer>Made by ${id.program}. Definitions of the numbers: docs/metrics.md, version ${METRIC_DEFINITIONS}.</footer>
</main></body></html>
`;
  return page.text;
}
