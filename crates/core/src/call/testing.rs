//! A clock that is set by hand, a transport that follows a script, and operations to try them with.
