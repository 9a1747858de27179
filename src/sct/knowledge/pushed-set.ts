import { FormatError } from '../../common/errors.ts';
import type { FileClaim } from '../semantics/model-files.ts';
import { MANIFEST, MODELS_SCHEMA, type ModelSetInfo, parseModelSets } from '../semantics/model-set.ts';
import type { PushOffer } from './push-offer.ts';

/** Names that a pushed set may not give its files, as a file system sees them that tells no small letters from capitals. */
const OURS = [MANIFEST, 'object.json'];

/**
 * The models.json of one set, as it is pushed. Its hash is over names and hashes of the files, so only what that covers travels: no
 * cards, and no 8-bit networks, which are an execution of a set and no part of it.
 */
export function pushedManifest(set: ModelSetInfo): Uint8Array {
  const { name, version, id, sha256, channels } = set;
  const files = set.files.map(({ int8: _, ...file }) => ({ ...file, card: null }));
  const manifest = { schema: MODELS_SCHEMA, version: 1, sets: [{ name, version, id, sha256, channels, files }] };
  return new TextEncoder().encode(JSON.stringify(manifest));
}

/**
 * The files that belong to a pushed set, of the models.json that came, in its order.
 *
 * @throws ModelError for a models.json that is wrong; FormatError where it is not that of the offer, or its files could not lie in
 *   one folder
 */
export function filesOfPushedSet(manifest: Uint8Array, offer: PushOffer): readonly FileClaim[] {
  const sets = parseModelSets(manifest);
  if (sets.length !== 1) throw new FormatError('sets', `${sets.length} in a pushed models.json, allowed 1`);
  const [set] = sets;
  if (set.sha256 !== offer.sha256) throw new FormatError('sha256', `${set.sha256} where ${offer.sha256} was offered`);
  if (set.name !== offer.name || set.version !== offer.version) {
    throw new FormatError('name', `${set.name} ${set.version} where ${offer.name} ${offer.version} was offered`);
  }
  const total = set.files.reduce((sum, f) => sum + f.bytes, offer.firstBytes);
  if (total !== offer.bytes) throw new FormatError('bytes', `${total} where ${offer.bytes} were offered`);
  const paths = set.files.map((f) => f.path.toLowerCase());
  for (const [i, path] of paths.entries()) {
    if (OURS.includes(path)) throw new FormatError('path', `${set.files[i].path} is not a name for a network`);
    if (paths.some((other, j) => i !== j && (other === path || other.startsWith(`${path}/`)))) {
      throw new FormatError('path', `${set.files[i].path} stands in the way of another`);
    }
  }
  for (const file of set.files) {
    if (file.int8 || file.card !== null) {
      throw new FormatError(
        file.int8 ? 'int8' : 'card',
        `of ${file.name}: is not pushed, the set's hash does not cover it`,
      );
    }
  }
  return set.files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
}
