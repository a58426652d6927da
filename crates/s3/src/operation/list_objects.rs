//! Listing objects.

use std::collections::VecDeque;
use std::future::{IntoFuture, Ready, ready};

use aws_sigv4_free_core::protocol::xml::Element;
use aws_sigv4_free_core::{Error, ErrorKind};
use http::{Method, response};
use time::OffsetDateTime;

use crate::address::Query;
use crate::call::{Answered, Call, Context, Draft, Operation};
use crate::error::unreadable;
use crate::xml;

/// [`ListObjectsV2`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html): see
/// [`Bucket::list`](crate::Bucket::list).
#[derive(Clone, Debug, Default)]
pub struct ListObjects {
    prefix: String,
    delimiter: Option<String>,
    start_after: Option<String>,
    max_keys: Option<u32>,
    token: Option<String>,
    encoding: Encoding,
}

/// How keys are written in the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Encoding {
    /// As the document's text. Some stores say that they encode, and do not: it is not asked for without need.
    #[default]
    Plain,
    /// Percent-encoded: for keys with characters that the store can't write into its document.
    Url,
}

/// An object in a list.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectSummary {
    /// The key.
    pub key: String,
    /// The size in bytes.
    pub size: u64,
    /// The entity tag, with its quotes.
    pub etag: Option<String>,
    /// When the object was written.
    pub last_modified: Option<OffsetDateTime>,
    /// The storage class, "STANDARD".
    pub storage_class: Option<String>,
}

/// The answer to one request of a list.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// The objects, in the order of the bytes of their keys.
    pub objects: Vec<ObjectSummary>,
    /// The beginnings of keys up to the delimiter: the folders, where the delimiter is `/`.
    pub common_prefixes: Vec<String>,
    next_token: Option<String>,
}

/// A list of objects: a stream over as many requests as it takes.
///
/// # Cancel safety
/// Dropping a future of its methods loses nothing: the request is made again by the next one.
#[derive(Clone, Debug)]
pub struct ObjectList {
    call: Call<ListObjects>,
    page: VecDeque<ObjectSummary>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    More,
    Ended,
}

impl ListObjects {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, ..Self::default() }
    }
}

impl Call<ListObjects> {
    /// Rolls keys up that go on behind this after the prefix: `/` lists one folder. See [`ObjectList::try_next_page`].
    pub fn delimiter(self, delimiter: impl Into<String>) -> Self {
        self.with(|operation| operation.delimiter = Some(delimiter.into()))
    }

    /// Begins behind this key, which need not exist.
    pub fn start_after(self, key: impl Into<String>) -> Self {
        self.with(|operation| operation.start_after = Some(key.into()))
    }

    /// Sets how many keys a request asks for, 1 to 1000. It is no limit on the list. The default is the store's: 1000.
    pub fn max_keys(self, max_keys: u32) -> Self {
        self.with(|operation| operation.max_keys = Some(max_keys))
    }
}

impl IntoFuture for Call<ListObjects> {
    type Output = ObjectList;
    type IntoFuture = Ready<ObjectList>;

    /// The stream. Nothing is sent before its first item is asked for.
    fn into_future(self) -> Self::IntoFuture {
        ready(ObjectList { call: self, page: VecDeque::new(), state: State::More })
    }
}

impl ObjectList {
    /// The next object; `None` at the end of the list. Prefixes that a delimiter rolled up are passed over.
    ///
    /// # Errors
    /// A request failed. The list goes on where it was if it is asked again.
    pub async fn try_next(&mut self) -> Result<Option<ObjectSummary>, Error> {
        loop {
            if let Some(object) = self.page.pop_front() {
                return Ok(Some(object));
            }
            match self.fetch().await? {
                Some(page) => self.page = page.objects.into(),
                None => return Ok(None),
            }
        }
    }

    /// The next page, with the objects and prefixes of one request; `None` at the end of the list. What is left of a page
    /// that [`try_next`](Self::try_next) began comes first.
    ///
    /// # Errors
    /// A request failed. The list goes on where it was if it is asked again.
    pub async fn try_next_page(&mut self) -> Result<Option<ObjectPage>, Error> {
        if !self.page.is_empty() {
            return Ok(Some(ObjectPage { objects: self.page.drain(..).collect(), ..ObjectPage::default() }));
        }
        self.fetch().await
    }

    async fn fetch(&mut self) -> Result<Option<ObjectPage>, Error> {
        if self.state == State::Ended {
            return Ok(None);
        }
        let mut page = match self.call.clone().exchange().await {
            Err(error) if error.kind() == ErrorKind::Response && self.asks_for_encoding() => {
                self.call.clone().exchange().await?
            }
            Ok(page) if page.has_lost_characters() && self.asks_for_encoding() => self.call.clone().exchange().await?,
            result => result?,
        };
        match page.next_token.take() {
            None => self.state = State::Ended,
            // A store that does not understand the token would be asked for ever.
            Some(token) if self.call.operation.token.as_deref() == Some(&token) => {
                let error = unreadable("the list does not advance: the store gave the same continuation token twice");
                return Err(error.in_operation("s3", ListObjects::NAME));
            }
            token => self.call.operation.token = token,
        }
        Ok(Some(page))
    }

