#!/bin/sh
# Makes every figure of docs/results.md on speed and real time, then the page; on a quiet machine, from a clean checkout:
#
#   npm run bench:realtime                          all, about 45 minutes on two cores
#   SRSRAN_4G=source-tree npm run bench:realtime    also the LDPC decoder beside srsRAN_4G, 10 minutes more
#   SCT_DATA=DIR npm run bench:realtime             video of photographs (DIR as docs/models.md has it) instead of the demo photo,
#                                                   and what the frame before is worth, 5 minutes more
#   npm run bench:realtime -- modem speed           only these, and the page
#   SCT_DATA=DIR npm run bench:realtime -- latency  the part of models.json on time, whose other parts are kept; not among `all`
#   npm run bench:realtime -- --quick [STEP ...]    every step at its shortest, some 6 minutes: whether all of it runs; results and page stay as they are
#
# Steps: modem, speed, fft, kernels, ldpc, realtime, video, last-frame, latency, page. One that fails does not end the others; the exit code is then 1.
# Asks nothing; a step that hangs is ended after an hour. What is interrupted goes on where it was when it is called again: what a step has made is kept in a
# folder of its commit (SCT_BENCH_OUT, default in TMPDIR) until all has come to its end. Results go to bench/results at the end: until then the checkout stays
# clean, and every file names a commit without changes. With changes in the checkout every step runs anew.
set -u
cd "$(dirname "$0")/.." || exit 1
started=$(date +%s)

quick=''
if [ "${1:-}" = --quick ]; then
  quick=--quick
  shift
fi
steps=${*:-modem speed fft kernels ldpc realtime video last-frame}
for name in $steps; do
  case $name in
    modem | speed | fft | kernels | ldpc | realtime | video | last-frame | latency | page) ;;
    *)
      echo "bench:realtime: \"$name\" is no step: modem, speed, fft, kernels, ldpc, realtime, video, last-frame, latency, page" >&2
      exit 2
      ;;
  esac
done

commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo none)
out=${SCT_BENCH_OUT:-${TMPDIR:-/tmp}/sct-bench-realtime-$(id -u)-$commit}
if [ "$quick" ] || [ "$commit" = none ] || [ -n "$(git status --porcelain 2>/dev/null)" ]; then
  [ "$quick" ] || echo "bench:realtime: no clean checkout: nothing is kept of an interrupted run, and results name a commit with changes" >&2
  out=$(mktemp -d) || exit 1
  trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out" || exit 1
case $(uname) in Linux) limit='timeout --foreground 3600' ;; *) limit='' ;; esac
failed=''

say() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }

asked() { case " $steps " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

# step NAME COMMAND...: where it is asked for and not done. What it made lies in $out.
step() {
  name=$1
  shift
  asked "$name" || return 0
  if [ -f "$out/$name.done" ]; then
    say "$name: done before"
    return 0
  fi
  before=$(date +%s)
  say "$name: $*"
  $limit "$@" >&2
  code=$?
  took="$(($(date +%s) - before)) s"
  case $code in
    0) say "$name: $took" ;;
    # Measured, and something asked for was not reached (exit codes of the contract): a result like any other.
    8) say "$name: $took, limits missed" ;;
    *)
      say "$name: FAILED with $code after $took"
      failed="$failed $name"
      return 0
      ;;
  esac
  : > "$out/$name.done"
}

left_out() { if asked "$1"; then say "$1: left out, $2"; fi; }

if asked modem || asked speed || asked video || asked latency; then
  say 'build'
  # Without it the others would measure another program.
  npm run --silent build >&2 || exit 1
fi
step modem node bin/sct.js bench modem $quick -o "$out" # 2 minutes
if [ "$quick" ]; then
  step speed node bin/sct.js bench --rounds 5 --only rbs,fft -o "$out"
else
  step speed node bin/sct.js bench --rounds 9 -o "$out" # 4 minutes
fi
step fft node --import tsx bench/fft.ts $quick -o "$out/fft.json" # 1 minute
step kernels node --import tsx bench/kernels.ts $quick -o "$out/kernels.json" # 1 minute
# Without what they need these are left out, and it is said where they were asked for.
if [ -n "${SRSRAN_4G:-}" ]; then
  step ldpc node --import tsx bench/ldpc-peer.ts $quick -o "$out/ldpc-peer.json" # 10 minutes
else
  left_out ldpc 'SRSRAN_4G names no source tree'
fi
step realtime node --import tsx bench/realtime.ts $quick -o "$out/realtime.json" # 17 minutes
step video node --import tsx bench/video.ts $quick -o "$out/video.json" # 13 minutes
if [ -n "${SCT_DATA:-}" ]; then
  step last-frame node --import tsx bench/last-frame.ts --data "$SCT_DATA" $quick --out "$out/last-frame.json" # 5 minutes
  if asked latency && [ ! -f "$out/models.json" ]; then cp bench/results/models.json "$out"; fi
  step latency node bin/sct.js bench models --only latency --data "$SCT_DATA" $quick -o "$out" # 3 minutes
else
  left_out last-frame 'SCT_DATA names no folder'
  left_out latency 'SCT_DATA names no folder'
fi

if [ "$quick" ]; then
  say "results are not kept: $(cd "$out" && echo *.json)"
else
  # Of a step that failed there may be half of a file, and of models.json a copy.
  for pair in modem:modem-speed speed:speed fft:fft kernels:kernels ldpc:ldpc-peer realtime:realtime video:video last-frame:last-frame latency:models; do
    file=$out/${pair#*:}.json
    if [ -f "$out/${pair%%:*}.done" ] && [ -f "$file" ]; then cp "$file" bench/results/ || failed="$failed copy"; fi
  done
  before=$(date +%s)
  $limit node --import tsx bench/results-page.ts || failed="$failed page"
  say "page: $(($(date +%s) - before)) s"
  if [ -z "$failed" ]; then rm -rf "$out"; else say "what the others made is kept in $out: call again"; fi
fi
say "all: $(($(date +%s) - started)) s"
if [ -n "$failed" ]; then
  echo "failed:$failed" >&2
  exit 1
fi
