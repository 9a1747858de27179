import { UsageError } from '../../common/errors.ts';
import type { DecodeView } from '../codec/codec.ts';
import { TASKS, type Task } from '../importance/importance-map.ts';
import { DEFAULT_ORDER, ORDERS, type Order } from '../importance/scores.ts';
import { DEFAULT_TASK_CLASSES } from '../importance/task-classes.ts';
import type { AnalysisOptions } from '../semantics/analysis.ts';
import { parseKeep, parseRoi } from './keep-rule.ts';
import { AUTO_SHARE, AUTO_TAU, MODES, type Mode, type ModeOptions } from './mode-choice.ts';

export const DISTORTIONS = ['task', 'pixel', 'both'] as const;
/**
 * Which distortion the chain is set for, the degenerate cases of rate with two distortions [Shi23] and the case between them.
 * `task`: only what the heads see counts (no bound on the pixels): machine importance, no picture is made. `pixel`: only pixels count
 * (no bound on the task): importance is entropy alone, no attention. `both`: importance of the task, and the picture; for a machine the
 * heads beside it.
 */
export type Distortion = (typeof DISTORTIONS)[number];

/** What a user says of semantic coding, as words; all may be absent. */
export interface SemanticOptions {
  readonly mode?: string | undefined;
  readonly task?: string | undefined;
  readonly order?: string | undefined;
  /** Names of classes with commas between them, or score>=X. */
  readonly keep?: string | undefined;
  /** x,y,w,h in pixels. */
  readonly roi?: string | undefined;
  readonly distortion?: string | undefined;
}

/** What follows from them for transmitter (`analysis`, `mode`) and receiver (`view`). */
export interface SemanticSettings {
  readonly analysis: Pick<AnalysisOptions, 'task' | 'weight' | 'order' | 'favour' | 'partition'>;
  readonly mode: ModeOptions;
  readonly view: DecodeView;
  /** For run.json: every choice with its defaults filled in. */
  readonly printed: Readonly<Record<string, string | number>>;
}

/** Share of cells that keep their label where the label map says what is kept: small things are not simplified away. */
const KEEP_AGREEMENT = 0.99;

/**
 * Checks the words and fills in what follows from them: `keep` or `roi` means selective mode. A machine gets no picture unless
 * distortion `both` asks for it, a human (the default) no heads; distortion `task` or `both` without a task means a machine's.
 *
 * @param classes names of the street classes of the model set
 * @throws UsageError naming the word, what is allowed, or the two that contradict each other
 */
export function semanticSettings(options: SemanticOptions, classes: readonly string[]): SemanticSettings {
  const keep = options.keep === undefined ? undefined : parseKeep(options.keep, classes);
  const roi = options.roi === undefined ? undefined : parseRoi(options.roi);
  const mode: Mode = oneOf('--mode', options.mode, MODES) ?? (keep || roi ? 'selective' : 'overall');
  const order: Order = oneOf('--order', options.order, ORDERS) ?? DEFAULT_ORDER;
  const asked = oneOf('--distortion', options.distortion, DISTORTIONS);
  const task: Task = oneOf('--task', options.task, TASKS) ?? (asked && asked !== 'pixel' ? 'machine' : 'human');
  const distortion: Distortion = asked ?? (task === 'machine' ? 'task' : 'both');
  if (mode !== 'selective' && (keep || roi)) {
    throw new UsageError(
      `${keep ? '--keep' : '--roi'} chooses what selective mode keeps: not allowed with --mode ${mode}`,
      'leave --mode out, or say --mode selective',
    );
  }
  if (distortion === 'task' && task === 'human') {
    throw new UsageError('--distortion task is for machines: not allowed with --task human');
  }
  if (distortion === 'pixel' && task === 'machine') {
    throw new UsageError('--distortion pixel knows no task: not allowed with --task machine');
  }
  const byClass = keep?.kind === 'classes' ? { favour: keep.names, partition: { agreement: KEEP_AGREEMENT } } : {};
  // What a machine looks for is kept whole where anything is left out (ADR 0015).
  const byTask = task === 'machine' && mode !== 'overall' ? { favour: DEFAULT_TASK_CLASSES } : {};
  const view = distortion === 'task' ? 'task' : task === 'machine' ? 'both' : 'picture';
  const printed = {
    mode,
    task,
    order,
    distortion,
    ...(options.keep === undefined ? {} : { keep: options.keep }),
    ...(options.roi === undefined ? {} : { roi: options.roi }),
    ...(mode === 'auto' ? { autoTau: AUTO_TAU[task], autoShare: AUTO_SHARE } : {}),
    ...(mode === 'selective' && !keep && !roi ? { keepShare: AUTO_SHARE } : {}),
  };
  return {
    analysis: { task, order, ...(distortion === 'pixel' ? { weight: 0 } : {}), ...byTask, ...byClass },
    mode: { mode, keep, roi },
    view,
    printed,
  };
}

function oneOf<T extends string>(flag: string, word: string | undefined, allowed: readonly T[]): T | undefined {
  if (word === undefined) return undefined;
  const found = allowed.find((w) => w === word);
  if (found === undefined)
    throw new UsageError(`${flag} "${word.slice(0, 40)}" is not known: allowed ${allowed.join(', ')}`);
  return found;
}
