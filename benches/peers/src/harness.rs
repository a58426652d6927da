//! The clockwork: many short slices, the contenders by turns, so that whatever disturbs the machine disturbs all alike.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::check::Signed;

/// How long a slice lasts, about.
const SLICE: Duration = Duration::from_micros(100);
/// The most inputs of one slice: more would leave the caches.
const MOST: usize = 64;

/// One signer with one operation.
pub struct Contender {
    pub name: &'static str,
    /// Makes inputs, takes the time for all of them, and drops what came of it.
    slice: Box<dyn FnMut(usize) -> Duration>,
    /// Makes an input, and drops it.
    input: Box<dyn FnMut()>,
    /// Does it once, and shows what came of it.
    once: Box<dyn FnMut() -> Signed>,
}

impl Contender {
    /// `input` and `shown` are not measured, nor is the drop of what `run` gives.
    pub fn new<I: 'static, O: 'static>(
        name: &'static str,
        input: impl Fn() -> I + Clone + 'static,
        run: impl Fn(&mut I) -> O + Clone + 'static,
        shown: impl Fn(I, O) -> Signed + 'static,
    ) -> Self {
        let (make, work) = (input.clone(), run.clone());
        let only = input.clone();
        Self {
            name,
            input: Box::new(move || drop(black_box(only()))),
            slice: Box::new(move |count| {
                let mut inputs: Vec<I> = (0..count).map(|_| make()).collect();
                let mut outputs = Vec::with_capacity(count);
                let start = Instant::now();
                for input in &mut inputs {
                    outputs.push(black_box(work(black_box(input))));
                }
                start.elapsed()
            }),
            once: Box::new(move || {
                let mut input = input();
                let output = run(&mut input);
                shown(input, output)
            }),
        }
    }

    /// Does it once.
    pub fn once(&mut self) -> Signed {
        (self.once)()
    }

    /// Makes an input, and leaves the rest out.
    pub fn input(&mut self) {
        (self.input)();
    }

    /// Does it `count` times.
    pub fn repeat(&mut self, count: usize) -> Duration {
        (self.slice)(count)
    }
}

/// Nanoseconds for one operation.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub best: f64,
    pub median: f64,
}

/// Measures the contenders by turns for `duration` altogether.
pub fn measure(contenders: &mut [Contender], duration: Duration) -> Vec<Timing> {
    let counts: Vec<usize> = contenders.iter_mut().map(calibrate).collect();
    let mut slices: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let start = Instant::now();
    let mut round = 0;
    while start.elapsed() < duration || round < 3 {
        for turn in 0..contenders.len() {
            // Each round starts with another one, so that nobody always follows the same neighbour's caches.
            let index = (turn + round) % contenders.len();
            let elapsed = contenders[index].repeat(counts[index]);
            slices[index].push(elapsed.as_nanos() as f64 / counts[index] as f64);
        }
        round += 1;
    }
    let timing = |mut slices: Vec<f64>| {
        slices.sort_by(f64::total_cmp);
        Timing { best: slices[0], median: slices[slices.len() / 2] }
    };
    slices.into_iter().map(timing).collect()
}

/// How many operations fill a slice.
fn calibrate(contender: &mut Contender) -> usize {
    contender.repeat(8);
    let each = contender.repeat(8) / 8;
    (SLICE.as_nanos() / each.as_nanos().max(1)).clamp(1, MOST as u128) as usize
}
