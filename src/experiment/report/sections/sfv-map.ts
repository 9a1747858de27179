import type { ReportBurstMap, ReportData, ReportSemantics, ReportSfv } from '../data.ts';
import { figure, html, type Markup, table } from '../markup.ts';
import { viridis } from '../svg/palette.ts';
import { plot } from '../svg/plot.ts';
import type { Series, TileSeries } from '../svg/series.ts';
import { fixed, grouped } from '../svg/text.ts';
import { MARGINS, subbandTicks, WIDTH } from './resource-blocks.ts';

/** Drawn maps of a picture that took many bursts. */
const MAX_MAPS = 6;
/** Drawn pieces of a map; beyond it only the largest on each RB are drawn. */
const MAX_PIECES = 12_000;
const MAX_ROWS = 600;
/** Parts of a block's width: to here whose symbols ride on it, then its SNR to the second, then nothing. */
const OWNER_END = 0.78;
const SNR_END = 0.96;

/** Which SFV rides on which resource block, over what the blocks turned out to be worth, and the blocks one by one. */
export function sfvMapSection(data: ReportData): Markup | null {
  const s = data.semantics;
  if (!s || s.bursts.length === 0) return null;
  const byId = new Map(s.sfvs.map((v) => [v.id, v]));
  const left = s.bursts.length - MAX_MAPS;
  return html`<section><h2>Who rides where</h2>
${s.bursts.slice(0, MAX_MAPS).map((b, i) => figure(mapCaption(b, i, s.bursts.length), mapPlot(b, byId), true))}
${left > 0 && html`<p class="mu">${left} more bursts are not drawn.</p>`}
${staircase(s)}${blockTable(s, byId)}</section>`;
}

function mapCaption(b: ReportBurstMap, index: number, bursts: number): Markup {
  const which = bursts > 1 ? `Burst ${index + 1} of ${bursts}: ` : '';
  const how =
    b.layout === 'ordered'
      ? 'a block is cut in the order of time'
      : 'every SFV goes over all blocks: a stripe is as wide as its share of the block';
  const side = b.sideRe ? '; grey: side information' : '';
  const snr = b.measuredDb ? '; at the right edge of each block its measured RB SNR' : '; the burst did not arrive';
  return html`${which}SFV on each resource block (${how}${side})${snr}`;
}

function mapPlot(b: ReportBurstMap, byId: ReadonlyMap<number, ReportSfv>): string {
  const measured = b.measuredDb ? Array.from(b.measuredDb).filter(Number.isFinite) : [];
  const low = Math.floor(measured.reduce((a, v) => Math.min(a, v), 0));
  const high = Math.ceil(measured.reduce((a, v) => Math.max(a, v), 1));
  const width = measured.length > 0 ? OWNER_END : SNR_END;
  const series: Series[] = [...(measured.length > 0 ? [snrStrips(b, [low, high])] : []), ownerTiles(b, byId, width)];
  return plot({
    ...MARGINS,
    title: 'SFV on each resource block',
    description: `${b.slots} slots by ${b.subbands} subbands, ${new Set(b.shares.sfv).size} SFVs.`,
    xLabel: 'subband',
    yLabel: 'slot',
    width: WIDTH,
    height: Math.min(560, Math.max(190, 70 + 17 * b.slots)),
    xRange: [-0.5, b.subbands - 0.5],
    yRange: [-0.5, b.slots - 0.5],
    xTicks: subbandTicks(b.subbands),
    yTicks: slotTicks(b.slots),
    yDown: true,
    ...(measured.length > 0 ? { colourBar: { range: [low, high] as const, label: 'RB SNR, dB' } } : {}),
    grid: false,
    series,
    showTitle: false,
    standalone: false,
  });
}

function slotTicks(slots: number) {
  const every = slots > 60 ? 20 : slots > 24 ? 5 : slots > 12 ? 2 : 1;
  return Array.from({ length: Math.ceil(slots / every) }, (_, i) => ({ value: i * every, label: String(i * every) }));
}

