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
        "urls": {"api": listed(about["urls"], about["base"]) if "urls" in about
                 else moved(kind().urls["api"], about, about["venue"])},
        "options": about.get("options", {}),
        "has": about.get("has", {}),
        # A scenario is a handful of calls: ccxt's own pauses between them only cost time.
        "enableRateLimit": False,
        **trust,
    })


def listed(urls, base):
    """Addresses beneath one, as the page for users of ccxt lists them."""
    return {name: listed(path, base) if isinstance(path, dict) else base + path for name, path in urls.items()}


def moved(urls, about, venue):
    """The same addresses with another scheme and host; MEXC's are nested, and Kraken Futures' end in a slash.

    `elsewhere` names the branches that are a venue of their own here.
    """
    if isinstance(urls, dict):
        elsewhere = about.get("elsewhere", {})
        return {name: moved(url, about, elsewhere.get(name, venue)) for name, url in urls.items()}
    return re.sub("^https://[^/]+", f"{about['base']}/{venue}", urls)


def order(about):
    """The arguments of the limit order."""
    return about["symbol"], "limit", "buy", about["amount"], about["price"]


def held(balance, about):
    """The free amount of the description's currency."""
    return balance.get(about["currency"], {}).get("free")
