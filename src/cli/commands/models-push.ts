import type { Command } from 'commander';
import { ExitCode, SctError, UsageError } from '../../common/errors.ts';
import { parseQuantity } from '../../common/units.ts';
import type { PushOffer } from '../../sct/knowledge/push-offer.ts';
import type { PushedObject } from '../../sct/knowledge/pushed-store.ts';
import { type CliContext, outJson, runIo } from '../context.ts';
import { addCommonOptions } from '../options.ts';

interface PushFlags {
  models?: string;
  feedback?: string;
  feedbackToken?: string;
  pushed?: string;
  count?: string;
}

const TOKEN = [
  '--feedback-token <file>',
  'file with the token that both ends share (default: SCT_FEEDBACK_TOKEN)',
] as const;
const WAY = 'ws://HOST:PORT or nats://HOST[:PORT][/NAME]';
const PUSHED = ['--pushed <dir>', 'folder of what was pushed to this end'] as const;

/** `sct models push|accept|held|allow|forget`: model sets and pictures from one end of a link to the other. */
export function addModelsPush(group: Command, context: CliContext, done: (exitCode: number) => void): void {
  const push = group
    .command('push')
    .summary('send a model set or a reference picture to the other end')
    .description(
      'Sends a model set, or a picture that both ends are to hold, to where sct models accept or sct receive --pushed listens. What arrived ' +
        'before a connection broke is not sent again. It is used there only once someone there has allowed it. Exit 8 if it is refused.',
    )
    .argument('<what>', 'name of a model set or the first digits of its hash; or a picture file')
    .option('--models <dir>', 'folder of the set (default: the models that ship)')
    .option('--feedback <url>', 'ws://HOST:PORT of the other end, or nats://HOST[:PORT][/NAME] where both meet')
    .option(...TOKEN);
  addCommonOptions(push)
    .addHelpText(
      'after',
      '\nExamples:\n  sct models push live --models my-models --feedback ws://other-host:8470 --feedback-token token.txt\n' +
        '  sct models push street.png --feedback ws://other-host:8470 --feedback-token token.txt\n',
    )
    .action(async (what: string, flags: PushFlags) => {
      const { runPush } = await import('../../experiment/send/push-run.ts');
      const { models: modelsDir, feedbackToken } = flags;
      const feedback = needed(flags.feedback, '--feedback', WAY);
      const report = await runPush({ what, modelsDir, feedback, feedbackToken }, runIo(context, undefined));
      if (context.json) outJson(context, report);
      else {
        const { state, reason, sentBytes, bytes, connections } = report;
        const over = connections === 1 ? '' : ` over ${connections} connections`;
        const sent = `${megabytes(sentBytes)} of ${megabytes(bytes)} sent${over}`;
        await say(context, [`${nameOf(report)}: ${state}${reason ? `: ${reason}` : ''}`, sent]);
      }
      done(report.ok ? ExitCode.ok : ExitCode.checkFailed);
    });

  const accept = group
    .command('accept')
    .summary('take pushes; nothing is used before it is allowed')
    .description(
      'Listens for sct models push until Ctrl-C, or -n pushes have come. What comes waits for sct models allow. Exit 8 if one was refused.',
    )
    .option('--feedback <url>', 'ws://HOST:PORT to listen at, or nats://HOST[:PORT][/NAME] to meet at')
    .option(...TOKEN)
    .option(...PUSHED)
    .option('-n, --count <n>', 'end after so many pushes');
  addCommonOptions(accept)
    .addHelpText(
      'after',
      '\nExample:\n  sct models accept --feedback ws://0.0.0.0:8470 --feedback-token token.txt --pushed knowledge\n',
    )
    .action(async (flags: PushFlags) => {
      const { runAccept } = await import('../../experiment/send/accept-run.ts');
      const { feedbackToken } = flags;
      const feedback = needed(flags.feedback, '--feedback', WAY);
      const pushed = needed(flags.pushed, '--pushed', 'DIR');
      const count = flags.count === undefined ? undefined : countOf(flags.count);
      const { report, exitCode } = await runAccept(
        { feedback, feedbackToken, pushed, count },
        runIo(context, undefined),
      );
      if (context.json) outJson(context, report);
      else
        await say(
          context,
          report.pushes.map((p) => `${nameOf(p)}: ${p.state}${p.reason ? `: ${p.reason}` : ''}`),
        );
      done(exitCode);
    });

  const held = group
    .command('held')
    .summary('what was pushed to this end, and what of it is allowed')
    .description('Lists what was pushed to this end, whole or in part. Opens none of it.')
    .option(...PUSHED);
  addCommonOptions(held).action(async (flags: PushFlags) => {
    const store = await storeOf(flags);
    const objects = (await store.held()).map(({ offer, allowed }) => ({ ...about(offer), allowed }));
    const arriving = (await store.arriving()).map(({ offer, hereBytes, allowed }) => ({
      ...about(offer),
      hereBytes,
      allowed,
    }));
    if (context.json)
      outJson(context, { schema: 'sct.models-held/1', ok: true, directory: store.dir, objects, arriving });
    else {
      const lines = [
        ...objects.map((o) => `${o.allowed ? 'allowed' : 'waiting'}  ${nameOf(o)}, ${megabytes(o.bytes)}`),
        ...arriving.map((o) => `in part  ${nameOf(o)}, ${megabytes(o.hereBytes)} of ${megabytes(o.bytes)}`),
      ];
      await say(context, lines.length > 0 ? lines : [`nothing was pushed to ${store.dir}`]);
    }
    done(ExitCode.ok);
  });

  const allow = group
    .command('allow')
    .summary('trust what was pushed by its hash; exit 8 if it is not what its hash says')
    .description(
      'Checks a set or picture that was pushed and allows its use: at once for programs that start, from the next session on in a ' +
        'receiver that runs. Runs no network: sct models verify --models DIR/held/HASH does. All 64 digits allow something that has yet to come.',
    )
    .argument('<hash>', 'its hash, or the first digits (8 at least) of one that is here')
    .option(...PUSHED);
  addCommonOptions(allow).action(async (hash: string, flags: PushFlags) => {
    const store = await storeOf(flags);
    const object = await store.find(hash);
    const fault = object ? await faultOf(object) : null;
    const sha256 = fault ? object!.offer.sha256 : (await store.allow(hash)).sha256;
    const here = object ? about(object.offer) : null;
    const report = { schema: 'sct.models-allow/1', ok: fault === null, sha256, object: here, fault };
    const text = fault ?? (here ? `allowed: ${nameOf(here)}` : `allowed: ${sha256}, when it comes`);
    if (context.json) outJson(context, report);
    else await say(context, [fault ? `FAIL ${sha256}: ${text}` : text]);
    done(fault ? ExitCode.checkFailed : ExitCode.ok);
  });

  const forget = group
    .command('forget')
    .summary('remove what was pushed, and its permission')
    .description(
      'Removes a set or picture that was pushed, or as much of it as has come, and the permission to use it. A receiver that uses it ' +
        'already does so until it ends.',
    )
    .argument('<hash>', 'its hash, or the first digits (8 at least) of one that is here')
    .option(...PUSHED);
  addCommonOptions(forget).action(async (hash: string, flags: PushFlags) => {
    const sha256 = await (await storeOf(flags)).forget(hash);
    if (context.json) outJson(context, { schema: 'sct.models-forget/1', ok: true, sha256 });
    else await say(context, [`forgotten: ${sha256}`]);
    done(ExitCode.ok);
  });
}

