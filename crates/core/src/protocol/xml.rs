//! XML as services write and read it: a small tree, within limits, and a writer.

use std::borrow::Cow;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

mod writer;

pub use writer::XmlWriter;

/// The largest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 8 << 20;
/// How deep elements may be nested.
pub const MAX_DEPTH: usize = 32;
/// How many attributes an element may have.
pub const MAX_ATTRIBUTES: usize = 64;

/// An element: its name without a namespace prefix, its text, and the elements in it.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::protocol::xml::Element;
///
/// let root = Element::parse(b"<Tags><Tag><Key>colour</Key><Value>black &amp; white</Value></Tag></Tags>")?;
/// let tag = root.child("Tag").unwrap();
/// assert_eq!(tag.text_of("Value"), Some("black & white"));
/// assert_eq!(root.at(&["Tag", "Key"]).map(Element::text), Some("colour"));
/// # Ok::<(), aws_sigv4_free_core::protocol::xml::XmlError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    name: Box<str>,
    text: String,
    attributes: Vec<(Box<str>, String)>,
    children: Vec<Element>,
}

/// A document that can't be read, and where in it.
///
/// Its text holds nothing of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlError {
    kind: XmlErrorKind,
    line: usize,
    column: usize,
}

/// What is wrong with a document.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XmlErrorKind {
    /// It holds nothing, or nothing but white space.
    Empty,
    /// It is longer than [`MAX_DOCUMENT`].
    TooLarge,
    /// Its elements are nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// An element has more than [`MAX_ATTRIBUTES`] attributes.
    TooManyAttributes,
    /// It holds a document type declaration. Those are refused: they can make a short document a very long one.
    Doctype,
    /// It is not UTF-8.
    NotUtf8,
    /// It is not well-formed: a bad tag, an unknown entity, text outside of the root.
    Malformed,
    /// It ends before its root does.
    CutShort,
}

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// The document is not well-formed, or beyond a limit; see [`XmlErrorKind`].
    pub fn parse(document: &[u8]) -> Result<Self, XmlError> {
        match Self::parse_start(document) {
            (_, Some(error)) => Err(error),
            (root, None) => Ok(root),
        }
    }

    /// Reads as much of a document as is well-formed, and what ended it, if not its end.
    pub(crate) fn parse_start(document: &[u8]) -> (Self, Option<XmlError>) {
        let start = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
        let (start, is_too_large) = match start.get(..MAX_DOCUMENT) {
            Some(start) if start.len() < document.len() => (start, true),
            _ => (start, false),
        };
        let (text, is_utf8) = match std::str::from_utf8(start) {
            Ok(text) => (text, true),
            Err(error) => (std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(), false),
        };
        let mut tree = Tree { root: None, open: Vec::new() };
        let failed = match tree.read(text) {
            Err((XmlErrorKind::CutShort, at)) if is_too_large => Some((XmlErrorKind::TooLarge, at)),
            Err((XmlErrorKind::CutShort | XmlErrorKind::Malformed, _)) if !is_utf8 => {
                Some((XmlErrorKind::NotUtf8, text.len()))
            }
            Ok(()) if is_too_large => Some((XmlErrorKind::TooLarge, text.len())),
            Ok(()) if !is_utf8 => Some((XmlErrorKind::NotUtf8, text.len())),
            Err(failed) => Some(failed),
            Ok(()) => None,
        };
        (tree.into_root(), failed.map(|(kind, at)| XmlError::at(kind, text, at)))
    }

    /// The name, without a namespace prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text. White space around the elements in it is left out.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of an attribute by its name as written, prefix included.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_str())
    }

    /// The elements in it, in order.
    pub fn children(&self) -> &[Element] {
        &self.children
    }

    /// The first element in it with this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name() == name)
    }

    /// The elements in it with this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name() == name)
    }

    /// The text of the first element in it with this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(Element::text)
    }

    /// The element at the end of a path of names, the first of each name.
    pub fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }
}

impl XmlError {
    fn at(kind: XmlErrorKind, document: &str, position: usize) -> Self {
        let before = document.as_bytes().get(..position).unwrap_or(document.as_bytes());
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Self { kind, line, column: 1 + before.len() - line_start }
    }

    /// What is wrong.
    pub fn kind(&self) -> XmlErrorKind {
        self.kind
    }

