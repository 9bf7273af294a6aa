//! Who complains, and is nobody here: no session, no role, a code at most.
//!
//! Their pages call the services with the console's own token, of role `channel`, and say for
//! whom: by a signature over the address they come from, which tells people apart and names
//! nobody. The services count wrong codes by it; the console counts everything.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use client::{Client, Token};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::HeaderMap;
use http::header::HOST;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use server::ClientAddress;
use tonic::Code;

use crate::app::App;
use crate::problem::Problem;
use crate::session::{Visitor, cookie};
use crate::words::Words;

/// What one address may do at once, in the units of [`Cost`].
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
/// What it may do in a second, in the long run.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// Addresses that are remembered before those are forgotten which have all of it again.
const REMEMBERED: usize = 10_000;
/// The cookie, and what the text within is sealed for.
const NAME: &str = "redress-complaint";
/// Before what is signed: it tells people apart and is good for nothing else.
const PURPOSE: &str = "end user";
/// Where proxies say who called them.
const FORWARDED: &str = "x-forwarded-for";

/// What a request takes of what an address may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// A page, or a part of a paper: 300 at once.
    Page = 1,
    /// A code that may be a guess, or the beginning of a paper: 60 at once.
    Code = 5,
    /// Something that is kept: 20 at once, then one in three seconds.
    Writing = 15,
}

/// How much strangers do, by address, in this process.
pub(crate) struct Allowances {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    /// How many were remembered when the forgotten were last looked for.
    swept: Mutex<usize>,
}

impl Allowances {
    /// Nobody has done anything yet.
    pub(crate) fn new() -> Self {
        let quota = Quota::per_second(PER_SECOND).allow_burst(BURST);
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), swept: Mutex::new(0) }
    }

    /// Takes it of what this address may do; fails with how long to wait.
    fn pay(&self, address: IpAddr, cost: Cost) -> Result<(), Problem> {
        self.forget_idle();
        let cost = NonZeroU32::MIN.saturating_add(cost as u32 - 1);
        // More than ever may be done at once is asked for by nothing above.
        let Ok(Err(early)) = self.limiter.check_key_n(&address, cost) else { return Ok(()) };
        let retry = Some(early.wait_time_from(self.clock.now()));
        Err(Problem { retry, ..Problem::own(Code::ResourceExhausted, "TOO_MANY_REQUESTS") })
    }

    /// Forgets whom there is nothing to remember of, once they have become many more.
    fn forget_idle(&self) {
        let Ok(mut swept) = self.swept.lock() else { return };
        let known = self.limiter.len();
        if known >= (*swept * 2).max(REMEMBERED) {
            self.limiter.retain_recent();
            *swept = self.limiter.len();
        }
    }
}

/// What a browser keeps of somebody's complaint until it is closed, sealed: no page and no
/// address has the code in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Since when, in seconds since 1970.
    pub(crate) since: i64,
    /// The receipt code; empty for none.
    pub(crate) code: String,
    /// What was changed last, which the next page must show.
    pub(crate) seen: Option<String>,
    /// What was done last, which the next page says.
    pub(crate) done: Option<String>,
    /// When the complaint was received, where it was here, in seconds since 1970.
    pub(crate) received: Option<i64>,
    /// The code of a survey; empty for none.
    pub(crate) survey: String,
}

impl Kept {
    /// What this browser keeps.
    fn of(app: &App, headers: &HeaderMap) -> Self {
        let opened = cookie(headers, NAME).and_then(|sealed| app.seals.open(NAME, &sealed));
        let kept: Self = opened.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let longest = i64::try_from(app.session.as_secs()).unwrap_or(i64::MAX);
        if app.now() - kept.since < longest { kept } else { Self::default() }
    }

    /// Has the browser keep it from now on.
    pub(crate) fn keep(mut self, app: &App, headers: &mut HeaderMap) {
        self.since = app.now();
        let text = serde_json::to_vec(&self).unwrap_or_default();
        let sealed = app.seals.seal(NAME, &text).unwrap_or_default();
        crate::session::set_cookie(app, headers, NAME, &sealed, None);
    }

    /// Has the browser forget it.
    pub(crate) fn forget(app: &App, headers: &mut HeaderMap) {
        crate::session::set_cookie(app, headers, NAME, "", Some(0));
    }
}

