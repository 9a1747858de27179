import type { Knowledge, KnownSet } from './knowledge-message.ts';

/**
 * The newest version of a set that both ends hold: of the sets of this name whose full hash stands at both ends that of the highest version;
 * of several with one version the one in use, else the first by hash, so that the order in which an end lists its sets decides nothing.
 *
 * @param using what the transmitter would code with; its name is the size asked for
 * @returns null where the ends hold no set of that name in common
 */
export function newestCommon(using: KnownSet, transmitter: Knowledge, receiver: Knowledge): KnownSet | null {
  const there = new Set(receiver.modelSets.map((s) => s.sha256));
  const common = transmitter.modelSets.filter((s) => s.name === using.name && there.has(s.sha256));
  const order = (a: KnownSet, b: KnownSet): number =>
    b.version - a.version ||
    Number(b.sha256 === using.sha256) - Number(a.sha256 === using.sha256) ||
    (a.sha256 < b.sha256 ? -1 : 1);
  return common.sort(order)[0] ?? null;
}
