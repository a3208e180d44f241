use std::sync::{Arc, Mutex};
use std::time::Duration;

use gone::prelude::*;
use gone::{AppBuilder, Event};

use crate::bare;

/// What a listener was told, a line for each event.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn by(&self, builder: AppBuilder) -> AppBuilder {
        let told = Arc::clone(&self.0);
        builder.on_event(move |event| {
            let line = match event {
                Event::Began { goner, hook } => format!("{goner} {hook} …"),
                Event::Ended { goner, hook, took, error: None } => format!("{goner} {hook} {took:?}"),
                Event::Ended { goner, hook, error: Some(error), .. } => format!("{goner} {hook}: {error}"),
                Event::RollingBack { error } => format!("rolling back: {error}"),
                other => format!("{other:?}"),
            };
            told.lock().unwrap().push(line);
        })
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[derive(Goner)]
struct Plain;

#[derive(Goner)]
struct Busy {
    #[gone]
    _plain: Arc<Plain>,
    fails: bool,
}

impl BeforeInit for Busy {
    async fn before_init(&mut self) -> gone::Result<()> {
        Ok(())
    }
}

impl Init for Busy {
    async fn init(&mut self) -> gone::Result<()> {
        tokio::time::sleep(Duration::from_millis(30)).await;
        if self.fails {
            gone::bail!("no network")
        }
        Ok(())
    }
}

impl Start for Busy {
    async fn start(&self) -> gone::Result<()> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(())
    }
}

impl Run for Busy {
    async fn run(&self, shutdown: ShutdownToken) -> gone::Result<()> {
        shutdown.cancelled().await;
        Ok(())
    }
}

impl Close for Busy {
    async fn close(&self, _: Deadline) -> gone::Result<CloseReport> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_told_of_every_hook_as_it_begins_and_ends_and_of_the_stages() {
    let told = Told::default();
    let app = told.by(bare().load((Busy::goner(), Plain::goner()))).boot().await.unwrap();
    let booted = told.lines();
    let constructed = |line: &String| line.starts_with("Plain construct 0ns") || line.starts_with("Plain construct ");
    assert!(constructed(&booted[2]), "{booted:?}");
    let others: Vec<_> = booted.iter().filter(|line| !line.contains("construct")).map(String::as_str).collect();
    assert_eq!(
        others,
        [
            "Planned { goners: 2 }",
            "Busy before_init …",
            "Busy before_init 0ns",
            "Busy init …",
            "Busy init 30ms",
            "Busy start …",
            "Busy start 20ms",
            "Busy run …",
            "Ready { took: 50ms }",
        ]
    );
    app.stop().await.unwrap_err();
    assert_eq!(
        told.lines(),
        [
            "Stopping",
            "Busy run 0ns",
            "Busy close …",
            "Busy close: `Busy` failed in close after 10.0s: did not end within 10s and was abandoned",
            "Stopped { took: 10s, errors: 1 }",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_boot_that_fails_it_is_told_why_and_never_that_it_is_ready() {
    let told = Told::default();
    let fails = Busy::goner().with(|busy| busy.fails = true);
    told.by(bare().load((fails, Plain::goner()))).boot().await.unwrap_err();
    let lines = told.lines();
    let why = "`Busy` failed in init after 30.0ms: no network";
    assert_eq!(lines[lines.len() - 2..], [format!("Busy init: {why}"), format!("rolling back: {why}")]);
}

#[tokio::test]
async fn a_listener_that_panics_harms_neither_the_application_nor_the_other_listeners() {
    let told = Told::default();
    let builder = bare().load(Plain::goner()).on_event(|_| panic!("cannot listen"));
    told.by(builder).boot().await.unwrap().stop().await.unwrap();
    let lines = told.lines();
    assert!(lines.iter().any(|line| line.starts_with("Ready")) && lines.last().unwrap().starts_with("Stopped"));
}
