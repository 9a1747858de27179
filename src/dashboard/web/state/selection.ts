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

/** SFV that rides on a resource block of a burst; null for none. */
export function ownerOf(burst: BurstTelemetry, slot: number, subband: number): number | null {
  const id = burst.owner[slot * burst.subbands + subband];
  return id === undefined || id === NO_OWNER ? null : id;
}

const FALLBACK = ['#e69f00', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#f0e442', '#8a6d00'];

export function sfvOf(id: number | null): SourceSfv | undefined {
  return id === null ? undefined : store.source?.sfvs.find((sfv) => sfv.id === id);
}

/** Colour of an SFV: as the source says, else of the palette. */
export function sfvColour(id: number): string {
  return sfvOf(id)?.colour ?? FALLBACK[id % FALLBACK.length];
}

/** Resource blocks of an SFV in the burst shown, [slot, subband]. */
export function blocksOf(id: number): [number, number][] {
  const burst = mappedBurst();
  const out: [number, number][] = [];
  if (!burst) return out;
  for (let i = 0; i < burst.owner.length; i++) {
    if (burst.owner[i] === id) out.push([Math.floor(i / burst.subbands), i % burst.subbands]);
  }
  return out;
}
