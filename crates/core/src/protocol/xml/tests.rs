use std::time::Instant;

use super::*;

fn kind(document: impl AsRef<[u8]>) -> XmlErrorKind {
    Element::parse(document.as_ref()).unwrap_err().kind()
}

#[test]
fn a_tree_is_read() {
    let document = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c -->\n\
        <s3:List xmlns:s3=\"urn:s3\" a='1 &lt; 2'>\n  <s3:Item>a<!-- c -->b</s3:Item>\n  <Item><![CDATA[<c>]]></Item>\n  <Empty/>\n\
        <Deep><Down>x</Down></Deep></s3:List>\n";
    let root = Element::parse(document.as_bytes()).unwrap();
    assert_eq!((root.name(), root.text()), ("List", ""));
    assert_eq!(root.attribute("a"), Some("1 < 2"));
    assert_eq!(root.all("Item").map(Element::text).collect::<Vec<_>>(), ["ab", "<c>"]);
    assert_eq!(root.text_of("Empty"), Some(""));
    assert_eq!(root.at(&["Deep", "Down"]).unwrap().text(), "x");
    assert_eq!(root.at(&["Deep", "Up"]), None);
    assert_eq!(root.children().len(), 4);
}

#[test]
fn white_space_and_references_of_a_text_are_kept() {
    let root = Element::parse(b"<K> a\r\nb&#13;&#x1;&quot;&apos;&#x1F600; </K>").unwrap();
    assert_eq!(root.text(), " a\nb\r\u{1}\"'\u{1f600} ");
}

#[test]
fn an_error_says_where() {
    let error = Element::parse(b"<A>\n  <B>&nbsp;</B>\n</A>").unwrap_err();
    assert_eq!((error.kind(), error.line(), error.column()), (XmlErrorKind::Malformed, 2, 6));
    assert_eq!(error.to_string(), "the XML document is not well-formed (line 2, column 6)");
}

#[test]
fn what_is_no_document_is_refused() {
    for empty in ["", " \n", "\u{feff}", "<?xml version=\"1.0\"?>", "<!-- c -->"] {
        assert_eq!(kind(empty), XmlErrorKind::Empty, "{empty}");
    }
    for malformed in [
        "<A></B>",
        "</A>",
        "<A/><B/>",
        "x<A/>",
        "<A/>x",
        "<A>&unknown;</A>",
        "<A>&#xD800;</A>",
        "<A>&#+5;</A>",
        "<A>a & b</A>",
    ] {
        assert_eq!(kind(malformed), XmlErrorKind::Malformed, "{malformed}");
    }
    for cut in ["<A>", "<A", "<A><B>", "<A><B></B", "<A><![CDATA[", "<A><!-- "] {
        assert_eq!(kind(cut), XmlErrorKind::CutShort, "{cut}");
    }
    assert_eq!(kind(b"<A>\xff</A>"), XmlErrorKind::NotUtf8);
    assert_eq!(kind("<!DOCTYPE html><html></html>"), XmlErrorKind::Doctype);
    assert_eq!(kind("<!DOCTYPE a [<!ENTITY b \"c\">]><A>&b;</A>"), XmlErrorKind::Doctype);
}

#[test]
fn limits_hold() {
    let nested = |depth: usize| "<A>".repeat(depth) + &"</A>".repeat(depth);
    assert!(Element::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(kind(nested(MAX_DEPTH + 1)), XmlErrorKind::TooDeep);
    let attributes = |count: usize| format!("<A {}/>", (0..count).map(|n| format!("a{n}='' ")).collect::<String>());
    assert!(Element::parse(attributes(MAX_ATTRIBUTES).as_bytes()).is_ok());
    assert_eq!(kind(attributes(MAX_ATTRIBUTES + 1)), XmlErrorKind::TooManyAttributes);
    let long = |length: usize| format!("<A>{}</A>", " ".repeat(length - 7));
    assert!(Element::parse(long(MAX_DOCUMENT).as_bytes()).is_ok());
    assert_eq!(kind(long(MAX_DOCUMENT + 1)), XmlErrorKind::TooLarge);
    assert_eq!(kind("<A>".to_owned() + &"<B/>".repeat(MAX_DOCUMENT / 4)), XmlErrorKind::TooLarge);
}

#[test]
fn the_start_of_a_document_that_is_cut_is_of_use() {
    let (root, error) = Element::parse_start(b"<Error><Code>SlowDown</Code><Message>Reduce your");
    assert_eq!(root.text_of("Code"), Some("SlowDown"));
    assert_eq!(root.text_of("Message"), Some("Reduce your"));
    assert_eq!(error.unwrap().kind(), XmlErrorKind::CutShort);
}

#[test]
fn time_grows_with_the_length_and_no_faster() {
    // Attributes, nesting and references have all been quadratic in some reader.
    for document in [
        format!("<A {}/>", "a='' ".repeat(1 << 20)),
        format!("<A>{}</A>", "&amp;".repeat(1 << 20)),
        format!("<A>{}</A>", "<B></B>".repeat(1 << 19)),
        format!("<A>{}", "<".repeat(1 << 22)),
        format!("<A>{}", "<![CDATA[".repeat(1 << 19)),
        format!("<A>{}", "<!--".repeat(1 << 20)),
        "&".repeat(1 << 22),
    ] {
        let started = Instant::now();
        let _ = Element::parse(document.as_bytes());
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seeds: [&[u8]; 4] = [
        b"<?xml version=\"1.0\"?><Error><Code>A</Code><Message>b &amp; c</Message></Error>",
        b"<a:R xmlns:a='u'><![CDATA[x]]><!-- y --><?z?>&#x41;</a:R>",
        b"<A b=\"c\" d='e'/>",
        "<K>äöü😀</K>".as_bytes(),
    ];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut bytes = seeds[random.usize(..seeds.len())].to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes.insert(at, *b"<>&;'\"![]-?/ =\0\xff".get(random.usize(..16)).unwrap()),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
            if bytes.is_empty() {
                bytes.push(b'<');
            }
        }
        let (root, error) = Element::parse_start(&bytes);
        if let Some(error) = error {
            assert!(error.line() >= 1 && error.column() >= 1);
        } else {
            assert!(!root.name().is_empty());
        }
    }
}
