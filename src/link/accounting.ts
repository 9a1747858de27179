import type { Numerology } from '../phy/numerology.ts';
import type { BurstLayout } from '../phy/resource-grid.ts';

/** Resource elements by use. payload + sideInfo + control + padding + retransmission count in R (design §1). */
export interface SymbolBudget {
  payload: number;
  sideInfo: number;
  control: number;
  padding: number;
  /** All RE of retransmission bursts, their control included. */
  retransmission: number;
  /** Reported beside R. */
  pilots: number;
  preamble: number;
  sounding: number;
  reverse: number;
}

export function emptyBudget(): SymbolBudget {
  return {
    payload: 0,
    sideInfo: 0,
    control: 0,
    padding: 0,
    retransmission: 0,
    pilots: 0,
    preamble: 0,
    sounding: 0,
    reverse: 0,
  };
}

/** RE that count in R. */
export function countedRe(b: SymbolBudget): number {
  return b.payload + b.sideInfo + b.control + b.padding + b.retransmission;
}

export type BurstUse = 'sounding' | 'data' | 'retransmission' | 'reverse';

/**
 * Adds one burst. The preamble is counted as the RE its duration would hold, samples / symbolLength x nCarriers;
 * a sounding or reverse burst counts whole in its own row, and so does a retransmission.
 *
 * @param payloadUsed RE of streams
 * @param sideInfo RE of side information
 */
export function addBurst(
  budget: SymbolBudget,
  n: Numerology,
  layout: BurstLayout,
  use: BurstUse,
  payloadUsed: number,
  sideInfo = 0,
): void {
  const preamble = Math.round((n.preambleLength / n.symbolLength) * n.nCarriers);
  const pilots = layout.symbols * n.nSubbands;
  const control = layout.controlSymbols * n.symbolDataRe;
  if (use === 'sounding' || use === 'reverse') {
    budget[use] += preamble + pilots + control + layout.payloadRe;
    return;
  }
  budget.preamble += preamble;
  budget.pilots += pilots;
  if (use === 'retransmission') {
    budget.retransmission += control + layout.payloadRe;
    return;
  }
  budget.control += control;
  budget.payload += payloadUsed;
  budget.sideInfo += sideInfo;
  budget.padding += layout.payloadRe - payloadUsed - sideInfo;
}
