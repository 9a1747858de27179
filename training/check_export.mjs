// Runs exported ONNX files with onnxruntime-node on the reference tensors of export.py: largest difference from PyTorch,
// and time. node check_export.mjs OUT [repetitions]. Exit code 8 when a difference exceeds the tolerance.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ort from 'onnxruntime-node'

const dir = process.argv[2]
const repetitions = Number(process.argv[3] ?? 5)
const TOLERANCE = 2e-4 // relative to the largest value of the tensor
const spec = JSON.parse(readFileSync(join(dir, 'check', 'spec.json'), 'utf8'))

function load(part, { name, type, shape }) {
  const bytes = readFileSync(join(dir, 'check', `${part}.${name}.bin`))
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const data = type === 'int64' ? new BigInt64Array(copy) : new Float32Array(copy)
  return new ort.Tensor(type, data, shape)
}

let failed = false
const totals = {}
for (const threads of [1, 2]) {
  for (const part of Object.keys(spec)) {
    const started = performance.now()
    const session = await ort.InferenceSession.create(join(dir, `${part}.onnx`), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
    const loadMs = performance.now() - started
    const feed = Object.fromEntries(spec[part].inputs.map((t) => [t.name, load(part, t)]))
    let bestMs = Number.POSITIVE_INFINITY
    let bestCpuMs = Number.POSITIVE_INFINITY
    let result
    for (let i = 0; i <= repetitions; i++) {
      const cpu = process.cpuUsage()
      const t = performance.now()
      result = await session.run(feed)
      bestMs = Math.min(bestMs, performance.now() - t)
      const used = process.cpuUsage(cpu)
      bestCpuMs = Math.min(bestCpuMs, (used.user + used.system) / 1000)
    }
    let worst = 0
    for (const t of spec[part].outputs) {
      const want = load(part, t).data
      const got = result[t.name].data
      let peak = 1e-6
      let difference = want.length === got.length ? 0 : Number.POSITIVE_INFINITY
      for (let i = 0; i < want.length; i++) {
        peak = Math.max(peak, Math.abs(want[i]))
        const d = Math.abs(want[i] - got[i])
        if (!(d <= difference)) difference = Number.isNaN(d) ? Number.POSITIVE_INFINITY : d
      }
      worst = Math.max(worst, difference / peak)
    }
    if (worst > TOLERANCE) failed = true
    totals[threads] = (totals[threads] ?? 0) + bestMs
    console.log(JSON.stringify({ part, threads, relativeDifference: worst, ms: Math.round(bestMs), cpuMs: Math.round(bestCpuMs), loadMs: Math.round(loadMs) }))
  }
}
console.log(JSON.stringify({ totalMs: totals, ok: !failed }))
process.exitCode = failed ? 8 : 0
