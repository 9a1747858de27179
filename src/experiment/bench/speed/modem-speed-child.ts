import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { numerology } from '../../../phy/numerology.ts';
import { loopTurn } from '../spread.ts';
import { CodedModem, type CodedShape } from './coded-speed.ts';
import { type DeviceShape, IdleReceiver } from './idle-speed.ts';
import { ImageCodecSpeed, type ImageShape } from './image-speed.ts';
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

/** What is measured beside the modem itself, and how it is set up. */
export type Subject =
  | ({ readonly kind: 'modem' } & ShapeText)
  | ({ readonly kind: 'coded' } & CodedShape)
  | ({ readonly kind: 'device' } & DeviceShape)
  | ({ readonly kind: 'image' } & ImageShape);

type Task =
  | { readonly task: 'open'; readonly shape: ShapeText }
  | { readonly task: 'measure' }
  | { readonly task: 'receive'; readonly passes: number }
  | { readonly task: 'stages'; readonly repeats: number; readonly nsPerSample: number }
  | { readonly task: 'ldpc'; readonly rounds: number }
  | { readonly task: 'subject'; readonly subject: Subject }
  | { readonly task: 'measure-subject' };

/** Set in the environment of the process that measures. */
const ROLE = 'SCT_SPEED_CHILD';

/**
 * Our modem in a process of its own with one thread (`node --single-threaded`), so that memory management and compilation
 * count where they happen and no helper threads wait for a busy machine.
 */
export class OurProcess {
  private readonly child: ChildProcess;

  /** @param module this module, of another checkout where that is to be measured */
  constructor(module: string = fileURLToPath(import.meta.url)) {
    this.child = fork(module, [], {
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

  /** Sets a subject up and warms it up; returns what is to be said of it. A checkout from before there were subjects throws. */
  async subject(subject: Subject): Promise<unknown> {
    const answer = (await this.ask({ task: 'subject', subject }).catch((error: Error) => {
      // What a checkout without subjects says of a task that it does not know.
      if (/no shape is open/.test(error.message)) return undefined;
      throw error;
    })) as { facts: unknown } | undefined;
    if (!answer || !('facts' in answer)) throw new Error('does not measure this');
    return answer.facts;
  }

  /** One round of the subject that was set up last. */
  measureSubject(): Promise<Record<string, number>> {
    return this.ask({ task: 'measure-subject' }) as Promise<Record<string, number>>;
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

/** Everything warms up by this many rounds; pictures, which take longer, by two. */
const WARM_UP = 3;
const IMAGE_WARM_UP = 2;
let modem: OurModem | null = null;
let measured: { measure(): unknown } | null = null;

async function work(task: Task): Promise<unknown> {
  if (task.task === 'ldpc') return ldpcSpeeds(task.rounds);
  if (task.task === 'subject') return openSubject(task.subject);
  if (task.task === 'measure-subject') {
    if (!measured) throw new Error('no subject is open');
    return await measured.measure();
  }
  if (task.task === 'open') {
    modem = new OurModem({ ...task.shape, numerology: numerology(task.shape.subbands) });
    await warmUp(modem, WARM_UP);
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

async function openSubject(subject: Subject): Promise<{ facts: unknown }> {
  if (subject.kind === 'image') {
    const image = await ImageCodecSpeed.open(subject);
    await warmUp(image, IMAGE_WARM_UP);
    measured = image;
    return { facts: null };
  }
  const opened = openModem(subject);
  await warmUp(opened, WARM_UP);
  measured = opened;
  return { facts: opened.facts };
}

async function warmUp(subject: { measure(): unknown }, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await subject.measure();
    await loopTurn();
  }
}

function openModem(subject: Exclude<Subject, { kind: 'image' }>) {
  if (subject.kind === 'coded') return new CodedModem(subject);
  if (subject.kind === 'device') return new IdleReceiver(subject);
  const shape = new OurModem({ ...subject, numerology: numerology(subject.subbands) });
  return { measure: () => shape.measure(), facts: { burstSamples: shape.burstSamples } };
}

if (process.env[ROLE] === '1' && process.send) {
  process.on('message', (task: Task) => {
    work(task).then(
      (value) => process.send?.({ value }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
}
