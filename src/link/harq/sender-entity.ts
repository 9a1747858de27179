import { FormatError } from '../../common/errors.ts';
import { type AckReport, decodeReverseMessage, type ReverseMessage } from '../reverse/reverse-messages.ts';
import { MAX_PROCESSES } from './processes.ts';

/**
 * How long a burst's acknowledgement is waited for after its end: twice what the way back takes, and 20 ms for both
 * ends to process a burst (ADR 0011).
 */
export function ackTimeoutS(feedbackLatencyS: number): number {
  return 2 * feedbackLatencyS + 0.02;
}

/** What became of an acknowledgement. */
export type AckVerdict =
  /** Of the latest burst of its process. */
  | 'taken'
  /** Of an earlier burst of it: what arrived counts, what did not has been repeated already. */
  | 'late'
  | 'duplicate'
  /** Of a burst never sent, or one whose process carries something else by now. */
  | 'unknown'
  /** Does not fit the burst that it names: changes nothing. */
  | 'contradictory';

/** One transport block in a HARQ process, from its data burst to its end. */
export interface SendProcess {
  /** 0..15 */
  readonly id: number;
  readonly newData: number;
  /** Blocks not acknowledged, ascending. */
  readonly pending: Set<number>;
  /** Transmissions so far. */
  attempts: number;
  /** Of them those that an answer says were understood: what the receiver can combine with. */
  understood: number;
  /** Whether the data burst itself was: only then does the receiver know all streams of the part. */
  known: boolean;
  /** Streams that the receiver asked for last; null where it made no choice or may not know them all: whatever is missing. */
  asked: ReadonlySet<number> | null;
  /** Number of its latest burst. */
  latest: number;
  /** prepared: not on the air yet; waiting: until `dueS`; due: to be repeated. */
  state: 'prepared' | 'waiting' | 'due' | 'done' | 'lost';
  dueS: number;
}

/** What a part holds, as far as answers are checked against it. */
export interface PartNames {
  /** Whether item 0 is the side information, which is repeated whether or not it is asked for. */
  readonly side: boolean;
  /** Ids of its streams. */
  readonly ids: ReadonlySet<number>;
}

const ONE_STREAM: PartNames = { side: false, ids: new Set([0]) };

interface SentBurst {
  readonly first: boolean;
  readonly process: SendProcess;
  readonly blocks: readonly number[];
  acknowledged: boolean;
}

/** Counts of a session. */
export interface HarqSenderCounters {
  acks: Record<AckVerdict, number>;
  /** Messages that were no acknowledgement or report at all: wrong CRC, length or field. */
  corrupt: number;
  /** Bursts that nobody acknowledged in time. */
  timeouts: number;
  /** Blocks given up without an acknowledgement: no round, no budget, not asked for, or their process was needed. */
  unacknowledged: number;
}

/**
 * The sender's HARQ processes: which blocks of which burst are acknowledged, and which process is to be repeated when.
 * Holds no clock; times are the caller's, simulated or real. At most `maxRounds` repetitions of a process, each waited
 * for `timeoutS`, so every process ends.
 */
export class HarqSender {
  private readonly maxRounds: number;
  private readonly timeoutS: number;
  private readonly newData = new Uint8Array(MAX_PROCESSES);
  private readonly bursts = new Map<number, SentBurst>();
  private readonly names = new Map<SendProcess, PartNames>();
  private processes: SendProcess[] = [];
  private next = 0;
  readonly counters: HarqSenderCounters = {
    acks: { taken: 0, late: 0, duplicate: 0, unknown: 0, contradictory: 0 },
    corrupt: 0,
    timeouts: 0,
    unacknowledged: 0,
  };

  constructor(maxRounds: number, timeoutS: number) {
    this.maxRounds = maxRounds;
    this.timeoutS = timeoutS;
  }

  /** A new picture: what is left of the one before is given up, and process 0 is the first used. */
  reset(): void {
    for (const process of this.processes) this.giveUp(process);
    this.processes = [];
    this.names.clear();
    this.next = 0;
  }

  /** The next process in turn for new data of so many blocks; its new-data bit toggles. */
  begin(blocks: number, names: PartNames = ONE_STREAM): SendProcess {
    const id = this.next;
    this.next = (id + 1) % MAX_PROCESSES;
    this.newData[id] ^= 1;
    const pending = new Set(Array.from({ length: blocks }, (_, b) => b));
    const process: SendProcess = {
      id,
      newData: this.newData[id],
      pending,
      attempts: 0,
      understood: 0,
      known: false,
      asked: null,
      latest: -1,
      state: 'prepared',
      dueS: Number.POSITIVE_INFINITY,
    };
    this.processes.push(process);
    this.names.set(process, names);
    return process;
  }

