import { count, fixed, unit } from '../draw/format.ts';
import type { BurstTelemetry } from '../state/events.ts';
import { blocksOf, mappedBurst, ridersOf, type Selection, selection, sfvOf } from '../state/selection.ts';
import { store } from '../state/store.ts';

/** SFVs of one resource block that are named. */
const MOST_NAMED = 12;

/** ", SFV 3 41.2 %, SFV 0 12.0 % and 2 more": who rides on a resource block, with parts of its data RE. */
export function ridersText(burst: BurstTelemetry, { slot, subband }: NonNullable<Selection['rb']>): string {
  const riders = ridersOf(burst, slot, subband);
  const named = riders.slice(0, MOST_NAMED).map(({ sfv, share }) => `, SFV ${sfv} ${fixed(100 * share, 0)} %`);
  const more = riders.length > MOST_NAMED ? ` and ${riders.length - MOST_NAMED} more` : '';
  return riders.length > 0 ? named.join('') + more : ', no SFV';
}

/** What is picked, in words: the resource block, who rides there, and all blocks of the SFV. */
export function pickedText(burst: BurstTelemetry | undefined): string {
  const { sfv, rb } = selection();
  const snrDb = rb && burst?.rbSnrDb[rb.slot * burst.subbands + rb.subband];
  const block =
    rb && burst ? `RB ${rb.subband} in slot ${rb.slot}: ${unit(snrDb, 1, 'dB')}${ridersText(burst, rb)}` : '';
  if (sfv !== null) return block ? `${block}. ${sfvText(sfv)}` : sfvText(sfv);
  if (block) return block;
  if (burst?.owner.length) return 'Point at a block, or at a part of the picture.';
  return burst ? 'A sounding: nothing rides on it.' : '';
}

/** As many RBs as the table says; of more bursts than the one shown: how many of them are in sight. */
function sfvText(sfv: number): string {
  const blocks = blocksOf(sfv);
  const subbands = [...new Set(blocks.map(([, subband]) => subband))].sort((a, b) => a - b);
  const name = `SFV ${sfv} (${sfvOf(sfv)?.label ?? 'unknown'})`;
  const all = store.sfvs?.sfvs.find(({ id }) => id === sfv)?.rbs ?? 0;
  const others = all > blocks.length ? ` of burst ${mappedBurst()?.burst} (${count(all)} in all)` : '';
  if (blocks.length === 0) return `${name} has symbols in no RB${others || ' of this burst'}`;
  return `${name} rides on ${count(blocks.length)} ${blocks.length === 1 ? 'RB' : 'RBs'}${others}, subbands ${runs(subbands)}`;
}

/** 1, 4–7, 9 */
function runs(values: readonly number[]): string {
  const out: string[] = [];
  for (let i = 0; i < values.length; ) {
    let j = i;
    while (values[j + 1] === values[j] + 1) j++;
    out.push(j > i ? `${values[i]}–${values[j]}` : String(values[i]));
    i = j + 1;
  }
  return out.join(', ') || '—';
}
