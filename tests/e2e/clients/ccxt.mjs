// ccxt for Node.js; `scenario.py` says what goes in and comes out. The working directory is the one with node_modules,
// and NODE_EXTRA_CA_CERTS names the authority.

import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { default: ccxt } = await import(pathToFileURL('node_modules/ccxt/js/ccxt.js'));
const about = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { symbol, currency } = about;
const address = '0x000000000000000000000000000000000000dEaD';
const steps = {};

const moved = (urls, venue) => (typeof urls === 'string'
    ? urls.replace(/^https:\/\/[^/]+/, `${about.base}/${venue}`)
    : Object.fromEntries(Object.entries(urls).map(([name, url]) => [
        name, moved(url, about.elsewhere?.[name] ?? venue)])));

// Addresses beneath one, as the page for users of ccxt lists them.
const listed = (urls) => Object.fromEntries(Object.entries(urls).map(([name, path]) => [
    name, typeof path === 'string' ? about.base + path : listed(path)]));

const ancestors = (kind) => (kind?.name ? [kind.name, ...ancestors(Object.getPrototypeOf(kind))] : []);

async function step(name, work) {
    try {
        const value = await work();
        steps[name] = { ok: value ?? null };
        return value;
    } catch (raised) {
        const [kind, ...others] = ancestors(raised.constructor);
        steps[name] = { raised: kind, ancestors: others, message: raised.message };
        return undefined;
    }
}

const Exchange = ccxt[about.ccxt];
const venue = new Exchange({
    apiKey: about.key,
    secret: about.secret,
    password: about.passphrase ?? '',
    urls: { api: about.urls ? listed(about.urls) : moved(new Exchange().urls.api, about.venue) },
    options: about.options ?? {},
    has: about.has ?? {},
    // A scenario is a handful of calls: ccxt's own pauses between them only cost time.
    enableRateLimit: false,
});
const open = () => venue.fetchOpenOrders(symbol);

await step('markets', async () => Object.keys(await venue.loadMarkets()).length);
await step('balance', async () => (await venue.fetchBalance())[currency]?.free);
if (about.product === 'derivatives') {
    await step('positions', async () => (await venue.fetchPositions([symbol])).length);
}
const placed = await step('place', async () => (
    await venue.createOrder(symbol, 'limit', 'buy', about.amount, about.price)).id);
await step('listed', async () => (await open()).filter((order) => order.id === placed).length);
await step('cancel', async () => Boolean(await venue.cancelOrder(placed, symbol)));
await step('left', async () => (await open()).length);
if (about.withdraw) {
    await step('withdraw', async () => (
        await venue.withdraw(currency, 20, address, undefined, about.withdraw)).id);
}
if (about.transfer) {
    await step('transfer', async () => (await venue.transfer(currency, 20, ...about.transfer)).id);
}
console.log(JSON.stringify({ library: `ccxt ${ccxt.version} on node ${process.version}`, steps }));
