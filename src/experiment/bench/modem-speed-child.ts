import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { numerology } from '../../phy/numerology.ts';
import { type LdpcSpeed, ldpcSpeeds } from './modem-speed-ldpc.ts';
import { best, OurModem, type Speeds } from './modem-speed-ours.ts';
import { type StageCost, stageCosts } from './modem-speed-stages.ts';

/** A shape that can be sent to another process. */
export interface ShapeText {
  readonly subbands: number;
  readonly slots: number;
  readonly bursts: number;
  readonly snrDb: number;
  readonly cfoRadPerSample: number;
}

type Task =
  | { readonly task: 'open'; readonly shape: ShapeText }
  | { readonly task: 'measure' }
  | { readonly task: 'receive'; readonly passes: number }
  | { readonly task: 'stages'; readonly repeats: number; readonly nsPerSample: number }
  | { readonly task: 'ldpc'; readonly rounds: number };

/** Set in the environment of the process that measures. */
const ROLE = 'SCT_SPEED_CHILD';

/**
 * Our modem in a process of its own with one thread (`node --single-threaded`), so that memory management and compilation
 * count where they happen and no helper threads wait for a busy machine.
 */
export class OurProcess {
  private readonly child: ChildProcess;

  constructor() {
    this.child = fork(fileURLToPath(import.meta.url), [], {
      execArgv: [...process.execArgv.filter((a) => !a.startsWith('--test')), '--single-threaded'],
      env: { ...process.env, [ROLE]: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** Makes the signal of a shape and warms up; returns the samples of one burst. */
  open(shape: ShapeText): Promise<number> {
    return this.ask({ task: 'open', shape }) as Promise<number>;
  }

  /** One round. */
  measure(): Promise<Speeds> {
    return this.ask({ task: 'measure' }) as Promise<Speeds>;
  }

  /** Receive rate alone, the best of so many passes. */
  receive(passes: number): Promise<number> {
    return this.ask({ task: 'receive', passes }) as Promise<number>;
  }

  stages(repeats: number, nsPerSample: number): Promise<StageCost[]> {
    return this.ask({ task: 'stages', repeats, nsPerSample }) as Promise<StageCost[]>;
  }

  ldpc(rounds: number): Promise<LdpcSpeed[]> {
    return this.ask({ task: 'ldpc', rounds }) as Promise<LdpcSpeed[]>;
  }

  close(): void {
    this.child.kill();
  }

  private ask(task: Task): Promise<unknown> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        child.off('message', onMessage);
        child.off('exit', onExit);
        act();
      };
      const onMessage = (answer: unknown) => {
        const { value, error } = answer as { value?: unknown; error?: string };
        settle(() => (error === undefined ? resolve(value) : reject(new Error(error))));
      };
      const onExit = (code: number | null) =>
        settle(() => reject(new Error(`the process that measures the modem ended (${code})`)));
      child.on('message', onMessage);
      child.on('exit', onExit);
      child.send(task);
    });
  }
}

/** Shapes warm up by this many rounds. */
const WARM_UP = 3;
let modem: OurModem | null = null;

async function work(task: Task): Promise<unknown> {
  if (task.task === 'ldpc') return ldpcSpeeds(task.rounds);
  if (task.task === 'open') {
    modem = new OurModem({ ...task.shape, numerology: numerology(task.shape.subbands) });
    for (let i = 0; i < WARM_UP; i++) modem.measure();
    return modem.burstSamples;
  }
  const ours = modem;
  if (!ours) throw new Error('no shape is open');
  if (task.task === 'measure') return ours.measure();
  if (task.task === 'receive') {
    return best(ours.samples, () => ours.receiveAll(), task.passes);
  }
  return await stageCosts(() => ours.receiveAll(), task.repeats, task.nsPerSample);
}

if (process.env[ROLE] === '1' && process.send) {
  process.on('message', (task: Task) => {
    work(task).then(
      (value) => process.send?.({ value }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
}
