import { createHash } from 'node:crypto';
import { MOST_MS } from '../../link/video/latency-log.ts';
import { describeBoard } from '../../radio/board-identity.ts';
import { figure, html, Markup, table } from '../report/markup.ts';
import { pageCss } from '../report/style.ts';
import { plot } from '../report/svg/plot.ts';
import type { FrameLine } from './frame-book.ts';
import type { VideoMetrics } from './video-metrics.ts';

/** Points of the time line at most: a longer video shows the worst frame of each stretch. */
const MOST_POINTS = 1500;
/** Width of a bar of the histogram, ms. */
const BAR_MS = 2;
const MODELLED = 'The air is a model in this process, in real time; no radio was involved.';

/** What the page shows of each frame; kept small, for videos of hours. */
export interface FramePoint {
  readonly frame: number;
  readonly state: FrameLine['state'];
  readonly latencyMs: number | null;
  readonly psnrDb: number | null;
}

/** report.html of a video: numbers, latency over time and as a histogram, PSNR over time. No script, no request. */
export function videoPage(m: VideoMetrics, histogram: readonly number[], points: readonly FramePoint[]): string {
  const css = pageCss();
  const hash = createHash('sha256').update(css).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const title = `${m.command} ${m.source}`;
  const plots = [
    latencyLine(m, points),
    histogram.length > 0 ? latencyBars(m, histogram) : null,
    psnrLine(points),
  ].filter((p) => p !== null);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>${title} · sct video</title><style>${new Markup(css)}</style></head>
<body><main><h1>${title}</h1>
<p class="sub">${m.sizePx}x${m.sizePx} at ${m.fps} frames/s · ${m.codec}${m.size ? ` (${m.size})` : ''} · numerology ${m.numerology}${m.channel ? ` · ${m.channel}, ${m.snrDb} dB` : ''}</p>
${m.modelled ? html`<p>${MODELLED}</p>` : null}
${m.board ? html`<p>${describeBoard(m.board)}</p>` : null}
${m.notes.map((note) => html`<p>${note}</p>`)}
<section><h2>Frames</h2>${table('', ['', ''], numbers(m), [1])}</section>
<section><h2>Over time</h2>${plots}</section>
</main></body></html>
`.text;
}

function numbers(m: VideoMetrics): (string | number)[][] {
  const { counts, latencyMs: l } = m;
  const figure = (v: number | null, digits: number, unit = '') => (v === null ? '-' : `${v.toFixed(digits)}${unit}`);
  return [
    ['captured', counts.captured ?? '-'],
    ['sent', counts.sent ?? '-'],
    ['shown', counts.shown],
    ['late', counts.late],
    ['lost in the air', counts.lost],
    ['left out by the sender', counts.dropped ?? '-'],
    ...Object.entries(m.reasons).map(([reason, n]) => [`of these: ${reason}`, n]),
    ['not in time', figure(m.lateShare === null ? null : 100 * m.lateShare, 3, ' %')],
    [`latency${l.of ? ` (${l.of})` : ''}: half of the frames`, figure(l.p50, 1, ' ms')],
    ['99 %', figure(l.p99, 1, ' ms')],
    ['largest', figure(l.max, 1, ' ms')],
    ['PSNR', figure(m.psnrDb, 2, ' dB')],
    ['channel symbols per pixel', figure(m.symbolsPerPixel, 4)],
    ['restored with the frame before', `${m.rememberedFrames} of ${m.damagedFrames} damaged`],
    [
      'PSNR in damaged places with it, without it',
      m.corrector ? `${figure(m.corrector.withDb, 2)}, ${figure(m.corrector.withoutDb, 2, ' dB')}` : '-',
    ],
    ['CPU time of a frame', figure(m.cpuMsPerFrame, 1, ' ms')],
  ];
}

function latencyLine(m: VideoMetrics, points: readonly FramePoint[]): Markup | null {
  const worst = thinned(points, (p) => p.latencyMs, Math.max);
  if (worst.length === 0) return null;
  return figure(
    `latency frame by frame${points.length > MOST_POINTS ? ', the worst of each stretch' : ''}`,
    plot({
      title: 'latency',
      description: 'Milliseconds of each frame.',
      xLabel: 'frame',
      yLabel: 'latency, ms',
      width: 900,
      height: 280,
      showTitle: false,
      standalone: false,
      series: [
        { kind: 'line', label: 'frames', x: worst.map((p) => p.frame), y: worst.map((p) => p.value) },
        ...(m.deadlineMs === null
          ? []
          : [{ kind: 'threshold' as const, axis: 'y' as const, value: m.deadlineMs, label: 'deadline' }]),
      ],
    }),
    true,
  );
}

function latencyBars(m: VideoMetrics, histogram: readonly number[]): Markup {
  return figure(
    'how many frames had which latency',
    plot({
      title: 'latency',
      description: 'Frames in each stretch of 2 ms.',
      xLabel: 'latency, ms',
      yLabel: 'frames',
      width: 900,
      height: 260,
      showTitle: false,
      standalone: false,
      xRange: [0, Math.min(MOST_MS, Math.max(BAR_MS * histogram.length, m.deadlineMs ?? 0))],
      series: [
        { kind: 'bars', x: histogram.map((_, i) => BAR_MS * (i + 0.5)), y: [...histogram], barWidth: 0.9 * BAR_MS },
      ],
    }),
    true,
  );
}

function psnrLine(points: readonly FramePoint[]): Markup | null {
  const least = thinned(points, (p) => p.psnrDb, Math.min);
  if (least.length === 0) return null;
  return figure(
    `PSNR frame by frame${points.length > MOST_POINTS ? ', the worst of each stretch' : ''}`,
    plot({
      title: 'PSNR',
      description: 'PSNR of each frame against the one sent.',
      xLabel: 'frame',
      yLabel: 'PSNR, dB',
      width: 900,
      height: 260,
      showTitle: false,
      standalone: false,
      series: [{ kind: 'line', x: least.map((p) => p.frame), y: least.map((p) => p.value) }],
    }),
    true,
  );
}

function thinned(
  points: readonly FramePoint[],
  read: (p: FramePoint) => number | null,
  worse: (a: number, b: number) => number,
): { readonly frame: number; readonly value: number }[] {
  const step = Math.max(1, Math.ceil(points.length / MOST_POINTS));
  const out: { frame: number; value: number }[] = [];
  for (let at = 0; at < points.length; at += step) {
    let value: number | null = null;
    for (let i = at; i < Math.min(points.length, at + step); i++) {
      const v = read(points[i]);
      if (v !== null) value = value === null ? v : worse(value, v);
    }
    if (value !== null) out.push({ frame: points[at].frame, value });
  }
  return out;
}
