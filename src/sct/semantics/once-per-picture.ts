import type { RgbImage } from '../image/rgb-image.ts';
import type { AnalysisModels } from './analysis.ts';
import type { FeatureMap } from './feature-map.ts';

/**
 * The networks of an analysis, of which those that see nothing but the picture run once for each: another budget or another number of
 * SFVs takes no run of them. Pictures are told apart as objects, and their results live as long as they do; a run that failed is
 * tried again.
 */
export function oncePerPicture(models: AnalysisModels): AnalysisModels {
  return {
    tables: models.tables,
    analyse: oncePerObject((image: RgbImage) => models.analyse(image)),
    labels: oncePerObject((y: FeatureMap) => models.labels(y)),
    saliency: oncePerObject((y: FeatureMap) => models.saliency(y)),
    labelsVjp: (...gradient) => models.labelsVjp(...gradient),
  };
}

/** `make` with its results kept as long as what they were made of. */
export function oncePerObject<K extends object, V>(make: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const known = new WeakMap<K, Promise<V>>();
  return (key) => {
    const before = known.get(key);
    if (before) return before;
    const made = make(key);
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };
}