/** Measured SNR of every block that came, in 32 steps of the colour scale: one path a step. */
function snrStrips(b: ReportBurstMap, [low, high]: readonly [number, number]): TileSeries {
  const steps = 32;
  const rects: number[][] = Array.from({ length: steps }, () => []);
  for (let rb = 0; rb < b.slots * b.subbands; rb++) {
    const v = b.measuredDb![rb];
    if (!Number.isFinite(v)) continue;
    const step = Math.max(0, Math.min(steps - 1, Math.floor((steps * (v - low)) / (high - low))));
    const [x, y] = [rb % b.subbands, Math.floor(rb / b.subbands)];
    rects[step].push(x - 0.5 + OWNER_END, y - 0.5, x - 0.5 + SNR_END, y + 0.5);
  }
  const groups = rects.map((r, i) => ({ fill: viridis((i + 0.5) / steps), className: 'sn', tooltip: '', rects: r }));
  return { kind: 'tiles', groups: groups.filter((g) => g.rects.length > 0) };
}

/**
 * Pieces of the blocks, one path an SFV. In an ordered map the pieces of a block lie under one another, as they follow in
 * time; in an interleaved one side by side, so that thin ones can be seen.
 */
function ownerTiles(b: ReportBurstMap, byId: ReadonlyMap<number, ReportSfv>, width: number): TileSeries {
  const { first, sfv, re } = b.shares;
  const rbs = b.slots * b.subbands;
  const most = Math.max(1, Math.floor(MAX_PIECES / rbs));
  const rects = new Map<number, number[]>();
  const side: number[] = [];
  for (let rb = 0; rb < rbs; rb++) {
    const [x, y] = [(rb % b.subbands) - 0.5, Math.floor(rb / b.subbands) - 0.5];
    const entries = Array.from({ length: first[rb + 1] - first[rb] }, (_, i) => first[rb] + i);
    let at = (b.sideRe?.[rb] ?? 0) / b.rePerRb;
    if (at > 0) side.push(...piece(b.layout, x, y, width, 0, at));
    const drawn = new Set(entries.length > most ? entries.toSorted((p, q) => re[q] - re[p]).slice(0, most) : entries);
    for (const e of entries) {
      const part = re[e] / b.rePerRb;
      if (drawn.has(e)) {
        let list = rects.get(sfv[e]);
        if (!list) rects.set(sfv[e], (list = []));
        list.push(...piece(b.layout, x, y, width, at, at + part));
      }
      at += part;
    }
  }
  const groups = [...rects].map(([id, list]) => {
    const v = byId.get(id);
    const what = v ? `${v.label}, ${grouped(v.symbols)} symbols on ${grouped(v.rbs)} RBs` : '';
    const tooltip = `SFV ${id}: ${what}`;
    return { fill: v?.colour ?? '#777777', className: `m m${id}`, tooltip, rects: list };
  });
  if (side.length > 0) groups.push({ fill: '#9aa2ad', className: 'm', tooltip: 'side information', rects: side });
  return { kind: 'tiles', groups, texts: b.layout === 'ordered' ? ownerTexts(b) : [] };
}

function piece(layout: ReportBurstMap['layout'], x: number, y: number, width: number, from: number, to: number) {
  return layout === 'ordered' ? [x, y + from, x + width, y + to] : [x + width * from, y, x + width * to, y + 1];
}

/** The number of the SFV in each subband where it holds enough of it for a number to stand. */
function ownerTexts(b: ReportBurstMap): { x: number; y: number; text: string }[] {
  const { first, sfv, re } = b.shares;
  const texts: { x: number; y: number; text: string }[] = [];
  const room = Math.max(0.8, b.slots / 22) * b.rePerRb;
  for (let subband = 0; subband < b.subbands; subband++) {
    const held = new Map<number, { re: number; from: number; to: number }>();
    for (let slot = 0; slot < b.slots; slot++) {
      const rb = slot * b.subbands + subband;
      for (let e = first[rb]; e < first[rb + 1]; e++) {
        const h = held.get(sfv[e]) ?? { re: 0, from: slot, to: slot };
        held.set(sfv[e], { re: h.re + re[e], from: h.from, to: slot });
      }
    }
    for (const [id, h] of held) {
      if (h.re >= room) texts.push({ x: subband - 0.1, y: (h.from + h.to) / 2, text: String(id) });
    }
  }
  return texts;
}

