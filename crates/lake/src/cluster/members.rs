//! The members of a cluster: their certificates, their roles, and the key that seals.
//!
//! One authority signs one certificate for each role and is then forgotten: whoever wants other certificates makes
//! a new cluster. A role is a DNS name in the certificate that no resolver knows; both sides of a connection
//! check it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use crypto::signature::{SigningKey, VerifyingKey};
use crypto::suite::{Algorithm, Suite};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use store::Env;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::ParsedCertificate;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity, ServerTlsConfig};
use tonic::{Request, Status};

use super::ClusterError;

/// How many years a certificate lasts.
const YEARS: i16 = 5;
const AUTHORITY_FILE: &str = "authority.pem";
const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";
/// The secret key that seals; only a gateway has it.
const SEAL_FILE: &str = "seal.key";
/// Its public half; only those who check have it.
const CHECK_FILE: &str = "seal.pub";

/// What a member of a cluster does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asks: the node with the doors.
    Gateway,
    /// Cuts plans into stages and hands them out.
    Scheduler,
    /// Runs stages.
    Executor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Gateway, Self::Scheduler, Self::Executor];

    /// Its name, and that of its folder of keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Scheduler => "scheduler",
            Self::Executor => "executor",
        }
    }

    fn host(self) -> String {
        format!("{}.cluster.yiwang.internal", self.name())
    }
}

/// Makes the keys of a new cluster: below `folder` one folder for each role, to be carried to its machine. What is
/// there already is not touched and makes it fail.
pub fn create_keys(folder: &Path, suite: Suite, env: &Env) -> Result<(), ClusterError> {
    let failed = |reason: String| ClusterError::Keys { file: folder.display().to_string(), reason };
    let other = |error: rcgen::Error| failed(error.to_string());
    // ECDSA on P-256: the library of TLS has no SM2.
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "Yiwang cluster");
    let year = env.now().china_date().year();
    let (from, to) = (rcgen::date_time_ymd(i32::from(year) - 1, 1, 1), i32::from(year + YEARS));
    authority.not_before = from;
    authority.not_after = rcgen::date_time_ymd(to, 12, 31);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().map_err(other)?).map_err(other)?;
    let seal = suite
        .algorithms()
        .first()
        .map(|algorithm| SigningKey::generate(*algorithm, &*env.entropy))
        .ok_or_else(|| failed("has no algorithm".to_owned()))?
        .map_err(|error| failed(error.to_string()))?;
    let check = seal.verifying_key();
    for role in Role::ALL {
        let mut params = CertificateParams::new(vec![role.host()]).map_err(other)?;
        params.distinguished_name.push(DnType::CommonName, role.name());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = from;
        params.not_after = rcgen::date_time_ymd(to, 12, 31);
        let key = KeyPair::generate().map_err(other)?;
        let certificate = params.signed_by(&key, &authority).map_err(other)?;
        let place = folder.join(role.name());
        private_folder(&place)?;
        write_private(&place.join(AUTHORITY_FILE), &authority.pem())?;
        write_private(&place.join(CERTIFICATE_FILE), &certificate.pem())?;
        write_private(&place.join(KEY_FILE), &key.serialize_pem())?;
        match role {
            Role::Gateway => write_private(
                &place.join(SEAL_FILE),
                &format!("{} {}\n", seal.algorithm(), hex::encode(*seal.to_bytes())),
            )?,
            Role::Scheduler | Role::Executor => write_private(
                &place.join(CHECK_FILE),
                &format!("{} {}\n", check.algorithm(), hex::encode(check.to_bytes())),
            )?,
        }
    }
    Ok(())
}

/// A folder that only its owner may enter.
pub(super) fn private_folder(folder: &Path) -> Result<(), ClusterError> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let failed = |error: std::io::Error| ClusterError::Folder {
        folder: folder.display().to_string(),
        reason: error.to_string(),
    };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)
}

fn write_private(path: &Path, text: &str) -> Result<(), ClusterError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let written =
        std::fs::File::options().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|error| keys(path, &error.to_string()))
}

fn keys(path: &Path, reason: &str) -> ClusterError {
    ClusterError::Keys { file: path.display().to_string(), reason: reason.to_owned() }
}

