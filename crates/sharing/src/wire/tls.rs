//! The certificate of the door.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crypto::hash::sha256;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// The certificate that is made for a door on loopback, in the data folder.
const CERTIFICATE: &str = "wire-certificate.pem";
/// Its key.
const KEY: &str = "wire-key.pem";

/// What a door needs to speak TLS.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// What a client binds the channel to (RFC 5929, `tls-server-end-point`); none if the certificate's signature
    /// has no hash that it is defined for.
    pub(super) binding: Option<Arc<[u8]>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// With the certificates and the key of these files, both PEM.
    pub fn from_files(certificates: &Path, key: &Path) -> io::Result<Self> {
        let wrong = |what: &Path, error: &dyn std::fmt::Display| {
            io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {error}", what.display()))
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(certificates, &error))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
        let first = chain.first().ok_or_else(|| wrong(certificates, &"there is no certificate in it"))?;
        let binding = end_point(first).map(Arc::from);
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(|error| wrong(certificates, &error))?;
        // Clients that begin with TLS at once name the protocol (PostgreSQL 17).
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), binding })
    }

    /// With a certificate for this machine's loopback alone, signed by nobody, made in `folder` at the first start.
    pub fn of_loopback(folder: &Path) -> io::Result<Self> {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if !certificate.exists() || !key.exists() {
            let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
            let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
            write_private(&key, made.signing_key.serialize_pem().as_bytes())?;
            fs::write(&certificate, made.cert.pem())?;
        }
        Self::from_files(&certificate, &key)
    }

    /// Where [`Tls::of_loopback`] keeps the certificate, for a client's `sslrootcert`.
    pub fn certificate_of_loopback(folder: &Path) -> std::path::PathBuf {
        folder.join(CERTIFICATE)
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    // Whatever lay there may be open to others, so it is not written over.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The hash of a certificate by the hash of its signature, MD5 and SHA-1 replaced by SHA-256. The platform has
/// SHA-256 alone, so other certificates do not offer to bind the channel.
fn end_point(certificate: &[u8]) -> Option<[u8; 32]> {
    const BY_SHA_256: [&[u8]; 4] = [
        // ecdsa-with-SHA256, sha256WithRSAEncryption, sha1WithRSAEncryption, ecdsa-with-SHA1
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05],
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
    ];
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … }
    let (whole, _) = element(certificate, 0x30)?;
    let (_, after) = element(whole, 0x30)?;
    let (algorithm, _) = element(after, 0x30)?;
    let (identifier, _) = element(algorithm, 0x06)?;
    BY_SHA_256.contains(&identifier).then(|| sha256(certificate))
}

/// The contents of the first element of DER, which has this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(*short), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let first = Tls::of_loopback(folder.path()).unwrap();
        let made = fs::read(Tls::certificate_of_loopback(folder.path())).unwrap();
        let second = Tls::of_loopback(folder.path()).unwrap();
        assert_eq!(made, fs::read(Tls::certificate_of_loopback(folder.path())).unwrap());
        assert!(first.binding.is_some());
        assert_eq!(first.binding, second.binding);
        let mode = fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.pem");
        fs::write(&path, "nothing").unwrap();
        let error = Tls::from_files(&path, &path).unwrap_err().to_string();
        assert!(error.contains("none.pem"), "{error}");
        assert_eq!(end_point(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(end_point(&[]), None);
    }
}
