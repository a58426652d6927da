//! Listing buckets.

use std::collections::VecDeque;
use std::future::{IntoFuture, Ready, ready};

use aws_sigv4_free_core::Error;
use aws_sigv4_free_core::endpoint::Region;
use http::{Method, response};
use time::OffsetDateTime;

use crate::address::Query;
use crate::call::{Answered, Call, Context, Draft, Operation};
use crate::error::unreadable;
use crate::xml;

/// How many buckets a request asks AWS for: without a number, it refuses to list very many.
const PAGE: u32 = 1000;

/// [`ListBuckets`](https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html): see
/// [`S3::list_buckets`](crate::S3::list_buckets).
#[derive(Clone, Debug, Default)]
pub struct ListBuckets {
    prefix: Option<String>,
    region: Option<Region>,
    max_buckets: Option<u32>,
    token: Option<String>,
}

/// A bucket in a list.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSummary {
    /// The name.
    pub name: String,
    /// When the bucket was made.
    pub created: Option<OffsetDateTime>,
    /// The region; `None` where the store does not tell.
    pub region: Option<Region>,
}

/// The answer to one request of a list.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketPage {
    /// The buckets, by name.
    pub buckets: Vec<BucketSummary>,
    next_token: Option<String>,
}

/// A list of buckets: a stream over as many requests as it takes.
///
/// # Cancel safety
/// Dropping a future of its methods loses nothing: the request is made again by the next one.
#[derive(Clone, Debug)]
pub struct BucketList {
    call: Call<ListBuckets>,
    page: VecDeque<BucketSummary>,
    is_ended: bool,
}

impl Call<ListBuckets> {
    /// Lists the buckets whose names begin so. Stores other than AWS may not know it and list all of them.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|operation| operation.prefix = Some(prefix.into()))
    }

    /// Lists the buckets in this region. Stores other than AWS may not know it and list all of them.
    pub fn in_region(self, region: Region) -> Self {
        self.with(|operation| operation.region = Some(region))
    }

    /// Sets how many buckets a request asks for, 1 to 10,000. It is no limit on the list. The default is 1000 for AWS, and
    /// what the store gives for others.
    pub fn max_buckets(self, max_buckets: u32) -> Self {
        self.with(|operation| operation.max_buckets = Some(max_buckets))
    }
}

impl IntoFuture for Call<ListBuckets> {
    type Output = BucketList;
    type IntoFuture = Ready<BucketList>;

    /// The stream. Nothing is sent before its first item is asked for.
    fn into_future(self) -> Self::IntoFuture {
        ready(BucketList { call: self, page: VecDeque::new(), is_ended: false })
    }
}

impl BucketList {
    /// The next bucket; `None` at the end of the list.
    ///
    /// # Errors
    /// A request failed. The list goes on where it was if it is asked again.
    pub async fn try_next(&mut self) -> Result<Option<BucketSummary>, Error> {
        loop {
            if let Some(bucket) = self.page.pop_front() {
                return Ok(Some(bucket));
            }
            if self.is_ended {
                return Ok(None);
            }
            let page = self.call.clone().exchange().await?;
            match page.next_token {
                None => self.is_ended = true,
                Some(token) if self.call.operation.token.as_deref() == Some(&token) => {
                    let error =
                        unreadable("the list does not advance: the store gave the same continuation token twice");
                    return Err(error.in_operation("s3", ListBuckets::NAME));
                }
                token => self.call.operation.token = token,
            }
            self.page = page.buckets.into();
        }
    }
}

impl Operation for ListBuckets {
    const NAME: &'static str = "ListBuckets";

    fn draft(&self, context: Context<'_>) -> Result<Draft, Error> {
        if self.max_buckets == Some(0) {
            return Err(Error::invalid_input("a list asks for at least 1 bucket in a request, 10,000 at most"));
        }
        let max_buckets = self.max_buckets.or(context.client.is_aws().then_some(PAGE)).map(|count| count.to_string());
        let mut draft = Draft::new(Method::GET);
        draft.query = Query::default()
            .optional("bucket-region", self.region.as_ref().map(Region::as_str))
            .optional("continuation-token", self.token.as_deref())
            .optional("max-buckets", max_buckets.as_deref())
            .optional("prefix", self.prefix.as_deref());
        Ok(draft)
    }
}

impl Answered for ListBuckets {
    type Output = BucketPage;

    fn read(&self, _: &response::Parts, body: &[u8]) -> Result<BucketPage, Error> {
        let list = xml::document(body, "ListAllMyBucketsResult")?;
        let buckets = list.child("Buckets").into_iter().flat_map(|buckets| buckets.all("Bucket"));
        let buckets = buckets.map(|bucket| {
            Ok(BucketSummary {
                name: xml::required(bucket, "Name")?.to_owned(),
                created: xml::instant(bucket, "CreationDate"),
                region: bucket.text_of("BucketRegion").and_then(|region| Region::new(region.trim()).ok()),
            })
        });
        Ok(BucketPage {
            buckets: buckets.collect::<Result<_, Error>>()?,
            next_token: xml::optional(&list, "ContinuationToken"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture;

    use crate::Region;
    use crate::test_support::{Canned, aws, now, store};

    fn page(names: &[&str], token: &str) -> Canned {
        let buckets: String = names
            .iter()
            .map(|name| {
                format!(
                    "<Bucket><Name>{name}</Name><CreationDate>2026-02-28T17:50:30.000Z</CreationDate>\
                     <BucketRegion>eu-west-1</BucketRegion></Bucket>"
                )
            })
            .collect();
        Canned::ok(format!(
            "<ListAllMyBucketsResult><Buckets>{buckets}</Buckets><ContinuationToken>{token}</ContinuationToken>\
             </ListAllMyBucketsResult>"
        ))
    }

    #[test]
    fn buckets_come_page_by_page() {
        let (s3, wire) = aws("eu-west-1", [page(&["abc", "def"], "t"), page(&["xyz"], "")]);
        let region = Region::new("eu-west-1").unwrap();
        let mut list = now(s3.list_buckets().prefix("a").in_region(region.clone()).into_future());
        let mut names = Vec::new();
        while let Some(bucket) = now(list.try_next()).unwrap() {
            assert_eq!(bucket.region.as_ref(), Some(&region));
            assert_eq!(bucket.created.unwrap().unix_timestamp(), 1_772_301_030);
            names.push(bucket.name);
        }
        assert_eq!(names, ["abc", "def", "xyz"]);
        let base = "GET https://s3.eu-west-1.amazonaws.com/?bucket-region=eu-west-1";
        assert_eq!(wire.lines(0), [format!("{base}&max-buckets=1000&prefix=a")]);
        assert_eq!(wire.lines(1), [format!("{base}&continuation-token=t&max-buckets=1000&prefix=a")]);
    }

    #[test]
    fn another_store_is_asked_nothing_that_it_may_not_know() {
        let (s3, wire) = store([Canned::ok("<ListAllMyBucketsResult><Owner/><Buckets/></ListAllMyBucketsResult>")]);
        let mut list = now(s3.list_buckets().into_future());
        assert!(now(list.try_next()).unwrap().is_none());
        assert_eq!(wire.lines(0)[0], "GET http://127.0.0.1:9000/");
    }

    #[test]
    fn a_list_that_does_not_advance_is_an_error() {
        let (s3, _) = aws("eu-west-1", [page(&[], "t"), page(&[], "t")]);
        let mut list = now(s3.list_buckets().into_future());
        assert!(now(list.try_next()).unwrap_err().to_string().contains("does not advance"));
    }
}