fn read(path: &Path) -> Result<String, ClusterError> {
    std::fs::read_to_string(path).map_err(|error| keys(path, &error.to_string()))
}

/// The key in a file of the form `algorithm hex`.
fn key_of<K>(path: &Path, from: impl FnOnce(Algorithm, &[u8]) -> Option<K>) -> Result<Arc<K>, ClusterError> {
    let text = zeroize::Zeroizing::new(read(path)?);
    let parsed = text.trim().split_once(' ').and_then(|(algorithm, bytes)| {
        from(algorithm.parse().ok()?, &zeroize::Zeroizing::new(hex::decode(bytes).ok()?))
    });
    parsed.map(Arc::new).ok_or_else(|| keys(path, "does not hold a key"))
}

/// The secret key that seals, from a gateway's folder.
pub(super) fn sealing_key(folder: &Path) -> Result<Arc<SigningKey>, ClusterError> {
    key_of(&folder.join(SEAL_FILE), |algorithm, bytes| {
        SigningKey::from_bytes(algorithm, bytes.try_into().ok()?).ok()
    })
}

/// The public key that checks seals, from a scheduler's or an executor's folder.
pub(super) fn checking_key(folder: &Path) -> Result<Arc<VerifyingKey>, ClusterError> {
    key_of(&folder.join(CHECK_FILE), |algorithm, bytes| VerifyingKey::from_bytes(algorithm, bytes).ok())
}

/// A member's own certificate and the authority that it trusts.
#[derive(Clone)]
pub(super) struct Member {
    authority: Certificate,
    identity: Identity,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Member")
    }
}

impl Member {
    pub(super) fn read(folder: &Path) -> Result<Self, ClusterError> {
        let authority = Certificate::from_pem(read(&folder.join(AUTHORITY_FILE))?);
        let certificate = read(&folder.join(CERTIFICATE_FILE))?;
        let identity = Identity::from_pem(certificate, read(&folder.join(KEY_FILE))?);
        Ok(Self { authority, identity })
    }

    /// TLS for what this member serves: nobody gets in without a certificate of the cluster.
    pub(super) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity.clone())
            .client_ca_root(self.authority.clone())
            .client_auth_optional(false)
    }

    /// The way to a member of this role at `host:port`.
    pub(super) fn endpoint(&self, authority: &str, role: Role) -> Result<Endpoint, tonic::transport::Error> {
        let tls = ClientTlsConfig::new()
            .ca_certificate(self.authority.clone())
            .identity(self.identity.clone())
            .domain_name(role.host());
        Endpoint::from_shared(format!("https://{authority}"))?
            .connect_timeout(Duration::from_secs(3))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .tls_config(tls)
    }

    /// A channel to a member of this role at `host:port`, connected when it is first used.
    pub(super) fn channel(&self, authority: &str, role: Role) -> Result<Channel, ClusterError> {
        let endpoint =
            self.endpoint(authority, role).map_err(|error| ClusterError::Tls(error.to_string()))?;
        Ok(endpoint.connect_lazy())
    }

    /// Puts every connection that the engine opens under TLS: to the scheduler at its address, to executors
    /// elsewhere.
    pub(super) fn endpoints(&self, scheduler: &str) -> EndpointOverrideFn {
        let (member, scheduler) = (self.clone(), scheduler.to_owned());
        Arc::new(move |plain: Endpoint| {
            let authority = plain.uri().authority().map(ToString::to_string).unwrap_or_default();
            let role = if authority == scheduler { Role::Scheduler } else { Role::Executor };
            Ok(member.endpoint(&authority, role)?)
        })
    }
}

/// Whether the caller's certificate is one of these roles.
pub(super) fn require<T>(request: &Request<T>, roles: &[Role]) -> Result<(), Status> {
    let refused = || Status::permission_denied("not open to this member");
    let certificates = request.peer_certs().ok_or_else(refused)?;
    let certificate = certificates.first().ok_or_else(refused)?;
    let parsed = ParsedCertificate::try_from(certificate).map_err(|_| refused())?;
    let is = |role: &Role| {
        ServerName::try_from(role.host()).is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    };
    if roles.iter().any(is) { Ok(()) } else { Err(refused()) }
}

/// The one library of TLS that all of the process uses, of the two that are linked.
pub(super) fn choose_provider() {
    // It may have been chosen before; then that stays.
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
}
