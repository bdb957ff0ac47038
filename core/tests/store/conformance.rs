//! The rules that every engine keeps, each tried on a store of its own.
//!
//! Another engine is added by implementing [`super::bench::Engine`] and one more call of `conformance!`.

mod audit;
mod idempotency;
mod intents;
mod keks;
mod kinds;
mod lists;
mod nonces;
mod outcomes;
mod rows;
mod stops;
mod tenants;
pub(crate) mod wraps;

/// Makes one test per rule for an engine. Some rules race, so the runtime has several threads.
macro_rules! conformance {
    ($engine:expr) => {
        conformance! { $engine;
            rows:
                changes_are_made_together_or_not_at_all,
                ended_logins_store_nothing,
                a_change_is_made_only_as_expected,
                a_change_rests_on_rows_that_it_leaves,
                a_version_never_comes_twice,
                a_row_named_twice_is_a_conflict,
                a_row_of_another_kind_is_refused,
                every_kind_of_row_comes_back,
                one_of_many_writers_wins;
            wraps:
                a_wrap_comes_with_what_it_opens_and_a_rewrap_keeps_it,
                a_wrap_goes_with_what_it_opens,
                wraps_are_in_their_file_and_in_no_backup,
                wraps_go_page_by_page_after_their_kek,
                everything_sealed_is_listed_once;
            keks:
                a_kek_goes_only_when_nothing_is_under_it,
                nothing_comes_under_a_kek_that_was_destroyed,
                nothing_comes_under_a_kek_that_was_taken_away,
                a_kek_that_lapses_leaves_no_tombstone_and_what_is_sealed_a_mark_when_it_goes,
                the_keks_of_all_tenants_come_in_turn,
                what_is_sealed_is_listed_by_its_kek,
                of_two_that_are_bound_alike_one_can_go;
            tenants:
                a_deleted_tenant_goes_row_by_row_and_touches_no_other,
                a_deletion_waits_for_what_is_open,
                nothing_is_stored_for_a_deleted_tenant;
            intents:
                effects_under_reduce_only,
                states_of_a_credential,
                a_lost_order_is_looked_for_as_its_app_would_read,
                a_changed_credential_is_stale_and_a_missing_one_gone,
                what_is_being_enrolled_is_for_claviger_alone,
                items_of_a_batch_are_decided_one_by_one,
                a_taken_execution_id_is_refused_without_harm_to_others;
            stops:
                a_stopped_scope_grants_nothing,
                a_revoked_credential_takes_its_token_along,
                nothing_is_granted_after_the_answer_under_load,
                a_stop_is_never_loosened,
                a_credential_is_never_loosened,
                a_stop_lists_the_open_intents_of_its_scope,
                a_stop_lists_released_signatures_until_they_expire,
                probes_pass_until_revoked,
                a_stop_of_no_credential_is_a_conflict,
                resuming_ends_the_stop_that_was_seen;
            idempotency:
                a_key_belongs_to_one_execution,
                one_of_many_callers_wins,
                callers_do_not_share_keys,
                a_replay_is_given_whatever_is_stopped,
                a_failed_request_may_try_again,
                a_released_signature_is_replayed,
                keys_and_answers_are_forgotten_in_time,
                what_is_open_is_not_forgotten,
                a_key_for_good_is_never_forgotten,
                a_forgotten_key_is_not_forgotten_twice;
            nonces:
                nonces_rise_within_and_across_batches,
                nonces_rise_when_the_clock_steps_back,
                nonces_are_ordered_in_real_time,
                nonces_follow_the_clock,
                numbers_go_on_after_reopening;
            outcomes:
                the_first_outcome_stands,
                an_unknown_outcome_is_replaced,
                that_it_is_open_is_no_outcome,
                open_intents_survive_reopening,
                a_long_answer_is_cut,
                what_is_lost_is_listed_until_it_is_found_or_forgotten;
            lists:
                pages_cover_a_list_once,
                pages_are_stable_under_writes,
                a_cursor_from_elsewhere_shows_nothing_else,
                what_is_due_is_listed_by_errand_and_time,
                executions_come_newest_first,
                what_is_sought_is_found_page_by_page,
                a_search_looks_at_so_many_rows,
                executions_of_one_credential,
                executions_of_others_never_show;
            audit:
                every_change_has_its_entry,
                tenants_are_counted_apart,
                every_tree_begins_with_every_smaller_one,
                proofs_of_a_large_log_are_those_of_another_implementation,
                outcomes_are_found_by_their_intents_entry,
                personal_fields_open_with_their_owners_key,
                an_erased_owner_is_neither_read_nor_written_again,
                entries_are_read_in_pages,
                receipts_name_their_entries,
                checkpoints_are_kept_in_order,
                the_log_goes_on_after_reopening;
        }
    };
    ($engine:expr; $($topic:ident: $($rule:ident),+;)+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$topic::$rule(crate::store::bench::Bench::new($engine)).await;
            }
        )+)+
    };
}

mod embedded {
    conformance!(crate::store::embedded::TestFile::new());
}
