#!/usr/bin/env bash
# One person's story, against the system that `cargo xtask up` runs: proofed once, two websites that
# cannot tell it is the same visitor, then rotation, recovery, deactivation and expiry.
#
# Needs nothing but curl, grep and sed. Every step says what it does and checks what came of it.
set -euo pipefail
cd "$(dirname "$0")/.."

REALDID=${REALDID_BIN:-target/debug/realdid}
DATA=${REALDID_DATA:-data/sandbox}
BASE=${REALDID_PORT_BASE:-7300}
NODE=http://127.0.0.1:$BASE
AUTHORITY=http://127.0.0.1:$((BASE + 10))
SITE_A=http://127.0.0.1:$((BASE + 31))
SITE_B=http://127.0.0.1:$((BASE + 32))
export REALDID_WALLET_PASSPHRASE=${REALDID_WALLET_PASSPHRASE:-correct horse battery staple}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
phone=$scratch/phone   # the wallet this story begins with
tablet=$scratch/tablet # the one it is restored to

# --- small tools ---------------------------------------------------------------------------------

chapter() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
fail() {
  printf 'TOUR FAILED: %s\n' "$*" >&2
  exit 1
}
same() { [ "$1" = "$2" ] || fail "$3: expected $2, got $1"; }

# field NAME: the text of a field of the JSON on standard input
field() { sed -n 's/.*"'"$1"'"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' | head -n 1; }

# wallet DIR ARGUMENTS…
wallet() {
  local dir=$1
  shift
  "$REALDID" wallet --wallet "$dir" "$@"
}

# browse URL: a browser with the cookies of this visit
browse() { curl -sSL --fail-with-body --max-time 60 -b "$scratch/cookies" -c "$scratch/cookies" "$1"; }

# codes: all one-time codes delivered so far, newest last
codes() { curl -fsS "$AUTHORITY/sandbox/outbox?json" | grep -o '"code"[[:space:]]*:[[:space:]]*"[^"]*"' || true; }

# enrol WALLET NAME NUMBER: the wallet asks for the code that was sent, and we look into the outbox
enrol() {
  local before seen
  before=$(codes | wc -l)
  mkfifo "$scratch/typed"
  wallet "$1" enrol --name "$2" --number "$3" <"$scratch/typed" &
  exec 3>"$scratch/typed"
  for _ in $(seq 100); do
    seen=$(codes)
    if [ "$(printf '%s' "$seen" | grep -c .)" -gt "$before" ]; then break; fi
    sleep 0.1
  done
  printf '%s\n' "$(tail -n 1 <<<"$seen" | sed 's/.*:[[:space:]]*"\([^"]*\)"/\1/')" >&3
  exec 3>&-
  wait $!
}

# login WALLET SITE: the whole way round; prints the `sub` the site shows
login() {
  local page link answer
  rm -f "$scratch/cookies"
  page=$(browse "$2/login") || fail "$2 showed no login page: $page"
  link=$(grep -o 'openid4vp://[^"]*' <<<"$page" | head -n 1 | sed 's/&amp;/\&/g; s/&#38;/\&/g')
  [ -n "$link" ] || fail "$2 led to no wallet link"
  answer=$(wallet "$1" login "$link" --yes --json) || return 1
  page=$(browse "$(field redirect_uri <<<"$answer")") || return 1
  sed -n 's/.*<code id="sub">\([^<]*\)<.*/\1/p' <<<"$page" | grep . || return 1
}

# refused WALLET SITE WHY: the login must not succeed, and must say why
refused() {
  local sub
  if sub=$(login "$1" "$2" 2>"$scratch/why"); then
    fail "$3, and yet the login succeeded as $sub"
  fi
  say "refused: $(grep -m 1 . "$scratch/why" || echo 'without a word')"
}

# --- the story -----------------------------------------------------------------------------------

chapter "A person of this country gets a wallet and is proofed, once"
person=$("$REALDID" authority person --random --json --config "$DATA/authority/authority.toml")
name=$(field name <<<"$person")
number=$(field number <<<"$person")
outbox=$(field outbox <<<"$person")
say "$name, $number; one-time codes appear at $outbox"
wallet "$phone" init --charter "$DATA/charter.json" --node "$NODE" --authority "$AUTHORITY"
enrol "$phone" "$name" "$number" || fail "the enrolment"
say "the authority knows who this is; it has signed DIDs it has not seen"

chapter "Log in to site A, with a DID that no ledger knows"
sub_a=$(login "$phone" "$SITE_A") || fail "the first login to site A"
say "site A knows its visitor as $sub_a"

chapter "Log in to site B: another DID, nothing in common"
sub_b=$(login "$phone" "$SITE_B") || fail "the first login to site B"
say "site B knows its visitor as $sub_b"
[ "$sub_a" != "$sub_b" ] || fail "both sites see the same DID"

chapter "Publish the DID of site A on the ledger"
wallet "$phone" did publish "$sub_a"
"$REALDID" resolve "$sub_a" --node "$NODE" >"$scratch/resolved" || fail "the published DID does not resolve"
same "$(login "$phone" "$SITE_A")" "$sub_a" "after publishing"
say "site A sees the same visitor"

chapter "Rotate its keys; whoever copied the old ones has nothing"
cp -r "$phone" "$scratch/thief"
wallet "$phone" did rotate "$sub_a"
same "$(login "$phone" "$SITE_A")" "$sub_a" "after rotating"
refused "$scratch/thief" "$SITE_A" "the old keys were rotated away"

chapter "Back up, lose the phone, restore on a tablet, recover"
wallet "$phone" backup "$scratch/backup.age"
wallet "$tablet" restore "$scratch/backup.age"
wallet "$tablet" did recover "$sub_a" --wait
same "$(login "$tablet" "$SITE_A")" "$sub_a" "after recovering"
say "site A sees the same visitor"
refused "$phone" "$SITE_A" "the lost phone's keys were replaced by recovery"

chapter "Deactivate the DID of site A: final, and of no concern to site B"
wallet "$tablet" did deactivate "$sub_a"
refused "$tablet" "$SITE_A" "the DID is deactivated"
same "$(login "$tablet" "$SITE_B")" "$sub_b" "site B, whose DID was never published"
say "site B sees the same visitor as before"

chapter "Two epochs later the token has expired, until it is renewed"
for _ in 1 2; do
  "$REALDID" authority advance-epoch --config "$DATA/authority/authority.toml"
done
refused "$tablet" "$SITE_B" "the token is two epochs old"
wallet "$tablet" did renew "$sub_b"
same "$(login "$tablet" "$SITE_B")" "$sub_b" "after renewing"
say "site B sees the same visitor"

chapter "What the wallet remembers of all this"
wallet "$tablet" history

printf '\nThe tour is over: everything held.\n'
