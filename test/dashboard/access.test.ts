import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import test from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../src/common/errors.ts';
import {
  AccessRules,
  bearerToken,
  checkName,
  checkToken,
  protocolToken,
  reachableAs,
} from '../../src/dashboard/access.ts';

const rules = (host: string, port = 8790, names: readonly string[] = []) =>
  new AccessRules(port, host, undefined, names);

test('a server of this machine alone goes by its loopback names with their port, however they are written', () => {
  const own = rules('127.0.0.1');
  for (const host of ['127.0.0.1:8790', 'localhost:8790', 'LOCALHOST:8790', 'LocalHost:8790', '[::1]:8790']) {
    assert.ok(own.isOwnHost(host), host);
    assert.ok(own.isOwnOrigin(`http://${host}`), host);
  }
  for (const host of [
    ...['localhost', '127.0.0.1', 'localhost:8791', 'localhost.:8790', 'localhost:08790', 'localhost:8790.', ''],
    ...['evil.example:8790', 'localhost.evil.example:8790', 'localhost:8790.evil.example', '127.0.0.1.nip.io:8790'],
    ...['user@localhost:8790', 'localhost:8790@evil.example', '2130706433:8790', '0x7f.1:8790', '127.1:8790'],
    ...[
      '::1:8790',
      '[::1]',
      '[::ffff:127.0.0.1]:8790',
      '0.0.0.0:8790',
      '[::]:8790',
      `${hostname()}:8790`,
      ' localhost:8790',
    ],
  ]) {
    assert.ok(!own.isOwnHost(host), `"${host}"`);
  }
  assert.ok(!own.isOwnHost(undefined), 'without a Host');
});

test('a page of another origin is refused; a program sends none', () => {
  const own = rules('127.0.0.1');
  assert.ok(own.isOwnOrigin(undefined));
  for (const origin of [
    ...['null', '', 'file://', 'http://evil.example', 'http://localhost', 'http://localhost:8791', 'localhost:8790'],
    ...[
      'ftp://localhost:8790',
      'http://localhost:8790/',
      'http://localhost:8790@evil.example',
      'chrome-extension://abc',
    ],
    ...[
      'http://localhost:8790, http://evil.example',
      'http://evil.example/http://localhost:8790',
      'HTTP://localhost:8790',
    ],
  ]) {
    assert.ok(!own.isOwnOrigin(origin), `"${origin}"`);
  }
});

test('the port that HTTP has by itself is left out by browsers', () => {
  const own = rules('127.0.0.1', 80);
  for (const host of ['localhost', 'localhost:80', '127.0.0.1', '[::1]']) assert.ok(own.isOwnHost(host), host);
  assert.ok(!own.isOwnHost('localhost:8790'));
});

test('a server that all can reach goes by the addresses and the name of this machine, and by no other name', () => {
  const own = rules('0.0.0.0');
  for (const host of ['127.0.0.1:8790', `${hostname()}:8790`]) assert.ok(own.isOwnHost(host), host);
  for (const host of ['evil.example:8790', '8.8.8.8:8790']) assert.ok(!own.isOwnHost(host), host);
  const address = reachableAs('0.0.0.0');
  assert.ok(own.isOwnHost(`${address}:8790`), address);
  assert.deepEqual([reachableAs('127.0.0.1'), reachableAs('::1')], ['127.0.0.1', '::1']);
  assert.ok(rules('192.0.2.7').isOwnHost('192.0.2.7:8790'));
  assert.ok(!rules('192.0.2.7').isOwnHost('localhost:8790'));
  assert.ok(rules('2001:db8::7').isOwnHost('[2001:db8::7]:8790'));
});

test('further names are those that were given', () => {
  const own = rules('127.0.0.1', 8790, ['lab-pc.example', 'localhost:9000', '[::1]:9000']);
  for (const host of ['lab-pc.example', 'lab-pc.example:8790', 'localhost:9000', '[::1]:9000', 'localhost:8790']) {
    assert.ok(own.isOwnHost(host), host);
  }
  assert.ok(own.isOwnOrigin('https://lab-pc.example'));
  for (const host of ['lab-pc.example:9000', 'x.lab-pc.example', 'localhost:9001'])
    assert.ok(!own.isOwnHost(host), host);
  assert.equal(checkName('Lab-PC.example:9000'), 'lab-pc.example:9000');
  for (const name of ['', 'http://x', 'x/y', 'a b', '*', 'x:99999999', `${'x'.repeat(300)}`]) {
    assert.throws(() => checkName(name), UsageError, name);
  }
});

test('a token allows what it is for, and nothing near it allows anything', () => {
  const { controlToken, readToken, ...own } = rules('127.0.0.1');
  const access = rules('127.0.0.1');
  assert.deepEqual([controlToken.length, readToken.length], [32, 32]);
  assert.ok(own);
  assert.deepEqual([access.accessOf(access.controlToken), access.accessOf(access.readToken)], ['control', 'read']);
  fc.assert(
    fc.property(fc.nat(31), fc.constantFrom(access.controlToken, access.readToken), fc.string(), (at, token, text) => {
      for (const near of [token.slice(0, at), `${token.slice(0, at)}!${token.slice(at + 1)}`, `${token} `, text]) {
        assert.equal(access.accessOf(near), null);
      }
    }),
  );
  for (const none of [undefined, '', 'x'.repeat(1e6)]) assert.equal(access.accessOf(none), null);
  assert.notEqual(controlToken, access.controlToken, 'every start makes new ones');
});

test('a token of your own has some length, and the read-only one follows from it', () => {
  const own = checkToken('a-token-of-my-own_1');
  assert.equal(new AccessRules(1, 'localhost', own).readToken, new AccessRules(2, 'localhost', own).readToken);
  for (const token of ['', 'short', 'with a space in it', 'x'.repeat(257), 'äöüäöüäöüäöüäöüäöü']) {
    assert.throws(() => checkToken(token), UsageError, token);
  }
});

test('where a token is looked for', () => {
  assert.equal(bearerToken('Bearer abc'), 'abc');
  for (const header of [undefined, 'abc', 'Basic abc', 'Bearer ', 'Bearer a b', 'Bearer\tabc']) {
    assert.equal(bearerToken(header), undefined);
  }
  assert.equal(protocolToken('sct.v1, token.abc'), 'abc');
  assert.equal(protocolToken('sct.v1,token.abc , token.def'), 'abc');
  for (const header of [undefined, '', 'sct.v1', 'abc', 'Token.abc']) assert.equal(protocolToken(header), undefined);
});
