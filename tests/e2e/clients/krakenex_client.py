"""krakenex, which hands Kraken's errors back and raises only for other statuses than 200."""

from importlib.metadata import version
from time import time

import krakenex

from scenario import Scenario


class KrakenError(Exception):
    """What Kraken's `error` list said."""


def checked(answer):
    if answer["error"]:
        raise KrakenError(", ".join(answer["error"]))
    return answer["result"]


run = Scenario(f"krakenex {version('krakenex')}")
about = run.about
client = krakenex.API(about["key"], about["secret"])
client.uri = run.base()
client.session.verify = about["ca_file"]
pair = about["id"]
order = {
    "pair": pair, "type": "buy", "ordertype": "limit",
    "volume": str(about["amount"]), "price": str(about["price"]),
}


def private(method, **data):
    # The library's nonces count milliseconds, and this venue answers in less than one.
    millisecond = int(1000 * time())
    while int(1000 * time()) == millisecond:
        pass
    return checked(client.query_private(method, data))


run.step("markets", lambda: len(checked(client.query_public("AssetPairs"))))
run.step("balance", lambda: private("Balance")["ZUSD"])
run.step("positions", lambda: len(private("OpenPositions")))
placed = run.step("place", lambda: private("AddOrder", **order)["txid"][0])
run.step("listed", lambda: list(private("OpenOrders")["open"]).count(placed))
run.step("cancel", lambda: bool(private("CancelOrder", txid=placed)["count"]))
run.step("left", lambda: len(private("OpenOrders")["open"]))
run.step("withdraw", lambda: private("Withdraw", asset="USDT", key="elsewhere", amount="20")["refid"])
transfer = {"asset": "USDT", "from": "Spot Wallet", "to": "Futures Wallet", "amount": "20"}
run.step("transfer", lambda: private("WalletTransfer", **transfer)["refid"])
run.report()
