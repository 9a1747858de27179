#!/bin/sh
# Makes every figure of docs/results.md on speed and real time, then the page; on a quiet machine, from a clean checkout:
#
#   npm run bench:realtime                          all, about 45 minutes on two cores
#   SRSRAN_4G=source-tree npm run bench:realtime    also the LDPC decoder beside srsRAN_4G, 10 minutes more
#   SCT_DATA=DIR npm run bench:realtime             video of photographs (DIR as docs/models.md has it) instead of the demo photo,
#                                                   and what the frame before is worth, 5 minutes more
#   npm run bench:realtime -- modem speed           only these, and the page
#   SCT_DATA=DIR npm run bench:realtime -- latency  the part of models.json on time, whose other parts are kept; not among `all`
#
# Steps: modem, speed, fft, kernels, ldpc, realtime, video, last-frame, latency, page. One that fails does not end the others; the exit code is then 1.
# Results go to bench/results at the end: until then the checkout stays clean, and every file names a commit without changes.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=''
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT

step() {
  name=$1
  shift
  case " $steps " in *" $name "*) ;; *) return ;; esac
  printf '%s %s: %s\n' "$(date -u +%H:%M:%S)" "$name" "$*" >&2
  "$@" >&2 || failed="$failed $name"
}

steps=${*:-build modem speed fft kernels ldpc realtime video last-frame}
case " $steps " in *' modem '* | *' speed '* | *' realtime '* | *' video '* | *' latency '*) steps="build $steps" ;; esac
for name in $steps; do
  case $name in
    build | modem | speed | fft | kernels | ldpc | realtime | video | last-frame | latency | page) ;;
    *)
      echo "bench:realtime: \"$name\" is no step: modem, speed, fft, kernels, ldpc, realtime, video, last-frame, latency, page" >&2
      exit 2
      ;;
  esac
done

step build npm run --silent build
step modem node bin/sct.js bench modem -o "$out" # 2 minutes
step speed node bin/sct.js bench --rounds 9 -o "$out" # 4 minutes
step fft node --import tsx bench/fft.ts -o "$out/fft.json" # 1 minute
step kernels node --import tsx bench/kernels.ts -o "$out/kernels.json" # 1 minute
# Without what they need these two are left out, and it is said where they were asked for.
if [ -n "${SRSRAN_4G:-}" ]; then
  step ldpc node --import tsx bench/ldpc-peer.ts -o "$out/ldpc-peer.json" # 10 minutes
else
  step ldpc echo 'left out: SRSRAN_4G names no source tree'
fi
step realtime node --import tsx bench/realtime.ts --minutes 10 -o "$out/realtime.json" # 17 minutes
step video node --import tsx bench/video.ts -o "$out/video.json" # 13 minutes
if [ -n "${SCT_DATA:-}" ]; then
  step last-frame node --import tsx bench/last-frame.ts --data "$SCT_DATA" --out "$out/last-frame.json" # 5 minutes
  case " $steps " in *' latency '*) cp bench/results/models.json "$out" ;; esac
  step latency node bin/sct.js bench models --only latency --data "$SCT_DATA" -o "$out" # 3 minutes
else
  step latency echo 'left out: SCT_DATA names no folder'
  step last-frame echo 'left out: SCT_DATA names no folder'
fi
for file in "$out"/*.json; do
  [ ! -f "$file" ] || cp "$file" bench/results/ || failed="$failed copy"
done
node --import tsx bench/results-page.ts || failed="$failed page"
if [ -n "$failed" ]; then
  echo "failed:$failed" >&2
  exit 1
fi