async function storeOf({ pushed }: PushFlags) {
  const { PushedStore } = await import('../../sct/knowledge/pushed-store.ts');
  return PushedStore.existing(needed(pushed, '--pushed', 'DIR'));
}

/** What is wrong with something that was pushed; null for nothing. */
async function faultOf(object: PushedObject): Promise<string | null> {
  const { openPushed } = await import('../../sct/knowledge/pushed-knowledge.ts');
  try {
    await openPushed(object);
    return null;
  } catch (error) {
    if (error instanceof SctError) return error.message;
    throw error;
  }
}

function about({ kind, name, version, sha256, bytes }: PushOffer) {
  return { kind, name, version: kind === 'set' ? version : null, sha256, bytes };
}

function nameOf({ kind, name, version, sha256 }: Omit<ReturnType<typeof about>, 'kind' | 'bytes'> & { kind: string }) {
  return `${kind} ${name}${version === null ? '' : `, version ${version}`}, ${sha256}`;
}

function needed(value: string | undefined, flag: string, form: string): string {
  if (value === undefined) throw new UsageError(`${flag} is missing`, `give ${flag} ${form}`);
  return value;
}

function countOf(text: string): number {
  const count = parseQuantity('--count', text);
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--count ${text} is out of range: allowed whole numbers from 1`);
  return count;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;

async function say(context: CliContext, lines: readonly string[]): Promise<void> {
  const { printable } = await import('../../experiment/report/terminal.ts');
  if (lines.length > 0) context.out(`${lines.map(printable).join('\n')}\n`);
}
