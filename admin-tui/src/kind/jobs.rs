//! What goes on beside requests, and by which configuration.

use claviger_core::view::{JobView, SettingView};

use super::backups::BACK_UP;
use super::item::{Cell, Glyph, Item, Tone};
use super::read::slug;
use super::{Kind, Shape, column, detail, read};

pub(super) const SHAPE: Shape = Shape {
    name: "jobs",
    aliases: &["job"],
    one: "job",
    what: "what goes on beside requests: rotations, backups, the monitor, sinks, queues",
    empty: "nothing goes on beside requests",
    facts: &[
        column("job", 23, 20, 60),
        column("state", 11, 0, 60),
        column("progress", 12, 0, 60),
        column("since", 5, 0, 60),
        column("left", 8, 0, 80),
        column("in the way", 20, 60, 110),
        detail("rate"),
        detail("time left"),
    ],
    parts: &[Kind::Backups, Kind::Recovery, Kind::Deletions, Kind::RootRotation],
    acts: &[BACK_UP],
    events: &["rotation", "backup", "status"],
    path: |target| target.api("jobs"),
    read: |bytes| read::page(bytes, job),
    ..Shape::PLAIN
};

fn job(view: &JobView) -> Option<Item> {
    let (glyph, tone) = match view.state.as_str() {
        "running" => (Glyph::Going, Tone::Good),
        "idle" => (Glyph::On, Tone::Good),
        "paused" => (Glyph::Stopped, Tone::Caution),
        "off" => (Glyph::Stopped, Tone::Quiet),
        "blocked" | "failing" => (Glyph::Alert, Tone::Bad),
        _ => (Glyph::Unknown, Tone::Bad),
    };
    let progress = view.done.zip(view.left).map(|(done, left)| Cell::Done(done, done.saturating_add(left)));
    Some(Item::new(&slug(&view.name), &view.name, &view.state)?.with([
        Cell::plain(&view.name),
        Cell::word(glyph, &view.state, tone),
        progress.unwrap_or(Cell::Nothing),
        view.since.as_ref().map_or(Cell::Nothing, Cell::ago),
        view.left.map_or(Cell::Nothing, Cell::Number),
        view.error.as_ref().map_or(Cell::Nothing, |error| Cell::toned(error, Tone::Bad)),
        Cell::maybe(view.rate.map(|rate| format!("{rate} a second"))),
        Cell::maybe(view.eta_seconds.map(read::span)),
    ]))
}

/// The configuration in force.
pub(super) const SETTINGS: Shape = Shape {
    name: "settings",
    aliases: &["set", "config"],
    one: "setting",
    what: "the configuration in force, and where each value comes from",
    empty: "no setting is known",
    facts: &[column("key", 26, 16, 60), column("value", 18, 60, 60), column("from", 11, 0, 60)],
    path: |target| target.api("settings"),
    read: |bytes| read::page(bytes, setting),
    ..Shape::PLAIN
};

fn setting(view: &SettingView) -> Option<Item> {
    let tone = if view.origin == "default" { Tone::Quiet } else { Tone::Strong };
    Some(Item::new(&slug(&view.key), &view.key, "")?.with([
        Cell::plain(&view.key),
        Cell::toned(&view.value, tone),
        Cell::plain(&view.origin),
    ]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Deed;
    use super::super::testing::{fact, path, read, sent};
    use super::*;

    #[test]
    fn says_how_far_each_job_is_and_what_is_in_its_way() {
        assert_eq!(path(&SHAPE, &[]), "/api/v1/jobs");
        let all = json!({"data": [
            {"name": "KEK of ten_1", "state": "running", "done": 30, "left": 10, "rate": 5, "eta_seconds": 2,
                "since": "2026-11-22T08:00:00.000Z"},
            {"name": "webhooks: messages", "state": "idle", "left": 0},
            {"name": "health monitor", "state": "failing", "error": "cannot be asked about keys: mexc"}]});
        let jobs = read(&SHAPE, &all).items;
        assert_eq!(jobs[0].id.as_str(), "KEK-of-ten_1");
        assert_eq!(fact(&SHAPE, &jobs[0], "progress"), "Done(30, 40)");
        assert_eq!(fact(&SHAPE, &jobs[1], "progress"), "Nothing", "of a queue it is not known what went before");
        assert_eq!(fact(&SHAPE, &jobs[1], "left"), "Number(0)");
        assert!(fact(&SHAPE, &jobs[2], "in the way").contains("mexc"));
        assert_eq!(sent(&SHAPE, Deed::BackUp, &[], ""), "Post /api/v1/backups");
    }

    #[test]
    fn settings_that_somebody_made_stand_out() {
        assert_eq!(path(&SETTINGS, &[]), "/api/v1/settings");
        let setting = |origin: &str| json!({"key": "listen.admin", "value": "\"127.0.0.1:8444\"", "origin": origin});
        let settings = read(&SETTINGS, &json!({"data": [setting("default"), setting("file")]})).items;
        assert!(fact(&SETTINGS, &settings[0], "value").contains("Quiet"));
        assert!(fact(&SETTINGS, &settings[1], "value").contains("Strong"));
    }
}
