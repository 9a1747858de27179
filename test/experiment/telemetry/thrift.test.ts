import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Thrift } from '../../../src/experiment/telemetry/thrift.ts';

test('what costs time is done as often as its share of the time allows, and no more often than is of use', () => {
  const thrift = new Thrift({ share: () => 0.01 } as never, 30);
  assert.ok(thrift.due(0));
  thrift.took(0, 0.1);
  assert.deepEqual([thrift.due(29), thrift.due(30)], [false, true]);
  thrift.took(100, 2);
  assert.deepEqual([thrift.due(299), thrift.due(300)], [false, true]);
  thrift.took(1000, 1e6);
  assert.ok(thrift.due(1300), 'but never so rarely that nothing is seen');
});
