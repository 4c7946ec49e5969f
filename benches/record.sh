#!/usr/bin/env bash
# Records what a machine with a GPU should be asked, in under 8 minutes, as one JSON file.
#
#   benches/record.sh [OUT.json]          OUT: by default benches/runs/DATE-record.json
#
# Runs the conformance tests and the driver's tests on the GPU, the drivers side by side (benches/fused.rs), one fit
# twice (a seed gives the same draws), and `tadpool bench`. Without a GPU it does the same on software Vulkan, and the
# record says so; without any Vulkan, the failures are the record.
#
# Builds with cargo what is not given. On a machine without Rust the programs are carried there and named:
#   TADPOOL, TADPOOL_CONFORMANCE, TADPOOL_GPU_TESTS, TADPOOL_DRIVERS      (paths)
#   TADPOOL_COMMIT                                                        (what they were built from)
# Where they come from: `cargo build --release`, `cargo test --release --test conformance --test gpu --no-run` and
# `cargo bench --bench fused --no-run`. The tests read files of the repository, so they run in its root.
# BENCH_SECONDS (140) is the time that `tadpool bench` takes.
set -uo pipefail
cd "$(dirname "$0")/.."
out=${1:-benches/runs/$(date -u +%F)-record.json}
started=$SECONDS

# The path that cargo prints for a target: "Executable … (path)".
executable() {
    cargo "$@" --no-run 2>&1 | tee /dev/stderr | sed -n 's/^ *Executable .*(\(.*\))$/\1/p' | head -1
}
if [ -z "${TADPOOL:-}" ]; then
    cargo build --release || exit 1
    TADPOOL=${CARGO_TARGET_DIR:-target}/release/tadpool
fi
if command -v cargo > /dev/null; then
    : "${TADPOOL_CONFORMANCE:=$(executable test --release --test conformance)}"
    : "${TADPOOL_GPU_TESTS:=$(executable test --release --test gpu)}"
    : "${TADPOOL_DRIVERS:=$(executable bench --bench fused)}"
fi

# A text as the inside of a JSON string: escapes of terminals, control characters and carriage returns left out.
escaped() {
    sed -e 's/\x1b\[[0-9;]*m//g' | tr -d '\000-\010\013-\037' \
        | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' | awk '{printf "%s%s", (NR > 1 ? "\\n" : ""), $0}'
}
# The output of a command, or nothing.
told() {
    "$@" 2> /dev/null | escaped
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
steps=()
# step NAME SECONDS COMMAND…: runs it, and keeps what it was, how it ended, how long it took, its last 80 lines.
step() {
    local name=$1 limit=$2 from=$SECONDS
    shift 2
    printf '== %s (%d s)\n' "$name" "$((SECONDS - started))" >&2
    timeout "$limit" "$@" > "$work/out" 2>&1
    local code=$?
    tail -n 3 "$work/out" >&2
    steps+=("    {\"name\": \"$name\", \"command\": \"$(printf '%s ' "$(basename "$1")" "${@:2}" | escaped)\", \"exit_code\": $code, \"seconds\": $((SECONDS - from)), \"output\": \"$(tail -n 80 "$work/out" | escaped)\"}")
}
# A step whose program was not given is recorded as such.
given_step() {
    if [ -n "$3" ] && [ -x "$3" ]; then
        step "$@"
    else
        steps+=("    {\"name\": \"$1\", \"command\": null, \"exit_code\": null, \"seconds\": 0, \"output\": \"not run: the program was not given\"}")
    fi
}

devices=$("$TADPOOL" devices 2>&1)
case $devices in
    *"No GPU adapter found"* | "No GPU:"*) gpu=none ;;
    *"takes the CPU: the only adapters are software"*) gpu=software ;;
    *) gpu=hardware ;;
