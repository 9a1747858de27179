import type { BurstTelemetry, LossEvent } from '../../link/telemetry.ts';
import type { TransmissionPlan } from '../../link/transmission.ts';
import { MODULATION_BITS } from '../../phy/frame/extension.ts';
import type { SfvOutcome } from '../../sct/codec/codec.ts';
import type { LinkMetrics } from '../metrics/metrics.ts';

/** SFVs that are named one by one. */
const MOST_NAMED = 8;

/** What was decided for a picture: "matched map by report 3 (20.1 ms old), analog, 12 SFVs in 1 burst of 34 slots, 21000 symbols". */
export function planText(plan: TransmissionPlan): string {
  const { map, csiNumber, csiAgeS, source, grants, dropped, bursts } = plan;
  const age = csiAgeS === null ? '' : ` (${(1e3 * csiAgeS).toFixed(1)} ms old)`;
  const by = csiNumber > 0 ? ` by report ${csiNumber}${age}` : '';
  const slots = bursts.reduce((sum, b) => sum + b.slots, 0);
  const streams = `${grants.length} of ${source.streams.length} streams${dropped.length > 0 ? ` (${dropped.length} dropped)` : ''}`;
  const size = plan.payloadBytes > 0 ? `, ${plan.payloadBytes} bytes` : '';
  return `plan: ${map} map${by}, ${modulations(bursts)}, ${streams} in ${count(bursts.length, 'burst')} of ${slots} slots${size}`;
}

function modulations(bursts: TransmissionPlan['bursts']): string {
  const bits = new Set(
    bursts.flatMap(({ extension }) => (extension?.modulation ?? []).map((m) => MODULATION_BITS[m] ?? 0)),
  );
  const coded = [...bits].filter((qm) => qm > 0).sort((a, b) => a - b);
  const names = coded.map((qm) => (qm === 2 ? 'QPSK' : `${2 ** qm}QAM`));
  return names.length > 0 ? names.join('/') : 'analog symbols';
}

/** "burst 7 repeats lost parts: 12 blocks, 3 of them still missing"; null for a burst that is no repetition. */
export function repetitionText({ use, burst, blocks, blocksLost }: BurstTelemetry): string | null {
  if (use !== 'retransmission') return null;
  const missing = blocks === 0 ? '' : `: of ${count(blocks, 'block')} ${blocksLost} still missing`;
  return `burst ${burst} repeats what was asked for again${missing}`;
}

/**
 * "120 to 500 samples lost between 0.605 and 0.692 s".
 *
 * @param within first and last sample that came, s: a range from a clock may reach beyond them
 */
export function lossText({ fromS, toS, min, max, exact }: LossEvent, within: readonly [number, number]): string {
  const many = exact
    ? count(max, 'sample')
    : min === max
      ? `about ${count(max, 'sample')}`
      : `${min} to ${max} samples`;
  const [from, to] = [fromS, toS].map((s) => Math.max(within[0], Math.min(within[1], s)).toFixed(3));
  return exact || from === to ? `${many} lost at ${from} s` : `${many} lost between ${from} and ${to} s`;
}

/** SFVs that did not come whole, a line for each kind: "lost: SFV 3 (of importance 0.12)"; none where all did. */
export function damageTexts(sfvs: readonly Pick<SfvOutcome, 'id' | 'state' | 'snrDb' | 'sent'>[]): string[] {
  return (['repaired', 'synthesised', 'lost'] as const).flatMap((state) => {
    const these = sfvs.filter((sfv) => sfv.state === state);
    if (these.length === 0) return [];
    const named = these
      .slice(0, MOST_NAMED)
      .map(
        ({ id, snrDb, sent }) => `${id}${sent ? (snrDb === null ? '' : ` (${snrDb.toFixed(1)} dB)`) : ' (not sent)'}`,
      );
    const more = these.length > MOST_NAMED ? ` and ${these.length - MOST_NAMED} more` : '';
    return [`SFVs ${state}: ${named.join(', ')}${more}`];
  });
}

/** How a run ended well: "the picture arrived: PSNR 35.74 dB, MS-SSIM 0.978". */
export function goodEnd(metrics: Readonly<Partial<LinkMetrics>> | null): string {
  if (!metrics || !('codec' in metrics)) return 'done';
  if (metrics.codec === 'none') {
    const known = (metrics.rbSnrDb ?? []).filter((db): db is number => db !== null);
    const mean = known.reduce((sum, db) => sum + db, 0) / known.length;
    return known.length > 0 ? `the channel was heard: SNR ${mean.toFixed(1)} dB on the mean` : 'the channel was heard';
  }
  const { psnrDb, msSsim, retransmissions } = metrics;
  const measured = [
    ...(typeof psnrDb === 'number' ? [`PSNR ${psnrDb.toFixed(2)} dB`] : []),
    ...(typeof msSsim === 'number' ? [`MS-SSIM ${msSsim.toFixed(3)}`] : []),
    ...(retransmissions ? [count(retransmissions, 'repetition')] : []),
  ];
  return measured.length > 0 ? `the picture arrived: ${measured.join(', ')}` : 'the picture arrived';
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
