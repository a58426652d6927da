//! `sigv4 credentials`: where the identity comes from.

use aws_sigv4_free_core::identity::{CredentialsErrorKind, ProvideCredentials as _};
use clap::Subcommand;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Format, Output};

/// The commands of `credentials`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the access key id, its source, expiry and account; the secret is never shown
    #[command(after_help = "\
Examples:
  sigv4 credentials show
  sigv4 credentials show --profile dev --output json")]
    Show,
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Show => show(context),
    }
}

fn show(context: &Context) -> Result<Exit, Failure> {
    let chain = context.chain()?;
    let credentials = context.block_on(async {
        match chain.identity().await {
            Ok(credentials) => Ok(credentials),
            Err(error) => {
                let explanation = chain.explain().await.to_string();
                let failure = Failure::new(Exit::Configuration, "no credentials").details(&explanation);
                Err(match error.kind() {
                    CredentialsErrorKind::NotConfigured => failure.hint(
                        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add a profile with keys to ~/.aws/credentials",
                    ),
                    CredentialsErrorKind::Expired => failure.hint("log in again, or renew the credentials"),
                    _ => failure,
                })
            }
        }
    })?;

    let expiration = credentials.expires_at().and_then(|at| at.format(&Rfc3339).ok());
    let text = |value: Option<&str>| value.map_or(Value::Null, Value::from);
    let fields = [
        ("AccessKeyId", credentials.access_key_id().into()),
        ("Source", credentials.source().into()),
        ("SessionToken", if credentials.session_token().is_some() { "present".into() } else { Value::Null }),
        ("Expiration", text(expiration.as_deref())),
        ("AccountId", text(credentials.account_id())),
    ];
    let mut human = vec![
        format!("access key id  {}", credentials.access_key_id()),
        format!("source         {}", credentials.source()),
    ];
    if credentials.session_token().is_some() {
        human.push("session token  present".to_owned());
    }
    match &expiration {
        Some(at) if credentials.is_expired_at(context.now()) => human.push(format!("expired        {at}")),
        Some(at) => human.push(format!("expires        {at}")),
        None => human.push("expires        never".to_owned()),
    }
    if let Some(account) = credentials.account_id() {
        human.push(format!("account        {account}"));
    }
    let format = context.global.output.or_else(default_format);
    Output::new().record(format, &fields, &human.join("\n"))?;
    Ok(Exit::Success)
}

/// The format that the environment asks for.
fn default_format() -> Option<Format> {
    match std::env::var("AWS_DEFAULT_OUTPUT").ok()?.as_str() {
        "json" => Some(Format::Json),
        "text" => Some(Format::Text),
        "table" => Some(Format::Table),
        _ => None,
    }
}
