import type { ClassMap, GridPlane } from '../semantics/feature-map.ts';
import { CLASSES, type ModelTables } from '../semantics/model-tables.ts';

/**
 * Level at which entropy is told: the middle of the quantiser's range (steps of 0.15 of an orthonormal block of pictures
 * 0..1), where a photograph of the training set costs about 1 bit a pixel. There the busiest class costs some 26 times the
 * flattest; at level 0 noise makes everything dear (8 times), at level 13 brightness dominates (19 times).
 */
export const REFERENCE_LEVEL = 7;

/** Entropy of each cell: mean bits of an embedding of its class at REFERENCE_LEVEL, as the model set's tables count them. */
export function entropyMap(classMap: ClassMap, tables: ModelTables): GridPlane {
  const { rows, columns, data } = classMap;
  const row = REFERENCE_LEVEL * CLASSES;
  return { rows, columns, data: Float32Array.from(data, (c) => tables.bitsOf[row + c] / 16) };
}
