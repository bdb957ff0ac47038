"""How a ccxt exchange is pointed elsewhere: addresses, keys and the authority, nothing more."""

import re


def exchange(module, scenario, **trust):
    """An exchange object of ccxt or ccxt.async_support."""
    about = scenario.about
    kind = getattr(module, about["ccxt"])
    return kind({
        "apiKey": about["key"],
        "secret": about["secret"],
        "password": about.get("passphrase", ""),
        "urls": {"api": moved(kind().urls["api"], scenario.base())},
        "options": about.get("options", {}),
        **trust,
    })


def moved(urls, base):
    """The same addresses with another scheme and host; MEXC's are nested, and Kraken Futures' end in a slash."""
    if isinstance(urls, dict):
        return {name: moved(url, base) for name, url in urls.items()}
    return re.sub("^https://[^/]+", base, urls)


def order(about):
    """The arguments of the limit order."""
    return about["symbol"], "limit", "buy", about["amount"], about["price"]


def held(balance, about):
    """The free amount of the description's currency."""
    return balance.get(about["currency"], {}).get("free")
