//! Does one operation of one signer many times, for somebody who counts instructions: `instructions OPERATION COUNT all|inputs [SIGNER]`.
//!
//! With `inputs` it makes the inputs and leaves the operation out.

use std::process::ExitCode;

use peers::operation::Operation;
use peers::peer::{THIS, contenders};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [operation, count, what @ ("all" | "inputs"), signer @ ..] = arguments.as_slice() else {
        eprintln!("instructions OPERATION COUNT all|inputs [SIGNER]");
        return ExitCode::FAILURE;
    };
    let signer = signer.first().copied().unwrap_or(THIS);
    let operation = Operation::ALL.into_iter().find(|known| known.name() == *operation);
    let (Some(operation), Ok(count)) = (operation, count.parse::<usize>()) else {
        eprintln!("no such operation, or no such count");
        return ExitCode::FAILURE;
    };
    let Some(mut contender) = contenders(operation).into_iter().find(|contender| contender.name == signer) else {
        eprintln!("{signer} does not do that");
        return ExitCode::FAILURE;
    };
    // The first one derives the key and fills the buffers.
    contender.repeat(1);
    for _ in 0..count {
        match *what {
            "all" => drop(contender.repeat(1)),
            _ => contender.input(),
        }
    }
    ExitCode::SUCCESS
}
