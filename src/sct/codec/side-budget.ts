import { encodeClassMap } from '../entropy/class-map-code.ts';
import { encodeScore, sfvOrder, sfvSums } from '../importance/scores.ts';
import type { Chooser } from '../modes/mode-choice.ts';
import { adoptPartition, type Partition, type PartitionOptions } from '../partition/partition.ts';
import { type ClassChoice, chooseClasses } from '../rate/class-choice.ts';
import type { SemanticAnalysis } from '../semantics/analysis.ts';
import type { ClassMap } from '../semantics/feature-map.ts';
import type { ModelTables } from '../semantics/model-tables.ts';
import { type SideInfo, type SideMode, type SideSplit, sideSplit } from './side-info.ts';
import { applySelection, classesOfOthers, knownClasses, type Selection, withKnown } from './side-selection.ts';

/** What of an analysis goes over the air, made small enough. */
export interface SideParts {
  readonly classMap: ClassMap;
  /** As it is sent; null where it is not. */
  readonly classMapBytes: Uint8Array | null;
  readonly partition: Partition;
  readonly mode: SideMode;
  /** There in selective mode. */
  readonly selection: Selection | undefined;
  /** SFVs with ids below this are streams: all in overall mode, the kept ones in selective mode. */
  readonly streams: number;
  readonly scores: Uint8Array; // [SFV id]
  /** Ids of streams, most important first. */
  readonly ranking: readonly number[];
  readonly split: SideSplit;
  /** What was done to make it fit: nothing, a smoother class map, or a coarser partition as well. */
  readonly economy: 'none' | 'classes' | 'partition';
}

/**
 * Most bytes for a picture of so many cells: 350 at 512x768 (1536 cells), 450 in selective mode, where the label map is what most of
 * the picture is made of; the partition hardly grows with the picture.
 */
export function sideBytesLimit(cells: number, mode: SideMode = 'overall'): number {
  return (mode === 'overall' ? 150 : 250) + Math.ceil((200 * cells) / 1536);
}

/** What side information has beside class map and partition. */
export interface SideChoices {
  /** Selective mode: which SFVs are kept. */
  readonly choose?: Chooser | undefined;
  /** A reference picture is named. */
  readonly reference?: boolean | undefined;
}

/** Smoothing is doubled this often before the partition is touched. */
const DOUBLINGS = 2;
/** Shares of cells that keep their raw label, tried in turn. */
const AGREEMENTS = [0.92, 0.88, 0.8, 0.7];

/**
 * Class map and partition of an analysis within `limit` bytes of side information (modular: the partition alone, its classes travel in
 * the packets). If the analysis' own are too long, the class map is smoothed twice as much, then four times; then labels are simplified further, down to 70 % of the cells with their
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
  limit?: number,
  choices: SideChoices = {},
): SideParts {
  const cells = analysis.y.rows * analysis.y.columns;
  const most = limit ?? sideBytesLimit(cells, choices.choose ? 'selective' : 'overall');
  let { classMap, partition } = analysis;
  const arranged = (economy: SideParts['economy']) =>
    arrange(kind, analysis, { classMap, partition, economy }, tables, choices);
  let parts = arranged('none');
  for (let i = 1; kind === 'integrated' && i <= DOUBLINGS && parts.split.total > most; i++) {
    classMap = chooseClasses(analysis.y, tables, { ...how.choice, smoothing: how.choice.smoothing * 2 ** i });
    parts = arranged('classes');
  }
  for (const agreement of AGREEMENTS) {
    if (parts.split.total <= most) break;
    const { clusterColours } = tables.labels;
    const options = { ...how.partition, agreement, bitsPerCell: 0.5, clusterColours };
    partition = adoptPartition(analysis.rawLabels.map, options).partition;
    parts = arranged('partition');
  }
  return parts;
}

/** Scores, order and bytes of a class map and a partition, after the choice of what is kept. */
function arrange(
  kind: SideInfo['kind'],
  analysis: SemanticAnalysis,
  { classMap, partition, economy }: Pick<SideParts, 'classMap' | 'partition' | 'economy'>,
  tables: ModelTables,
  { choose, reference }: SideChoices,
): SideParts {
  const { importance, order } = analysis;
  const scoresOf = (p: Partition) => Uint8Array.from(sfvSums(importance, p), encodeScore);
  const own = partition === analysis.partition;
  const scores = own ? analysis.scores : scoresOf(partition);
  const ranking = own ? analysis.ranking : sfvOrder(scores, partition, order);
  const bytes = partition.bytes.length;
  const n = partition.sfvs.length;
  if (!choose) {
    const classMapBytes = kind === 'integrated' ? encodeClassMap(classMap, tables) : null;
    const split = sideSplit(kind, n, bytes, classMapBytes?.length ?? 0, { reference });
    const mode = 'overall' as const;
    return {
      classMap,
      classMapBytes,
      partition,
      mode,
      selection: undefined,
      streams: n,
      scores,
      ranking,
      split,
      economy,
    };
  }
  const chosen = choose(partition, scores);
  const { partition: ordered } = applySelection(partition, chosen);
  const streams = chosen.kept.reduce((a, b) => a + b, 0);
  const selection = { ...chosen, classes: classesOfOthers(ordered, classMap, streams) };
  const known = knownClasses(ordered, selection);
  const shown = withKnown(classMap, known);
  const orderedScores = scoresOf(ordered);
  const rectangle = selection.rectangle !== undefined;
  const classMapBytes = kind === 'integrated' ? encodeClassMap(shown, tables, known) : null;
  return {
    classMap: shown,
    classMapBytes,
    partition: ordered,
    mode: 'selective',
    selection,
    streams,
    scores: orderedScores,
    economy,
    ranking: sfvOrder(orderedScores, ordered, order).filter((id) => id < streams),
    split: sideSplit(kind, ordered.sfvs.length, bytes, classMapBytes?.length ?? 0, {
      selection: { kept: streams, rectangle },
      reference,
    }),
  };
}
