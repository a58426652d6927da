//! Writing XML.

/// Writes a document, element by element.
///
/// # Example
/// ```
/// use aws_sigv4_free_core::protocol::xml::XmlWriter;
///
/// let mut xml = XmlWriter::new("Tagging", "http://example.com/");
/// xml.open("TagSet").element("Key", "a & b").close();
/// assert_eq!(xml.finish(), "<Tagging xmlns=\"http://example.com/\"><TagSet><Key>a &amp; b</Key></TagSet></Tagging>");
/// ```
#[derive(Clone, Debug)]
pub struct XmlWriter {
    document: String,
    open: Vec<&'static str>,
}

impl XmlWriter {
    /// Begins a document with its root; `namespace` is left out where it is empty.
    pub fn new(root: &'static str, namespace: &str) -> Self {
        let mut writer = Self { document: String::with_capacity(256), open: vec![root] };
        writer.document.push('<');
        writer.document.push_str(root);
        if !namespace.is_empty() {
            writer.document.push_str(" xmlns=\"");
            escape(&mut writer.document, namespace);
            writer.document.push('"');
        }
        writer.document.push('>');
        writer
    }

    /// Begins an element in the one that is open.
    pub fn open(&mut self, name: &'static str) -> &mut Self {
        self.tag("<", name);
        self.open.push(name);
        self
    }

    /// Ends the element that was begun last. The root is ended by [`finish`](Self::finish).
    pub fn close(&mut self) -> &mut Self {
        if self.open.len() > 1
            && let Some(name) = self.open.pop()
        {
            self.tag("</", name);
        }
        self
    }

    /// Writes an element that holds a text. Each character arrives as it is: those that mean something in XML, and control
    /// characters, are written as references.
    pub fn element(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.tag("<", name);
        escape(&mut self.document, text);
        self.tag("</", name);
        self
    }

    /// Writes an element where there is a text for it.
    pub fn optional(&mut self, name: &'static str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.element(name, text),
            None => self,
        }
    }

    /// Ends every element, and gives the document.
    pub fn finish(mut self) -> String {
        while let Some(name) = self.open.pop() {
            self.tag("</", name);
        }
        self.document
    }

    fn tag(&mut self, bracket: &str, name: &str) {
        self.document.push_str(bracket);
        self.document.push_str(name);
        self.document.push('>');
    }
}

fn escape(document: &mut String, text: &str) {
    let mut plain = 0;
    for (index, character) in text.char_indices() {
        let reference = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&apos;",
            // A reader takes a carriage return for a line feed, and some take the others for that as well.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' => {
                document.push_str(&text[plain..index]);
                document.push_str(&format!("&#x{:X};", u32::from(character)));
                plain = index + character.len_utf8();
                continue;
            }
            _ => continue,
        };
        document.push_str(&text[plain..index]);
        document.push_str(reference);
        plain = index + character.len_utf8();
    }
    document.push_str(&text[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::xml::Element;

    #[test]
    fn every_character_arrives() {
        let text: String = (0..0x3000).filter_map(char::from_u32).chain("]]>😀 \r\n\t".chars()).collect();
        let mut writer = XmlWriter::new("R", "");
        writer.element("T", &text);
        let document = writer.finish();
        assert_eq!(Element::parse(document.as_bytes()).unwrap().text_of("T"), Some(&*text));
    }

    #[test]
    fn what_was_opened_is_closed() {
        let mut writer = XmlWriter::new("A", "n\"s");
        writer.close().open("B").open("C").optional("D", None).optional("E", Some("")).close().element("F", "f");
        assert_eq!(writer.finish(), "<A xmlns=\"n&quot;s\"><B><C><E></E></C><F>f</F></B></A>");
    }
}
