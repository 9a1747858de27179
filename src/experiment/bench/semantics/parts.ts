import { UsageError } from '../../../common/errors.ts';
import { cliff } from './cliff.ts';
import { fig5 } from './fig5.ts';
import { fig6 } from './fig6.ts';
import { front } from './front.ts';
import { harq } from './harq.ts';
import { kodak } from './kodak.ts';
import { latency } from './latency.ts';
import { mapping } from './mapping.ts';
import { type Part, SEMANTICS_PARTS, type SemanticsPart } from './part.ts';
import { selective } from './selective.ts';

/** Every part, most worth first. */
export const PARTS: readonly Part[] = [front, mapping, kodak, fig5, selective, cliff, harq, fig6, latency];

/** The parts named by `--only`, comma separated; UsageError for another word. */
export function parseSemanticsParts(text: string): SemanticsPart[] {
  const words = text.split(',').map((w) => w.trim());
  const bad = words.find((w) => !(SEMANTICS_PARTS as readonly string[]).includes(w));
  if (bad !== undefined) throw new UsageError(`--only: "${bad}" is no part`, `parts: ${SEMANTICS_PARTS.join(', ')}`);
  return SEMANTICS_PARTS.filter((p) => words.includes(p));
}
