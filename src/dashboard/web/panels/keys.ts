import { hover, mappedBurst, ownerOf, pin, selection } from '../state/selection.ts';
import { store } from '../state/store.ts';

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** Arrow keys on bars and map: to the next subband or slot of the burst that is shown; Enter keeps what is picked. */
export function blockKey(event: KeyboardEvent): void {
  const burst = mappedBurst();
  if (!burst) return;
  if (event.key === 'Enter') pin(selection());
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const slots = Math.max(1, Math.floor(burst.owner.length / Math.max(1, burst.subbands)));
  const { rb } = selection();
  const within = (value: number, most: number) => Math.max(0, Math.min(most - 1, value));
  const subband = rb ? within(rb.subband + step[0], burst.subbands) : 0;
  const slot = rb ? within(rb.slot + step[1], slots) : 0;
  hover({ sfv: ownerOf(burst, slot, subband), rb: { slot, subband } });
}

/** Arrow keys on a picture: to the SFV that matters next, more or less; Enter keeps what is picked. */
export function pictureKey(event: KeyboardEvent): void {
  if (event.key === 'Enter') pin(selection());
  const step = STEPS[event.key];
  const sfvs = [...(store.source?.sfvs ?? [])].sort((a, b) => b.importance - a.importance);
  if (!step || sfvs.length === 0) return;
  event.preventDefault();
  const at = sfvs.findIndex(({ id }) => id === selection().sfv);
  const next = at < 0 ? 0 : (at + step[0] - step[1] + sfvs.length) % sfvs.length;
  hover({ sfv: sfvs[next].id, rb: null });
}
