#!/bin/sh
# Checks the Promela models of docs/models with spin, exhaustively: each must hold, and each seeded
# bug must be found. `run.sh lock`, `handoff`, `undo` or `fork` checks one of them; `--all` before that adds
# configurations that take minutes and gigabytes.
# Exit status: 0 all as expected, 1 not, 77 no spin (or no C compiler) here.
set -eu

models=$(cd "$(dirname "$0")/../../docs/models" && pwd)
memory_mib=1900
depth=100000
# The compiler takes longer over a model than the search gains by it, unless that is long.
optimise=-O0
all=no
if [ "${1:-}" = --all ]; then
  all=yes
  memory_mib=16000
  optimise=-O2
  shift
fi
wanted=${*:-lock handoff undo fork}

for tool in spin "${CC:-cc}"; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "skipped: $tool is not installed"
    exit 77
  fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

failures=0

# check holds|fails MODEL DEFINES...
check() {
  expected=$1
  model=$2
  shift 2
  case " $wanted " in *" $model "*) ;; *) return 0 ;; esac
  rm -rf "$work"/run
  mkdir "$work"/run
  result=$(
    cd "$work"/run
    spin -a "$@" "$models/$model.pml" >spin.log 2>&1 || { cat spin.log >&2; echo broken; exit; }
    # shellcheck disable=SC2086
    ${CC:-cc} $optimise -w -DSAFETY -DCOLLAPSE -DMEMLIM=$memory_mib -o pan pan.c || { echo broken; exit; }
    ./pan -m$depth >pan.log 2>&1 || true
    # An unfinished search proves nothing.
    if grep -q 'errors: 0' pan.log && ! grep -q -e 'Search not completed' -e 'max search depth too small' pan.log; then
      echo holds
    elif grep -q 'errors: [1-9]' pan.log; then
      echo fails
    else
      cat pan.log >&2
      echo unfinished
    fi
  )
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$work"/run/pan.log 2>/dev/null || true)
  what=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' "$work"/run/pan.log 2>/dev/null | cut -c1-60 || true)
  if [ "$result" = "$expected" ]; then
    verdict=ok
  else
    verdict="NOT OK, $expected was expected"
    failures=$((failures + 1))
  fi
  echo "$model $*: $result, ${states:-no} states${what:+ ($what)}: $verdict"
}

echo '--- the protocols'
check holds lock -DOPERATIONS=2 -DREAPS=2
check holds lock -DOPERATIONS=3 -DREAPS=1
check holds lock -DOPERATIONS=1 -DREAPS=2 -DSPARE_SLOT
check holds handoff -DDEATHS=0 -DNO_RECHECK
check holds handoff -DINTERRUPTS=0
check holds handoff -DSENDS=1
check holds handoff -DRECEIVES=1
check holds handoff -DREMOVALS=1 -DSENDS=1 -DINTERRUPTS=0
check holds handoff -DREMOVALS=1 -DSENDS=1 -DRECEIVES=1
check holds undo -DDEATHS=0
check holds undo -DDEATHS=2
check holds fork
if [ $all = yes ]; then
  check holds lock -DOPERATIONS=2 -DREAPS=3
  check holds lock -DOPERATIONS=1 -DREAPS=4 -DSPARE_SLOT
  check holds handoff
  check holds handoff -DREMOVALS=1 -DINTERRUPTS=0
  check holds handoff -DDEATHS=2 -DINTERRUPTS=0 -DRECEIVES=1
  check holds undo -DLOOKS=3
  check holds fork -DLOOKS=4
fi

echo '--- the models can fail'
check fails lock -DBUG_FREE -DSPARE_SLOT -DOPERATIONS=1 -DREAPS=3
check fails lock -DBUG_STEAL -DSPARE_SLOT -DOPERATIONS=1 -DREAPS=4
check fails lock -DBUG_JOURNAL -DREAPS=0
check fails lock -DBUG_ORDER -DREAPS=0 -DOPERATIONS=3
check fails lock -DBUG_INTENT -DREAPS=1
check fails handoff -DBUG_PUBLISH -DINTERRUPTS=0
check fails handoff -DBUG_REAP -DINTERRUPTS=0
check fails handoff -DBUG_UNSETTLED -DINTERRUPTS=0
check fails handoff -DBUG_CANCEL -DDEATHS=0
check fails handoff -DNO_RECHECK -DINTERRUPTS=0
for bug in TOKEN WITNESS BURYING TWICE FORGET; do
  check fails undo -DBUG_$bug
done
for bug in LATE GUESS TASK OPEN KEEP; do
  check fails fork -DBUG_$bug
done

if [ $failures != 0 ]; then
  echo "$failures not as expected"
  exit 1
fi
