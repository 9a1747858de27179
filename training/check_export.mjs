// Runs exported networks with onnxruntime-node on the reference tensors of export.py and compares with PyTorch's outputs.
//   node check_export.mjs DIR [--repeat N]      DIR: ROLE.onnx, check/ROLE.json, check/ROLE.NAME.bin
// One JSON line a network: largest difference relative to the tensor's largest value; with --repeat also times. Exit 8 when
// a difference is above the tolerance: PyTorch and onnxruntime sum convolutions in another order, so a float32 network of
// some 20 layers agrees to some 1e-6; 1e-5 is ten times that, and a hundredth of what one wrong weight would do.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ort from 'onnxruntime-node'

const TOLERANCE = 1e-5
const dir = process.argv[2]
const repeat = process.argv[3] === '--repeat' ? Number(process.argv[4]) : 0

function load(part, { name, type, shape }) {
  const bytes = readFileSync(join(dir, 'check', `${part}.${name}.bin`))
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  return new ort.Tensor(type, type === 'int32' ? new Int32Array(copy) : new Float32Array(copy), shape)
}

/** largest |want - got| over the largest |want|; Infinity for another length or a NaN */
function difference(want, got) {
  if (want.length !== got.length) return Number.POSITIVE_INFINITY
  let peak = 1e-6
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    peak = Math.max(peak, Math.abs(want[i]))
    const d = Math.abs(want[i] - got[i])
    if (!(d <= worst)) worst = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d
  }
  return worst / peak
}

async function run(part, spec, threads) {
  const started = performance.now()
  const session = await ort.InferenceSession.create(join(dir, `${part}.onnx`), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  const loadMs = Math.round(performance.now() - started)
  const feed = Object.fromEntries(spec.inputs.map((t) => [t.name, load(part, t)]))
  let result = await session.run(feed)
  const relativeDifference = Object.fromEntries(
    spec.outputs.map((t) => [t.name, difference(load(part, t).data, result[t.name].data)]),
  )
  const times = []
  const cpuTimes = []
  for (let i = 0; i < repeat; i++) {
    const cpu = process.cpuUsage()
    const t = performance.now()
    result = await session.run(feed)
    times.push(performance.now() - t)
    const used = process.cpuUsage(cpu)
    cpuTimes.push((used.user + used.system) / 1000)
  }
  const timing = repeat ? { ms: Math.round(Math.min(...times)), cpuMs: Math.round(Math.min(...cpuTimes)) } : {}
  console.log(JSON.stringify({ part, threads, relativeDifference, loadMs, ...timing }))
  await session.release()
  return Object.values(relativeDifference).every((d) => d <= TOLERANCE)
}

let ok = true
const parts = readdirSync(join(dir, 'check')).filter((name) => name.endsWith('.json'))
for (const file of parts.sort()) {
  const spec = JSON.parse(readFileSync(join(dir, 'check', file), 'utf8'))
  for (const threads of repeat ? [1, 2] : [1]) ok = (await run(spec.part, spec, threads)) && ok
}
console.log(JSON.stringify({ networks: parts.length, tolerance: TOLERANCE, ok }))
process.exitCode = ok && parts.length > 0 ? 0 : 8
