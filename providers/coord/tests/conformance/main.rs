//! What coordination promises, run against every backend: the same code for each.
//!
//! A case is an `async fn` that takes an [`At`], in the file of its subject, with the mark of its row above it; the list below
//! makes a test of it for each backend, in a module of the backend's name.

mod at;
mod centre;
mod connect;
mod follow;
mod handle;
mod ids;
mod lock;
mod random;
mod registry;
mod watch;

use at::At;

gone_test_bench::conformance! {
    backends {
        // Time is paused: what waits for a ttl waits for nothing else.
        memory: #[tokio::test(start_paused = true)] At::memory;
        etcd: #[cfg(feature = "etcd")]
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs etcd: cargo xtask test"]
            At::etcd;
    }
    cases {
        handle:
            all_parts_are_there_and_closing_is_clean,
            closing_twice_is_harmless_and_ends_everything,
            a_root_is_seen_by_nobody;
        centre:
            a_string_comes_back,
            a_struct_comes_back,
            what_was_deleted_is_not_found,
            a_version_grows_and_a_value_is_set_by_its_own_version,
            a_stale_version_is_refused,
            with_version_zero_a_value_is_only_created,
            keys_are_listed_as_they_were_given_and_siblings_are_not,
            what_is_no_key_is_refused,
            a_value_of_another_type_is_an_error_that_does_not_quote_it,
            a_dropped_future_leaves_a_whole_value_and_no_task;
        watch:
            a_watch_of_a_key_tells_of_its_change,
            a_watch_of_a_prefix_tells_of_exactly_the_new_keys,
            a_key_that_ends_with_a_slash_is_a_prefix_and_siblings_do_not_match,
            what_was_there_is_no_change_and_nothing_is_lost_after_it,
            a_value_that_cannot_be_read_is_told_of_all_the_same,
            a_deletion_is_told,
            a_slow_reader_sees_the_last_state_of_each_key,
            a_watch_ends_when_the_connection_is_closed,
            a_watch_does_not_keep_the_connection;
        follow:
            a_followed_value_is_the_stored_one_or_the_default,
            a_bad_push_keeps_the_last_good_value_and_says_so,
            of_a_thousand_pushes_the_last_is_seen_at_once_and_nothing_piles_up,
            all_below_a_prefix_is_followed_as_one_value,
            a_followed_value_stays_when_the_connection_is_closed;
        lock:
            a_lock_is_taken_and_given_back,
            a_held_lock_is_refused_at_once_and_nothing_is_left_of_the_try,
            who_waits_comes_in_its_order_with_a_higher_number,
            who_stops_waiting_leaves_the_queue,
            a_lock_that_is_taken_again_and_again_leaves_no_keys_behind,
            a_dropped_lock_is_given_back,
            who_asks_twice_waits_for_itself,
            a_lock_and_one_whose_key_goes_on_are_two,
            closing_gives_back_what_is_held_and_ends_the_waiting,
            the_lock_of_a_killed_holder_is_free_after_its_ttl_and_the_holder_is_told_before,
            what_is_lost_cannot_be_given_back,
            a_place_in_the_queue_that_is_gone_gives_no_lock,
            a_guarded_write_is_done_only_while_the_lock_is_held,
            what_is_no_lock_is_refused,
            there_is_never_more_than_one_holder;
        ids:
            an_id_is_within_its_bounds_and_free_again_when_it_is_closed,
            ten_who_ask_for_five_get_five,
            the_first_free_id_is_taken,
            instances_have_different_ids_and_a_killed_one_leaves_its_id_after_the_ttl,
            a_lost_id_does_not_come_back,
            a_floor_outlives_its_holder_and_never_goes_back,
            what_is_no_service_is_refused;
        registry:
            what_is_registered_is_found_as_it_was_given,
            an_instance_is_gone_when_it_is_unregistered_and_another_id_is_not_found,
            the_instance_of_a_killed_process_is_gone_after_its_ttl,
            instances_are_found_in_order_and_neither_siblings_nor_what_cannot_be_read_are,
            a_watch_tells_who_comes_and_who_goes_with_what_was_known,
            an_id_registered_anew_replaces_the_old_one_which_has_no_power_over_it,
            what_cannot_be_registered_is_refused,
            a_key_that_somebody_deletes_is_put_back,
            an_id_that_another_process_has_taken_is_not_fought_over,
            a_picture_follows_and_is_asked_without_asking_the_registry,
            closing_unregisters_at_once,
            what_is_dropped_is_unregistered_in_the_background,
            withdrawing_unregisters_all_and_waits_until_peers_have_heard,
            a_list_that_is_suddenly_empty_is_shown_for_a_while;
    }
}
