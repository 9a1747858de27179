import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ReportArrival, type ReportData, shellCommand } from '../../../src/experiment/report/data.ts';
import { reportHtml } from '../../../src/experiment/report/html.ts';
import { verdict } from '../../../src/experiment/report/verdict.ts';
import { emptyReport, sampleReport } from './sample.ts';
import { assertWellFormed, asXml, elements } from './xml.ts';

test('the full page is well formed and has every section', () => {
  const page = reportHtml(sampleReport());
  assertWellFormed(asXml(page).trim());
  const titles = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((m) => m[1]);
  assert.deepEqual(titles, [
    'Resource blocks',
    'Constellation',
    'Channel',
    'Waterfall',
    'Semantic feature vectors',
    'Bursts',
    'Code blocks',
    'Symbol budget',
    'Reproduce',
  ]);
  assert.doesNotMatch(page, /NaN|Infinity|undefined|\[object/);
  for (const img of elements(page, 'img')) assert.match(img, /alt="[^"]+"/);
  for (const svg of elements(page, 'svg').filter((s) => s.includes('class="sp"')))
    assert.match(svg, /role="img" aria-label="[^"]+"/);
});

test('the page asks for nothing: no script, no outside address, and a policy that matches its own style', () => {
  const page = reportHtml(sampleReport());
  assert.doesNotMatch(page, /<script|<link|<iframe|@import|\son\w+=|\sstyle=/i);
  const addresses = [...page.matchAll(/(?:src|href)="([^"]{0,40})/g)].map((m) => m[1]);
  assert.ok(addresses.length >= 3);
  for (const a of addresses) assert.ok(a.startsWith('data:image/') || a.startsWith('./'), a);
  const css = /<style>([\s\S]*?)<\/style>/.exec(page)![1];
  const hash = createHash('sha256').update(css).digest('base64');
  assert.ok(page.includes(`default-src 'none'; img-src data:; style-src 'sha256-${hash}'`));
  assert.doesNotMatch(css, /url\(/);
});

test('the budget counts R as the contract does', () => {
  // payload + side information + control + padding + retransmissions = 6 + 1 + 2 + 0 + 3 = 12 over 8 pixels.
  const page = reportHtml(sampleReport());
  assert.ok(page.includes('<b>R = 1.5000</b>'));
  assert.ok(page.includes('<b>CBR = 0.50000</b>'));
});

test('what was not measured is a dash with its reason', () => {
  const page = reportHtml(sampleReport());
  assert.match(page, /<dt>LPIPS<\/dt><dd title="no network was given">—/);
  assert.match(page, /<dt>ROI-PSNR<\/dt><dd title="needs --truth LABELS.png">—/);
  const small = sampleReport();
  small.metrics.msSsim = null;
  assert.match(reportHtml(small), /<dt>MS-SSIM<\/dt><dd title="needs at least 161 pixels a side">—/);
});

test('a report with nothing received says so and leaves empty sections out', () => {
  const data = emptyReport();
  const page = reportHtml(data);
  assertWellFormed(asXml(page).trim());
  assert.equal(verdict(data).state, 'nothing');
  const sounded = [{ ...sampleReport().bursts[0], kind: 'sounding' }];
  assert.deepEqual(verdict({ ...data, bursts: sounded }), {
    state: 'nothing',
    text: 'No picture was heard, only 1 sounding burst.',
  });
  assert.ok(page.includes('No burst was found in the samples.'));
  assert.equal((page.match(/<h2>/g) ?? []).length, 1);
  assert.match(page, /<dt>PSNR<\/dt><dd title="nothing was decoded">—/);
});

test('the verdict claims what was measured', () => {
  const data = sampleReport();
  assert.deepEqual(verdict(data), {
    state: 'whole',
    text: 'The picture arrived whole: 31.3 dB PSNR, MS-SSIM 0.951. 1 of 2 code blocks lost, 1 sent again.',
  });
  const change = (m: Partial<ReportData['metrics']>) =>
    verdict({ ...data, blocks: [], metrics: { ...data.metrics, ...m } });
  assert.equal(
    change({ ok: false, outage: 1, psnrDb: 14 }).text,
    'Outage: the picture was not decoded; scored as flat grey (128).',
  );
  assert.equal(change({ ok: false, outage: 1, psnrDb: null }).text, 'Outage: the picture was not decoded.');
  assert.equal(change({ ok: false }).state, 'damaged');
  const sfv = data.metrics.sfvs[0];
  const states = [sfv, { ...sfv, state: 'lost' as const }, { ...sfv, state: 'repaired' as const }, sfv];
  assert.equal(change({ sfvs: states }).state, 'damaged');
  const made = change({ ok: false, sfvs: [{ ...sfv, state: 'synthesised' }] });
  assert.equal(made.state, 'outage');
  assert.match(made.text, /^Nothing of the picture arrived, what is shown is made up/);
  assert.match(change({ sfvs: states }).text, /SFVs: 2 received, 1 repaired, 1 lost\.$/);
  assert.match(change({ psnrDb: null }).text, /not known without the original/);
  assert.match(change({ lostSamples: 1234 }).text, /1\u202f234 samples were lost/);
});

