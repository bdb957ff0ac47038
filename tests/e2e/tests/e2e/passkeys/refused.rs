//! Passkeys that are not shown as they must be, and codes that are not what they must be.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Browser, Client, Door, House, OPERATOR, Operator, PASSWORD};
use serde_json::{Value, json};

use super::{Terminal, asked, made, registered, said, shown};

/// Shows a passkey to the service by the page's own means, but does not have the user verified.
const UNVERIFIED: &str = r#"
    const post = async (path, body) => fetch(path, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    return (async () => {
        const begun = await (await post("/login/begin", { user_code: CODE, page })).json();
        begun.options.publicKey.userVerification = "discouraged";
        const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options.publicKey);
        const credential = await navigator.credentials.get({ publicKey });
        const answer = await post("/login/finish", { user_code: CODE, page, credential: credential.toJSON() });
        return answer.status;
    })();
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_of_nobody_and_a_user_who_is_not_verified_are_refused() -> Result<()> {
    let house = House::open().await?;
    let terminal = Terminal::of(&house)?;
    let browser = Browser::start().await?;
    let authenticator = registered(&house, &browser).await?;
    let log_in = json!({ "operator": OPERATOR });

    // Not even asked of the user: the service looks for itself.
    let begun = terminal.begin(&log_in).await?;
    asked(&browser, &begun).await?;
    browser.verifies(&authenticator, false).await?;
    let code = begun.text_at("/user_code")?;
    let status = browser.run(&UNVERIFIED.replace("CODE", &format!("'{code}'"))).await?;
    ensure!(status == 401, "{status}");
    ensure!(terminal.poll(&begun).await?.status == 202, "it goes on waiting");
    browser.verifies(&authenticator, true).await?;
    browser.run("begun = null; return null;").await?;
    browser.click("#show").await?;
    let done = said(&browser).await?;
    ensure!(done.starts_with("Done."), "{done}");
    terminal.ended(&begun).await?.ok()?;

    // An authenticator without this operator's passkey has nothing to show.
    browser.take_away(&authenticator).await?;
    browser.authenticator().await?;
    let begun = terminal.begin(&log_in).await?;
    asked(&browser, &begun).await?;
    browser.click("#show").await?;
    let said = said(&browser).await?;
    ensure!(said.contains("No passkey was shown"), "{said}");
    ensure!(terminal.poll(&begun).await?.status == 202, "it goes on waiting");

    let entries = house.operator.get("/api/v1/audit?limit=1000").await?.ok()?.text();
    ensure!(entries.contains("\"login.passkey\""), "no entry");
    Ok(())
}

