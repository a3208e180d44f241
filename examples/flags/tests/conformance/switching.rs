use crate::At;

pub(crate) async fn a_flag_is_off_until_it_is_switched_on(at: At) {
    assert!(!at.flags.is_on("dark-mode").await.unwrap());
    at.flags.set("dark-mode", true).await.unwrap();
    assert!(at.flags.is_on("dark-mode").await.unwrap());
    at.flags.set("dark-mode", false).await.unwrap();
    assert!(!at.flags.is_on("dark-mode").await.unwrap());
}

pub(crate) async fn flags_are_apart(at: At) {
    at.flags.set("a", true).await.unwrap();
    assert!(!at.flags.is_on("b").await.unwrap());
}

pub(crate) async fn a_flag_may_be_set_twice(at: At) {
    for on in [true, true, false, false] {
        at.flags.set("a", on).await.unwrap();
        assert_eq!(at.flags.is_on("a").await.unwrap(), on);
    }
}
