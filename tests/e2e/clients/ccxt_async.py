"""ccxt, asynchronous, as freqtrade uses it."""

import asyncio

import ccxt.async_support as ccxt

from ccxt_setup import exchange, held, order
from scenario import ADDRESS, Scenario


async def main():
    run = Scenario(f"ccxt.async_support {ccxt.__version__}")
    about = run.about
    venue = exchange(ccxt, run, cafile=about["ca_file"])
    symbol, currency = about["symbol"], about["currency"]

    async def ids():
        return [each["id"] for each in await venue.fetch_open_orders(symbol)]

    async def count(items):
        return len(await items)

    async def field(name, answer):
        return (await answer)[name]

    async def listed():
        return (await ids()).count(placed)

    async def canceled():
        return bool(await venue.cancel_order(placed, symbol))

    async def balance():
        return held(await venue.fetch_balance(), about)

    await run.step_async("markets", lambda: count(venue.load_markets()))
    await run.step_async("balance", balance)
    if about["product"] == "derivatives":
        await run.step_async("positions", lambda: count(venue.fetch_positions([symbol])))
    placed = await run.step_async("place", lambda: field("id", venue.create_order(*order(about))))
    await run.step_async("listed", listed)
    await run.step_async("cancel", canceled)
    await run.step_async("left", lambda: count(ids()))
    if "withdraw" in about:
        params = about["withdraw"]
        await run.step_async("withdraw", lambda: field("id", venue.withdraw(currency, 20, ADDRESS, params=params)))
    if "transfer" in about:
        await run.step_async("transfer", lambda: field("id", venue.transfer(currency, 20, *about["transfer"])))
    await venue.close()
    run.report()


asyncio.run(main())