test('the verdict: what was left uncorrected is damage, what was never sent is none', () => {
  const data = sampleReport();
  const [sfv] = data.metrics.sfvs;
  const of = (
    states: readonly (typeof sfv.state)[],
    arrival: ReportArrival,
    more: Partial<ReportData['metrics']> = {},
  ) => {
    const metrics = { ...data.metrics, ...more, sfvs: states.map((state) => ({ ...sfv, state })) };
    return verdict({ ...data, blocks: [], arrival, metrics });
  };
  const whole = { complete: true, unsentSfvs: 0, damagedSfvs: 0 };
  // Below --min-psnr is not ok, and still nothing is damaged.
  assert.match(of(['received'], whole, { ok: false }).text, /^The picture arrived whole: /);
  const uncorrected = of(['received', 'received', 'lost'], { complete: false, unsentSfvs: 0, damagedSfvs: 1 });
  assert.equal(uncorrected.state, 'damaged');
  assert.match(
    uncorrected.text,
    /^The picture arrived damaged: .*SFVs: 2 received, 1 lost; 1 of the received ones damaged and left so\.$/,
  );
  const kept = of(['received', 'synthesised'], { ...whole, unsentSfvs: 1 });
  assert.equal(kept.state, 'whole');
  assert.match(
    kept.text,
    /^All that was sent of the picture arrived, the rest is made up: .*SFVs: 1 received, 1 synthesised\.$/,
  );
  assert.match(of(['received', 'lost'], { ...whole, unsentSfvs: 1 }).text, /, the rest is left blank: /);
  const part = of(['repaired', 'synthesised'], { complete: false, unsentSfvs: 1, damagedSfvs: 1 });
  assert.match(part.text, /^The picture arrived damaged: .*SFVs: 1 repaired, 1 synthesised\.$/);
});

test('hostile text anywhere stays text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const evil = `${text}"><script>alert(1)</script><img src=x onerror=alert(1)>`;
      const data = sampleReport();
      const id = data.identification;
      Object.assign(id, {
        title: evil,
        command: evil,
        channel: evil,
        codecDetail: evil,
        numerology: evil,
        facts: { [evil]: evil },
      });
      data.warnings = [evil];
      data.pictures.source = { ...data.pictures.source!, alt: evil, file: `javascript:${evil}`, note: evil };
      data.bursts = [{ ...data.bursts[0], kind: evil, suspect: evil, header: { [evil]: evil } }];
      data.blocks = [{ ...data.blocks[0], what: evil, modulation: evil }];
      data.phaseTracks = [{ ...data.phaseTracks[0], label: evil }, data.phaseTracks[0]];
      data.metrics.sfvs[0].label = evil;
      data.manifest = { [evil]: evil };
      const page = reportHtml(data);
      assertWellFormed(asXml(page).trim());
      assert.doesNotMatch(page, /<script|<img src=x|href="javascript/);
    }),
    { numRuns: 60 },
  );
});

test('a picture that is no picture is refused', () => {
  const data = sampleReport();
  data.pictures.source = { ...data.pictures.source!, dataUri: 'https://example.org/x.png' };
  assert.throws(() => reportHtml(data), TypeError);
});

test('many bursts and blocks stay bounded', () => {
  const data = sampleReport();
  data.blocks = Array.from({ length: 20_000 }, (_, block) => ({ ...data.blocks[0], block }));
  data.bursts = Array.from({ length: 5000 }, () => data.bursts[0]);
  const page = reportHtml(data);
  assert.ok(page.length < 1_000_000, `${page.length}`);
  assert.match(page, /more in frames\.jsonl/);
});

test('a shell command survives the shell', () => {
  assert.equal(
    shellCommand(['sct', 'loopback', 'a b.png', "it's", '--snr=5', '']),
    "sct loopback 'a b.png' 'it'\\''s' --snr=5 ''",
  );
});
