#!/bin/sh
# Draws the pictures of this folder's `pictures/`, those of the multilevel chapter: fits its models to the tables in
# `data/` and lets `tadpool plot` draw them. The same program gives the same bytes on the same kind of processor.
#
# Usage: docs/make-pictures.sh [FOLDER]; TADPOOL names another program than the one that cargo builds.
set -eu
cd "$(dirname "$0")/.."
to=${1:-docs/pictures}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "${TADPOOL:-}" ]; then
    cargo build --release --quiet
    TADPOOL=target/release/tadpool
fi

fit() { # folder of data, model, then what else is typed
    data=$1
    model=$2
    shift 2
    "$TADPOOL" fit "data/$data/$model.tad" --data "data/$data/$data.csv" --out "$work/$model.nc" --quiet "$@" \
        > "$work/$model.txt"
}
# The name of the picture, its kind, then what else is typed.
draw() {
    name=$1
    kind=$2
    shift 2
    "$TADPOOL" plot "$kind" "$@" --format svg --out "$work" > "$work/paths.txt"
    mkdir -p "$to"
    mv "$work/$kind.svg" "$to/$name.svg"
    echo "$to/$name.svg"
}

fit reedfrogs m12_2
fit ponds m12_3
fit chimpanzees m12_4
fit chimpanzees m12_5 --target-accept 0.99

# Observed survival in each tank and what the model makes of it.
draw shrinkage shrinkage "$work/m12_2.nc"
# The population of tanks, and tanks yet unseen.
draw population population "$work/m12_2.nc"
# Simulated ponds, whose true survival is known: how far off are estimates in ponds of each size?
awk -F, 'BEGIN { print "name,value" } NR > 1 { printf "p_pond[%s],%.9f\n", $1, 1 / (1 + exp(-$4)) }' \
    data/ponds/ponds.csv > "$work/truth.csv"
draw error error "$work/m12_3.nc" --truth "$work/truth.csv"
# The same of another table from the same population.
"$TADPOOL" simulate data/ponds/m12_3.tad --data data/ponds/ponds.csv --set a=1.4 --set sigma=1.5 --quiet \
    --out "$work/ponds_new.csv" > "$work/ponds_new.txt"
"$TADPOOL" fit data/ponds/m12_3.tad --data "$work/ponds_new.csv" --out "$work/ponds_new.nc" --quiet \
    > "$work/ponds_new.txt"
draw error-new error "$work/ponds_new.nc" --truth "$work/ponds_new.truth.csv" --vars p_pond
# Two types of cluster: every parameter, and the two standard deviations beside each other.
draw forest forest "$work/m12_5.nc"
draw sigmas density "$work/m12_5.nc" --vars 'sigma*'
# Actor 2 over the four treatments, and actor 5's intercept.
draw actor-2 predictions "$work/m12_4.nc" --grid 'condition=0,1 prosoc_left=0,1 actor=2'
draw actor-5 density "$work/m12_4.nc" --vars 'a_actor[5]'
draw trace trace "$work/m12_5.nc" --vars 'sigma*'
