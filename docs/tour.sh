#!/usr/bin/env bash
# One person's story, against the system that `cargo xtask up` runs: proofed once, two websites that
# cannot tell it is the same visitor, then rotation, recovery, deactivation and expiry; and a driving
# licence: issued, shown as "over 21, class C" and no more, suspended, revoked, its issuer struck off.
#
# Needs nothing but curl, grep and sed. Every step says what it does and checks what came of it.
set -euo pipefail
cd "$(dirname "$0")/.."

REALDID=${REALDID_BIN:-target/debug/realdid}
DATA=${REALDID_DATA:-data/sandbox}
BASE=${REALDID_PORT_BASE:-7300}
NODE=${REALDID_NODE:-http://127.0.0.1:$BASE}
AUTHORITY=http://127.0.0.1:$((BASE + 10))
SITE_A=http://127.0.0.1:$((BASE + 31))
SITE_B=http://127.0.0.1:$((BASE + 32))
RENTAL=http://127.0.0.1:$((BASE + 33))
LICENCE=urn:realdid:driving_licence:1
export REALDID_WALLET_PASSPHRASE=${REALDID_WALLET_PASSPHRASE:-correct horse battery staple}

scratch=$(mktemp -d)
office= # the process of an issuer that this story sets up and has struck off
trap '[ -z "$office" ] || kill "$office"; rm -rf "$scratch"' EXIT
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

# issuer COMMAND CONFIG ARGUMENTS…: the staff of an organisation at work
issuer() {
  local command=$1 config=$2
  shift 2
  "$REALDID" issuer "$command" --config "$config" --json "$@"
}

# governance ARGUMENTS…: the consortium decides, by its one member
governance() {
  "$REALDID" governance "$@" --charter "$DATA/charter.json" --node "$NODE" --member-key "$DATA/member/member.key"
}

# take WALLET CONFIG TYPE RECORD: an offer is made, and the wallet takes it
take() {
  local offer
  offer=$(issuer offer "$2" --credential "$3" --record "$4" | field link)
  wallet "$1" offer "$offer" --yes
}

# rent WALLET: shows the car rental what it asks for; prints what it was shown, NAME=VALUE
rent() {
  local page link answer
  rm -f "$scratch/cookies"
  curl -sS -o "$scratch/nothing" -c "$scratch/cookies" -X POST "$RENTAL/rent"
  page=$(browse "$RENTAL/rent") || fail "the car rental showed no page: $page"
  link=$(grep -o 'openid4vp://[^"]*' <<<"$page" | head -n 1 | sed 's/&amp;/\&/g; s/&#38;/\&/g')
  [ -n "$link" ] || fail "the car rental led to no wallet link"
  answer=$(wallet "$1" present "$link" --yes --json) || return 1
  page=$(browse "$(field redirect_uri <<<"$answer")") || return 1
  grep -q 'id="rented"' <<<"$page" || return 1
  sed -n 's/.*<dt>\([^<]*\)<.*<dd>\([^<]*\)<.*/\1=\2/p' <<<"$page" | sed 's/&quot;/"/g; s/&#34;/"/g'
}

# no_van WALLET WHY: the rental must not get what it asks for, and somebody must say why
no_van() {
  if rent "$1" >"$scratch/shown" 2>"$scratch/why"; then
    fail "$2, and yet the van was rented"
  fi
  say "refused: $(grep -m 1 . "$scratch/why" || echo 'without a word')"
}

# two_facts SHOWN: the rental was shown an age and a class, and nothing of who it is
two_facts() {
  same "$(sort <<<"$1")" $'age_over_21=true\nclasses=["C"]' "what the rental saw"
  say "the rental saw: $(tr '\n' ' ' <<<"$1")"
}

# changed COMMAND: suspends, reinstates or revokes the long-lived licence, and waits until the list that
# says so is published and older ones have run out
changed() {
  local at
  at=$(issuer "$1" "$OFFICE" --record D-1001 --credential driving_licence | sed -n 's/.*"published_at"[^0-9]*\([0-9]*\).*/\1/p' | head -n 1)
  while [ "$(date +%s)" -le "$((at + 3))" ]; do sleep 0.2; done
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

chapter "The licence office gives a driving licence: first as one-time copies"
OFFICE=$DATA/issuer/issuer.toml
take "$tablet" "$OFFICE" driving_licence_copies D-1001
two_facts "$(rent "$tablet")" || fail "the first van"
two_facts "$(rent "$tablet")" || fail "another van, by another copy"
say "two visits, two copies: nothing in them matches"

chapter "Then as one that lasts for years, with a place in a status list"
driver=$scratch/driver
wallet "$driver" init --charter "$DATA/charter.json" --node "$NODE" --authority "$AUTHORITY"
take "$driver" "$OFFICE" driving_licence D-1001
two_facts "$(rent "$driver")" || fail "the van with the long-lived licence"

chapter "Suspended, reinstated, and in the end revoked"
changed suspend
no_van "$driver" "the licence is suspended"
changed reinstate
two_facts "$(rent "$driver")" || fail "the van after reinstatement"
changed revoke
no_van "$driver" "the licence is revoked"

chapter "Another licence office is accredited, issues, and is struck off"
mkdir "$scratch/office"
sed "s|$((BASE + 11))|$((BASE + 12))|g; s|\"../charter.json\"|\"$(realpath "$DATA")/charter.json\"|" "$OFFICE" >"$scratch/office/issuer.toml"
cp "$DATA/issuer/licences.csv" "$DATA/issuer/licence.schema.json" "$scratch/office/"
mkdir "$scratch/office/data"
did=$("$REALDID" organisation new --issuer --key "$scratch/office/issuer.key" --charter "$DATA/charter.json" --json | field did)
"$REALDID" organisation publish --key "$scratch/office/issuer.key" --sponsor-key "$DATA/authority/authority.key" \
  --charter "$DATA/charter.json" --node "$NODE"
governance accredit "$did" --role issuer --name "Another Licence Office"
governance grant "$did" issue "$LICENCE"
"$REALDID" issuer run --config "$scratch/office/issuer.toml" >"$scratch/office/said" 2>"$scratch/office/log" &
office=$!
for _ in $(seq 100); do
  if grep -q '^ready' "$scratch/office/said"; then break; fi
  sleep 0.1
done
visitor=$scratch/visitor
wallet "$visitor" init --charter "$DATA/charter.json" --node "$NODE" --authority "$AUTHORITY"
take "$visitor" "$scratch/office/issuer.toml" driving_licence_copies D-1001
two_facts "$(rent "$visitor")" || fail "the van with the other office's licence"
governance strike-off "$did"
sleep 4 # sign-in servers look every two seconds whether the consortium has decided anything
no_van "$visitor" "its issuer was struck off"

chapter "What the wallet remembers of all this"
wallet "$tablet" history

printf '\nThe tour is over: everything held.\n'
