//! The harness itself: logs are captured from every thread of a case, and a secret in them is found.

use integration_tests::logs::{self, Logs};
use integration_tests::vectors;
use libtest_mimic::Trial;

use crate::harness::{logged_trial, trial, trial_with};

const CANARY: &str = "canary/with+odd=characters";

pub fn trials() -> Vec<Trial> {
    vec![
        logged_trial("harness::logs_of_every_thread_are_captured", |logs| async move {
            tracing::trace!("on the thread of the case");
            tokio::spawn(async { tracing::trace!(field = "on a worker") }).await?;
            tokio::task::spawn_blocking(|| tracing::trace!("on a blocking thread")).await?;
            let text = logs.text();
            for expected in ["on the thread of the case", "on a worker", "on a blocking thread"] {
                assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
            }
            logs::assert_no_secret(&logs, &[CANARY]);
            Ok(())
        }),
        logged_trial("harness::other_cases_logs_are_not_captured", |logs| async move {
            let other = Logs::new();
            let thread = {
                let other = other.clone();
                std::thread::spawn(move || {
                    other.enter();
                    tracing::info!("of the other case");
                })
            };
            thread.join().map_err(|_| "the other thread panicked")?;
            assert!(other.text().contains("of the other case"));
            assert!(!logs.text().contains("of the other case"));
            Ok(())
        }),
        trial("harness::a_secret_is_found_in_each_spelling", || {
            let spellings = [
                CANARY.to_owned(),
                "canary%2Fwith%2Bodd%3Dcharacters".to_owned(),
                "Y2FuYXJ5L3dpdGgrb2RkPWNoYXJhY3RlcnM=".to_owned(),
                "63616e6172792f776974682b6f64643d63686172616374657273".to_owned(),
                format!("{:?}", CANARY.as_bytes()),
            ];
            for spelling in spellings {
                let text = format!("first line\nx {spelling} y\n");
                let found = logs::find_secret(&text, &[CANARY]).ok_or_else(|| format!("not found: {spelling}"))?;
                assert!(found.contains("line 2: x "), "{found}");
            }
            assert_eq!(logs::find_secret("first line\nnothing here\n", &[CANARY]), None);
            Ok(())
        }),
        trial_with("harness::the_signing_suite_is_whole", vectors::signing_suite(), |suite| {
            let cases =
                std::fs::read_dir(suite.join("v4"))?.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
            assert_eq!(cases.count(), 40, "the cases in {}", suite.display());
            Ok(())
        }),
    ]
}
