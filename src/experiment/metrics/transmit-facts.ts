import { FormatError } from '../../common/errors.ts';
import { asArray, asNumber, asObject, asString, orNull } from '../../common/json-input.ts';
import type { SymbolBudget } from '../../link/accounting.ts';
import type { Unsent } from '../../link/transmission.ts';
import type { TransmissionPlan, Transmitter } from '../../link/transmitter.ts';
import { modelSetId } from '../config/link-codecs.ts';

export const TRANSMIT_SCHEMA = 'sct.transmit/4';

/** What only the transmitter knows of a picture: allocation.json of a run, which a replay reads again. */
export interface TransmitFacts {
  readonly schema: typeof TRANSMIT_SCHEMA;
  readonly mapping: string;
  /** Why this mapping; empty in older runs. */
  readonly mappingReason: string;
  /** Extra margin of the more important half in the code rates of streams of bits, dB. */
  readonly protectionDb: number;
  readonly csiNumber: number;
  readonly csiAgeMs: number | null;
  readonly reportedSnrDb: number[] | null;
  readonly bitsPerSubband: number[];
  /** Of the first burst's code blocks; null where no bits are sent. */
  readonly codeRate: number | null;
  readonly payloadBytes: number;
  readonly sideInfoBytes: number;
  /** 8 hexadecimal digits; null where the codec needs no model set. */
  readonly modelSet: string | null;
  /** Streams (SFVs) in the order of placement: symbols or bytes, expected SNR in dB; and those that got nothing. */
  readonly grants: readonly { readonly id: number; readonly size: number; readonly snrDb: number | null }[];
  readonly dropped: readonly number[];
  readonly warnings: readonly string[];
  /** RE of analog streams that were limited in magnitude. */
  readonly limitedRe: number;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly budget: SymbolBudget;
  readonly retransmissions: number;
  readonly retransmissionRounds: number;
  /** Power of each subband's payload, dB; null for equal power. */
  readonly powerDb: number[] | null;
  readonly harq: HarqFacts;
  /** Why nothing of the picture was sent; null where it was. */
  readonly unsent: Unsent | null;
}

/** How the picture's repetitions went, from the sender's side. */
export interface HarqFacts {
  /** Most repetitions of one part. */
  readonly rounds: number;
  readonly bursts: number;
  /** Streams (SFVs) in these bursts, each as often as it was repeated; and all their RE. */
  readonly streams: number;
  readonly symbols: number;
  /** Bursts that nobody acknowledged in time. */
  readonly timeouts: number;
  /** Blocks given up without an acknowledgement. */
  readonly unacknowledged: number;
  readonly lateAcks: number;
  readonly duplicateAcks: number;
  /** Of no burst of ours, contradicting it, or not readable. */
  readonly refusedAcks: number;
}

export function transmitFacts(plan: TransmissionPlan, transmitter: Transmitter): TransmitFacts {
  const { modelSet } = transmitter.options;
  return {
    schema: TRANSMIT_SCHEMA,
    mapping: plan.map,
    mappingReason: plan.mapReason,
    protectionDb: plan.protectionDb,
    csiNumber: plan.csiNumber,
    csiAgeMs: plan.csiAgeS === null ? null : 1e3 * plan.csiAgeS,
    reportedSnrDb: plan.reportedSnrDb,
    bitsPerSubband: [...plan.loading.qm],
    codeRate: plan.codeRate,
    payloadBytes: plan.payloadBytes,
    sideInfoBytes: plan.sideInfoBytes,
    modelSet: modelSet === 0 ? null : modelSetId(modelSet),
    grants: plan.grants.map(({ id, size, snrDb }) => ({ id, size, snrDb: snrDb ?? null })),
    dropped: plan.dropped,
    warnings: plan.warnings,
    limitedRe: transmitter.limitedRe,
    settings: plan.settings,
    budget: { ...transmitter.budget },
    retransmissions: transmitter.retransmittedBlocks,
    retransmissionRounds: transmitter.retransmissionRounds,
    powerDb: plan.powerDb,
    harq: harqFacts(transmitter),
    unsent: plan.unsent,
  };
}

