import type { Controller, Job, JobEnd, JobRequest, MadeCapture } from '../link/controller.ts';
import { Allowance } from './allowance.ts';
import type { Client } from './client.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { decodeFrame, encodeFrame, type Frame, type FrameArray, FrameError, type Topic } from './frames.ts';
import { RunCounters } from './run-counters.ts';
import { Snapshot } from './snapshot.ts';

/** What a job may tell, bytes a second, and what a frame costs besides its bytes: a job that tells more is read more slowly, and leaves out itself. */
const MOST_TOLD_PER_S = 32 << 20;
const FRAME_COST = 4096;

/** The job that runs, what it has told, and who watches. One job at a time. */
export class Hub {
  readonly clients = new Set<Client>();
  readonly snapshot = new Snapshot();
  /** Latest of what /metrics tells, and sums over the run. */
  readonly run = new RunCounters();
  readonly counters = {
    jobs: 0,
    ends: { ended: 0, stopped: 0, killed: 0 },
    frames: 0,
    frameBytes: 0,
    badStreams: 0,
    /** Frames that pages which are gone were too slow for. */
    skipped: 0,
    turnedAway: 0,
  };
  private readonly controller: Controller;
  private running: { readonly job: Job; readonly ended: Promise<JobEnd> } | null = null;
  /** The latest state of the run of this job; null before it has told one. */
  private told: Frame | null = null;
  private sequence = 0;
  /** What the last job replays or replayed; null where it was no replay. */
  private replayed: { readonly source: string; readonly options: JobRequest['options'] } | null = null;
  private exporting: AbortController | null = null;

  constructor(controller: Controller) {
    this.controller = controller;
  }

  get job(): Job | null {
    return this.running?.job ?? null;
  }

  /** Starts a job. UsageError where the request is no good, or another job runs. */
  start(request: JobRequest): Promise<JobEnd> {
    if (this.running) throw new HubError(`${this.running.job.command} is running`, 'stop it first');
    let finish!: (end: JobEnd) => void;
    const ended = new Promise<JobEnd>((resolve) => {
      finish = resolve;
    });
    const splitter = new FrameSplitter();
    const allowance = new Allowance(MOST_TOLD_PER_S);
    let broken = false;
    const read = (chunk: Uint8Array): number => {
      if (broken) return 0;
      try {
        const frames = splitter.push(chunk);
        for (const bytes of frames) this.take(bytes);
        return frames.length;
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        broken = true;
        this.counters.badStreams++;
        this.log('error', `what ${request.command} tells cannot be read: ${error.message}`);
        return 0;
      }
    };
    this.told = null;
    const job = this.controller.start(request, {
      bytes: (chunk) => {
        const waitMs = allowance.take(chunk.length + FRAME_COST * read(chunk), performance.now());
        if (waitMs > 0) setTimeout(() => job.more(), waitMs);
        return waitMs === 0;
      },
      line: (text) => this.log('note', text),
      ended: (end) => {
        this.running = null;
        this.counters.ends[end.how]++;
        if (end.error) this.log('error', [end.error.message, end.error.hint].filter(Boolean).join('; '));
        this.endRun(request.command, end);
        this.sayAll({ job: null, exitCode: end.exitCode, how: end.how });
        finish(end);
      },
    });
    const { command, source, options } = request;
    this.replayed = command === 'replay' && source !== undefined ? { source, options } : null;
    this.counters.jobs++;
    this.running = { job, ended };
    this.sayAll({ job: job.command });
    return ended;
  }

  /** Stops the job, if one runs; returns once it is gone. */
  async stop(): Promise<void> {
    const running = this.running;
    if (!running) return;
    await running.job.stop();
    await running.ended;
  }

  /** Replays the same once more, with other settings; what runs is stopped. @param options null: as before, without a comparison */
  async again(options: JobRequest['options'] | null): Promise<void> {
    const { replayed } = this;
    if (!replayed) throw new HubError('nothing is replayed', 'start a replay first');
    await this.stop();
    const { check: _, ...before } = replayed.options;
    void this.start({ command: 'replay', options: options ?? before, source: replayed.source });
  }

  /** Writes a part of what is replayed as a recording of its own. One at a time. */
  async exportRange(fromS: number, toS: number): Promise<MadeCapture> {
    if (!this.replayed) throw new HubError('nothing is replayed', 'start a replay first');
    const { source } = this.replayed;
    if (this.exporting) throw new HubError('a part is being written already', 'wait until it is done');
    const exporting = new AbortController();
    this.exporting = exporting;
    try {
      return await this.controller.exportRange({ source, fromS, toS }, exporting.signal);
    } finally {
      this.exporting = null;
    }
  }

  /** Stops all that goes on. */
  async close(): Promise<void> {
    this.exporting?.abort();
    await this.stop();
  }

  join(client: Client): void {
    this.clients.add(client);
    client.say({ access: client.access, commands: this.controller.commands, job: this.job?.command ?? null });
    client.giveAll(this.snapshot.frames());
  }

  leave(client: Client): void {
    if (this.clients.delete(client)) this.counters.skipped += client.skipped;
  }

  /** A line for everybody's log. */
  log(level: 'note' | 'warning' | 'error', text: string): void {
    this.tell('log', { level, at: new Date().toISOString(), text: text.slice(0, 2000) });
  }

  /** A run whose process is gone has ended, whether it could tell so or not; one that was stopped was not completed. */
  private endRun(command: string, { how, exitCode, error }: JobEnd): void {
    const { told } = this;
    if (!told || (told.data.state === 'ended' && (how === 'ended' || told.data.exitCode === 0))) return;
    const ends = { ended: error?.message ?? `${command} ended with ${exitCode}`, stopped: 'stopped', killed: 'killed' };
    const metrics = told.data.metrics ?? null;
    this.tell('run', { ...told.data, metrics, state: 'ended', exitCode, outcome: ends[how] });
  }

  private tell(topic: Topic, data: Record<string, unknown>, arrays: Record<string, FrameArray> = {}): void {
    this.sequence = (this.sequence + 1) >>> 0;
    this.take(encodeFrame({ topic, sequence: this.sequence, timeS: 0, data, arrays }));
  }

  private take(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    this.counters.frames++;
    this.counters.frameBytes += bytes.length;
    if (frame.topic === 'run') this.told = frame;
    this.run.take(frame);
    this.snapshot.add(frame, bytes);
    for (const client of this.clients) client.give(frame, bytes);
  }

  private sayAll(message: object): void {
    for (const client of this.clients) client.say(message);
  }
}

/** What was asked for cannot be done now. */
export class HubError extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
