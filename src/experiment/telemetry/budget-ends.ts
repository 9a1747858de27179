import { storedLevel } from '../../radio/calibration.ts';
import type { RxStream, StreamSettings, TxStream } from '../../radio/radio.ts';
import type { SnrSetter } from '../cabled/snr-setter.ts';
import { type LinkConfig, occupiedHz } from '../config/link-config.ts';
import type { LinkSetup } from '../config/link-setup.ts';
import type { RadioEnd } from '../ota/radio-end.ts';
import type { BudgetEnd, BudgetFacts } from './link-budget.ts';
import type { RadioState } from './status-teller.ts';

/** What is known of a link through a model: the SNR that it was asked for. */
export function modelledBudget(config: Pick<LinkConfig, 'snrDb'>, setup: LinkSetup): BudgetFacts {
  return { tx: null, rx: null, cabledDb: null, askedSnrDb: config.snrDb, ...bandOf(setup) };
}

/** A board's part of a budget, as its stream is set now; null where an end is none, or not open yet. */
export function budgetEnd(
  end: RadioEnd | null,
  settings: Pick<StreamSettings, 'gainsDb' | 'frequencyHz'> | null,
  level: BudgetEnd['level'] = null,
): BudgetEnd | null {
  return end?.board && settings ? { profile: end.profile, settings, level } : null;
}

/** Gains, underruns and budget of a link between two boards here, as they are now. */
export function linkBudgetState(
  ends: { readonly tx: RadioEnd; readonly rx: RadioEnd; readonly snr?: Pick<SnrSetter, 'facts'> | null },
  { tx, rx }: { readonly tx: TxStream; readonly rx: RxStream },
  rxGainsDb: Readonly<Record<string, number>>,
  level: BudgetEnd['level'],
): Omit<RadioState, 'clippedSamples'> {
  const { cabledDb } = ends.tx.config;
  const attenuatorDb = ends.snr?.facts()?.attenuationDb ?? 0;
  return {
    underruns: tx.counters.underruns,
    rxGainsDb,
    txGainsDb: tx.settings.gainsDb,
    budget: {
      tx: budgetEnd(ends.tx, tx.settings),
      rx: budgetEnd(ends.rx, { ...rx.settings, gainsDb: rxGainsDb }, level),
      cabledDb: cabledDb === undefined ? null : cabledDb + attenuatorDb,
      askedSnrDb: null,
      ...bandOf(ends.rx.setup),
    },
  };
}

/** What is known of a link whose receiver is elsewhere. */
export function sendingBudget(end: RadioEnd): BudgetFacts {
  const { gainsDb = {}, frequencyHz = 0 } = end.request;
  const cabledDb = end.config.cabledDb ?? null;
  return { tx: budgetEnd(end, { gainsDb, frequencyHz }), rx: null, cabledDb, askedSnrDb: null, ...bandOf(end.setup) };
}

/** Where a signal lies against the LO, and how wide it is. */
export function bandOf({ numerology, frontend }: LinkSetup): Pick<BudgetFacts, 'occupiedHz' | 'offsetHz'> {
  return { occupiedHz: occupiedHz(numerology), offsetHz: -frontend.loOffsetHz };
}

/** Full scale that was measured on an end's board (sct doctor --reference-dbm --save); null where it was not, or cannot be read. */
export async function levelOfEnd({ uri }: RadioEnd): Promise<BudgetEnd['level']> {
  const serial = 'serial' in uri ? (uri.serial ?? null) : null;
  return storedLevel(serial).catch(() => null);
}
