import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { scratch, sctInside } from './helpers.ts';

const words = (line: string) => line.split(' ');

test('bounds gaussian --json has rateBits; the three published points', async () => {
  for (const [ds, dx, bits] of [
    ['0.4', '1', 2],
    ['0.4', '0.05', 2.161],
    ['0.5', '0.1', 1.661],
  ] as const) {
    const line = `bounds gaussian --rho 0.8 --ds ${ds} --dx ${dx} --json`;
    const { code, stdout, stderr } = await sctInside(words(line));
    assert.equal(code, 0, stderr);
    const answer = JSON.parse(stdout);
    assert.equal(answer.schema, 'sct.bounds/1');
    assert.equal(answer.ok, true);
    assert.ok(Math.abs(answer.rateBits - bits) < 1e-3);
    assert.equal(answer.closedForm, true);
  }
});

test('bounds: a rate that does not exist is null and feasible is false', async () => {
  const { code, stdout } = await sctInside(words('bounds gaussian --rho 0.8 --ds 0.3 --json'));
  assert.equal(code, 0);
  const { rateBits, feasible, achieved } = JSON.parse(stdout);
  assert.deepEqual([rateBits, feasible, achieved], [null, false, null]);
});

test('bounds: every kind answers, says how, and what has no closed form', async () => {
  for (const [line, field, value, tolerance] of [
    ['vector --lambda 4,2,1,.5,.25 --w 0,0,1,1,0 --ds 0.2 --dx 2', 'rateBits', 4.69, 1e-3],
    ['wyner-ziv --rho 0.8 --rho-xv 0.9 --dx 0.05', 'rateBits', 0.963, 1e-3],
    ['finite --epsilon 0.1 --ds 0.2', 'rateBits', 0.456436, 1e-6],
    ['fbl --snr 1 -n 1024', 'rateBits', 1.086, 1e-3],
    ['fbl --channel rayleigh --snr 10 -n 100 --eps 0.1', 'rateBits', Math.log2(1 - 10 * Math.log(0.9)), 1e-9],
    ['exponent --channel bec -p 0.5 --rate 0.5', 'exponentBits', 0, 1e-9],
  ] as const) {
    const { code, stdout, stderr } = await sctInside([...words(`bounds ${line}`), '--json']);
    assert.equal(code, 0, `${line}: ${stderr}`);
    const answer = JSON.parse(stdout);
    assert.ok(Math.abs(answer[field] - value) <= tolerance, `${line}: ${answer[field]}, not ${value}`);
    assert.ok(answer.method.length > 10 && answer.noClosedForm.length > 0, line);
    const text = await sctInside(words(`bounds ${line}`));
    assert.match(text.stdout, /^How: /m);
    assert.match(text.stdout, /^No closed form: /m);
  }
});

test('bounds fbl and exponent draw measured codes beside theirs', async (t) => {
  const folder = await scratch(t);
  const points = join(folder, 'codes.csv');
  await writeFile(points, 'label,n,rate_bits,error,dx\na,1000,0.5,0.0009765625,0.3\nb,500,0.6,0,\n');
  const rows = async (line: string) => {
    const out = join(folder, String(Math.random()));
    const { code, stderr } = await sctInside(words(`bounds ${line} --points ${points} -o ${out}`));
    assert.equal(code, 0, stderr);
    return (await readFile(join(out, 'bounds.csv'), 'utf8')).split('\n').filter((l) => l.includes('measured'));
  };
  const fbl = ['rate,measured,measured,1000,0.5,,', 'rate,measured,measured,500,0.6,,'];
  assert.deepEqual(await rows('fbl --snr 1 -n 1000'), fbl);
  assert.deepEqual(await rows('fbl --snr 1 -n 1000 --k 2000'), [...fbl, 'distortion,measured,measured,1000,0.3,,']);
  assert.deepEqual(await rows('exponent --snr 1 --rate 0.5'), [
    'exponent,"measured, -log2(error) / n",measured,0.5,0.01,,',
  ]);
});

