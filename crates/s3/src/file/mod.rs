//! Local files, read and written off the threads of the runtime.

pub(crate) mod source;
pub(crate) mod target;
