import { UsageError } from '../../common/errors.ts';
import type { Knowledge, KnownPicture, KnownSet } from './knowledge-message.ts';

/** What both ends hold differs where it must not: wrong settings at one of them, exit code 2. */
export class KnowledgeError extends UsageError {}

/**
 * Whether a transmitter may code with a set: whether the receiver holds it, by the full hash. The 32 bits in the header
 * are no proof of that, only of what cannot be right.
 *
 * @param using what the transmitter is about to code with
 * @param flags what to give for another set of the transmitter's
 * @returns reference pictures that both ends hold, in the transmitter's order
 * @throws KnowledgeError naming the sets of both sides, and those that both hold, the ones of the same name first
 */
export function agreeKnowledge(
  using: KnownSet,
  transmitter: Knowledge,
  receiver: Knowledge,
  flags: (set: KnownSet) => string,
): readonly KnownPicture[] {
  const there = new Set(receiver.modelSets.map((s) => s.sha256));
  if (!there.has(using.sha256)) {
    const both = transmitter.modelSets.filter((s) => there.has(s.sha256));
    both.sort((a, b) => Number(b.name === using.name) - Number(a.name === using.name));
    const alike = receiver.modelSets.find((s) => s.sha256.slice(0, 8) === using.sha256.slice(0, 8));
    throw new KnowledgeError(
      `the receiver does not hold the model set that the transmitter codes with, ${shortText(using)}. ` +
        `Transmitter: ${setList(transmitter.modelSets)}. Receiver: ${setList(receiver.modelSets)}` +
        (alike ? `. The first 32 bits of ${alike.sha256} are the same, the rest is not` : ''),
      both.length > 0
        ? `both ends hold ${both.map((s) => `${shortText(s)}: ${flags(s)}`).join('; ')}`
        : 'both ends need the same models.json and networks: give their folder with --models DIR',
    );
  }
  const pictures = new Set(receiver.references.map((r) => r.sha256));
  return transmitter.references.filter((r) => pictures.has(r.sha256));
}

/** `base 1a2b3c4d (17.2 MB, sha256 1a2b3c4d...)`, one after the other. */
export function setList(sets: readonly KnownSet[]): string {
  return sets.map(setText).join(', ') || 'no model set';
}

function setText(set: KnownSet): string {
  return `${shortText(set)} (${(set.bytes / 1e6).toFixed(1)} MB, sha256 ${set.sha256})`;
}

function shortText({ name, sha256 }: KnownSet): string {
  return `${name} ${sha256.slice(0, 8)}`;
}
