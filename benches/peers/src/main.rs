//! Times every signer with every operation: `cargo xtask bench signing`.

use std::process::ExitCode;
use std::time::Duration;

use peers::check::check;
use peers::harness::{Contender, Timing, measure};
use peers::operation::Operation;
use peers::peer::{KEPT, LIMIT, THIS, contenders};

/// How long each operation is measured, unless the first argument says otherwise in seconds.
const SECONDS: f64 = 5.0;

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).map_or(Ok(SECONDS), |seconds| seconds.parse());
    let Ok(duration) = seconds.map_err(drop).and_then(|seconds| Duration::try_from_secs_f64(seconds).map_err(drop))
    else {
        eprintln!("the only argument is the time for each operation, in seconds");
        return ExitCode::FAILURE;
    };
    println!(
        "nanoseconds for one operation, best and median of slices of 0.1 ms that all signers run by turns;\n\
         ratio: the best slice, to that of the best peer"
    );
    let mut summary = Vec::new();
    for operation in Operation::ALL {
        let mut contenders = contenders(operation);
        let mut right = true;
        for contender in &mut contenders {
            if let Err(reason) = check(operation, &contender.once()) {
                eprintln!("{}, {}: a wrong signature: {reason}", operation.title(), contender.name);
                right = false;
            }
        }
        if !right {
            return ExitCode::FAILURE;
        }
        let timings = measure(&mut contenders, duration);
        summary.push(show(operation, &contenders, timings));
    }
    println!("\nthis crate to the best peer");
    for (operation, ratio) in summary {
        let target = operation.target().map_or(String::new(), |target| {
            format!("   target {target:.2}: {}", if ratio <= target { "met" } else { "NOT met" })
        });
        println!("  {:<46} {ratio:>5.2}{target}", operation.title());
    }
    ExitCode::SUCCESS
}

/// Prints one table, and gives the ratio of this crate to the best peer.
fn show(operation: Operation, contenders: &[Contender], timings: Vec<Timing>) -> (Operation, f64) {
    let mut rows: Vec<(&str, Timing)> = contenders.iter().map(|contender| contender.name).zip(timings).collect();
    // What this crate does with a key that it kept is no part of deriving one.
    if let Some(index) = rows.iter().position(|(name, _)| *name == KEPT) {
        let (_, kept) = rows.remove(index);
        for (_, timing) in rows.iter_mut().filter(|(name, _)| *name == THIS) {
            timing.best -= kept.best;
            timing.median -= kept.median;
        }
    }
    let is_peer = |name: &str| name != THIS && name != LIMIT;
    let best_peer =
        rows.iter().filter(|(name, _)| is_peer(name)).map(|(_, timing)| timing.best).fold(f64::MAX, f64::min);
    println!("\n{}", operation.title());
    println!("  {:<22} {:>9} {:>9} {:>7}", "", "best", "median", "ratio");
    for (name, timing) in &rows {
        println!("  {name:<22} {:>9.0} {:>9.0} {:>7.2}", timing.best, timing.median, timing.best / best_peer);
    }
    let this = rows.iter().find(|(name, _)| *name == THIS).map_or(f64::NAN, |(_, timing)| timing.best);
    (operation, this / best_peer)
}
