import { type ExtensionShape, extensionBytes } from '../../phy/frame/extension.ts';
import { EXTENSION_RATES, EXTENSION_UNIT_BYTES } from '../../phy/frame/header.ts';
import { type Numerology, RB_DATA_RE } from '../../phy/numerology.ts';
import { extensionSymbols } from '../../phy/resource-grid.ts';
import type { SourcePlan } from '../../sct/codec/codec.ts';
import type { TransmitBurst } from '../transmission.ts';
import { codeRateFor } from './adaptation.ts';
import { MAX_DATA_SLOTS } from './budget-split.ts';
import { type ChannelKnowledge, TARGET_BLER } from './channel-knowledge.ts';
import { MOST_UNCERTAINTY } from './side-rate.ts';

/** The extension's lowest code rate: for all that is not sent by a fresh report. */
export const ROBUST_MCS = 0;
/** An extension that takes no more of the budget stays at the lowest rate. */
const SMALL_SHARE = 0.025;
/** More than this of a burst is told to the user. */
const LARGE_SHARE = 0.1;
/**
 * SFVs of a picture unless a user asks for another number. More cost more than their finer order brings: columns of the extension, packets
 * of their own, slots that no longer fit (docs/adr/0020-how-many-sfvs.md).
 */
export const USUAL_SFVS = 12;
/** With no more RE, a burst's blocks can always be numbered: 255 of 8416 bits at 256-QAM 0.92. */
const ONE_BURST_RE = 290_000;
/** What the band may be worse than expected, dB, where the extension has a higher rate. */
const MARGIN_DB = 3;

/** An extension of one coded stream, the largest of its kind. */
const ONE_STREAM: ExtensionShape = {
  parts: true,
  modulations: true,
  streams: 1,
  kind: 'bits',
  largestId: 0,
  scoreSpan: 0,
  largestRe: 2 ** 20 - 1,
  largestBytes: 2 ** 22 - 1,
};

/** RE of header and extension of a burst whose extension is at most of this shape; what is not said is of one coded stream. */
export function controlRe(n: Numerology, shape: Partial<ExtensionShape>, mcs = ROBUST_MCS): number {
  return n.headerSymbols * n.symbolDataRe + extensionRe(n, { ...ONE_STREAM, ...shape }, mcs);
}

function extensionRe(n: Numerology, shape: ExtensionShape, mcs: number): number {
  const bytes = Math.ceil(extensionBytes(n.nSubbands, shape) / EXTENSION_UNIT_BYTES) * EXTENSION_UNIT_BYTES;
  return extensionSymbols(n, bytes, EXTENSION_RATES[mcs]) * n.symbolDataRe;
}

/**
 * The largest extension that a burst of a picture can have.
 *
 * @param timed whether it says when the picture was captured
 */
export function shapeOf(
  n: Numerology,
  { streams, sideInfoBytes }: SourcePlan,
  csi: ChannelKnowledge,
  budgetRe: number,
  timed = false,
): ExtensionShape {
  const analog = streams.filter((s) => s.kind === 'analog').length;
  const scores = streams.map((s) => s.score);
  const re = Math.max(1, Math.min(2 ** 20 - 1, Math.floor(budgetRe)));
  const alone = streams.length === 1;
  const several = budgetRe > Math.min(ONE_BURST_RE, MAX_DATA_SLOTS * n.nSubbands * RB_DATA_RE);
  return {
    time: timed,
    ...(several ? { parts: true, earlier: true, later: true } : {}),
    side: sideInfoBytes > 0,
    modulations: analog < streams.length,
    // All mappings are to have as many slots, whether or not they need an order.
    order: !alone && csi.codes !== null,
    power: csi.power !== null,
    streams: streams.length,
    kind: analog === 0 ? 'bits' : analog === streams.length ? 'analog' : 'mixed',
    largestId: Math.max(0, ...streams.map((s) => s.id)),
    scoreSpan: Math.max(0, ...scores) - Math.min(255, ...scores),
    largestRe: re,
    // At most 256-QAM: a byte an RE.
    largestBytes: alone ? 2 ** 22 - 1 : re,
  };
}

/**
 * Code rate of a picture's extensions: the lowest, where that takes little of the budget; else the lowest that does, as far as a
 * fresh report supports it with a margin.
 */
export function extensionMcs(n: Numerology, shape: ExtensionShape, budgetRe: number, csi: ChannelKnowledge): number {
  const burstRe = Math.min(budgetRe, MAX_DATA_SLOTS * n.nSubbands * RB_DATA_RE);
  const highest = highestMcs(n, csi);
  let mcs = ROBUST_MCS;
  while (mcs < highest && extensionRe(n, shape, mcs) > SMALL_SHARE * burstRe) mcs++;
  return mcs;
}

function highestMcs(n: Numerology, { codes, codedSnrDb, uncertainty }: ChannelKnowledge): number {
  if (codes === null || uncertainty > MOST_UNCERTAINTY) return ROBUST_MCS;
  // Some 500 bits: a typical extension.
  const each = new Float64Array(n.nSubbands).fill(500 / n.nSubbands);
  const worse = codedSnrDb.map((snr) => snr - MARGIN_DB);
  const rate = codeRateFor(each, new Uint8Array(n.nSubbands).fill(2), worse, TARGET_BLER);
  return Math.max(
    ROBUST_MCS,
    EXTENSION_RATES.findLastIndex((r) => r <= rate),
  );
}

/** Most SFVs: the wanted number, or fewer analog streams where their extension would take more than a tenth of a burst. */
export function mostStreams(n: Numerology, budgetRe: number, csi: ChannelKnowledge, wanted: number): number {
  const burstRe = Math.min(budgetRe, MAX_DATA_SLOTS * n.nSubbands * RB_DATA_RE);
  const mcs = highestMcs(n, csi);
  let streams = wanted;
  for (; streams > 1; streams--) {
    const widths = { largestId: streams - 1, scoreSpan: 63, largestRe: Math.ceil(budgetRe / 4), largestBytes: 0 };
    const shape = { kind: 'analog', side: true, order: csi.codes !== null, power: csi.power !== null } as const;
    if (extensionRe(n, { ...shape, ...widths, streams }, mcs) <= LARGE_SHARE * burstRe) break;
  }
  return streams;
}

/**
 * What to tell of bursts whose control block takes more than it should.
 *
 * @param limit most SFVs, where there are fewer than wanted
 */
export function controlWarnings(n: Numerology, bursts: readonly TransmitBurst[], limit: number | undefined): string[] {
  const out: string[] = [];
  const shares = bursts.map(({ layout }) => {
    const extension = layout.extensionSymbols * n.symbolDataRe;
    return extension / (layout.controlSymbols * n.symbolDataRe + layout.payloadRe);
  });
  const largest = Math.max(...shares);
  const streams = bursts[shares.indexOf(largest)]?.extension?.streams.length ?? 0;
  if (streams > 1 && largest > LARGE_SHARE) {
    out.push(
      `the extension takes ${(100 * largest).toFixed(1)} % of a burst of ${streams} SFVs: a larger budget, or ` +
        `${limit !== undefined && limit < streams ? limit : 'fewer'} SFVs, would keep it below ${100 * LARGE_SHARE} %`,
    );
  } else if (limit !== undefined && streams > 1) {
    out.push(`at most ${limit} SFVs, so that the extension takes no more than ${100 * LARGE_SHARE} % of the budget`);
  }
  return out;
}
