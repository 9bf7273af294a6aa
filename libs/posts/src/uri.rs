//! One text for the addresses of one page.

use url::Url;

/// What the parameters begin with that say where a reader came from.
const TRACKING_PREFIXES: [&str; 2] = ["utm_", "mtm_"];
/// Other parameters that do.
const TRACKING: [&str; 17] = [
    "fbclid",
    "gclid",
    "dclid",
    "msclkid",
    "twclid",
    "ttclid",
    "yclid",
    "igsh",
    "igshid",
    "mc_cid",
    "mc_eid",
    "ref_src",
    "ref_url",
    "share_token",
    "spm",
    "spm_id_from",
    "xsec_token",
];

/// An address as it is compared: `https`, the host in lower case, no user, no fragment (but
/// `#!…`, which is a page), no slash at its end, its parameters in order and without those
/// that say where a reader came from. None where it is no address on the web.
pub fn normalized(text: &str) -> Option<String> {
    let mut url = Url::parse(text.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_scheme("https").ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    if !url.fragment().is_some_and(|fragment| fragment.starts_with('!')) {
        url.set_fragment(None);
    }
    let mut pairs: Vec<&str> =
        url.query().unwrap_or_default().split('&').filter(|one| is_kept(one)).collect();
    pairs.sort_unstable();
    let query = pairs.join("&");
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url.into())
}

fn is_kept(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name).to_ascii_lowercase();
    let is_tracking =
        TRACKING.contains(&name.as_str()) || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    !pair.is_empty() && !is_tracking
}
