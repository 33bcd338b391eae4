//! The suites GM and INTL, key ring, field encryption, COSE and the Merkle log.