test('bounds jscc: blocks that carry nothing, and limits that no SNR or any SNR meets', async () => {
  const rb = 'bounds jscc --rho 0.8 --channel rb,rb-equal --snr 5 --rb-snr -inf,3,-2,10,-inf --json';
  const { limits } = JSON.parse((await sctInside(words(rb))).stdout);
  assert.ok(Math.abs(limits[0].capacityBits - 1.6269522790519182) < 1e-9);
  assert.ok(Math.abs(limits[1].capacityBits - 1.2808292884733494) < 1e-9);
  for (const [limit, says] of [
    ['--dx 2', /awgn needs +nothing: the limits are met with nothing sent/],
    ['--dx 0.9999', /awgn needs +less than -30 dB/],
    ['--dx 1e-7', /awgn needs +more than 60 dB/],
    ['--ds 0.3', /awgn needs +more than any SNR: Ds is not above the mmse/],
  ] as [string, RegExp][]) {
    assert.match((await sctInside(words(`bounds jscc --rho 0.8 --snr 5 ${limit}`))).stdout, says);
  }
  const named = await sctInside(['bounds', 'fbl', '--snr', '3 dB', '-n', '100']);
  assert.match(named.stdout, /^Blocks of 100 symbols, awgn 3 dB$/m);
});

test('bounds jscc --chain: the Gaussian test source beside theory; bounds event: its probability', async () => {
  const chain = 'bounds jscc --rho 0.8 --snr 10 --chain symbols --numerology 6 --bursts 6 --slots 1 --json';
  const { code, stdout, stderr } = await sctInside(words(chain));
  assert.equal(code, 0, stderr);
  const { limits, chain: through } = JSON.parse(stdout);
  assert.ok(Math.abs(limits[0].dx - 1 / 11) < 1e-9);
  assert.ok(Math.abs(through.points[0].dx.value * 11 - 1) < 0.1);
  const event = await sctInside(words('bounds event --rho 0.8 --ds 0.5 --dx 0.11 --k 50 --blocks 400 --json'));
  const [point] = JSON.parse(event.stdout).points;
  assert.ok(point.joint.low <= point.exact.joint && point.joint.high >= point.exact.joint);
  assert.match((await sctInside(words('bounds event --rho 0.8 --dx 0.11 --k 50 --blocks 9'))).stdout, /of 9, exact 0/);
});

test('bounds finite: side information, said where it is too much for the decoder; bounds fbl: a curve that stays in range', async () => {
  const binary = 'bounds finite --epsilon 0 --v-epsilon 0.25 --dx 0.1';
  const { sideInformation: v, rateBits } = JSON.parse((await sctInside(words(`${binary} --json`))).stdout);
  for (const [value, wanted] of [
    [rateBits, 0.531004],
    [v.conditionalBits, 0.342283],
    [v.wynerZivBits, 0.411179],
    [v.savedBits, 0.119825],
  ]) {
    assert.ok(Math.abs(value - wanted) < 1e-6, `${value}, not ${wanted}`);
  }
  assert.match((await sctInside(words(binary))).stdout, /^V at the decoder alone +0.411179 bit, at least 0.411179$/m);
  const large = (await sctInside(words('bounds finite --letters 8 --epsilon 0.1 --v-epsilon 0.1 --ds 0.3 --dx 0.2')))
    .stdout;
  assert.match(large, /^V at the decoder alone +not computed: more than 1024 rules/m);
  assert.match(large, /^V at both ends +[\d.e-]+ bit, at least 0$/m);
  const long = await sctInside(words('bounds fbl --snr 1 -n 100 --k 2000000 --dx 0.99'));
  assert.equal(long.code, 0, long.stderr);
});

test('bounds exponent: nothing at capacity and above', async () => {
  for (const channel of ['awgn --snr 10', 'awgn-gaussian --snr 10', 'rayleigh --snr 10', 'bsc -p 0.1', 'bec -p 0.1']) {
    const { code, stdout } = await sctInside(words(`bounds exponent --channel ${channel} --rate 3.5 -n 100 --json`));
    assert.equal(code, 0);
    const { exponentBits, errorBound } = JSON.parse(stdout);
    assert.deepEqual([exponentBits, errorBound], [0, 1], channel);
  }
});