    /// Has keys be encoded from here on; whether that is new.
    fn asks_for_encoding(&mut self) -> bool {
        std::mem::replace(&mut self.call.operation.encoding, Encoding::Url) == Encoding::Plain
    }
}

impl ObjectPage {
    /// Whether a key holds what stores write in the place of a character that XML does not have.
    fn has_lost_characters(&self) -> bool {
        let keys = self.objects.iter().map(|object| &object.key);
        keys.chain(&self.common_prefixes).any(|key| key.contains(char::REPLACEMENT_CHARACTER))
    }
}

impl Operation for ListObjects {
    const NAME: &'static str = "ListObjectsV2";

    fn draft(&self, _: Context<'_>) -> Result<Draft, Error> {
        if self.max_keys == Some(0) {
            return Err(Error::invalid_input("a list asks for at least 1 key in a request, 1000 at most"));
        }
        let max_keys = self.max_keys.map(|count| count.to_string());
        let mut draft = Draft::new(Method::GET);
        draft.query = Query::default()
            .optional("continuation-token", self.token.as_deref())
            .optional("delimiter", self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty()))
            .optional("encoding-type", (self.encoding == Encoding::Url).then_some("url"))
            .pair("list-type", "2")
            .optional("max-keys", max_keys.as_deref())
            .optional("prefix", Some(self.prefix.as_str()).filter(|prefix| !prefix.is_empty()))
            // The token says it for all pages but the first.
            .optional("start-after", self.start_after.as_deref().filter(|_| self.token.is_none()));
        Ok(draft)
    }
}

impl Answered for ListObjects {
    type Output = ObjectPage;

    fn read(&self, _: &response::Parts, body: &[u8]) -> Result<ObjectPage, Error> {
        let list = xml::document(body, "ListBucketResult")?;
        let objects = list.all("Contents").map(|contents| summary(&list, contents)).collect::<Result<_, _>>()?;
        let prefixes = list.all("CommonPrefixes").map(|prefixes| xml::key(&list, prefixes, "Prefix"));
        let common_prefixes = prefixes.collect::<Result<_, _>>()?;
        let next_token = match xml::is_true(&list, "IsTruncated") {
            false => None,
            true => Some(xml::optional(&list, "NextContinuationToken").ok_or_else(|| {
                unreadable("the list goes on, and says not how: the store may not know version 2 of lists")
            })?),
        };
        Ok(ObjectPage { objects, common_prefixes, next_token })
    }
}

