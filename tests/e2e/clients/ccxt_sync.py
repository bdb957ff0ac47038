"""ccxt, synchronous."""

import ccxt

from ccxt_setup import exchange, held, order
from scenario import ADDRESS, Scenario

run = Scenario(f"ccxt {ccxt.__version__}")
about = run.about
venue = exchange(ccxt, run, validateServerSsl=about["ca_file"])
symbol, currency = about["symbol"], about["currency"]

run.step("markets", lambda: len(venue.load_markets()))
run.step("balance", lambda: held(venue.fetch_balance(), about))
if about["product"] == "derivatives":
    run.step("positions", lambda: len(venue.fetch_positions([symbol])))
placed = run.step("place", lambda: venue.create_order(*order(about))["id"])
run.step("listed", lambda: [each["id"] for each in venue.fetch_open_orders(symbol)].count(placed))
run.step("cancel", lambda: bool(venue.cancel_order(placed, symbol)))
run.step("left", lambda: len(venue.fetch_open_orders(symbol)))
if "withdraw" in about:
    run.step("withdraw", lambda: venue.withdraw(currency, 20, ADDRESS, params=about["withdraw"])["id"])
if "transfer" in about:
    run.step("transfer", lambda: venue.transfer(currency, 20, *about["transfer"])["id"])
run.report()