esac
echo "GPU: $gpu" >&2
export TADPOOL_REQUIRE_GPU=1 NODEVICE_SELECT=1
given_step conformance 150 "${TADPOOL_CONFORMANCE:-}"
given_step "driver tests" 90 "${TADPOOL_GPU_TESTS:-}"
if [ $gpu = hardware ]; then
    # Draws of all these chains would take longer to read back than to make: one of 256 iterations is kept.
    given_step "the fused driver with thinned draws" 90 "${TADPOOL_DRIVERS:-}" --bench 65536 262144 steps=16384 thin=256 \
        "only=fused, unrolled"
    # The yardstick on the same card, where JAX is installed.
    step "gradients by JAX" 60 python3 benches/jax_gradient.py
else
    given_step "drivers side by side" 60 "${TADPOOL_DRIVERS:-}" --bench
fi
fit=("$TADPOOL" fit data/reedfrogs/m12_2.tad --data data/reedfrogs/reedfrogs.csv --backend gpu --chains 1024
    --warmup 50 --draws 20 --out "$work/fit.nc" --format json --quiet)
# The posterior of one seed, twice: null if it could not be computed, else whether both are equal.
parameters() {
    sed -n '/"parameters"/,$p' "$work/out"
}
step "a fit" 30 "${fit[@]}"
first=$(parameters)
step "the same fit" 30 "${fit[@]}"
same=null
if [ -n "$first" ]; then
    [ "$first" = "$(parameters)" ] && same=true || same=false
fi
printf '== bench (%d s)\n' "$((SECONDS - started))" >&2
bench=("$TADPOOL" bench --seconds "${BENCH_SECONDS:-140}" --format json)
# An interrupt makes it print what it has.
timeout -s INT -k 20 200 "${bench[@]}" > "$work/bench.json" 2> "$work/bench.err"
[ -s "$work/bench.json" ] || echo null > "$work/bench.json"

mkdir -p "$(dirname "$out")"
{
    echo "{"
    echo "  \"date\": \"$(date -u +%FT%TZ)\","
    echo "  \"gpu\": \"$gpu\","
    echo "  \"note\": \"$(case $gpu in
        hardware) echo "measured on a GPU" ;;
        software) echo "no GPU here: all GPU numbers are those of software Vulkan on the CPU" ;;
        none) echo "no Vulkan, Metal or DX12 adapter here: the CPU alone was measured" ;;
    esac)\","
    echo "  \"machine\": \"$(grep -m1 'model name' /proc/cpuinfo 2> /dev/null | cut -d: -f2- | sed 's/^ *//' | escaped), $(getconf _NPROCESSORS_ONLN) cores\","
    echo "  \"load_average\": \"$(uptime | sed 's/.*load average: //' | escaped)\","
    echo "  \"system\": \"$(uname -sr | escaped)\","
    echo "  \"nvidia_smi\": \"$(told nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader)\","
    echo "  \"devices\": \"$(printf '%s' "$devices" | escaped)\","
    echo "  \"tadpool\": \"$(told "$TADPOOL" --version)\","
    echo "  \"commit\": \"$(printf '%s' "${TADPOOL_COMMIT:-$(git describe --always --dirty 2> /dev/null)}" | escaped)\","
    echo "  \"rustc\": \"$(told rustc --version)\","
    echo "  \"one_seed_one_result\": $same,"
    echo "  \"steps\": ["
    (IFS=$'\n'; printf '%s\n' "${steps[*]}" | sed '$!s/$/,/')
    echo "  ],"
    echo "  \"bench_command\": \"tadpool bench --seconds ${BENCH_SECONDS:-140} --format json\","
    echo "  \"bench_notes\": \"$(grep '^note:' "$work/bench.err" 2> /dev/null | escaped)\","
    printf '  "bench": '
    cat "$work/bench.json"
    echo "  ,\"seconds\": $((SECONDS - started))"
    echo "}"
} > "$out"
echo "recorded in $out, $((SECONDS - started)) s" >&2
