import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingName, settingText } from '../../../src/experiment/sweep-report/setting-text.ts';

test('settings as a reader knows them, with their units', () => {
  for (const [key, value, text] of [
    ['snrDb', 15, '15 dB'],
    ['symbolsPerPixel', 0.1875, 'R 0.1875'],
    ['codec', 'integrated', 'integrated'],
    ['channel', 'eva', 'EVA'],
    ['channel', 'trace:roof', 'trace:roof'],
    ['dopplerHz', 70, 'Doppler 70 Hz'],
    ['dopplerHz', null, 'no Doppler'],
    ['csiDelayMs', 20, 'CSI delay 20 ms'],
    ['harqBy', 'importance', 'HARQ by importance'],
    ['powerLoading', false, 'power loading off'],
    ['soundings', 4, 'soundings 4'],
    ['assumeSnrDb', 5, 'assume SNR 5 dB'],
    ['constructor', 1, 'constructor 1'],
  ] as const) {
    assert.equal(settingText(key, value), text);
  }
  assert.deepEqual(settingName('rateHz'), { name: 'rate', unit: 'Hz' });
  assert.deepEqual(settingName('Hz'), { name: 'hz', unit: null });
  assert.deepEqual(settingName('feedback'), { name: 'feedback', unit: null });
});
