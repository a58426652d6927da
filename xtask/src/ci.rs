//! `ci`: what every change must pass.

use crate::run::Outcome;
use crate::summary::Steps;
use crate::{demo, lint, package, test, tree};

pub fn ci() -> Outcome {
    let mut steps = Steps::default();
    steps.step("lint", || lint::lint(&[]));
    steps.step("tree", tree::tree);
    steps.step("test", || test::test(&[]));
    steps.step("demo", || demo::demo(&[]));
    steps.step("package", package::package);
    steps.finish("ci")
}
