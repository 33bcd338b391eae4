//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap};
use web::App;

use super::Visitor;
use crate::sessions;

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self {
            address: address(&parts.extensions, &parts.headers),
            device: sessions::device(&parts.headers),
        })
    }
}

/// The address of the peer; of a proxy on this very machine, the address that the proxy names last. What a
/// stranger writes into that header is not believed.
fn address(extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    if !peer.ip().is_loopback() {
        return Some(peer.ip());
    }
    let named = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|address| address.trim().parse().ok());
    Some(named.unwrap_or(peer.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: Option<&str>, forwarded: &[&str]) -> Option<String> {
        let mut extensions = Extensions::new();
        if let Some(peer) = peer {
            extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        address(&extensions, &headers).map(|address| address.to_string())
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed() {
        assert_eq!(seen(Some("203.0.113.7:5"), &["198.51.100.1"]).as_deref(), Some("203.0.113.7"));
        assert_eq!(seen(Some("127.0.0.1:5"), &["6.6.6.6, 198.51.100.1"]).as_deref(), Some("198.51.100.1"));
        assert_eq!(seen(Some("127.0.0.1:5"), &["6.6.6.6", "198.51.100.1"]).as_deref(), Some("198.51.100.1"));
        assert_eq!(seen(Some("[::1]:5"), &["nonsense"]).as_deref(), Some("::1"));
        assert_eq!(seen(None, &["198.51.100.1"]), None);
    }
}