test('bounds -o writes JSON, CSV, a page without scripts and an SVG for each plot, measured points in them', async (t) => {
  const folder = await scratch(t);
  const points = join(folder, 'points.csv');
  await writeFile(points, 'label,snr_db,ds,dx\n<b>x</b>,7,0.5,0.2\n');
  const out = join(folder, 'out');
  const line = `bounds jscc --rho 0.8 --channel awgn,rayleigh --snr 5 --points ${points} -o ${out} --json`;
  const { code, stdout, stderr } = await sctInside(words(line));
  assert.equal(code, 0, stderr);
  const { files } = JSON.parse(stdout);
  assert.deepEqual((await readdir(out)).sort(), Object.values<string>(files).sort());
  const page = await readFile(join(out, 'bounds.html'), 'utf8');
  assert.doesNotMatch(page, /<script|<b>x/);
  assert.match(page, /Content-Security-Policy/);
  assert.match(await readFile(join(out, 'dx.svg'), 'utf8'), /^<svg [\s\S]*Rayleigh|rayleigh/);
  assert.match(await readFile(join(out, 'bounds.csv'), 'utf8'), /^dx,measured,measured,7,0\.2,,$/m);
  const saved = JSON.parse(await readFile(join(out, 'bounds.json'), 'utf8'));
  assert.equal(saved.plots.length, 2);
  const counted = await sctInside(words(`bounds event --points ${points} --ds 0.4 --dx 0.3 --json`));
  assert.equal(JSON.parse(counted.stdout).joint.value, 1);
});