  /** A burst of the process was made; it carries these blocks in this order. */
  made(process: SendProcess, burst: number, blocks: readonly number[]): void {
    process.attempts++;
    process.latest = burst;
    process.state = 'prepared';
    this.bursts.set(burst, { first: process.attempts === 1, process, blocks: [...blocks], acknowledged: false });
  }

  /** A burst has been on the air until `endS`. New data ends whatever its process carried before. */
  onAir(burst: number, endS: number): void {
    const process = this.bursts.get(burst)?.process;
    if (!process || process.latest !== burst || process.state !== 'prepared') return;
    for (const other of this.processes) {
      if (other === process) break;
      if (other.id === process.id) this.giveUp(other);
    }
    process.state = 'waiting';
    process.dueS = endS + this.timeoutS;
  }

  /** A message that came back; null, and counted, for one that is none: the way back is as untrusted as the air. */
  read(bytes: Uint8Array): ReverseMessage | null {
    try {
      return decodeReverseMessage(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.counters.corrupt++;
      return null;
    }
  }

  takeAck(ack: AckReport): AckVerdict {
    const verdict = this.judge(ack);
    this.counters.acks[verdict]++;
    return verdict;
  }

  private judge(ack: AckReport): AckVerdict {
    const sent = this.bursts.get(ack.burst);
    if (!sent || !this.processes.includes(sent.process) || sent.process.state === 'lost') return 'unknown';
    const { process, blocks } = sent;
    if (ack.extensionOk) {
      const fits = ack.process === process.id && ack.newData === process.newData;
      if (!fits || ack.blocks.length !== blocks.length) return 'contradictory';
      const { ids } = this.names.get(process)!;
      if (ack.asked?.some((id) => !ids.has(id))) return 'contradictory';
    }
    const verdict = sent.acknowledged ? 'duplicate' : process.latest === ack.burst ? 'taken' : 'late';
    if (ack.extensionOk && !sent.acknowledged) process.understood++;
    if (ack.extensionOk && sent.first) process.known = true;
    sent.acknowledged = true;
    ack.blocks.forEach((ok, i) => {
      if (ok) process.pending.delete(blocks[i]);
    });
    // Only the answer to the latest burst says what must go again.
    if (verdict === 'taken') this.decide(process, ack);
    else if (process.pending.size === 0 && !process.asked?.size) process.state = 'done';
    return verdict;
  }

  /** What follows from the answer to a process's latest burst. */
  private decide(process: SendProcess, ack: AckReport): void {
    const chosen = ack.asked !== undefined && process.known;
    process.asked = chosen ? new Set(ack.asked) : null;
    const sideMissing = this.names.get(process)!.side && process.pending.has(0);
    const wanted = chosen ? ack.asked.length > 0 || sideMissing : process.pending.size > 0;
    if (wanted) process.state = 'due';
    else if (process.pending.size === 0) process.state = 'done';
    else this.giveUp(process);
  }

  /**
   * Processes to be repeated now, oldest first: answered without all blocks, or not answered in time. One without a
   * round left is given up instead.
   */
  due(nowS: number): SendProcess[] {
    for (const process of this.processes) {
      if (process.state === 'waiting' && process.dueS <= nowS) {
        this.counters.timeouts++;
        process.state = 'due';
      }
      if (process.state === 'due' && process.attempts > this.maxRounds) this.giveUp(process);
    }
    return this.processes.filter((p) => p.state === 'due');
  }

  /** When the next process will be due for want of an answer, s; null when none waits. */
  get nextDueS(): number | null {
    const times = this.processes.filter((p) => p.state === 'waiting').map((p) => p.dueS);
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** Processes that may still be repeated. */
  get open(): number {
    return this.processes.filter((p) => p.state === 'waiting' || p.state === 'due').length;
  }

  /** Blocks not acknowledged so far, of processes that are over too. */
  get pendingBlocks(): number {
    return this.processes.reduce((n, p) => n + p.pending.size, 0);
  }

  /** No more is sent of a process; its blocks count as lost unless they were acknowledged. */
  giveUp(process: SendProcess): void {
    if (process.state === 'done' || process.state === 'lost') return;
    if (process.attempts > 0) this.counters.unacknowledged += process.pending.size;
    process.state = 'lost';
  }
}