    /// The line, from 1 on.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The byte of the line, from 1 on.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            XmlErrorKind::Empty => return f.write_str("the XML document is empty"),
            XmlErrorKind::TooLarge => return write!(f, "the XML document is longer than {} MiB", MAX_DOCUMENT >> 20),
            XmlErrorKind::TooDeep => write!(f, "the XML document is nested deeper than {MAX_DEPTH} elements")?,
            XmlErrorKind::TooManyAttributes => {
                write!(f, "an element of the XML document has more than {MAX_ATTRIBUTES} attributes")?;
            }
            XmlErrorKind::Doctype => {
                f.write_str("the XML document holds a document type declaration, which is refused")?;
            }
            XmlErrorKind::NotUtf8 => f.write_str("the XML document is not UTF-8")?,
            XmlErrorKind::Malformed => f.write_str("the XML document is not well-formed")?,
            XmlErrorKind::CutShort => f.write_str("the XML document is cut short")?,
        }
        write!(f, " (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for XmlError {}

/// A kind of error, and the byte where it is.
type Failed = (XmlErrorKind, usize);

/// What was read so far.
struct Tree {
    root: Option<Element>,
    open: Vec<Element>,
}

impl Tree {
    fn read(&mut self, document: &str) -> Result<(), Failed> {
        let mut reader = Reader::from_str(document);
        loop {
            let start = position(reader.buffer_position());
            let event = reader.read_event().map_err(|error| match error {
                quick_xml::Error::Syntax(_) => (XmlErrorKind::CutShort, document.len()),
                _ => (XmlErrorKind::Malformed, position(reader.error_position())),
            })?;
            let refuse = |kind: XmlErrorKind| (kind, start);
            match event {
                Event::Start(tag) => {
                    self.begin(&tag).map_err(refuse)?;
                }
                Event::Empty(tag) => {
                    self.begin(&tag).map_err(refuse)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.text(&text.xml10_content()).map_err(refuse)?,
                Event::CData(text) => self.text(&text.xml10_content()).map_err(refuse)?,
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference).ok_or((XmlErrorKind::Malformed, start))?;
                    self.text(character.encode_utf8(&mut [0; 4])).map_err(refuse)?;
                }
                Event::DocType(_) => return Err(refuse(XmlErrorKind::Doctype)),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        match (&self.root, self.open.is_empty()) {
            (Some(_), true) => Ok(()),
            (None, true) => Err((XmlErrorKind::Empty, document.len())),
            (_, false) => Err((XmlErrorKind::CutShort, document.len())),
        }
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlErrorKind> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlErrorKind::Malformed);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlErrorKind::TooDeep);
        }
        let mut attributes = Vec::new();
        for attribute in tag.attributes() {
            if attributes.len() == MAX_ATTRIBUTES {
                return Err(XmlErrorKind::TooManyAttributes);
            }
            let attribute = attribute.map_err(|_| XmlErrorKind::Malformed)?;
            let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| XmlErrorKind::Malformed)?;
            attributes.push((attribute.key.as_ref().into(), value.into_owned()));
        }
        let name: Box<str> = tag.local_name().as_ref().into();
        if name.is_empty() {
            return Err(XmlErrorKind::Malformed);
        }
        self.open.push(Element { name, attributes, ..Element::default() });
        Ok(())
    }

    fn end(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        if !element.children.is_empty() && element.text.trim().is_empty() {
            element.text = String::new();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlErrorKind> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlErrorKind::Malformed),
        }
        Ok(())
    }

    /// The root, with the elements that were still open closed.
    fn into_root(mut self) -> Element {
        while !self.open.is_empty() {
            self.end();
        }
        self.root.unwrap_or_default()
    }
}

fn position(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The character that a reference stands for: one of the five names, or a number. Numbers of control characters are taken as
/// well: S3 writes them for keys that hold such.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    let name: Cow<'_, str> = reference.xml10_content();
    Some(match &*name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        number => {
            let number = number.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix('x') {
                Some(digits) => (digits, 16),
                None => (number, 10),
            };
            let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            char::from_u32(is_number.then(|| u32::from_str_radix(digits, radix).ok()).flatten()?)?
        }
    })
}

#[cfg(test)]
mod tests;