test('bounds: what is wrong is named with what is allowed, exit 2', async (t) => {
  const folder = await scratch(t);
  const file = async (name: string, value: unknown) => {
    await writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
    return join(folder, name);
  };
  const wide = new Array(40).fill(1);
  const giant = await file('giant.json', { sx: wide.map(() => wide), h: [wide] });
  const skew = await file('skew.json', {
    sx: [
      [1, 0.5],
      [0.4, 1],
    ],
    h: [[1, 0]],
  });
  const deep = await file('deep.json', `${'['.repeat(100)}${']'.repeat(100)}`);
  const noise = await file('noise.json', { sx: [[1]], h: [[1]], noise: [[-1]] });
  const wild = await file('wild.json', { sx: [[1]], h: [[1e300]] });
  const other = await file('other.json', { covariance: [[1]], s: 1, x: 1, z: 1 });
  const zeros = new Array(5000).fill('1').join(',');
  for (const [line, says] of [
    ['', /no bound named/],
    ['nosuch', /unknown command 'bounds nosuch'/],
    ['gaussian --rho 0.5 0.4', /too many arguments/],
    ['event points.csv --dx 1', /too many arguments/],
    [`vector --file ${wild}`, /h\[0\]\[0\] 1e\+300 is out of range: allowed -1000000000000 to 1000000000000/],
    ['jscc --rho 0.5 --channel rb --rb-snr -inf,-inf', /rb-snr has no resource block that carries anything/],
    ['jscc --rho 0.5 --snr -inf', /--snr: "-inf" is not a number/],
    ['jscc --rho 0.5 --chain symbols --seed -1', /--seed -1 is out of range: allowed whole numbers from 0/],
    ['event --rho 0.5 --dx 0.1 --seed 1.5', /--seed 1.5 is out of range/],
    ['event --rho 0.5 --dx 0.1 --k 0', /k 0 is out of range: allowed whole numbers from 1 to 1000000/],
    ['event --rho 0.5 --dx 0.1 --blocks 2.5', /blocks 2.5 is out of range/],
    ['gaussian', /--rho is missing/],
    ['gaussian --rho 1.5', /rho 1.5 is out of range: allowed -1 to 1/],
    ['gaussian --rho NaN', /--rho: "NaN" is not a number/],
    ['gaussian --rho 0.5 --dx -1', /Dx -1 is out of range: allowed 1e-100 to/],
    ['gaussian --rho 0.5 --ds 0', /Ds 0 is out of range/],
    ['gaussian --rho 0.5 --var-x 0', /varX 0 is out of range/],
    ['vector', /--lambda LIST is missing/],
    ['vector --lambda 1,x', /--lambda: "x" is not a number/],
    ['vector --lambda 1,-2', /lambda\[1\] -2 is out of range/],
    ['vector --lambda 1,2 --w 1', /w has 1 elements, lambda has 2/],
    [`vector --lambda ${zeros}`, /--lambda has more than 4096 elements/],
    [`vector --file ${giant}`, /sx: 40 elements, at most 32 allowed/],
    [`vector --file ${skew}`, /sx\[0\]\[1\] and \[1\]\[0\] differ/],
    [`vector --file ${deep}`, /nested 100 deep/],
    [`vector --file ${noise}`, /noise has the negative eigenvalue/],
    [`vector --file ${other}`, /z: is not one of covariance, s, x/],
    [`vector --file ${skew} --lambda 1`, /--lambda: not with --file/],
    [`vector --file ${join(folder, 'none.json')}`, /none\.json: cannot be read/],
    ['wyner-ziv --rho 0.9 --rho-xv 0.9 --rho-sv -0.9', /--rho-sv -0.9 is out of range: allowed 0.62 to 1 with/],
    ['wyner-ziv --rho 0.9 --rho-xv 2', /--rho-xv 2 is out of range: allowed -1 to 1/],
    ['finite', /--epsilon is missing/],
    ['finite --epsilon 2', /epsilon 2 is out of range: allowed 0 to 1/],
    ['finite --letters 17 --epsilon 0', /letters 17 is out of range: allowed whole numbers from 2 to 16/],
    ['finite --epsilon 0.1 --ds -1', /Ds -1 is out of range: allowed from 0/],
    ['jscc --rho 0.5 --snr 99', /--snr 99 dB is out of range: allowed -30 to 60 dB/],
    ['jscc --rho 0.5 --channel fog', /--channel "fog" is not one of awgn, rayleigh/],
    ['jscc --rho 0.5 --channel rb', /needs the SNR of its resource blocks/],
    ['jscc --rho 0.5 --channel mimo-fixed --h 1,2', /8 are needed/],
    ['jscc --rho 0.5 --rb-snr 1,2', /--rb-snr: only with --channel rb or rb-equal/],
    ['jscc --rho 0.5 --channel rb --rb-snr 1 --h 1,2', /--h: only with --channel mimo-fixed/],
    ['gaussian --rho 0.5 --ds 1e400', /--ds 1e400 is out of range: allowed 1e-100 to 1000000000000, or inf/],
    ['finite --epsilon 0.1 --v-epsilon 1.5', /v-epsilon 1.5 is out of range: allowed 0 to 1/],
    [`finite --file ${skew} --v-epsilon 0.1`, /--v-epsilon: not with --file/],
    ['jscc --rho 0.5 --symbols-per-sample 0', /symbols per sample 0 is out of range/],
    ['jscc --rho 0.5 --seed 3', /--seed: only with --chain/],
    ['jscc --rho 0.5 --chain wire', /--chain "wire" is not one of symbols, burst/],
    ['jscc --rho 0.5 --chain symbols --bursts 1', /bursts 1 is out of range/],
    ['jscc --rho 0.5 --chain symbols --numerology 7', /7/],
    [
      'jscc --rho 0.5 --chain symbols --symbols-per-sample 1',
      /--symbols-per-sample 1 with --chain is out of range: allowed 0.5/,
    ],
    ['fbl --snr 1', /-n is missing/],
    ['fbl -n 100', /--snr is missing/],
    ['fbl --snr 1 -n 0', /n 0 is out of range: allowed whole numbers from 1/],
    ['fbl --snr 1 -n 100 --eps 1', /--eps 1 is out of range: allowed above 0 and below 1/],
    ['fbl --snr 1 -n 100 --dx 0.5', /--dx: only with --k/],
    ['fbl --snr 1 -n 100 --k 100 --dx 1', /Dx 1 is out of range/],
    ['fbl --channel bsc -p 1.5 -n 100', /crossover probability 1.5 is out of range/],
    ['fbl --channel bsc --snr 3 -n 100', /--snr: not with the channel bsc/],
    ['exponent --snr 10', /--rate is missing/],
    ['exponent --snr 10 --rate -1', /rate -1 bit is out of range/],
    ['exponent --snr 1,2 --rate 1', /--snr takes one value here/],
    ['exponent --channel bec -p 2 --rate 0.1', /--probability 2 is out of range: allowed 0 to 1/],
    ['event --rho 0.5', /Ds and Dx are both inf/],
    ['event --rho 0.5 --dx 0.1 --k 1000000 --blocks 10000', /blocks x k .* allowed up to/],
    [
      'jscc --rho 0.5 --snr 1,2 --chain symbols --bursts 1000 --slots 16 --numerology 50',
      /symbols through the chain are out of range/,
    ],
    ['event --points nowhere --dx 1', /nowhere: no such file or folder/],
    ['event --points nowhere --rho 1 --dx 1', /--rho: not with --points/],
  ] as [string, RegExp][]) {
    const { code, stderr, hint } = await sctInside(words(`bounds ${line}`.trim()));
    assert.equal(code, 2, `${line.slice(0, 80)}: ${code} ${stderr}`);
    if (line === '' || line === 'nosuch') assert.match(hint ?? '', /^sct bounds knows gaussian, vector, .*, event$/);
    assert.match(stderr, says);
  }
});