/// Somebody at a complainant's page.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) visitor: Visitor,
    /// The services, called on for them.
    pub(crate) client: Client,
    /// Who they are to the services: tells them from others, and names nobody.
    pub(crate) end_user: String,
    pub(crate) kept: Kept,
    /// Where these pages are, as somebody types it.
    pub(crate) place: String,
    address: IpAddr,
}

impl Guest {
    /// Takes it of what they may do.
    pub(crate) fn pay(&self, cost: Cost) -> Result<(), Problem> {
        self.visitor.app.guests.pay(self.address, cost)
    }

    /// The same, of whom the browser keeps something else.
    pub(crate) fn keeping(self, kept: Kept) -> Self {
        Self { kept, ..self }
    }

    /// The words of their language.
    pub(crate) fn words(&self) -> Words {
        self.visitor.words
    }

    /// The services, as far on as what they changed last.
    pub(crate) fn seeing(&self) -> Client {
        let token = self.kept.seen.as_deref().and_then(Token::parse);
        token.map_or_else(|| self.client.clone(), |token| self.client.seeing(&token))
    }

    /// What is kept once something was done: the next page shows it, and says it once.
    pub(crate) fn having_done<T>(&self, done: &str, answer: &tonic::Response<T>) -> Kept {
        let seen = Token::of(answer).map(|token| token.as_str().to_owned());
        Kept {
            seen: seen.or_else(|| self.kept.seen.clone()),
            done: Some(done.to_owned()),
            ..self.kept.clone()
        }
    }
}

impl FromRequestParts<App> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, app).await?;
        let client = app.client_of_nobody().await.ok_or_else(Problem::not_found)?;
        let peer = parts.extensions.get::<ClientAddress>().map(|address| address.0);
        let address = address(&parts.headers, peer, app.proxies);
        let end_user = app.seals.sign(format!("{PURPOSE} {address}").as_bytes()).unwrap_or_default();
        let end_user = BASE64_URL_SAFE_NO_PAD.encode(end_user);
        let (place, kept) = (place(app, parts), Kept::of(app, &parts.headers));
        let guest = Self { visitor, client, end_user, kept, place, address };
        guest.pay(Cost::Page)?;
        Ok(guest)
    }
}

/// Where complainants begin, as somebody types it.
fn place(app: &App, parts: &Parts) -> String {
    let host = || parts.headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let over_http2 = parts.uri.authority().map(ToString::to_string);
    let site = app.url.clone().or(over_http2).or_else(host).unwrap_or_default();
    format!("{site}{}", app.path("/complaints"))
}

/// Where somebody comes from: the other end of the connection, or whom that many proxies say.
/// What stands before their entries anybody makes up.
fn address(headers: &HeaderMap, peer: Option<IpAddr>, proxies: u8) -> IpAddr {
    let told = || {
        let lines = headers.get_all(FORWARDED).into_iter().filter_map(|line| line.to_str().ok());
        let entries: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
        let place = entries.len().checked_sub(usize::from(proxies))?;
        entries.get(place)?.trim().parse().ok().map(|address| ClientAddress::told(address).0)
    };
    let told = if proxies == 0 { None } else { told() };
    told.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_our_own_proxies_say_is_believed() {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, "203.0.113.66, 198.51.100.7".parse().unwrap());
        headers.append(FORWARDED, "2001:db8:1:2:3::4".parse().unwrap());
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        for (proxies, whom) in [
            (0, "192.0.2.1"),
            (1, "2001:db8:1:2::"),
            (2, "198.51.100.7"),
            (3, "203.0.113.66"),
            (4, "192.0.2.1"),
        ] {
            assert_eq!(address(&headers, Some(peer), proxies).to_string(), whom, "{proxies} proxies");
        }
        headers.insert(FORWARDED, "unknown".parse().unwrap());
        assert_eq!(address(&headers, Some(peer), 1), peer);
    }

    #[test]
    fn an_address_writes_twenty_times_and_then_waits_while_others_do_not() {
        let allowances = Allowances::new();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for time in 0..20 {
            assert!(allowances.pay(one, Cost::Writing).is_ok(), "{time}");
        }
        let refused = allowances.pay(one, Cost::Writing).unwrap_err();
        assert_eq!((refused.code, refused.reason.as_str()), (Code::ResourceExhausted, "TOO_MANY_REQUESTS"));
        assert!(refused.retry.is_some_and(|wait| wait.as_secs() < 4));
        assert!(allowances.pay(other, Cost::Writing).is_ok());
    }
}
