import type { Radio } from '../../radio/radio.ts';
import { canonical, type Json } from './canonical-json.ts';

/** What an open board says of itself, for run.json: null for a radio that is none, or does not say. */
export function boardFacts({ boardIdentity }: Pick<Radio, 'boardIdentity'>): Json {
  return boardIdentity ? canonical(boardIdentity) : null;
}
