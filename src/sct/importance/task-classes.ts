import { UsageError } from '../../common/errors.ts';

/** What a machine task looks for unless told otherwise; also the classes of the ROI of CamVid. */
export const DEFAULT_TASK_CLASSES: readonly string[] = ['car', 'pedestrian', 'bicyclist', 'sign'];

/**
 * Street classes by name, without repetition, ascending.
 *
 * @param names words to look up
 * @param known names of the model set's street classes; [class]
 * @throws UsageError naming the word and the known ones, or when there is none
 */
export function taskClassIds(names: readonly string[], known: readonly string[]): number[] {
  const ids = names.map((name) => {
    const id = known.indexOf(name.trim().toLowerCase());
    if (id < 0) throw new UsageError(`class "${name.slice(0, 40)}" is not known: allowed ${known.join(', ')}`);
    return id;
  });
  if (ids.length === 0) throw new UsageError(`no task class given: allowed ${known.join(', ')}`);
  return [...new Set(ids)].sort((a, b) => a - b);
}
