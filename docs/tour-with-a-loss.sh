#!/usr/bin/env bash
# The tour of docs/tour.sh against several validators (`cargo xtask up --validators 4`), one of which is
# killed in the middle, without warning. Nothing may come of it; and `up` starts it again after a while, and
# then it has to catch up.
set -euo pipefail
cd "$(dirname "$0")/.."

REALDID=${REALDID_BIN:-target/debug/realdid}
DATA=${REALDID_DATA:-data/sandbox}
BASE=${REALDID_PORT_BASE:-7300}
# The third node, which is the one that the sign-in server asks first.
LOST=$DATA/logs/node3.pid
LOST_NODE=http://127.0.0.1:$((BASE + 42))

fail() {
  printf 'TOUR FAILED: %s\n' "$*" >&2
  exit 1
}
# height NODE: of the newest block that it calls final
height() { "$REALDID" status --node "$1" --json | sed -n 's/.*"height"[^0-9]*\([0-9]*\).*/\1/p' | head -n 1; }

[ -f "$LOST" ] || fail "there is no third validator: cargo xtask up --validators 4"
killed=$(cat "$LOST")

docs/tour.sh | while IFS= read -r line; do
  printf '%s\n' "$line"
  if [ "$line" = "== Publish the DID of site A on the ledger" ]; then
    kill -9 "$killed"
    printf '   (validator 3 has just been killed)\n'
  fi
done

[ "$(cat "$LOST")" != "$killed" ] || fail "validator 3 was not started again, or never killed"
for _ in $(seq 150); do
  if curl -fsS -o /dev/null "$LOST_NODE/health/ready" 2>/dev/null; then back=yes && break; fi
  sleep 0.2
done
[ -n "${back:-}" ] || fail "validator 3 does not get ready again"
tip=$(height "http://127.0.0.1:$BASE")
own=$(height "$LOST_NODE")
[ "$own" -ge "$((tip - 2))" ] || fail "validator 3 is at height $own, the first one at $tip"
printf '\nValidator 3 was killed, came back and has caught up (height %s).\n' "$own"
