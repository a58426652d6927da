//! sigv4
fn main() {}
