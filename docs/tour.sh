#!/usr/bin/env bash
# From a draft scheme to a paid prize, over HTTP, in an office that `make run` has opened.
# Needs curl and python3. PORT and DATA_DIR as for `make run`.
set -euo pipefail
cd "$(dirname "$0")/.."
demo="${DATA_DIR:-.data}/demo.json"
if ! [ -r "$demo" ] || ! curl -sf "http://localhost:${PORT:-3000}/readyz" >/dev/null; then
    echo "No demo office answers at port ${PORT:-3000} with its sign-ins in $demo." >&2
    echo "Open one with \`make run\`; give this script the same PORT and DATA_DIR." >&2
    exit 1
fi
trap 'manage business_date --clear >/dev/null' EXIT

# == 0. Three people, and five little tools
api="http://localhost:${PORT:-3000}/api"

manage() { .venv/bin/python manage.py "$@"; }
pick() { python3 -c "import json, sys; it = json.load(sys.stdin); print($1)"; }
json() { # name=value …; prints them as a JSON object
    python3 -c 'import json, sys
pairs = [word.split("=", 1) for word in sys.argv[1:]]
print(json.dumps({name: None if value == "null" else value for name, value in pairs}))' "$@"
}
call() { # token method path [body] [more for curl]; prints the answer
    local answer status
    answer=$(curl -sS -X "$2" "$api$3" -H "Authorization: Bearer $1" -w '\n%{http_code}' \
        -H 'Content-Type: application/json' ${4:+-d "$4"} "${@:5}")
    status=${answer##*$'\n'} answer=${answer%$'\n'*}
    echo "$answer"
    [ "$status" -lt 400 ] || { echo "$2 $3 was refused: $answer" >&2; return 1; }
}
sign_in() { # admin, foreman or subscriber of the demo office; prints an access token
    pick "json.dumps(it['$1'])" <"${DATA_DIR:-.data}/demo.json" |
        curl -sS "$api/auth/login" -H 'Content-Type: application/json' -d @- |
        pick "it['access_token']"
}

admin=$(sign_in admin) foreman=$(sign_in foreman) member=$(sign_in subscriber)

# == 1. The foreman drafts a chit: three tickets of ₹10,000 a month, first draw tomorrow
today=$(manage business_date)
draw_day=$(python3 -c "from datetime import *; print(date.fromisoformat('$today') + timedelta(1))")
scheme=$(call "$foreman" POST /schemes "$(json name="Tour chit $(date +%s)" \
    monthly_installment=10000.00 max_subscribers=3 duration_months=3 start_date="$draw_day" \
    auction_time=23:59 foreman_installment=null)" | pick "it['id']")
echo "Scheme $scheme is a draft."

# == 2. It is submitted, and somebody else approves it
call "$foreman" POST "/schemes/$scheme/submit" >/dev/null
call "$admin" POST "/schemes/$scheme/approve" "$(json comment=Seen)" |
    pick "f\"Approved under {it['sanction_number']}, {it['stage']}.\""

# == 3. Three people take a ticket: one joins, two are enrolled by the foreman
mine=$(call "$member" POST /subscriptions "$(json scheme="$scheme")" | pick "it['id']")
me=$(call "$member" GET /auth/me | pick "it['user']['id']")
others=$(call "$admin" GET '/users?role=USER&status=ACTIVE&kyc_status=VERIFIED' |
    pick "' '.join([u['id'] for u in it['results'] if u['id'] != '$me'][:2])")
tickets=$mine
for person in $others; do
    tickets+=" $(call "$foreman" POST /subscriptions \
        "$(json scheme="$scheme" subscriber="$person")" | pick "it['id']")"
done
echo "Tickets: $tickets"

# == 4. Every ticket is taken, so the chit commences
call "$admin" POST "/schemes/$scheme/commence" |
    pick "f\"Commenced under {it['certificate_number']}.\""
auction=$(call "$foreman" GET "/schemes/$scheme/auctions" | pick "it['results'][0]['id']")

# == 5. Everybody pays, and the first one twice with the same key
for ticket in $tickets $mine; do
    call "$foreman" POST /payments "$(json subscription="$ticket" amount=10000.00 method=CASH)" \
        -H "Idempotency-Key: tour-$ticket" | pick "f\"{it['receipt_number']}  {it['amount']}\""
done

# == 6. The day of the draw: the highest discount wins
manage business_date --set "$draw_day" >/dev/null
call "$foreman" POST "/auctions/$auction/open" >/dev/null
rival=$(echo "$tickets" | cut -d' ' -f2)
call "$foreman" POST "/auctions/$auction/bids" \
    "$(json subscription="$rival" discount=3000.00)" >/dev/null
call "$member" GET "/auctions/$auction/outcome?discount=6000" |
    pick "f\"At 6,000: prize {it['prize_amount']}, dividend {it['dividend_per_ticket']} each.\""
call "$member" POST "/auctions/$auction/bids" \
    "$(json subscription="$mine" discount=6000.00)" >/dev/null
call "$foreman" POST "/auctions/$auction/close" |
    pick "f\"Ticket {it['winner']['ticket_number']} wins {it['prize_amount']} by {it['method']}.\""

# == 7. One person approves the prize, another pays it
payout=$(call "$foreman" GET "/payouts?scheme=$scheme" | pick "it['results'][0]['id']")
call "$admin" POST "/payouts/$payout/approve" \
    "$(json security="Two sureties, bond on file")" >/dev/null
call "$foreman" POST "/payouts/$payout/pay" "$(json method=NEFT reference="TOUR-$(date +%s)")" |
    pick "f\"{it['status']}: {it['net_amount']}, after GST of {it['tax']}.\""

# == 8. The proof: what the accounts hold, and that they balance
call "$foreman" GET "/schemes/$scheme/ledger" | pick "'\n'.join(
    [f\"{a['account']:<14}{a['balance']:>10}\"
     for a in it['proof']['accounts'] if a['balance'] != '0.00']
    + [f\"debits {it['proof']['debits']}, credits {it['proof']['credits']}\"])"
manage check_ledger --scheme "$scheme"

# == 9. And back to today
manage business_date --clear >/dev/null
