"""python-binance, on spot or USD-M futures."""

from importlib.metadata import version

from binance.client import Client

from scenario import ADDRESS, Scenario

run = Scenario(f"python-binance {version('python-binance')}")
about, base = run.about, run.base()
client = Client(about["key"], about["secret"], requests_params={"verify": about["ca_file"]}, ping=False)
client.API_URL = f"{base}/api"
client.MARGIN_API_URL = f"{base}/sapi"
client.FUTURES_URL = f"{base}/fapi"
client.FUTURES_DATA_URL = f"{base}/futures/data"
symbol = about["id"]
order = {
    "symbol": symbol, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
    "quantity": str(about["amount"]), "price": str(about["price"]),
}


def spot():
    run.step("markets", lambda: len(client.get_exchange_info()["symbols"]))
    run.step("balance", lambda: client.get_asset_balance(about["currency"])["free"])
    placed = run.step("place", lambda: client.create_order(**order)["orderId"])
    run.step("listed", lambda: [each["orderId"] for each in client.get_open_orders(symbol=symbol)].count(placed))
    run.step("cancel", lambda: bool(client.cancel_order(symbol=symbol, orderId=placed)))
    run.step("left", lambda: len(client.get_open_orders(symbol=symbol)))


def futures():
    run.step("markets", lambda: len(client.futures_exchange_info()["symbols"]))
    run.step("balance", lambda: client.futures_account_balance()[0]["availableBalance"])
    run.step("positions", lambda: len(client.futures_position_information(symbol=symbol)))
    placed = run.step("place", lambda: client.futures_create_order(**order)["orderId"])
    listed = lambda: [each["orderId"] for each in client.futures_get_open_orders(symbol=symbol)]
    run.step("listed", lambda: listed().count(placed))
    run.step("cancel", lambda: bool(client.futures_cancel_order(symbol=symbol, orderId=placed)))
    run.step("left", lambda: len(listed()))


if about["product"] == "spot":
    spot()
else:
    futures()
run.step("withdraw", lambda: client.withdraw(coin="USDT", amount="20", address=ADDRESS, network="ETH")["id"])
run.step("transfer", lambda: client.make_universal_transfer(type="MAIN_UMFUTURE", asset="USDT", amount="20")["tranId"])
run.report()
