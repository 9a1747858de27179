import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReceiverCodecs } from '../../../src/experiment/config/link-codecs.ts';
import { resolveLinkConfig } from '../../../src/experiment/config/link-config.ts';
import { LinkTrace } from '../../../src/experiment/metrics/link-trace.ts';
import { PictureLedger } from '../../../src/experiment/receive/picture-ledger.ts';
import { withImages } from '../../../src/experiment/receive/receiver-report.ts';
import type { Receiver } from '../../../src/link/receiver.ts';

test('a stream of very many pictures: figures and lines of the last ones, counts of all', async () => {
  const config = resolveLinkConfig({ numerology: 6, codec: 'classical' });
  let noted = 0;
  const ledger = new PictureLedger({
    config,
    reference: undefined,
    codecs: new ReceiverCodecs(config),
    mostKept: 7,
    write: async (name) => name,
    note: () => void noted++,
  });
  // Nothing could be read of any of them: each is lost, and says so.
  for (let session = 0; session < 150; session++) {
    await ledger.settle({ session, picture: null, trace: new LinkTrace() }, {} as Receiver);
  }
  assert.deepEqual(ledger.counts, { all: 150, whole: 0 });
  assert.deepEqual(
    ledger.images.map(({ session }) => session),
    [143, 144, 145, 146, 147, 148, 149],
  );
  assert.deepEqual(ledger.earlier, { count: 143, whole: 0 });
  assert.ok(ledger.several);
  assert.equal(noted, 150, 'each is told when it comes');
  assert.equal(ledger.problems.length, 101);
  assert.match(ledger.problems[0], /^50 more pictures/);
  assert.match(ledger.problems[1], /^picture 51 \(session 50\)/);
  const [metrics] = ledger.images;
  const written = withImages(metrics, ledger.images, ledger.earlier);
  assert.deepEqual([written.images?.length, written.earlierImages], [7, { count: 143, whole: 0 }]);
  assert.ok(!('earlierImages' in withImages(metrics, ledger.images)), 'where none is left out nothing is said of it');
});
