//! How a session begins: who we are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::time::timeout;

use super::reply::{Condition, Status};
use super::session::Session;
use super::{Error, Login};

/// How we name ourselves to servers that want to know (RFC 2971). Some of China's large
/// providers let no client read mail that does not.
const ID: &str = "ID (\"name\" \"redress\" \"vendor\" \"redress\")";
/// Longest user, password and token, in bytes.
const MAX_SECRET: usize = 8 * 1024;

/// Logs in.
pub(super) async fn log_in(session: &mut Session, login: &Login) -> Result<(), Error> {
    let status = match login {
        Login::Password { user, password } => with_password(session, user, password).await?,
        Login::OAuth2 { user, token } => {
            let bearer = timeout(session.patience(), token.token()).await.map_err(|_| Error::TimedOut)?;
            let bearer = bearer.map_err(Error::NoToken)?;
            fits(user, &bearer)?;
            let response = STANDARD.encode(format!("user={user}\u{1}auth=Bearer {bearer}\u{1}\u{1}"));
            let status = session.authenticate("XOAUTH2", &response).await?;
            if status.condition != Condition::Ok {
                token.refused(&bearer);
            }
            status
        }
    };
    match status.condition {
        Condition::Ok => {}
        _ if status.is_passing() => return Err(Error::TryLater { uid: None, said: status.said }),
        _ => return Err(Error::LoginRefused(status.said)),
    }
    // Most servers can do more for who is known.
    match status.capabilities() {
        Some(capabilities) => session.set_capabilities(capabilities),
        None => session.ask_capabilities().await?,
    }
    if session.can("ID") {
        session.command(ID).await?;
    }
    Ok(())
}

async fn with_password(session: &mut Session, user: &str, password: &str) -> Result<Status, Error> {
    fits(user, password)?;
    if session.can("AUTH=PLAIN") {
        let response = STANDARD.encode(format!("\0{user}\0{password}"));
        return session.authenticate("PLAIN", &response).await;
    }
    if session.can("LOGINDISABLED") {
        return Err(Error::LoginRefused("the server takes no passwords".to_owned()));
    }
    let (Some(user), Some(password)) = (quoted(user), quoted(password)) else {
        return Err(Error::LoginRefused("the server takes ASCII in passwords only".to_owned()));
    };
    session.command(&format!("LOGIN {user} {password}")).await
}

fn fits(user: &str, secret: &str) -> Result<(), Error> {
    let is_wrong = |text: &str| text.len() > MAX_SECRET || text.contains(['\0', '\u{1}', '\r', '\n']);
    if is_wrong(user) || is_wrong(secret) {
        return Err(Error::LoginRefused("the user or secret is too long or not one line".to_owned()));
    }
    Ok(())
}

fn quoted(text: &str) -> Option<String> {
    let is_plain = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    is_plain.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}
