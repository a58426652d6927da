//! The protocols that services speak: how requests are written, and answers and errors are read.

pub mod rest_xml;
pub mod xml;
