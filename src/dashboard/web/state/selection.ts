import type { BurstTelemetry, SourceSfv } from './events.ts';
import { store } from './store.ts';

/** What the pointer or the keyboard is at: an SFV, and the resource block if it was reached through one. */
export interface Selection {
  readonly sfv: number | null;
  readonly rb: { readonly slot: number; readonly subband: number } | null;
}

const NOTHING: Selection = { sfv: null, rb: null };
export const NO_OWNER = 255;

let hovered: Selection = NOTHING;
let pinned: Selection = NOTHING;

/** What all panels highlight: under the pointer, else what was pinned with a click. */
export function selection(): Selection {
  return hovered.sfv !== null || hovered.rb !== null ? hovered : pinned;
}

export function hover(next: Selection | null): void {
  const to = next ?? NOTHING;
  if (to.sfv === hovered.sfv && to.rb?.slot === hovered.rb?.slot && to.rb?.subband === hovered.rb?.subband) return;
  hovered = to;
  store.say('selection');
}

/** Keeps an SFV highlighted; the same again, or null, lets go. */
export function pin(next: Selection | null): void {
  pinned = next === null || next.sfv === pinned.sfv ? NOTHING : next;
  store.say('selection');
}

/** The burst that the mapping is shown of: the last that carries SFVs, else the last at all (soundings). */
export function mappedBurst(): BurstTelemetry | undefined {
  return (
    store.bursts.last(({ owner, use }) => owner.length > 0 && use !== 'reverse') ??
    store.bursts.last(({ use }) => use !== 'reverse')
  );
}

/** SFV with the most symbols in a resource block of a burst; null for none. */
export function ownerOf(burst: BurstTelemetry, slot: number, subband: number): number | null {
  const id = burst.owner[slot * burst.subbands + subband];
  return id === undefined || id === NO_OWNER ? null : id;
}

export interface Rider {
  readonly sfv: number;
  /** Part of the resource block's data RE, 0..1. */
  readonly share: number;
}

/** Where the entries of each resource block begin. */
const firsts = new WeakMap<BurstTelemetry, Uint32Array>();

/** SFVs with symbols in a resource block of a burst, most symbols first. */
export function ridersOf(burst: BurstTelemetry, slot: number, subband: number): Rider[] {
  const { riderCount, riders, riderShares } = burst;
  let first = firsts.get(burst);
  if (!first) {
    first = new Uint32Array(riderCount.length);
    for (let rb = 1; rb < first.length; rb++) first[rb] = first[rb - 1] + riderCount[rb - 1];
    firsts.set(burst, first);
  }
  const rb = slot * burst.subbands + subband;
  const from = first[rb] ?? 0;
  const ids = riders.subarray(from, from + (riderCount[rb] ?? 0));
  return Array.from(ids, (sfv, i) => ({ sfv, share: riderShares[from + i] / 255 }));
}

/** Part of a resource block's data RE that an SFV has; 0 for none. */
export function shareOf(burst: BurstTelemetry, slot: number, subband: number, sfv: number): number {
  return ridersOf(burst, slot, subband).find((rider) => rider.sfv === sfv)?.share ?? 0;
}

const FALLBACK = ['#e69f00', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#f0e442', '#8a6d00'];

export function sfvOf(id: number | null): SourceSfv | undefined {
  return id === null ? undefined : store.source?.sfvs.find((sfv) => sfv.id === id);
}

/** Colour of an SFV: as the source says, else of the palette. */
export function sfvColour(id: number): string {
  return sfvOf(id)?.colour ?? FALLBACK[id % FALLBACK.length];
}

/** Resource blocks of the burst shown in which an SFV has symbols, [slot, subband]. */
export function blocksOf(id: number): [number, number][] {
  const burst = mappedBurst();
  const out: [number, number][] = [];
  if (!burst) return out;
  for (let rb = 0; rb < burst.riderCount.length; rb++) {
    const [slot, subband] = [Math.floor(rb / burst.subbands), rb % burst.subbands];
    if (shareOf(burst, slot, subband, id) > 0) out.push([slot, subband]);
  }
  return out;
}
