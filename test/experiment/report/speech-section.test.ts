import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportData } from '../../../src/experiment/report/data.ts';
import { speechSection } from '../../../src/experiment/report/sections/speech.ts';
import { spectrogram } from '../../../src/experiment/report/spectrogram.ts';
import { pageCss } from '../../../src/experiment/report/style.ts';

test('spectrograms become narrower with the window, and scroll where it is too narrow', () => {
  const sine = Float32Array.from({ length: 16_000 }, (_, n) => Math.sin((2 * Math.PI * 1000 * n) / 16_000));
  const sound = { file: 'a.wav', dataUri: null, spectrogram: spectrogram(sine, 16_000) };
  const speech = { sfvs: [], note: null, stoi: 0.9, segmentalSnrDb: 5, seconds: 1, symbols: 9 };
  const data = { metrics: { speech }, speech: { source: sound, received: sound } } as unknown as ReportData;
  const { text } = speechSection(data)!;
  assert.equal(text.match(/<div class="scroll wide"><div class="plot"><svg /g)?.length, 2);
  assert.equal(text.match(/<figcaption>/g)?.length, 2);
  assert.match(pageCss(), /\.scroll\{overflow-x:auto\}/);
  assert.match(pageCss(), /\.plot svg,[^{]*\{display:block;width:100%;height:auto\}/);
});