/** SNR of each SFV in the order of importance, as wide as its symbols: what the rule is there for. */
function staircase(s: ReportSemantics): Markup | null {
  const sent = s.sfvs.filter((v) => v.symbols > 0);
  if (sent.length < 2 || sent.every((v) => v.measuredDb === null && v.reportedDb === null)) return null;
  const values = sent.flatMap((v) => [v.measuredDb, v.reportedDb]).filter((v): v is number => v !== null);
  const base = Math.floor(Math.min(0, ...values) - (Math.min(...values) < 0 ? 1 : 0));
  const edges = [0];
  for (const v of sent) edges.push(edges[edges.length - 1] + v.symbols);
  const groups = sent.flatMap((v, i) =>
    v.measuredDb === null
      ? []
      : [
          {
            fill: v.colour,
            className: `m m${v.id}`,
            tooltip: `SFV ${v.id} ${v.label}: ${fixed(v.measuredDb)} dB measured, ${fixed(v.reportedDb)} dB reported`,
            rects: [edges[i], base, edges[i + 1], v.measuredDb],
          },
        ],
  );
  const total = edges[edges.length - 1];
  const texts = sent.flatMap((v, i) =>
    v.measuredDb === null || v.symbols < 0.02 * total
      ? []
      : [{ x: (edges[i] + edges[i + 1]) / 2, y: base + 0.06 * (Math.max(...values) - base), text: String(v.id) }],
  );
  const series: Series[] = [{ kind: 'tiles', groups, texts }];
  if (sent.some((v) => v.reportedDb !== null)) {
    const reported = sent.map((v) => v.reportedDb ?? Number.NaN);
    series.push({
      kind: 'line',
      label: 'by the CSI report',
      x: edges,
      y: [...reported, reported[reported.length - 1]],
      colour: 7,
      step: true,
    });
  }
  const svg = plot({
    ...MARGINS,
    title: 'RB SNR of each SFV, most important first',
    description: `${sent.length} SFVs.`,
    xLabel: 'symbols, most important SFV first',
    yLabel: 'SNR, dB',
    width: WIDTH,
    height: 280,
    xRange: [0, total],
    yRange: [base, Math.max(...values) + 1],
    series,
    showTitle: false,
    standalone: false,
  });
  return figure('SNR that each SFV rode on, most important first; as wide as its symbols', svg, true);
}

function blockTable(s: ReportSemantics, byId: ReadonlyMap<number, ReportSfv>): Markup {
  const total = s.bursts.reduce((sum, b) => sum + b.slots * b.subbands, 0);
  const rows: (string | number)[][] = [];
  for (const b of s.bursts) {
    for (let rb = 0; rb < b.slots * b.subbands && rows.length < MAX_ROWS; rb++) {
      const measured = b.measuredDb?.[rb];
      const reported = b.reportedDb?.[rb % b.subbands];
      rows.push([
        b.burst,
        Math.floor(rb / b.subbands),
        rb % b.subbands,
        fixed(reported),
        fixed(measured),
        fixed(measured !== undefined && reported !== undefined ? measured - reported : null),
        ridersOf(b, rb, byId),
      ]);
    }
  }
  return html`<details><summary>All ${grouped(total)} resource blocks</summary>${table(
    'Resource blocks in the order of time: SNR by the report and as measured, and who rides there with how many RE',
    ['burst', 'slot', 'subband', 'reported dB', 'measured dB', 'difference dB', 'SFV × RE'],
    rows,
    [0, 1, 2, 3, 4, 5],
  )}${total > MAX_ROWS && html`<p class="mu">${grouped(total - MAX_ROWS)} more in frames.jsonl.</p>`}</details>`;
}

const MAX_RIDERS = 5;

function ridersOf({ shares: { first, sfv, re } }: ReportBurstMap, rb: number, byId: ReadonlyMap<number, ReportSfv>) {
  const entries = Array.from({ length: first[rb + 1] - first[rb] }, (_, i) => first[rb] + i).sort(
    (p, q) => re[q] - re[p],
  );
  const named = entries.slice(0, MAX_RIDERS).map((e) => {
    const label = entries.length <= 2 ? ` ${byId.get(sfv[e])?.label ?? ''}` : '';
    return `${sfv[e]}${label} × ${re[e]}`;
  });
  const more = entries.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