function harqFacts(transmitter: Transmitter): HarqFacts {
  const { acks, corrupt, timeouts, unacknowledged } = transmitter.harq.counters;
  return {
    rounds: transmitter.retransmissionRounds,
    bursts: transmitter.retransmissionBursts,
    streams: transmitter.retransmittedStreams,
    symbols: transmitter.retransmittedRe,
    timeouts,
    unacknowledged,
    lateAcks: acks.late,
    duplicateAcks: acks.duplicate,
    refusedAcks: acks.unknown + acks.contradictory + corrupt,
  };
}

const HARQ_KEYS = [
  'rounds',
  'bursts',
  'streams',
  'symbols',
  'timeouts',
  'unacknowledged',
  'lateAcks',
  'duplicateAcks',
  'refusedAcks',
] as const satisfies readonly (keyof HarqFacts)[];

const BUDGET_KEYS = [
  'payload',
  'sideInfo',
  'control',
  'padding',
  'retransmission',
  'pilots',
  'preamble',
  'sounding',
  'reverse',
] as const;

/** Checks an allocation.json; FormatError names the field. */
export function parseTransmitFacts(value: unknown): TransmitFacts {
  const o = asObject('allocation.json', value);
  const budget = asObject('budget', o.budget);
  const settings = asObject('settings', o.settings) as TransmitFacts['settings'];
  const harq = asObject('harq', o.harq);
  const numbers = (field: string, v: unknown) => asArray(field, v, 255).map((x, i) => asNumber(`${field}[${i}]`, x));
  return {
    schema: TRANSMIT_SCHEMA,
    mapping: asString('mapping', o.mapping, 32),
    mappingReason: asString('mappingReason', o.mappingReason ?? '', 200),
    protectionDb: asNumber('protectionDb', o.protectionDb ?? 0),
    csiNumber: asNumber('csiNumber', o.csiNumber),
    csiAgeMs: orNull('csiAgeMs', o.csiAgeMs, asNumber),
    reportedSnrDb: orNull('reportedSnrDb', o.reportedSnrDb, numbers),
    bitsPerSubband: numbers('bitsPerSubband', o.bitsPerSubband),
    codeRate: orNull('codeRate', o.codeRate, asNumber),
    payloadBytes: asNumber('payloadBytes', o.payloadBytes),
    sideInfoBytes: asNumber('sideInfoBytes', o.sideInfoBytes),
    modelSet: orNull('modelSet', o.modelSet, (field, v) => asString(field, v, 8)),
    grants: asArray('grants', o.grants, 255).map((v, i) => {
      const g = asObject(`grants[${i}]`, v);
      const number = (key: string) => asNumber(`grants[${i}].${key}`, g[key]);
      return { id: number('id'), size: number('size'), snrDb: orNull(`grants[${i}].snrDb`, g.snrDb, asNumber) };
    }),
    dropped: numbers('dropped', o.dropped),
    warnings: asArray('warnings', o.warnings, 16).map((v, i) => asString(`warnings[${i}]`, v, 1000)),
    limitedRe: asNumber('limitedRe', o.limitedRe),
    settings,
    budget: Object.fromEntries(
      BUDGET_KEYS.map((k) => [k, asNumber(`budget.${k}`, budget[k])]),
    ) as unknown as SymbolBudget,
    retransmissions: asNumber('retransmissions', o.retransmissions),
    retransmissionRounds: asNumber('retransmissionRounds', o.retransmissionRounds),
    powerDb: orNull('powerDb', o.powerDb, numbers),
    harq: Object.fromEntries(HARQ_KEYS.map((k) => [k, asNumber(`harq.${k}`, harq[k])])) as unknown as HarqFacts,
    unsent: orNull('unsent', o.unsent ?? null, unsentOf),
  };
}

function unsentOf(field: string, value: unknown): Unsent {
  const o = asObject(field, value);
  if (o.reason !== 'budget') throw new FormatError(`${field}.reason`, 'must be budget');
  return { reason: o.reason, why: asString(`${field}.why`, o.why, 1000) };
}
