//! `docs/apps.md`: what it shows works as it stands there.

use std::path::Path;

use anyhow::{Context as _, Result};
use claviger_e2e::{Command, House, Page, Programs, Ready};

use super::authenticators;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_of_apps_shows_works_as_it_stands_there() -> Result<()> {
    let house = House::open().await?;
    house.log_in().await?;
    let ready = Ready::read(&house.home.ready_file())?;
    let program = Programs::find()?.claviger()?;
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().context("no folder")?.display());
    let config: toml::Table = std::fs::read_to_string(house.home.file("claviger.toml"))?.parse()?;
    let log = config["audit"]["log"].as_str().context("no audit.log")?;
    let page = Page::read("../apps.md")?;
    let script: String = page.blocks("sh").collect();

    let shell = Command::new(Path::new("/bin/sh")).args(["-euc", &script]).current_dir(house.scratch.path());
    let shell = shell.env("PATH", path).env("CLAVIGER_HOME", house.home.path()).env("CLAVIGER_ADMIN", &ready.admin);
    let shell = shell
        .env("CLAVIGER_API", format!("https://{}", ready.api))
        .env("CLAVIGER_CACERT", &ready.ca_file)
        .env("CLAVIGER_LOG", log);
    let shell = shell.env("CLAVIGER_APP_ID", &house.app.id).env("CLAVIGER_APP_SECRET", &house.app.secret);
    let said = shell.output().await?.ok()?.stdout;

    assert_eq!(said.matches("\"access_token\":\"").count(), 2, "{said}");
    assert!(said.contains("secret (shown once): clv_app_") && said.contains("{\"data\":[]"), "{said}");
    let kinds: Vec<_> = authenticators(&house, &house.app).await?.iter().map(|one| one["kind"].clone()).collect();
    assert_eq!(kinds, ["secret", "secret", "key", "certificate"]);
    Ok(())
}
