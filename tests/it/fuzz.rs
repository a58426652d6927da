//! A seeded slice of the fuzz bodies. `SIGV4_FUZZ_ITERATIONS` says how many inputs each body gets.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use integration_tests::fuzz;
use libtest_mimic::{Failed, Trial};

use crate::harness::trial;

/// How many inputs each body gets, unless the environment says so.
const ITERATIONS: usize = 3_000;
/// The same inputs at every run.
const SEED: u64 = 20_150_830;
/// The longest input, in bytes.
const LONGEST: usize = 400;

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> =
        fuzz::ALL.into_iter().map(|(name, body)| trial(&format!("fuzz::{name}"), move || run(name, body))).collect();
    trials.push(trial("fuzz::json_lines", json_lines));
    trials
}

fn iterations() -> Result<usize, Failed> {
    match std::env::var("SIGV4_FUZZ_ITERATIONS") {
        Ok(number) => Ok(number.parse().map_err(|_| "SIGV4_FUZZ_ITERATIONS is no number")?),
        Err(_) => Ok(ITERATIONS),
    }
}

fn input(random: &mut fastrand::Rng) -> Vec<u8> {
    let mut data = vec![0; random.usize(..=LONGEST)];
    random.fill(&mut data);
    data
}

fn run(name: &str, body: fn(&[u8])) -> Result<(), Failed> {
    let iterations = iterations()?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let start = Instant::now();
    for number in 0..iterations {
        let data = input(&mut random);
        if let Err(panic) = std::panic::catch_unwind(|| body(&data)) {
            let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            return Err(format!("{name}: input {number}: {}\n{data:?}", text.unwrap_or("a panic")).into());
        }
    }
    println!("fuzz {name}: {iterations} inputs in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// Whatever stands on a line of `sigv4 sign --jsonl`, one line of JSON comes out for it.
fn json_lines() -> Result<(), Failed> {
    let lines = iterations()?;
    let good = r#"{"id":"a","method":"GET","url":"https://h/?b=2&a=1","headers":[["My-Header","v1"]],"region":"us-east-1","service":"service","time":"2015-08-30T12:36:00Z","access_key_id":"AKID","secret_access_key":"canary","mode":"query","expires":60}"#;
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut text = Vec::new();
    let start = Instant::now();
    for _ in 0..lines {
        let data = input(&mut random);
        let mut any = fuzz::Input::new(&data);
        let mut line = if any.below(4) == 0 { any.text(30) } else { good.to_owned() };
        for _ in 0..any.below(3) {
            let at = any.below(line.len() + 1);
            let at = (0..=at).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
            let piece = any.text(2);
            line.insert_str(at, &piece);
        }
        line.retain(|character| !matches!(character, '\n' | '\r'));
        // An empty line is no request.
        text.extend_from_slice(if line.trim().is_empty() { b"x" } else { line.as_bytes() });
        text.push(b'\n');
    }
    let mut child = Command::new(crate::cli_support::binary()?)
        .args(["sign", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let writer = std::thread::spawn(move || stdin.write_all(&text));
    let output = child.wait_with_output()?;
    let _ = writer.join();
    let answers = String::from_utf8(output.stdout)?;
    let (mut signed, mut refused) = (0, 0);
    for answer in answers.lines() {
        let answer: serde_json::Value = serde_json::from_str(answer)?;
        match (answer["signature"].as_str(), answer["error"]["message"].as_str()) {
            (Some(signature), None) if signature.len() == 64 => signed += 1,
            (None, Some(message)) => {
                assert!(!message.contains("canary"), "{message}");
                refused += 1;
            }
            _ => return Err(format!("neither a signature nor an error: {answer}").into()),
        }
    }
    assert_eq!(signed + refused, lines, "one answer a line: {}", String::from_utf8_lossy(&output.stderr));
    assert!(signed > 0 && refused > 0, "{signed} signed, {refused} refused");
    println!("fuzz json_lines: {lines} inputs in {:.1} s, {signed} signed", start.elapsed().as_secs_f64());
    Ok(())
}
