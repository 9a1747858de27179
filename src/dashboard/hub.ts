import type { Controller, Job, JobEnd, JobRequest } from '../link/controller.ts';
import type { Client } from './client.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { decodeFrame, encodeFrame, type Frame, type FrameArray, FrameError, type Topic } from './frames.ts';
import { Snapshot } from './snapshot.ts';

/** The job that runs, what it has told, and who watches. One job at a time. */
export class Hub {
  readonly clients = new Set<Client>();
  readonly snapshot = new Snapshot();
  /** Latest frame of each topic, for /metrics. */
  readonly latest = new Map<Topic, Frame>();
  readonly counters = { jobs: 0, frames: 0, badStreams: 0 };
  private readonly controller: Controller;
  private running: { readonly job: Job; readonly ended: Promise<JobEnd> } | null = null;
  private sequence = 0;

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
    let broken = false;
    const job = this.controller.start(request, {
      bytes: (chunk) => {
        if (broken) return;
        try {
          for (const bytes of splitter.push(chunk)) this.take(bytes);
        } catch (error) {
          if (!(error instanceof FrameError)) throw error;
          broken = true;
          this.counters.badStreams++;
          this.log('error', `what ${request.command} tells cannot be read: ${error.message}`);
        }
      },
      line: (text) => this.log('note', text),
      ended: (end) => {
        this.running = null;
        if (end.error) this.log('error', [end.error.message, end.error.hint].filter(Boolean).join('; '));
        this.sayAll({ job: null, exitCode: end.exitCode });
        finish(end);
      },
    });
    this.counters.jobs++;
    this.running = { job, ended };
    this.sayAll({ job: job.command });
    return ended;
  }

  /** Stops the job, if one runs; returns once it is gone. */
  async stop(): Promise<void> {
    await this.running?.job.stop();
  }

  join(client: Client): void {
    this.clients.add(client);
    client.say({ access: client.access, commands: this.controller.commands, job: this.job?.command ?? null });
    client.giveAll(this.snapshot.frames());
  }

  leave(client: Client): void {
    this.clients.delete(client);
  }

  /** A line for everybody's log. */
  log(level: 'note' | 'warning' | 'error', text: string): void {
    this.tell('log', { level, at: new Date().toISOString(), text: text.slice(0, 2000) });
  }

  private tell(topic: Topic, data: Record<string, unknown>, arrays: Record<string, FrameArray> = {}): void {
    this.sequence = (this.sequence + 1) >>> 0;
    this.take(encodeFrame({ topic, sequence: this.sequence, timeS: 0, data, arrays }));
  }

  private take(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    this.counters.frames++;
    // Its arrays would keep the bytes in memory, which are in the snapshot already or too many.
    this.latest.set(frame.topic, { ...frame, arrays: {} });
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
