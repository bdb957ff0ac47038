"""pybit's HTTP session for Bybit v5."""

from importlib.metadata import version
from uuid import uuid4

from pybit.unified_trading import HTTP

from scenario import ADDRESS, Scenario

run = Scenario(f"pybit {version('pybit')}")
about = run.about
session = HTTP(api_key=about["key"], api_secret=about["secret"])
session.endpoint = run.base()
session.client.verify = about["ca_file"]
where = {"category": "spot" if about["product"] == "spot" else "linear", "symbol": about["id"]}
order = {
    **where, "side": "Buy", "orderType": "Limit", "timeInForce": "GTC",
    "qty": str(about["amount"]), "price": str(about["price"]),
}


def listed():
    return [each["orderId"] for each in session.get_open_orders(**where)["result"]["list"]]


run.step("markets", lambda: len(session.get_instruments_info(**where)["result"]["list"]))
run.step("balance", lambda: len(session.get_wallet_balance(accountType="UNIFIED")["result"]["list"]))
if about["product"] == "derivatives":
    run.step("positions", lambda: len(session.get_positions(**where)["result"]["list"]))
placed = run.step("place", lambda: session.place_order(**order)["result"]["orderId"])
run.step("listed", lambda: listed().count(placed))
run.step("cancel", lambda: bool(session.cancel_order(**where, orderId=placed)["result"]))
run.step("left", lambda: len(listed()))
withdrawal = {"coin": "USDT", "chain": "ETH", "address": ADDRESS, "amount": "20", "timestamp": 1, "forceChain": 1}
run.step("withdraw", lambda: session.withdraw(**withdrawal)["result"]["id"])
transfer = {
    "transferId": str(uuid4()), "coin": "USDT", "amount": "20",
    "fromAccountType": "UNIFIED", "toAccountType": "FUND",
}
run.step("transfer", lambda: session.create_internal_transfer(**transfer)["result"]["transferId"])
run.report()