fn summary(list: &Element, contents: &Element) -> Result<ObjectSummary, Error> {
    Ok(ObjectSummary {
        key: xml::key(list, contents, "Key")?,
        size: xml::number(contents, "Size")?,
        etag: xml::optional(contents, "ETag"),
        last_modified: xml::instant(contents, "LastModified"),
        storage_class: xml::optional(contents, "StorageClass"),
    })
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture;

    use super::*;
    use crate::test_support::{Canned, aws, now};

    fn page(keys: &[&str], next: Option<&str>) -> Canned {
        let contents: String = keys
            .iter()
            .map(|key| {
                format!(
                    "<Contents><Key>{key}</Key><LastModified>2026-02-28T17:50:30.000Z</LastModified>\
                     <ETag>&quot;e&quot;</ETag><Size>7</Size><StorageClass>STANDARD</StorageClass></Contents>"
                )
            })
            .collect();
        let next = match next {
            Some(token) => {
                format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
            }
            None => "<IsTruncated>false</IsTruncated>".to_owned(),
        };
        Canned::ok(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Name>photos</Name><Prefix/><EncodingType>url</EncodingType>{next}{contents}\
             <CommonPrefixes><Prefix>a%2Fb+c%2F</Prefix></CommonPrefixes></ListBucketResult>"
        ))
    }

    #[test]
    fn pages_follow_each_other_until_the_last() {
        let (s3, wire) =
            aws("eu-west-1", [page(&["a+b", "%C3%BC%0A"], Some("t/1=")), page(&[], Some("t2")), page(&["z"], None)]);
        let mut list = now(s3.bucket("photos").list("p q/").start_after("a").max_keys(2).into_future());
        let mut keys = Vec::new();
        while let Some(object) = now(list.try_next()).unwrap() {
            assert_eq!((object.size, object.etag.as_deref()), (7, Some("\"e\"")));
            assert_eq!(object.last_modified.unwrap().unix_timestamp(), 1_772_301_030);
            keys.push(object.key);
        }
        assert_eq!(keys, ["a b", "ü\n", "z"]);
        assert!(now(list.try_next()).unwrap().is_none());
        let base = "GET https://photos.s3.eu-west-1.amazonaws.com/";
        assert_eq!(wire.lines(0), [format!("{base}?list-type=2&max-keys=2&prefix=p%20q%2F&start-after=a")]);
        assert_eq!(
            wire.lines(1),
            [format!("{base}?continuation-token=t%2F1%3D&list-type=2&max-keys=2&prefix=p%20q%2F")]
        );
        assert_eq!(wire.count(), 3);
    }

    #[test]
    fn a_page_has_its_prefixes() {
        let (s3, wire) = aws("eu-west-1", [page(&["a"], None)]);
        let mut list = now(s3.bucket("photos").list("").delimiter("/").into_future());
        let page = now(list.try_next_page()).unwrap().unwrap();
        assert_eq!(page.common_prefixes, ["a/b c/"]);
        assert_eq!(page.objects.len(), 1);
        assert_eq!(now(list.try_next_page()).unwrap(), None);
        assert_eq!(wire.lines(0), ["GET https://photos.s3.eu-west-1.amazonaws.com/?delimiter=%2F&list-type=2"]);
    }

    #[test]
    fn keys_that_a_document_can_not_hold_are_asked_for_again_in_another_encoding() {
        let lost = "<ListBucketResult><Contents><Key>a\u{fffd}b</Key><Size>1</Size></Contents></ListBucketResult>";
        let broken = "<ListBucketResult><Contents><Key>a\u{1}b";
        for unreadable in [lost, broken] {
            let (s3, wire) =
                aws("eu-west-1", [Canned::ok(unreadable), page(&["a%01b"], Some("t")), page(&["c"], None)]);
            let mut list = now(s3.bucket("photos").list("").into_future());
            assert_eq!(now(list.try_next()).unwrap().unwrap().key, "a\u{1}b");
            assert_eq!(now(list.try_next()).unwrap().unwrap().key, "c");
            let base = "GET https://photos.s3.eu-west-1.amazonaws.com/";
            assert_eq!(wire.lines(0), [format!("{base}?list-type=2")]);
            assert_eq!(wire.lines(1), [format!("{base}?encoding-type=url&list-type=2")]);
            assert_eq!(wire.lines(2), [format!("{base}?continuation-token=t&encoding-type=url&list-type=2")]);
        }
    }

    #[test]
    fn the_rest_of_a_page_comes_before_the_next() {
        let (s3, _) = aws("eu-west-1", [page(&["a", "b"], Some("t")), page(&["c"], None)]);
        let mut list = now(s3.bucket("photos").list("").into_future());
        assert_eq!(now(list.try_next()).unwrap().unwrap().key, "a");
        assert_eq!(now(list.try_next_page()).unwrap().unwrap().objects[0].key, "b");
        assert_eq!(now(list.try_next_page()).unwrap().unwrap().objects[0].key, "c");
        assert!(now(list.try_next_page()).unwrap().is_none());
    }

    #[test]
    fn a_list_that_does_not_advance_is_an_error() {
        let (s3, wire) = aws("eu-west-1", [page(&["a"], Some("t")), page(&["a"], Some("t"))]);
        let mut list = now(s3.bucket("photos").list("").into_future());
        now(list.try_next()).unwrap().unwrap();
        let error = now(list.try_next()).unwrap_err();
        assert!(error.to_string().contains("does not advance"), "{error}");
        assert_eq!(wire.count(), 2);
    }

    #[test]
    fn after_an_error_the_list_goes_on_where_it_was() {
        let (s3, wire) =
            aws("eu-west-1", [page(&["a"], Some("t")), Canned::error(403, "AccessDenied"), page(&["b"], None)]);
        let mut list = now(s3.bucket("photos").list("").into_future());
        assert_eq!(now(list.try_next()).unwrap().unwrap().key, "a");
        assert!(now(list.try_next()).is_err());
        assert_eq!(now(list.try_next()).unwrap().unwrap().key, "b");
        assert_eq!(wire.lines(1), wire.lines(2));
    }

    #[test]
    fn answers_that_are_no_list_are_refused() {
        for body in [
            "",
            "<html/>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        ] {
            let (s3, _) = aws("eu-west-1", [Canned::ok(body), Canned::ok(body)]);
            let mut list = now(s3.bucket("photos").list("").into_future());
            let error = now(list.try_next()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Response, "{body}");
            assert!(error.to_string().starts_with("s3 ListObjectsV2: "), "{error}");
        }
    }

    #[test]
    fn a_request_for_no_key_is_refused() {
        let (s3, wire) = aws("eu-west-1", []);
        let mut list = now(s3.bucket("photos").list("").max_keys(0).into_future());
        assert!(now(list.try_next()).is_err());
        assert_eq!(wire.count(), 0);
    }
}
