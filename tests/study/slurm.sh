#!/usr/bin/env bash
# Runs a study as a job array of a real Slurm on this machine: one task is cancelled, one killed outright, the array
# submitted again, the shards merged, and the tables compared byte for byte with those of the study run whole.
#
#   tests/study/slurm.sh [TADPOOL]
#
# The controller, the node and munge run from a temporary folder, with a key, sockets and ports of their own, and are
# stopped at the end; a Slurm that this machine may belong to is not touched. Installed where missing, on Debian and Ubuntu
# with apt-get as root or through sudo: slurm-wlm and munge.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -gt 1 ]; then
    echo "usage: tests/study/slurm.sh [TADPOOL]" >&2
    exit 2
fi
tadpool=$(realpath "${1:-target/release/tadpool}")
model=$PWD/data/reedfrogs/m12_2.tad
data=$PWD/data/reedfrogs/reedfrogs.csv

# Debian keeps the daemons where only root looks.
PATH=$PATH:/usr/sbin:/sbin
if ! command -v slurmctld slurmd munged sbatch > /dev/null; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -q
    # The packages start services of their own, which this test has no use for.
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "${as_root[@]}" apt-get install -y -q --no-install-recommends slurm-wlm munge
fi

folder=$(mktemp -d)
# Munge wants every folder above its socket open to be entered.
chmod 755 "$folder"
export SLURM_CONF=$folder/slurm.conf

# Ends the process whose number is in a file, and waits for its end.
end() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    kill "$pid" 2> /dev/null || return 0
    for _ in $(seq 100); do
        # One that ended but was not waited for by its parent still has a number.
        grep -q '^State:\s*Z' "/proc/$pid/status" 2> /dev/null && return 0
        kill -0 "$pid" 2> /dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid"
}

finish() {
    local status=$?
    set +e
    if [ $status != 0 ]; then
        echo "failed; the ends of the logs:" >&2
        tail -n 20 "$folder"/*.log "$folder"/work/*.log >&2
    fi
    scancel --quiet --user "$(id -un)" 2> /dev/null
    sleep 1
    end "$folder/slurmd.pid"
    end "$folder/slurmctld.pid"
    end "$folder/munge/pid"
    rm -rf "$folder"
    exit $status
}
trap finish EXIT

step() {
    printf '\n== %s (%d s)\n' "$1" "$SECONDS"
}

# Waits until a command succeeds; how many seconds at most, and what is waited for, come first.
wait_for() {
    local seconds=$1 what=$2
    shift 2
    for _ in $(seq $((seconds * 5))); do
        if "$@"; then
            return 0
        fi
        sleep 0.2
    done
    echo "$what did not happen within $seconds s" >&2
    return 1
}

step "a cluster of one node"
node=$(hostname -s)
user=$(id -un)
mkdir "$folder"/{munge,state,spool,work}
mungekey --create --keyfile="$folder/munge/key"
munged --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
cat > "$SLURM_CONF" <<END
ClusterName=tadpool
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
MpiDefault=none
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=5,batch_sched_delay=0
KillWait=20
ReturnToService=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=INFINITE State=UP
END
slurmctld
slurmd
is_idle() {
    [ "$(sinfo -h -o %T 2> /dev/null)" = idle ]
}
wait_for 60 "a node" is_idle
sinfo

step "the study, whole"
study=(sbc "$model" --data "$data" --replicates 500 --seed 7)
# Calibration at this size is not what is tested: its verdict may be either.
judged() {
    local code=0
    "$@" || code=$?
    [ $code = 0 ] || [ $code = 4 ]
}
judged "$tadpool" study "${study[@]}" --quiet --out "$folder/whole" > "$folder/whole.txt"

step "the study as a job array, whose second task is cancelled and third killed"
cd "$folder/work"
out="out of shards"
"$tadpool" study slurm --shards 4 --cpus 1 --memory 400 --time 0:10:00 --sbatch=--comment=calibration \
    --out "$out" --program "$tadpool" -- "${study[@]}" > submit.sh
cat study.sbatch
cat submit.sh
job=$(sbatch --parsable study.sbatch)
scontrol show job "$job" | grep -q 'Comment=calibration' || { echo "sbatch did not get its option"; exit 1; }
parts_of() {
    local first=$1 last=$2 count=0 part
    for part in "$out"/parts/*; do
        part=$(basename "$part")
        if [ "$part" != '*' ] && [ "$((10#${part%-*}))" -ge "$first" ] && [ "$((10#${part#*-}))" -le "$last" ]; then
            count=$((count + 1))
        fi
    done
    echo "$count"
}
# Shard 2/4 has the replicates 125 to 249, in several waves.
second_runs() {
    [ "$(parts_of 125 249)" -ge 1 ]
}
wait_for 120 "a first wave of the second shard" second_runs
scancel "${job}_2"
third_runs() {
    [ "$(parts_of 250 374)" -ge 1 ]
}
wait_for 120 "a first wave of the third shard" third_runs
scancel --batch --signal=KILL "${job}_3"
is_empty() {
    [ -z "$(squeue -h)" ]
}
wait_for 300 "the end of the array" is_empty
kept="$(parts_of 125 249) and $(parts_of 250 374)"
cat tadpool-sbc-"${job}"_2.log
ended() {
    local state
    state=$(scontrol show job "${job}_$1" | grep -o 'JobState=[A-Z]*')
    [ "$state" = "JobState=$2" ] || { echo "task $1 is $state, and $2 was expected" >&2; exit 1; }
}
ended 1 COMPLETED
ended 2 CANCELLED
ended 3 FAILED
if "$tadpool" study merge "$out" --quiet > merged.txt 2> incomplete.txt; then
    echo "an incomplete study was merged" >&2
    exit 1
fi
cat incomplete.txt
grep -q 'of shard 2/4 replicates.* of shard 3/4 replicates' incomplete.txt

step "submitted again, with the merge behind it"
before=$(find "$out/parts" -name replicates.parquet -printf '%P %T@\n' | sort)
# Both of Slurm's answers have the job's number first.
bash submit.sh
wait_for 300 "the end of the array and the merge" is_empty
after=$(find "$out/parts" -name replicates.parquet -printf '%P %T@\n' | sort)
echo "the two tasks had left $kept parts"
if [ -n "$(comm -23 <(echo "$before") <(echo "$after"))" ]; then
    echo "parts that were done were written again" >&2
    exit 1
fi
tail -n 3 tadpool-sbc-*.log

step "the same numbers"
for table in replicates.parquet replicates.csv estimates.parquet estimates.csv; do
    cmp "$folder/whole/$table" "$out/$table"
    echo "$table: $(wc -c < "$out/$table") bytes, the same"
done
