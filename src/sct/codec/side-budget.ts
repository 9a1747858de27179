import { encodeClassMap } from '../entropy/class-map-code.ts';
import { encodeScore, sfvOrder, sfvSums } from '../importance/scores.ts';
import { adoptPartition, type Partition, type PartitionOptions } from '../partition/partition.ts';
import { type ClassChoice, chooseClasses } from '../rate/class-choice.ts';
import type { SemanticAnalysis } from '../semantics/analysis.ts';
import type { ClassMap } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import { type SideInfo, type SideSplit, sideSplit } from './side-info.ts';

/** What of an analysis goes over the air, made small enough. */
export interface SideParts {
  readonly classMap: ClassMap;
  readonly partition: Partition;
  readonly scores: Uint8Array; // [SFV id]
  readonly ranking: readonly number[];
  readonly split: SideSplit;
  /** What was done to make it fit: nothing, a smoother class map, or a coarser partition as well. */
  readonly economy: 'none' | 'classes' | 'partition';
}

/** Most bytes for a picture of so many cells: 350 at 512x768 (1536 cells); the partition hardly grows with the picture. */
export function sideBytesLimit(cells: number): number {
  return 150 + Math.ceil((200 * cells) / 1536);
}

/** Smoothing is doubled this often before the partition is touched. */
const DOUBLINGS = 2;
/** Shares of cells that keep their raw label, tried in turn. */
const AGREEMENTS = [0.92, 0.88, 0.8, 0.7];

/**
 * Class map and partition of an analysis within `limit` bytes of side information. If the analysis' own are too long, the class
 * map is smoothed twice as much, then four times; then labels are simplified further, down to 70 % of the cells with their
 * own. What is still too long then is sent as it is: the limit is an economy, not a bound of the format. Importance stays what it
 * was; scores are its sums over the SFVs of the partition that is sent.
 *
 * @param how how the analysis chose class map and partition
 */
export function fitSideParts(
  kind: SideInfo['kind'],
  analysis: SemanticAnalysis,
  how: { readonly choice: ClassChoice; readonly partition?: Omit<PartitionOptions, 'clusterColours'> | undefined },
  tables: ModelTables,
  limit = sideBytesLimit(analysis.y.rows * analysis.y.columns),
): SideParts {
  let { classMap, partition } = analysis;
  let economy: SideParts['economy'] = 'none';
  const split = () =>
    sideSplit(kind, partition.sfvs.length, partition.bytes.length, encodeClassMap(classMap, tables).length);
  let now = split();
  for (let i = 1; i <= DOUBLINGS && now.total > limit; i++) {
    economy = 'classes';
    classMap = chooseClasses(analysis.y, tables, { ...how.choice, smoothing: how.choice.smoothing * 2 ** i });
    now = split();
  }
  for (const agreement of AGREEMENTS) {
    if (now.total <= limit) break;
    economy = 'partition';
    const { clusterColours } = tables.labels;
    const options = { ...how.partition, agreement, bitsPerCell: 0.5, clusterColours };
    partition = adoptPartition(analysis.rawLabels.map, options).partition;
    now = split();
  }
  if (economy !== 'partition') {
    return { classMap, partition, scores: analysis.scores, ranking: analysis.ranking, split: now, economy };
  }
  const scores = Uint8Array.from(sfvSums(analysis.importance, partition), encodeScore);
  return { classMap, partition, scores, ranking: sfvOrder(scores, partition, analysis.order), split: now, economy };
}
