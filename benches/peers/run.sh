#!/usr/bin/env bash
# Measures tadpool beside nutpie, NumPyro and BlackJAX: the same models, on this machine, in one run.
#
#   benches/peers/run.sh [SEEDS [MODELS]]     SEEDS such as 1,2,3 (the default); MODELS such as "m12_2 groups" (all)
#
# Makes a virtual environment with the versions of requirements.txt (PEERS_VENV, by default .venv-peers in the
# repository), simulates two tables, builds tadpool (or takes the program that TADPOOL names, built from
# TADPOOL_COMMIT), and leaves a record in benches/runs/: DATE-peers.md and DATE-peers.json (PEERS_NAME for peers).
# PEERS_SAMPLERS chooses among the samplers by their first words (tadpool nutpie numpyro blackjax).
# PEERS_WITHOUT leaves out those with a word, such as low-rank.
# A sampler has PEERS_TIMEOUT (900) seconds for a model. Python 3.11. Half an hour on two cores.
set -euo pipefail
wanted=${2:-m12_2 m12_5 eight_schools cafes slopes groups}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seeds=${1:-1,2,3}
venv=${PEERS_VENV:-$root/.venv-peers}
python=${PYTHON:-python3.11}

if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
if [ -z "${TADPOOL:-}" ]; then
    (cd "$root" && cargo build --release)
    TADPOOL=${CARGO_TARGET_DIR:-$root/target}/release/tadpool
fi
export TADPOOL
# As the record tells it: what was asked, without the machine's paths.
PEERS_COMMAND="benches/peers/run.sh${*:+$(printf " '%s'" "$@")}${PEERS_SAMPLERS:+, PEERS_SAMPLERS='$PEERS_SAMPLERS'}${PEERS_WITHOUT:+, PEERS_WITHOUT=$PEERS_WITHOUT}"
export PEERS_COMMAND
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"
"$venv/bin/python" simulate.py "$work"
lines=$work/lines.jsonl

# model, data, tadpool's model file, the form that the other samplers do better with (NUTS, see the record), or several.
models=(
    "m12_2 $root/data/reedfrogs/reedfrogs.csv $root/data/reedfrogs/m12_2.tad centred"
    "m12_5 $root/data/chimpanzees/chimpanzees.csv $root/data/chimpanzees/m12_5.tad centred"
    "eight_schools $root/data/eight_schools/eight_schools.csv $root/data/eight_schools/eight_schools.tad noncentred"
    "cafes $root/data/cafes/cafes.csv $root/data/cafes/cafe.tad noncentred,conditional"
    "slopes $work/slopes.csv $here/slopes.tad noncentred,conditional"
    "groups $work/groups.csv $here/groups.tad centred"
)
samplers=(
    "tadpool"
    "tadpool --sampler hmc"
    "tadpool --sampler hmc --warmup 200"
    "tadpool --sampler hmc --chains 256 --warmup 200 --draws 250"
    "nutpie"
    "nutpie low-rank"
    "numpyro vectorized"
    "numpyro parallel"
    "blackjax"
)
uptime > "$work/load"
for entry in "${models[@]}"; do
    read -r model data text forms <<< "$entry"
    case " $wanted " in *" $model "*) ;; *) continue ;; esac
    for sampler in "${samplers[@]}"; do
        case " ${PEERS_SAMPLERS:-tadpool nutpie numpyro blackjax} " in *" ${sampler%% *} "*) ;; *) continue ;; esac
        case " $sampler " in *" ${PEERS_WITHOUT:-nothing} "*) continue ;; esac
        echo "== $model: $sampler" >&2
        # The large table takes minutes: one seed, fewer draws, for all alike, and 32 chains at most.
        these=(--seeds "$seeds")
        if [ "$model" = groups ]; then
            these=(--seeds "${seeds%%,*}" --draws 150 --warmup 300)
            case $sampler in
                *"--chains 256"*) sampler="tadpool --sampler hmc --chains 32 --warmup 200" these=(--seeds "${seeds%%,*}" --draws 100) ;;
                "tadpool --sampler hmc" | "tadpool --sampler hmc --warmup 200") continue ;;
                tadpool) sampler="tadpool --warmup 300" ;;
                "numpyro parallel" | "nutpie low-rank") continue ;;
            esac
        fi
        # tadpool chooses the form for itself.
        case $sampler in tadpool*) of_sampler=${forms%%,*} ;; *) of_sampler=${forms//,/ } ;; esac
        for form in $of_sampler; do
            # A sampler that fails or overruns leaves no line, and the record says that it is missing.
            timeout "${PEERS_TIMEOUT:-900}" "$venv/bin/python" measure.py --sampler "$sampler" --model "$model" \
                --data "$data" --text "$text" --form "$form" "${these[@]}" >> "$lines" < /dev/null \
                || echo "{\"sampler\": \"$sampler\", \"model\": \"$model\", \"form\": \"$form\", \"kind\": \"failed\"}" >> "$lines"
        done
    done
done
uptime >> "$work/load"
"$venv/bin/python" report.py "$lines" "$work/load" "$here/requirements.txt" "$root/benches/runs/$(date -u +%F)-${PEERS_NAME:-peers}"
