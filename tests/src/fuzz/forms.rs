//! Presigned POST.

use std::time::Duration;

use aws_sigv4_free_signing::verify::Verifier;
use aws_sigv4_free_signing::{PostPolicy, SigV4};

use super::Input;
use super::input::{SECRET, TOKEN};

/// Any policy is refused, or makes a form that the other side accepts and reads as it was meant; changed, it does not.
pub fn body(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, credentials) = (input.time(), input.credentials());
    let (bucket, key) = (input.text(4), input.text(8));
    let mut policy =
        if input.below(2) == 0 { PostPolicy::new(&bucket, &key) } else { PostPolicy::with_key_prefix(&bucket, &key) };
    let mut filled = Vec::new();
    for index in 0..input.below(5) {
        let name = if input.below(8) == 0 { input.text(3) } else { format!("x-amz-meta-{index}") };
        let value = input.text(8);
        policy = if input.below(2) == 0 {
            policy.field(name, value)
        } else {
            filled.push((name.clone(), value.clone() + "more"));
            policy.starts_with(name, value)
        };
    }
    let (least, size) = (input.below(50) as u64, input.below(50) as u64);
    policy = policy.content_length(least..=least + size).expires_in(Duration::from_secs(input.below(65_535) as u64));
    let signed = SigV4::s3("us-east-1").presign_post(&policy, &credentials, now);
    let shown = format!("{policy:?} {signed:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(TOKEN), "{shown}");
    let Ok(form) = signed else { return };

    let document: serde_json::Value = serde_json::from_str(form.policy()).expect("the policy is JSON");
    assert_eq!(document["conditions"][0]["bucket"], bucket);
    let mut fields: Vec<(&str, &str)> = form.fields().collect();
    fields.extend(filled.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let any_key = key.clone() + "any";
    if form.fields_to_fill().any(|name| name == "key") {
        fields.push(("key", &any_key));
    }
    let known = credentials.clone();
    let verifier = Verifier::new(move |id: &str| (id == known.access_key_id()).then(|| known.clone()));
    let verified = verifier.verify_form(&bucket, &fields, least + size, now).expect("the form is good");
    assert_eq!(verified.expires_at(), form.expires_at());
    assert!(verifier.verify_form(&bucket, &fields, least + size + 1, now).is_err());
    assert!(verifier.verify_form(&bucket, &fields, least, form.expires_at()).is_err());

    // One character of the policy.
    let index = fields.iter().position(|(name, _)| *name == "policy").expect("a policy");
    let mut encoded = fields[index].1.as_bytes().to_vec();
    let at = input.below(encoded.len());
    encoded[at] = if encoded[at] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8_lossy(&encoded).into_owned();
    fields[index].1 = &changed;
    assert!(verifier.verify_form(&bucket, &fields, least, now).is_err());
}