/// Whoever sees a code has neither a page beside the person's own, nor a passkey that counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_for_one_page_and_registers_nothing_by_itself() -> Result<()> {
    let house = House::open().await?;
    let terminal = Terminal::of(&house)?;
    let public = Client::of_server(&house.home.ready_file(), Door::Public)?;
    let other = Operator::log_in(&house.home.ready_file(), OPERATOR, PASSWORD).await?;
    let browser = Browser::start().await?;
    browser.authenticator().await?;
    let own = async || house.operator.get("/api/v1/me/passkeys").await?.ok().map(|own| own.ids().len());
    for stranger in [None, Some(other.bearer.as_str())] {
        let begun = house.operator.post("/api/v1/me/passkeys", &json!({ "label": "one" })).await?.ok()?;
        asked(&browser, &begun).await?;
        let with = |page: &str| json!({ "user_code": begun.text_at("/user_code").unwrap_or_default(), "page": page });
        let second = public.call("POST", "/login/begin", None, Some(&with("somebody-else-saw-the-code"))).await?;
        second.problem(409, "code_taken")?;
        public.call("POST", "/login/begin", None, Some(&with("short"))).await?.problem(400, "body_invalid")?;
        browser.click("#show").await?;
        let said = said(&browser).await?;

        // The terminal hears what was made, and nothing is registered by that.
        for _ in 0..2 {
            let made = terminal.ended(&begun).await?.ok()?;
            ensure!(said.contains(&made.text_at("/check")?) && made.text_at("/address")? == "127.0.0.1", "{said}");
            ensure!(own().await? == 0, "registered by a code alone");
        }
        terminal.confirm(&begun, stranger).await?.problem(401, "unauthenticated")?;
        ensure!(own().await? == 0, "registered by another than the login that asked");
        terminal.confirm(&begun, Some(&house.operator.bearer)).await?.problem(410, "passkey_expired")?;
    }
    let begun = house.operator.post("/api/v1/me/passkeys", &json!({ "label": "one" })).await?.ok()?;
    made(&terminal, &browser, &begun, Some(&house.operator.bearer)).await?;
    ensure!(own().await? == 1, "not registered");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_passkey_is_refused_and_raises_an_alarm() -> Result<()> {
    let house = House::open().await?;
    let terminal = Terminal::of(&house)?;
    let browser = Browser::start().await?;
    let original = registered(&house, &browser).await?;
    let copy = browser.passkeys(&original).await?.into_iter().next().context("no passkey")?;
    let log_in = json!({ "operator": OPERATOR });
    for _ in 0..2 {
        let begun = terminal.begin(&log_in).await?;
        shown(&browser, &begun).await?;
        terminal.ended(&begun).await?.ok()?;
    }

    browser.take_away(&original).await?;
    let second = browser.authenticator().await?;
    browser.put(&second, &copy).await?;
    let begun = terminal.begin(&log_in).await?;
    asked(&browser, &begun).await?;
    browser.click("#show").await?;
    let said = said(&browser).await?;

    ensure!(said.contains("no passkey of this operator"), "{said}");
    terminal.ended(&begun).await?.problem(401, "passkey_refused")?;
    let entries = house.operator.get("/api/v1/audit?limit=1000").await?.ok()?.text();
    ensure!(entries.contains("alarm.passkey-cloned"), "no alarm");
    ensure!(house.server.log()?.contains("passkey-cloned"), "no error line");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_guessed_at_under_the_throttle_and_names_are_not_told_apart() -> Result<()> {
    let house = House::open().await?;
    let terminal = Terminal::of(&house)?;
    let public = Client::of_server(&house.home.ready_file(), Door::Public)?;
    let page = "the-secret-of-some-page";
    let begin = async |code: &str| {
        let body = json!({ "user_code": code, "page": page });
        public.call("POST", "/login/begin", None, Some(&body)).await
    };

    // An operator without passkeys, and a name that nobody has: alike, and the same each time.
    let mut shapes = Vec::new();
    for name in [OPERATOR, "nobody", "nobody"] {
        let asked = terminal.begin(&json!({ "operator": name })).await?;
        let code = asked.text_at("/user_code")?;
        let options = begin(&code).await?.ok()?.json();
        ensure!(options["operator"] == name && options["purpose"] == "login", "{options}");
        shapes.push(options["options"]["publicKey"].clone());
        let forged = json!({ "user_code": code, "page": page, "credential": { "id": "x" } });
        public.call("POST", "/login/finish", None, Some(&forged)).await?.problem(401, "unauthenticated")?;
        // A ceremony is finished once, well or not.
        public.call("POST", "/login/finish", None, Some(&forged)).await?.problem(404, "code_unknown")?;
    }
    let keys = |shape: &Value| shape.as_object().map(|shape| shape.keys().cloned().collect::<Vec<_>>());
    ensure!(keys(&shapes[0]) == keys(&shapes[1]), "{shapes:?}");
    ensure!(shapes[1]["allowCredentials"] == shapes[2]["allowCredentials"], "{shapes:?}");
    ensure!(shapes[0]["allowCredentials"][0]["id"].is_string(), "{shapes:?}");

    // Three codes were unknown above, and three terminals wait in vain.
    let mut guesses = 0;
    let throttled = loop {
        let reply = begin("BCDF-GHJK").await?;
        if reply.status == 429 {
            break reply;
        }
        reply.problem(404, "code_unknown")?;
        guesses += 1;
        ensure!(guesses <= 10, "codes can be guessed at");
    };
    throttled.problem(429, "login_throttled")?;
    Ok(())
}
