import type { TaskResult } from '../sct/modes/machine-receiver.ts';
import type { MachineMetrics } from './metrics.ts';

/** What the heads found, with each class' share of the quarter-resolution pixels that lie inside the picture. */
export function machineMetrics(task: TaskResult): MachineMetrics {
  const { labels, labelColumns, widthPx, heightPx, presence, streetProbability } = task;
  const [columns, rows] = [Math.ceil(widthPx / 4), Math.ceil(heightPx / 4)];
  const counts = new Float64Array(presence.length);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) counts[labels[y * labelColumns + x]]++;
  return {
    classes: presence.map(({ name, probability, present }, i) => {
      return { name, probability, present, share: counts[i] / (columns * rows) };
    }),
    streetProbability,
  };
}
