"""ccxt with the dictionaries of a configuration of freqtrade's, put together as freqtrade puts them.

The file with the description also has `configuration`, the configuration's text as it stands on the page, and `options`,
what freqtrade adds by itself for its trading mode.
"""

import asyncio
import json

import ccxt
import ccxt.async_support

from ccxt_setup import held, order
from scenario import Scenario

run = Scenario(f"ccxt {ccxt.__version__}, configured by freqtrade")
about = run.about


def configuration():
    """What stands on the page, with this run's address, authority and key."""
    text = about["configuration"].replace("https://claviger.example:8443/gateway", about["base"])
    text = text.replace("/etc/claviger/ca.pem", about["ca_file"])
    return json.loads(text)["exchange"] | {"key": about["key"], "secret": about["secret"]}


def merged(source, destination):
    """Dictionaries within dictionaries are merged; of two values the source's counts."""
    for name, value in source.items():
        if isinstance(value, dict):
            merged(value, destination.setdefault(name, {}))
        else:
            destination[name] = value
    return destination


def exchange(module, own):
    """An exchange object as freqtrade makes it."""
    config = configuration()
    more = merged(config["ccxt_config"], {"options": dict(about["options"])})
    more = merged(config[own], more)
    base = {"apiKey": config["key"], "secret": config["secret"], "password": config.get("password"), "uid": ""}
    return getattr(module, config["name"])({**base, **more})


async def with_asyncio():
    venue = exchange(ccxt.async_support, "ccxt_async_config")

    async def count():
        return len(await venue.load_markets())

    async def balance():
        return held(await venue.fetch_balance(), about)

    await run.step_async("markets_async", count)
    await run.step_async("balance_async", balance)
    await venue.close()


venue = exchange(ccxt, "ccxt_sync_config")
symbol = about["symbol"]
run.step("markets", lambda: len(venue.load_markets()))
run.step("balance", lambda: held(venue.fetch_balance(), about))
placed = run.step("place", lambda: venue.create_order(*order(about))["id"])
run.step("listed", lambda: [each["id"] for each in venue.fetch_open_orders(symbol)].count(placed))
run.step("cancel", lambda: bool(venue.cancel_order(placed, symbol)))
run.step("left", lambda: len(venue.fetch_open_orders(symbol)))
asyncio.run(with_asyncio())
run.report()
