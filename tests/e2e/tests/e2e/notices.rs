//! Notices: owners are told what happens to their keys, each once, whatever relay and power do.

use anyhow::{Context as _, Result, ensure};
use claviger_core::id::CredentialId;
use claviger_core::notice::Queue;
use claviger_core::store::{Key as RowKey, Range, Row, Store as _, Versioned};
use claviger_e2e::{Faults, House, Key, Mail, MailSink, Needle, REASON, Setup, search_files, until};
use serde_json::{Value, json};

use crate::tamper::{behind_its_back, write};

/// Owners who are told, and how many of them have two keys.
const OWNERS: usize = 240;
const WITH_TWO: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn every_owner_is_told_once_by_a_relay_that_fails_and_a_service_that_is_killed() -> Result<()> {
    let faults = Faults { not_now: 7, cut_before: 11, cut_after: 13 };
    let sink = MailSink::start(faults).await?;
    let house = opened(&sink, 4).await?;
    let lane = async |first: usize| {
        for n in (0..OWNERS).chain(0..WITH_TWO).skip(first).step_by(4) {
            enrolled(&house, n).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(lane(0), lane(1), lane(2), lane(3))?;

    let id = incident(&house).await?;
    let words = json!({ "text": "Your keys leaked: make new ones." });
    let notified = house.operator.post(&format!("/api/v1/incidents/{id}/notify"), &words).await?.ok()?.json();
    assert_eq!((&notified["state"], &notified["notices"][0]["topic"]), (&json!("open"), &json!("incident.notified")));
    taken(&sink, OWNERS / 3).await?;
    let house = house.crash().await?;
    taken(&sink, OWNERS * 3 / 4).await?;
    // Or the unlucky ones wait ever longer.
    sink.fail(Faults::default());
    // An incident is read before its notices.
    let told = until("everybody to be told", async || {
        let now = shown(&house, &id).await?;
        ensure!(now["notices"][0]["state"] == "ended" && now["notes"] == 3, "{now}");
        Ok(now)
    })
    .await?;

    let notice = &told["notices"][0];
    let counts = ["sent", "waiting", "failed", "unreached"].map(|name| notice[name].clone());
    assert_eq!(counts, [OWNERS, 0, 0, 0].map(|count| json!(count)), "{notice}");
    assert_eq!(told["state"], "notified", "its clock is met: {told}");
    let letters = sink.by_id();
    assert_eq!(letters.len(), OWNERS, "one Message-ID for each owner");
    let mut copies = 0;
    for n in 0..OWNERS {
        let of_owner = sink.for_whom(&address(n));
        ensure!(!of_owner.is_empty(), "{} was told nothing", address(n));
        ensure!(of_owner.iter().all(|mail| mail.id == of_owner[0].id), "under one Message-ID: {of_owner:?}");
        let surely = of_owner.iter().filter(|mail| !mail.is_lost).count();
        ensure!(surely <= 1, "a copy although the first one was acknowledged: {of_owner:?}");
        copies += of_owner.len() - 1;
        ensure!(of_owner[0].text.contains("Your keys leaked: make new ones."), "{of_owner:?}");
    }
    ensure!(copies > 0, "the schedule loses acknowledgements");
    let log = house.operator.audit(&house.tenant).await?;
    let clocks = log.iter().filter(|entry| entry["action"] == "incident.clock" && entry["resource_id"] == id);
    assert_eq!(clocks.count(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_told_is_named_and_keeps_the_clock_running() -> Result<()> {
    let sink = MailSink::start(Faults::default()).await?;
    let house = opened(&sink, 2).await?;
    enrolled(&house, 0).await?;
    let refused = enrolled(&house, 1).await?;
    sink.refuse(&address(1));
    let silent = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;

    let id = incident(&house).await?;
    let path = |what: &str| format!("/api/v1/incidents/{id}/{what}");
    house.operator.post(&path("notify"), &json!({ "text": "Look at your keys." })).await?.ok()?;
    let told = until("the notice to end", async || {
        let now = shown(&house, &id).await?;
        ensure!(now["notices"][0]["state"] == "ended", "{now}");
        Ok(now)
    })
    .await?;
    let notice = &told["notices"][0];
    assert_eq!((&notice["sent"], &notice["failed"], &notice["unreached"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(told["state"], "open", "two are left: {told}");
    let mut left = house.operator.get(&path("unreached")).await?.ok()?.json()["data"].clone();
    let left = left.as_array_mut().context("no list")?;
    left.sort_by_key(|row| row["why"].to_string());
    let left: Vec<_> = left.iter().map(|row| (row["credential"].clone(), row["why"].clone())).collect();
    assert_eq!(left, [(json!(refused), json!("status 550")), (json!(silent), json!("there is no contact address"))]);
    let met = json!({ "clock": "notify", "text": "by letter" });
    assert_eq!(house.operator.post(&path("clocks"), &met).await?.ok()?.json()["state"], "notified");

    // What is stopped is told of, too: with the tenant's own words, in which nothing ends a line.
    let words = json!({ "subject": "{tenant}: {state} {title}", "text": "Dear {owner}: {state}.\n.\nEnd\n" });
    let template = format!("/api/v1/tenants/{}/templates/incident.contained", house.tenant);
    house.operator.call("PUT", &template, Some(&words)).await?.ok()?;
    for wrong in [json!({ "subject": "a\nBcc: x", "text": "x" }), json!({ "subject": "{secret}", "text": "x" })] {
        house.operator.call("PUT", &template, Some(&wrong)).await?.problem(400, "template_invalid")?;
    }
    house.operator.post(&path("contain"), &json!({ "state": "frozen", "reason": "to be sure" })).await?.ok()?;
    let mail = until("the letter", async || newest(&sink, 0, 2)).await?;
    ensure!(mail.text.contains("Subject: default: frozen Leaked keys\n"), "{}", mail.text);
    ensure!(mail.text.contains("Dear owner-0: frozen.\n..\nEnd"), "{}", mail.text);
    let built_in = house.operator.call("DELETE", &template, None).await?.ok()?.json();
    assert_eq!(built_in["own"], false);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_touches_nobody_meets_no_clock_by_itself() -> Result<()> {
    let house = House::open().await?;
    let body = json!({ "severity": "low", "title": "A rumour", "scope": { "kind": "venue", "id": "okx" } });
    let id = house.operator.post("/api/v1/incidents", &body).await?.ok()?.text_at("/id")?;
    let path = |what: &str| format!("/api/v1/incidents/{id}/{what}");
    house.operator.post(&path("notify"), &json!({ "text": "Look at your keys." })).await?.ok()?;
    let told = until("the notice to end", async || {
        let now = shown(&house, &id).await?;
        ensure!(now["notices"][0]["state"] == "ended", "{now}");
        Ok(now)
    })
    .await?;
    assert_eq!(told["state"], "open", "nobody was told: {told}");
    let timeline = house.operator.get(&path("timeline")).await?.ok()?.text();
    ensure!(timeline.contains("it touches nobody's key"), "{timeline}");
    let met = json!({ "clock": "notify", "text": "nobody has a key there" });
    assert_eq!(house.operator.post(&path("clocks"), &met).await?.ok()?.json()["state"], "notified");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_sealed_moves_with_its_kek_and_goes_with_its_key() -> Result<()> {
    let sink = MailSink::start(Faults::default()).await?;
    let house = opened(&sink, 1).await?;
    let key = house.sim.knows(Key::binance()).await?;
    let mut body = key.enrollment();
    body["contact"] = json!("no address");
    house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.problem(400, "contact_invalid")?;
    body["contact"] = json!("ada.lovelace@mail.example.org");
    let id = house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.ok()?.text_at("/id")?;
    let of_app = format!("/api/v1/credentials/{id}/contact");
    let of_operator = format!("/api/v1/tenants/{}/credentials/{id}/contact", house.tenant);
    let set = house.operator.get(&of_operator).await?.ok()?.json();
    ensure!(set.as_object().is_some_and(|set| set.len() == 1 && set.contains_key("set_at")), "{set}");
    let foreign = format!("/api/v1/credentials/{}/contact", house.neighbour.credential);
    let other = json!({ "contact": "eve@mail.example.org" });
    house.app.call("PUT", &foreign, Some(&other)).await?.problem(404, "not_found")?;

    // The row moves with the rest, and opens afterwards.
    let keks = format!("/api/v1/tenants/{}/keks", house.tenant);
    house.operator.post(&format!("{keks}/rotate"), &json!({ "reason": REASON })).await?.ok()?;
    until("the rotation", async || {
        let now = house.operator.get(&format!("{keks}/rotation")).await?.ok()?.json();
        ensure!(now["state"] == "done" && now["done"] == 2, "{now}");
        Ok(())
    })
    .await?;
    let old = house.operator.get(&keks).await?.ok()?.json();
    assert_eq!(old[0]["rows"], 0, "{old}");
    let why = json!({ "reason": "a new one, please" });
    let act = format!("/api/v1/tenants/{}/credentials/{id}/reenroll", house.tenant);
    house.operator.post(&act, &why).await?.ok()?;
    let mail =
        until("the letter", async || sink.for_whom("ada.lovelace@mail.example.org").pop().context("no letter yet"))
            .await?;
    ensure!(mail.text.contains("a new key is needed for binance"), "{}", mail.text);

    // Another one counts from then on, or none.
    house.app.call("PUT", &of_app, Some(&json!({ "contact": "ada@host.example" }))).await?.ok()?;
    house.operator.post(&act, &why).await?.ok()?;
    until("the letter", async || sink.for_whom("ada@host.example").pop().context("no letter yet")).await?;
    house.app.call("DELETE", &of_app, None).await?.ok()?;
    house.operator.get(&of_operator).await?.problem(404, "not_found")?;
    house.app.call("PUT", &of_app, Some(&json!({ "contact": "ada@host.example" }))).await?.ok()?;
    let reason = json!({ "reason": "mine" });
    house.app.call("DELETE", &format!("/api/v1/credentials/{id}"), Some(&reason)).await?.ok()?;
    let newest = house.operator.get(&keks).await?.ok()?.json();
    assert_eq!(newest[1]["rows"], 0, "nothing is left under the KEK: {newest}");
    house.operator.get(&of_operator).await?.problem(404, "not_found")?;

    let House { server, home, .. } = house;
    server.stop().await?;
    let needles = ["ada.lovelace@mail.example.org", "ada@host.example"].map(|text| Needle::new(text, text.as_bytes()));
    let searched = search_files(home.path(), &needles)?;
    ensure!(searched.found.is_empty(), "{:?}", searched.found);
    let log = std::fs::read_to_string(home.log_file())?;
    ensure!(!log.contains("ada.lovelace@") && !log.contains("ada@"), "an address is in the log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_address_hears_of_it_and_the_new_one_does_not() -> Result<()> {
    let (old, new) = ("ada.lovelace@mail.example.org", "eve.listens@mail.example.org");
    let sink = MailSink::start(Faults { cut_before: 1, ..Faults::default() }).await?;
    let house = opened(&sink, 1).await?;
    let mut body = house.sim.knows(Key::binance()).await?.enrollment();
    body["contact"] = json!(old);
    let id = house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.ok()?.text_at("/id")?;
    let contact = format!("/api/v1/credentials/{id}/contact");

    house.app.call("PUT", &contact, Some(&json!({ "contact": new }))).await?.ok()?;
    // Its letter is not lost in a crash, and the address opens until it was taken.
    let house = house.crash().await?;
    sink.fail(Faults::default());
    let mail = until("the letter", async || sink.for_whom(old).pop().context("no letter yet")).await?;
    let said = ["no more about your key for binance", "told to another address", "the app app_", "delete it at"];
    for said in said {
        ensure!(unfolded(&mail).contains(said), "{said}: {}", mail.text);
    }
    ensure!(!unfolded(&mail).contains("eve."), "{}", mail.text);

    until("the notice to end", async || ended(&house, 1).await).await?;
    // From here on the new one counts, until an operator removes it.
    let act = format!("/api/v1/tenants/{}/credentials/{id}/reenroll", house.tenant);
    house.operator.post(&act, &json!({ "reason": "a new one, please" })).await?.ok()?;
    until("the letter", async || sink.for_whom(new).pop().context("no letter yet")).await?;
    let of_operator = format!("/api/v1/tenants/{}/credentials/{id}/contact", house.tenant);
    house.operator.call("DELETE", &of_operator, None).await?.ok()?;
    until("the last letter", async || ended(&house, 3).await).await?;
    let last = sink.for_whom(new).pop().context("no letter")?;
    ensure!(unfolded(&last).contains("told to nobody, because an operator of default"), "{}", last.text);
    let told = [old, new].map(|address| sink.for_whom(address).iter().filter(|mail| !mail.is_lost).count());
    assert_eq!(told, [1, 2], "each its own, once");

    let credential = id.parse()?;
    let house = behind_its_back(house, async |store| {
        let left = store.get(RowKey::Contact(credential)).await?;
        ensure!(left.is_none(), "nothing sealed is left of them: {left:?}");
        Ok(())
    })
    .await?;
    let House { server, home, .. } = house;
    server.stop().await?;
    let needles = [old, new].map(|text| Needle::new(text, text.as_bytes()));
    let searched = search_files(home.path(), &needles)?;
    ensure!(searched.found.is_empty(), "{:?}", searched.found);
    let log = std::fs::read_to_string(home.log_file())?;
    ensure!(![old, new].iter().any(|address| log.contains(address)), "an address is in the log");
    Ok(())
}

/// The one before all others does not open: it goes behind them, to be tried again later.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_cannot_be_written_holds_up_no_other() -> Result<()> {
    let sink = MailSink::start(Faults::default()).await?;
    let house = opened(&sink, 1).await?;
    let broken: CredentialId = enrolled(&house, 0).await?.parse()?;
    for n in 1..4 {
        enrolled(&house, n).await?;
    }
    let house = behind_its_back(house, async |store| {
        let found = store.get(RowKey::Contact(broken)).await?;
        let Some(Versioned { row: Row::Contact(mut contact), .. }) = found else { anyhow::bail!("{found:?}") };
        *contact.sealed.last_mut().context("no bytes")? ^= 1;
        write(store, RowKey::Contact(broken), Row::Contact(contact)).await
    })
    .await?;
    let id = incident(&house).await?;

    house.operator.post(&format!("/api/v1/incidents/{id}/notify"), &json!({ "text": "Look." })).await?.ok()?;

    let told = until("the others to be told", async || {
        let now = shown(&house, &id).await?;
        ensure!(now["notices"][0]["sent"] == 3, "{now}");
        Ok(now)
    })
    .await?;
    let notice = &told["notices"][0];
    assert_eq!((&notice["waiting"], &notice["failed"], &notice["unreached"]), (&json!(1), &json!(0), &json!(0)));
    until("it to be put off", async || {
        let metrics = house.server.metrics().await?;
        let later = metrics.lines().find_map(|line| line.strip_prefix("claviger_letters_total{outcome=\"later\"} "));
        ensure!(later.is_some_and(|times| times.parse::<f64>().is_ok_and(|times| times >= 1.0)), "{metrics}");
        Ok(())
    })
    .await?;
    // Whoever comes after it is told, too.
    enrolled(&house, 4).await?;
    let later = incident(&house).await?;
    house.operator.post(&format!("/api/v1/incidents/{later}/notify"), &json!({ "text": "Again." })).await?.ok()?;
    until("the new one to be told", async || newest(&sink, 4, 1)).await?;
    // Letters of one moment go in any order: the broken one may be the last.
    until("each of them to be tried", async || {
        let notice = shown(&house, &later).await?["notices"][0].clone();
        ensure!(notice["sent"] == 4, "{notice}");
        let (id, log) = (notice["id"].as_str().context("no id")?, house.server.log()?);
        let tried = |line: &str| line.contains("a letter cannot be written yet") && line.contains(id);
        ensure!(log.lines().any(tried), "the broken one is not tried");
        Ok(())
    })
    .await?;
    let mut queue = Vec::new();
    behind_its_back(house, async |store| {
        queue = store.scan(Range::Deliveries(Queue::Mail), None, 10).await?.rows;
        Ok(())
    })
    .await?;
    let tried = queue.iter().filter(|found| matches!(&found.row, Row::Delivery(letter) if letter.tries > 0));
    assert_eq!(tried.count(), queue.len(), "it is to be tried again: {queue:?}");
    Ok(())
}

/// Whether so many notices of single keys are over.
async fn ended(house: &House, count: usize) -> Result<()> {
    let log = house.operator.audit(&house.tenant).await?;
    let ends = log.iter().filter(|entry| entry["action"] == "notice.end").count();
    ensure!(ends == count, "{ends} are over");
    Ok(())
}

/// A letter without the ends of lines that are there for its way alone (RFC 2045 section 6.7).
fn unfolded(mail: &Mail) -> String {
    mail.text.replace("=\n", "")
}

/// The usual set-up with a relay.
async fn opened(sink: &MailSink, connections: i64) -> Result<House> {
    let setup = Setup::default().config("notices.smtp", sink.config()).config("notices.connections", connections);
    setup.config("notices.from", "Keys <keys@mail.example.org>").open().await
}

fn address(n: usize) -> String {
    format!("owner-{n}@mail.example.org")
}

/// Enrolls a key of an owner's, with his address.
async fn enrolled(house: &House, n: usize) -> Result<String> {
    let key = house.sim.knows(Key::binance().map(|key| key.owned_by(&format!("owner-{n}")))).await?;
    let mut body = key.enrollment();
    body["contact"] = json!(address(n));
    let enrolled =
        until("an enrollment", async || house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.ok());
    enrolled.await?.text_at("/id")
}

async fn incident(house: &House) -> Result<String> {
    let scope = json!({ "kind": "tenant", "tenant": "default" });
    let body = json!({ "severity": "high", "title": "Leaked keys", "scope": scope });
    house.operator.post("/api/v1/incidents", &body).await?.ok()?.text_at("/id")
}

async fn shown(house: &House, id: &str) -> Result<Value> {
    Ok(house.operator.get(&format!("/api/v1/incidents/{id}")).await?.ok()?.json())
}

/// Waits until the relay has taken so many letters, copies among them.
async fn taken(sink: &MailSink, least: usize) -> Result<()> {
    let look = async || {
        ensure!(sink.count() >= least, "{} letters", sink.count());
        Ok(())
    };
    until("letters", look).await
}

fn newest(sink: &MailSink, n: usize, count: usize) -> Result<Mail> {
    let mut all = sink.for_whom(&address(n));
    ensure!(all.len() == count, "{} letters", all.len());
    all.pop().context("no letter")
}
