//! Services that are called: gRPC channels over the registry, and processes that come, go and are killed, with an etcd that
//! does too.
#![cfg(feature = "grpc")]

#[allow(dead_code, reason = "the other tests need more of it")]
#[path = "../conformance/at.rs"]
mod at;
mod channel;
mod echo;
#[cfg(feature = "etcd")]
mod processes;
#[allow(dead_code, reason = "the other tests need more of it")]
#[path = "../conformance/random.rs"]
mod random;
#[cfg(feature = "etcd")]
mod restart;
mod tls;

use at::At;

gone_test_bench::conformance! {
    backends {
        memory: #[tokio::test(flavor = "multi_thread", worker_threads = 2)] At::memory;
        etcd: #[cfg(feature = "etcd")]
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs etcd: cargo xtask test"]
            At::etcd;
    }
    cases {
        channel:
            calls_take_turns_and_follow_who_comes_and_goes,
            without_an_instance_a_call_is_unavailable_at_once,
            a_call_that_reached_nobody_is_given_to_another_instance,
            an_instance_that_fails_is_left_out_for_a_while_and_comes_back,
            a_call_that_was_begun_on_an_instance_that_goes_is_answered,
            a_call_that_was_carried_out_is_not_tried_again,
            a_channel_of_ones_own_ends_with_its_last_clone;
        tls:
            calls_go_over_tls_and_only_to_a_server_whose_authority_is_known;
    }
}
